//! Browsers: what a web page can make one send commands nothing, on no port.

use crate::world::World;

/// What a web page can make a browser send, with commands wherever the page chooses the bytes.
fn pages() -> Vec<Vec<u8>> {
    let commands = "\r\nset mqtt_user pwned\r\nsave\r\nreset factory\r\nscript delete\r\n";
    let head = "Host: localhost:7777\r\nUser-Agent: Mozilla/5.0\r\nOrigin: http://evil.example\r\n";
    let long = "a".repeat(3000);
    let mut pages: Vec<Vec<u8>> = [
        format!("POST / HTTP/1.1\r\n{head}Content-Type: text/plain\r\n{commands}"),
        format!("POST /{long} HTTP/1.1\r\n{head}{commands}"),
        format!("GET /{long}\nset mqtt_user pwned\n HTTP/1.1\r\n{head}{commands}"),
        format!("get / http/1.1\n{head}{commands}"),
        format!("\r\n\r\n\nPOST / HTTP/1.1\n{head}{commands}"),
        format!("OPTIONS /set HTTP/1.1\r\n{head}{commands}"),
        format!(
            "GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{head}\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13{commands}"
        ),
        // A page whose name was bound anew to the device's address may choose the method.
        format!("set /x HTTP/1.1\r\n{head}{commands}"),
        format!("publish /{long} HTTP/1.1\r\n{head}{commands}"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{commands}"),
        format!("GET /\r\n{commands}"),
        format!("{head}{commands}"),
        format!("Content-Length: 5\n{commands}"),
    ]
    .map(String::into_bytes)
    .to_vec();
    // A ticket of TLS, or a name of STUN, holds what the page's server chose.
    pages.push([b"\x16\x03\x01\x02\0\x01", commands.as_bytes()].concat());
    pages.push([b"\0\x01\0\x50\x21\x12\xA4\x42", commands.as_bytes()].concat());
    pages.push(
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", commands.as_bytes()].concat(),
    );
    pages.push(client_hello(commands));
    pages
}

/// What TLS 1.3 begins with, whole, with this as the name of the server.
fn client_hello(name: &str) -> Vec<u8> {
    /// With the length in front of it, of so many bytes.
    fn sized(bytes: usize, content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32).to_be_bytes()[4 - bytes..], content].concat()
    }
    let name = sized(2, &[&[0][..], &sized(2, name.as_bytes())].concat());
    let versions = sized(1, &[3, 4]);
    let extensions = [&[0, 0][..], &sized(2, &name), &[0, 43], &sized(2, &versions)].concat();
    let hello = [
        &[3, 3][..],
        &[b'\n'; 32],
        &sized(1, &[7; 32]),
        &sized(2, &[0x13, 1]),
        &sized(1, &[0]),
        &sized(2, &extensions),
    ];
    let handshake = [&[1][..], &sized(3, &hello.concat())].concat();
    [&[0x16, 3, 1][..], &sized(2, &handshake)].concat()
}

fn untouched(world: &mut World, what: &[u8]) {
    let console = world.console();
    let shown = world.ask(console, "show");
    let what = String::from_utf8_lossy(&what[..what.len().min(60)]);
    assert!(!shown.contains("pwned"), "{what}: {shown}");
    assert!(world.ask(console, "show script").contains("on init"), "{what}");
    assert!(!world.wires.borrow().restarted, "{what}");
    world.ask(console, "quit");
}

#[test]
fn a_web_page_commands_nothing_on_the_console() {
    for page in pages() {
        for piece in [page.len(), 1, 7] {
            let mut world = World::running("on init do\n settimer 1 1000\n");
            let browser = world.connect(7777);
            for bytes in page.chunks(piece) {
                world.send_quietly(browser, bytes);
                world.settle();
            }
            assert!(world.is_closed(browser), "{}", page.escape_ascii());
            untouched(&mut world, &page);
            let serial = world.serial();
            let what = match page[0] {
                0 | 0x16 => "no text on the console port, maybe TLS, from 192.168.4.2: closed",
                _ => "HTTP on the console port from 192.168.4.2: closed",
            };
            assert!(serial.contains(what), "{serial}");
            let console = world.console();
            assert!(world.ask(console, "show stats").contains("HTTP refused: 1\r\n"));
        }
    }
}

#[test]
fn it_hangs_up_at_the_first_line_without_an_answer() {
    let mut world = World::new();
    let browser = world.console();
    world.send(browser, "POST / HTTP/1.1\r\n");
    assert!(world.is_closed(browser));
    assert_eq!(world.received(browser), b"");
}

#[test]
fn a_command_there_is_not_is_no_request_for_being_named_as_a_method_is() {
    let mut world = World::new();
    let console = world.console();
    let reply = world.ask(console, "get broker_user");
    assert_eq!(reply, "Invalid Command\r\nDid you mean show? help lists the commands\r\n");
    assert!(world.ask(console, "delete script").starts_with("Invalid Command\r\n"));
    assert!(!world.is_closed(console));
}

#[test]
fn a_web_page_does_not_use_an_upload_up() {
    for page in pages() {
        for piece in [page.len(), 1] {
            let mut world = World::running("on init do\n println \"old\"\n");
            let console = world.console();
            world.ask(console, "script 2000");
            let browser = world.connect(2000);
            for bytes in page.chunks(piece) {
                world.send_quietly(browser, bytes);
                world.settle();
            }
            // At the first line, before the page has said all.
            assert!(world.is_closed(browser), "{}", page.escape_ascii());
            assert_eq!(world.received(browser), b"", "{}", page.escape_ascii());
            let log = world.serial();
            let what = match page[0] {
                0 | 0x16 => "not a script on the upload port, maybe TLS: closed",
                _ => "HTTP on the upload port: closed",
            };
            assert!(log.contains(what), "{}: {log}", page.escape_ascii());
            let sender = world.connect(2000);
            world.send(sender, "on init do\n println \"new\"\n");
            world.finish(sender);
            let report = world.text(console);
            assert!(report.contains("Syntax okay"), "{}: {report}", page.escape_ascii());
            assert!(world.ask(console, "show stats").contains("HTTP refused: 1\r\n"));
        }
    }
}

/// One after the other they may hold up a sender, and no more.
#[test]
fn many_web_pages_do_not_use_an_upload_up() {
    let mut world = World::running("on init do\n println \"old\"\n");
    let console = world.console();
    world.ask(console, "script 2000");
    let pages = pages();
    for (n, page) in pages.iter().cycle().take(100).enumerate() {
        let browser = world.connect(2000);
        world.send(browser, page);
        assert!(world.is_closed(browser), "{n}: {}", page.escape_ascii());
        world.advance(100);
    }
    let sender = world.connect(2000);
    world.send(sender, "on init do\n println \"new\"\n");
    world.finish(sender);
    let report = world.text(console);
    assert!(report.contains("Syntax okay"), "{report}");
    assert!(world.ask(console, "show stats").contains("HTTP refused: 100\r\n"));
}

#[test]
fn what_is_no_script_is_not_called_http() {
    let noise = |len: usize, first: u8| -> Vec<u8> {
        let mut state = 7_u32;
        let mut bytes: Vec<u8> = core::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(len)
        .collect();
        bytes[0] = first;
        bytes
    };
    for len in [10, 12_000] {
        for first in [0, 1, 7, 0x16, 0x80, 0x81, b'x', 0xFF] {
            let mut world = World::running("on init do\n println \"old\"\n");
            let console = world.console();
            world.ask(console, "script 2000");
            let sender = world.connect(2000);
            world.send_quietly(sender, noise(len, first));
            world.settle();
            world.finish(sender);
            world.advance(100);
            let text = world.text(console);
            assert!(!text.contains("HTTP"), "{len} bytes, {first}: {text}");
            let what = match first {
                0 | 1 | 0x16 | 0x80 => "not a script on the upload port, maybe TLS: closed",
                _ => "Error in line 1",
            };
            assert!(text.contains(what), "{len} bytes, {first}: {text}");
            assert!(world.ask(console, "show script").contains("old"));
        }
    }
}

#[test]
fn one_that_connects_to_an_upload_and_says_nothing_does_not_use_it_up() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "script 2000");
    let silent = world.connect(2000);
    world.advance(10_000);
    assert!(world.is_closed(silent) && world.listens(2000));
    world.advance(50_000);
    assert!(!world.listens(2000));
    assert!(world.text(console).contains("nobody connected"));
}

#[test]
fn a_web_page_is_no_client_of_the_broker() {
    for page in pages() {
        let mut world = World::new();
        let browser = world.connect(1883);
        world.send_quietly(browser, &page);
        world.settle();
        assert!(world.is_closed(browser), "{}", page.escape_ascii());
        assert_eq!(world.received(browser), b"");
    }
}

/// Its method may be longer than a line.
#[test]
fn a_first_line_that_is_too_long_ends_the_connection() {
    let mut world = World::new();
    let end = world.connect(7777);
    let long = "A".repeat(600);
    world.send(end, format!("{long} / HTTP/1.1\r\nset mqtt_user pwned\r\n"));
    assert!(world.is_closed(end));
    let console = world.console();
    assert!(!world.ask(console, "show config").contains("pwned"));
    // Behind a command it is a user's, and only that line is dropped.
    let reply = world.ask(console, &format!("{long}\r\nset mqtt_user mine"));
    assert!(reply.contains("Line too long (at most 512 bytes)"), "{reply}");
    assert!(world.ask(console, "show config").contains("mine"));
}
