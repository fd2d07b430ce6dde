//! Who commands it: web pages, strangers, scripts, and whoever finds its flash damaged.

use umqtt_device::storage::Layout;
use umqtt_device::storage::ram::SECTOR;

use crate::world::{End, World, connect_packet};

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
        format!("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n{head}{commands}"),
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
    pages
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
            assert!(
                serial.contains("HTTP on the console port from 192.168.4.2: closed"),
                "{serial}"
            );
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
            world.finish(browser);
            assert!(world.is_closed(browser), "{}", page.escape_ascii());
            let sender = world.connect(2000);
            world.send(sender, "on init do\n println \"new\"\n");
            world.finish(sender);
            let report = world.text(console);
            assert!(report.contains("Syntax okay"), "{}: {report}", page.escape_ascii());
            assert!(world.ask(console, "show stats").contains("HTTP refused: 1\r\n"));
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

fn locked(script: &str) -> (World, End) {
    let mut world = World::running(script);
    let console = world.console();
    assert_eq!(world.ask(console, "set broker_user me"), "broker_user set to me\r\n");
    assert!(world.ask(console, "set broker_password secret").contains("set"));
    (world, console)
}

#[test]
fn to_lock_ends_uploads_that_were_asked_for_before() {
    let (mut world, console) = locked("on init do\n println \"old\"\n");
    world.ask(console, "script 2000");
    assert!(world.listens(2000));
    world.ask(console, "lock pw");
    assert!(!world.listens(2000), "the port that waited");
    world.ask(console, "unlock pw");
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do\n println \"new\"\n");
    world.ask(console, "lock pw");
    assert!(world.is_closed(sender), "the upload under way");
    world.ask(console, "unlock pw");
    world.ask(console, "script http://web/x");
    let (.., web) = world.take_asked();
    world.ask(console, "lock pw");
    assert!(world.is_closed(web), "the download under way");
    world.ask(console, "unlock pw");
    assert!(world.ask(console, "show script").contains("old"));
}

#[test]
fn a_script_does_not_open_or_clear_a_locked_device() {
    let (mut world, console) =
        locked("on init do\n subscribe local go\non topic local go do\n system $this_data\n");
    world.ask(console, "publish local x y");
    world.ask(console, "lock pw");
    let me = world.connect(1883);
    let mut connect = connect_packet("me");
    connect[9] |= 0xC0;
    connect.extend(b"\0\x02me\0\x06secret");
    connect[1] += 12;
    world.send(me, connect);
    assert_eq!(world.received(me), [0x20, 2, 0, 0]);
    for command in [
        "reset factory",
        "set broker_password none",
        "save",
        "script 2000",
        "script delete",
        "set @1 x",
        "delete_retained",
        "unlock guess",
        "lock",
    ] {
        world.send(me, crate::world::publish_packet("go", command));
        world.advance(2000);
        assert!(!world.wires.borrow().restarted, "{command}");
        assert!(!world.listens(2000), "{command}");
    }
    assert!(world.ask(console, "set mqtt_user x").contains("Config locked"));
    let mut world = world.power_cycle();
    let stranger = world.connect(1883);
    world.send(stranger, connect_packet("x"));
    assert_eq!(world.received(stranger), [0x20, 2, 0, 4]);
}

#[test]
fn wrong_passwords_on_the_network_do_not_delay_the_serial_line() {
    let (mut world, console) = locked("on init do\n settimer 1 1000\n");
    world.ask(console, "lock pw");
    for _ in 0..3 {
        world.ask(console, "unlock guess");
        world.advance(5000);
    }
    world.ask(console, "unlock guess");
    assert!(world.ask(console, "unlock pw").contains("After a wrong password: wait "));
    world.serial();
    world.type_in("unlock pw\r\n");
    assert!(world.serial().contains("Config unlocked"));
}

#[test]
fn what_clients_send_is_printed_as_text() {
    let mut world = World::running(
        "on init do\n subscribe local \"#\"\non topic local \"#\" do\n println $this_data\n serial_out $this_data\n",
    );
    let console = world.console();
    let client = world.client("c", "none");
    world.serial();
    let data = b"\x1b[2Ja\x07b\rc\x9bd\x7f \xc3\xbc \xf0\x9f\xa6\x80 \xe2\x80\xae";
    let mut packet = vec![0x30, 3 + data.len() as u8, 0, 1, b't'];
    packet.extend(data);
    world.send(client, packet);
    let shown = "\\x1b[2Ja\\x07b\\x0dc\\x9bd\\x7f \u{fc} \u{1f980} \\xe2\\x80\\xae";
    let text = world.text(console);
    assert!(text.contains(shown), "{text}");
    let wires = world.wires.borrow();
    let serial = String::from_utf8_lossy(&wires.serial);
    assert!(serial.contains(shown), "{serial}");
    assert!(wires.serial.windows(data.len()).any(|part| part == data), "serial_out is raw");
}

/// Whether everybody who has no password is kept out.
fn is_closed(world: &mut World, what: &str) {
    let stranger = world.connect(1883);
    world.send(stranger, connect_packet("x"));
    assert_ne!(world.received(stranger), [0x20, 2, 0, 0], "{what}: a client without a password");
    if world.listens(7777) {
        let console = world.connect(7777);
        world.send(console, "set mqtt_user pwned\r\n");
        let reply = world.text(console);
        assert!(!reply.contains("mqtt_user set"), "{what}: {reply}");
    }
    assert!(!world.listens(2000));
}

#[test]
fn damage_of_settings_and_lock_opens_it_to_nobody() {
    let locked = || {
        let (mut world, console) = locked("on init do\n settimer 1 1000\n");
        world.ask(console, "lock pw");
        world
    };
    let layout = Layout::DESKTOP;
    let map = layout.map_sectors as usize * SECTOR;
    let (mut used, mut guard) = (0, 0);
    let _ = locked().power_cycle_damaged(&mut |bytes| {
        used = bytes[..SECTOR].iter().rposition(|byte| *byte != 0xFF && *byte != 0).unwrap_or(0);
        guard = bytes.len() - 2 * SECTOR;
    });
    for at in (0..used).step_by(3).chain(guard..guard + 200) {
        let mut world = locked().power_cycle_damaged(&mut |bytes| bytes[at] ^= 1 << (at % 8));
        is_closed(&mut world, &format!("a bit of byte {at}"));
    }
    for (kind, byte) in [("zeroed", 0), ("erased", 0xFF), ("noise", 0x5A)] {
        for (region, range) in
            [("map", 0..map), ("first sector", 0..SECTOR), ("guard", guard..guard + 2 * SECTOR)]
        {
            let mut world = locked().power_cycle_damaged(&mut |bytes| {
                bytes[range.clone()].fill(byte);
            });
            is_closed(&mut world, &format!("{region} {kind}"));
        }
    }
}

#[test]
fn a_damaged_device_is_set_anew_from_its_serial_line() {
    let (mut world, console) = locked("on init do\n settimer 1 1000\n");
    world.ask(console, "lock pw");
    let map = Layout::DESKTOP.map_sectors as usize * SECTOR;
    let mut world = world.power_cycle_damaged(&mut |bytes| bytes[..map].fill(0));
    let log = world.serial();
    assert!(log.contains("the saved settings are damaged"), "{log}");
    assert!(log.contains("the lock is damaged"), "{log}");
    is_closed(&mut world, "damaged");
    let console = world.connect(7777);
    assert!(world.text(console).contains("the saved settings are damaged"));
    assert!(world.is_closed(console));
    world.type_in("set mqtt_user x\r\nsave\r\nunlock pw\r\n");
    let replies = world.serial();
    assert!(replies.contains("Config locked"), "{replies}");
    assert!(replies.contains("The lock is damaged"), "{replies}");
    world.type_in("lock mine\r\nunlock mine\r\nset broker_user you\r\nset broker_password p\r\n");
    let replies = world.serial();
    assert!(replies.contains("Config unlocked"), "{replies}");
    let mut world = world.power_cycle();
    is_closed(&mut world, "not saved");
    world.type_in("set broker_user you\r\nset broker_password p\r\nsave\r\n");
    assert!(world.serial().contains("Config saved"));
    let mut world = world.power_cycle();
    assert!(!world.serial().contains("damaged"));
    let console = world.console();
    assert!(world.ask(console, "show").contains("broker_user: you"));
    let stranger = world.connect(1883);
    world.send(stranger, connect_packet("x"));
    assert_eq!(world.received(stranger), [0x20, 2, 0, 4]);
}
