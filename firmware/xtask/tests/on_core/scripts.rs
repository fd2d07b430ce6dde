//! Scripts on the core: pushed, compiled there, pulled, run.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use umqtt_lang::{Extras, compile};
use umqtt_vm::Profile;

use crate::device::{Device, eventually};

const RELAY: &str = include_str!("../../../../scripts/relay.script");
const TIMER: &str = "on init do settimer 1 200\n\
                     on timer 1 do setvar $n = $n + 1 publish local tick $n settimer 1 200\n";

fn image_of(source: &str) -> Vec<u8> {
    compile(source.as_bytes(), &Profile::ESP8266, Extras { debug: true, source: false }).unwrap()
}

fn holds(flash: &[u8], bytes: &[u8]) -> bool {
    flash.windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn source_is_compiled_on_the_core_to_the_image_the_desktop_makes() {
    let device = Device::boot();
    let verdict = device.push(RELAY.as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    assert!(holds(&device.flash(), &image_of(RELAY)));

    let mut client = device.client("test");
    client.subscribe("relay/status", 0);
    assert_eq!(client.next().payload, b"off");
    client.publish("relay/command", b"toggle");
    assert_eq!(client.next().payload, b"on");
}

#[test]
fn bytecode_runs_as_well() {
    let device = Device::boot();
    let verdict = device.push(&image_of(TIMER));
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    let mut client = device.client("test");
    client.subscribe("tick", 0);
    let first: u32 = String::from_utf8(client.next().payload).unwrap().parse().unwrap();
    let second: u32 = String::from_utf8(client.next().payload).unwrap().parse().unwrap();
    assert_eq!(second, first + 1);
}

#[test]
fn a_broken_script_is_refused_and_the_old_one_runs_on() {
    let device = Device::boot();
    device.push(TIMER.as_bytes());
    let verdict = device.push(b"on init do\n  setvar x = 1\n");
    assert!(verdict.contains("Error in line 2"), "{verdict}");
    let mut client = device.client("test");
    client.subscribe("tick", 0);
    client.next();
}

#[test]
fn a_script_is_pulled_over_http() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{TIMER}", TIMER.len());
    });
    let device = Device::boot();
    let mut console = device.console();
    console.ask(&format!("script http://10.0.2.2:{port}/timer.script"));
    let shown = eventually("the script", || {
        Some(console.ask("show script")).filter(|shown| shown.contains("settimer"))
    });
    assert!(shown.contains("--end--"), "{shown}");
    assert!(holds(&device.flash(), &image_of(TIMER)));
}
