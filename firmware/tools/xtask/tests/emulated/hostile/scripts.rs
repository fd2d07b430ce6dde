//! Scripts that are too long, too large or too deep, pushed and pulled.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;

use umqtt_device::signature::SUFFIX_LEN;

use super::Witness;
use super::stack::constructs;
use crate::client::TestClient;
use crate::device::{Device, chip};
use crate::scripts::image_of;

const RELAY: &str = include_str!("../../../../../../scripts/relay.script");
const ALARM: &str = include_str!("../../../../../../scripts/alarm.script");

/// What is said of a script that is right but for which there is no memory.
const NO_MEMORY: &str = "not enough memory to";
const OKAY: &str = "Syntax okay";

/// Pushes a script; the answer holds one of these, and the device stays up.
#[track_caller]
fn pushed(device: &Device, witness: &mut Witness, name: &str, script: &[u8], says: &[&str]) {
    let verdict = device.push(script);
    assert!(says.iter().any(|says| verdict.contains(says)), "{name}: {verdict}");
    println!("{name}: {}", verdict.replace('\n', " "));
    witness.is_served(device, name);
}

/// One handler of 28 conditions.
fn commands() -> String {
    let line = |n| {
        format!(
            " if $this_data = \"cmd{n}\" then publish local stat/{n} \"value {n}\" retained endif\n"
        )
    };
    format!("on topic local cmd/# do\n{}", (0..28).map(line).collect::<String>())
}

/// Handlers of a few lines, so many bytes together.
fn generated(bytes: usize) -> String {
    let mut script = String::from("on init do setvar $count = 0\n");
    for n in 1.. {
        let handler = format!(
            "% Number {n}.\non topic local room/{n}/set do\n setvar $count = $count + {n}\n \
             if $this_data = \"on\" then publish local room/{n}/state \"it is on\" retained endif\n"
        );
        if script.len() + handler.len() > bytes {
            break;
        }
        script += &handler;
    }
    let filler = bytes - script.len();
    script + &"%".repeat(filler)
}

/// Handlers of a line, so many: their image is longer than they are.
fn dense(handlers: usize) -> String {
    let line = |n| format!("on topic local q/{n} do publish local r/{n} v{n}\n");
    let lines: String = (0..handlers).map(line).collect();
    format!("on init do subscribe local \"q/+\"\n{lines}")
}

#[test]
fn uploads_of_any_size_never_restart_the_device() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    let comment = format!("%{}", "x".repeat(16_000));
    let lines = " println \"x\"\n".repeat(500);
    let source = chip().profile.source;
    let too_long = "% x\n".repeat(source / 4 + 900);
    let too_long_is_said = format!("the script is too long: at most {source} bytes");
    for (name, script, says) in [
        ("an empty script", " \r\n", &["the script is empty"][..]),
        ("a comment of 16,000 bytes", &comment, &["the script has no handlers", NO_MEMORY]),
        ("500 lines", &lines, &["Error in line 1", NO_MEMORY]),
        ("a script longer than any", &too_long, &[&too_long_is_said]),
        ("28 conditions", &commands(), &[OKAY]),
        ("a sample", ALARM, &[OKAY]),
        ("4 KiB", &generated(4096), &[OKAY]),
        ("8 KiB", &generated(8192), &[OKAY, NO_MEMORY]),
        ("the longest there is", &generated(source), &[OKAY, NO_MEMORY]),
    ] {
        pushed(&device, &mut witness, name, script.as_bytes(), says);
    }
    for bytes in [4096, 8192, 12_288, 16_384] {
        let image = image_of(&generated(bytes));
        let name = format!("{} bytes of bytecode", image.len());
        pushed(&device, &mut witness, &name, &image, &[OKAY]);
    }
    let mut image = image_of(RELAY);
    let most = chip().profile.image;
    image.resize(most + 8_000, 0);
    let says = format!("too long: at most {} bytes", most + SUFFIX_LEN);
    pushed(&device, &mut witness, "bytecode longer than any", &image, &[&says]);
}

#[test]
fn nesting_beyond_the_limit_is_refused_for_its_depth() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    for depth in [33, 100] {
        for (name, script) in constructs(depth) {
            let name = format!("{name} {depth}");
            pushed(
                &device,
                &mut witness,
                &name,
                script.as_bytes(),
                &["nested deeper than", NO_MEMORY],
            );
        }
    }
}

#[test]
fn scripts_of_4_kib_compile_and_bytecode_runs_beside_a_script_and_16_clients() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    pushed(&device, &mut witness, "the relay", RELAY.as_bytes(), &[OKAY]);
    let mut clients: Vec<TestClient> =
        (1..16).map(|n| device.client(&format!("client{n}"))).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.subscribe("all/#", 1);
        client.subscribe(&format!("own/{n}/+"), 1);
    }
    pushed(&device, &mut witness, "a sample", ALARM.as_bytes(), &[OKAY]);
    for (name, script) in [("28 conditions", commands()), ("4 KiB", generated(4096))] {
        pushed(&device, &mut witness, name, script.as_bytes(), &[OKAY]);
    }
    let larger = generated(16_384);
    pushed(&device, &mut witness, "16 KiB", larger.as_bytes(), &[OKAY, NO_MEMORY]);
    // It runs from flash, beside one that does.
    for handlers in [220, 230] {
        let image = image_of(&dense(handlers));
        let name = format!("{} bytes of bytecode", image.len());
        assert!(image.len() > 12 * 1024, "{name}");
        pushed(&device, &mut witness, &name, &image, &[OKAY]);
        let (last, client) = (handlers - 1, &mut clients[0]);
        client.subscribe(&format!("r/{last}"), 1);
        client.publish(&format!("q/{last}"), b"");
        assert_eq!(client.next().payload, format!("v{last}").into_bytes());
    }
    for client in &mut clients {
        client.publish_acknowledged("other/x", b"y", 1);
    }
}

/// A web server that gives this as the answer, once; its port.
fn serve(answer: Vec<u8>) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
            request.extend(byte);
        }
        // It may hang up before all of it.
        let _ = stream.write_all(&answer).and_then(|()| stream.shutdown(Shutdown::Write));
        let _ = stream.read_to_end(&mut request);
    });
    port
}

#[test]
fn downloads_of_any_size_never_restart_the_device() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    let source = chip().profile.source;
    let too_long = format!("(script too long): at most {source} bytes");
    for (bytes, with_length, says) in [
        (4_096, true, "Syntax okay"),
        (15_000, true, "(15000 Bytes)"),
        (15_000, false, "(15000 Bytes)"),
        (source + 600, true, &too_long[..]),
        (source + 600, false, &too_long),
        (4 * source, true, &too_long),
    ] {
        let body = generated(bytes);
        let length =
            if with_length { format!("Content-Length: {bytes}\r\n") } else { String::new() };
        let port = serve(format!("HTTP/1.1 200 OK\r\n{length}\r\n{body}").into_bytes());
        let mut console = device.console();
        console.send(&format!("script http://10.0.2.2:{port}/x"));
        console.wait_for("started");
        console.wait_for(says);
        witness.is_served(&device, &format!("{bytes} bytes pulled"));
    }
}
