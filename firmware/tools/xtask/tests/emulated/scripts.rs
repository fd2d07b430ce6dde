//! Scripts on the core: pushed, compiled there, pulled, run.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::device::{Device, chip, eventually, program};

const RELAY: &str = include_str!("../../../../../scripts/relay.script");
const TIMER: &str = "on init do settimer 1 200\n\
                     on timer 1 do setvar $n = $n + 1 publish local tick $n settimer 1 200\n";

/// What `umqttc build` makes of it.
pub(crate) fn image_of(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let [script, image] = ["x.script", "x.umq"].map(|name| folder.path().join(name));
    fs::write(&script, source).unwrap();
    let mut command = Command::new(program("UMQTT_ON_CORE_UMQTTC"));
    let built = command
        .args(["build", "--profile", chip().profile.name])
        .arg(&script)
        .arg("-o")
        .arg(&image)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    fs::read(image).unwrap()
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
    let image = image_of(TIMER);
    let verdict = device.push(&image);
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    assert!(holds(&device.flash(), &image));
    let mut client = device.client("test");
    client.subscribe("tick", 0);
    let first: u32 = String::from_utf8(client.next().payload).unwrap().parse().unwrap();
    let second: u32 = String::from_utf8(client.next().payload).unwrap().parse().unwrap();
    assert_eq!(second, first + 1);
}

#[test]
fn timers_come_when_they_are_due_and_not_when_disarmed() {
    let device = Device::boot();
    let mut client = device.client("test");
    client.subscribe("due", 0);
    let script = "on init do settimer 1 600 settimer 2 200 settimer 3 400 settimer 4 400 settimer 3 0\n\
                  on timer 1 do publish local due 1\n\
                  on timer 2 do publish local due 2\n\
                  on timer 3 do publish local due 3\n\
                  on timer 4 do publish local due 4\n";
    let verdict = device.push(script.as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    assert_eq!(client.next().payload, b"2");
    let first = Instant::now();
    assert_eq!(client.next().payload, b"4");
    assert_eq!(client.next().payload, b"1");
    // The first may have been read late, but not the last before its time.
    let between = first.elapsed().as_millis();
    assert!((300..=500).contains(&between), "{between} ms, not 400");
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
