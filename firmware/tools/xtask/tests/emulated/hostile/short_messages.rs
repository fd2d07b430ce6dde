//! Messages of a few bytes, which take many times their length: from clients, a script and a remote
//! broker.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use super::memory::connack;
use super::{ANSWER, Witness};
use crate::client::{CONNECT, PUBLISH, packet, text};
use crate::device::Device;

/// Newcomers, one after the other.
const NEWCOMERS: usize = 10;

/// Newcomers get in while the flood goes on, at the first try or soon.
fn newcomers_get_in(device: &Device, witness: &mut Witness, during: &str) {
    for number in 0..NEWCOMERS {
        let end = Instant::now() + ANSWER;
        let mut answer = Vec::new();
        while answer != [0x20, 2, 0, 0] {
            assert!(Instant::now() < end, "newcomer {number} during {during}: {answer:x?}");
            answer = connack(device, &format!("n{number}"));
        }
    }
    witness.is_answered(device, during);
}

#[test]
fn to_a_script_shut_nobody_out() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    let script = "on init do\n subscribe local \"s/#\"\n publish local \"s/a\" \"x\"\n\
                  on topic local \"s/#\" do\n publish local \"s/a\" \"x\"\n publish local \"s/b\" \"y\"\n";
    let verdict = device.push(script.as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    newcomers_get_in(&device, &mut witness, "messages of its own");

    let relay = include_bytes!("../../../../../../scripts/relay.script");
    let verdict = device.push(relay);
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    let mut flooder = TcpStream::connect(device.addresses()[0]).unwrap();
    let hello = [text("MQTT"), vec![4, 2, 0, 0], text("flooder")].concat();
    flooder.write_all(&packet(CONNECT, &hello)).unwrap();
    let flood = packet(PUBLISH, &text("relay/command")).repeat(200);
    // It ends with its connection.
    let mut other = flooder.try_clone().unwrap();
    let thread = thread::spawn(move || while other.write_all(&flood).is_ok() {});
    newcomers_get_in(&device, &mut witness, "empty commands");
    flooder.shutdown(std::net::Shutdown::Both).unwrap();
    thread.join().unwrap();
    witness.is_served(&device, "the flood");
}

/// A broker that accepts its first client and then does this.
fn remote(then: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = stream.read(&mut [0; 100]);
        stream.write_all(&[0x20, 2, 0, 0]).unwrap();
        then(stream);
    });
    port
}

#[test]
fn of_a_remote_broker_shut_nobody_out() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    let port = remote(|mut stream| {
        let flood = packet(PUBLISH, &text("r")).repeat(100);
        while stream.write_all(&flood).is_ok() {}
    });
    let script = format!(
        "config mqtt_host 10.0.2.2\nconfig mqtt_port {port}\n\
         on mqttconnect do subscribe remote r\non topic remote r do publish local got $this_data\n"
    );
    let verdict = device.push(script.as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    device.has_said("connected to the remote broker");
    newcomers_get_in(&device, &mut witness, "a flood of the remote broker");
    assert!(device.console().ask("show mqtt").contains("MQTT client connected"));
    device.console().ask("script delete");
    witness.is_served(&device, "the remote broker");
}

#[test]
fn to_a_remote_broker_that_does_not_read_shut_nobody_out() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let port = remote(move |stream| {
        let _ = ended.recv();
        drop(stream);
    });
    let script = format!(
        "config mqtt_host 10.0.2.2\nconfig mqtt_port {port}\n\
         on mqttconnect do settimer 1 1\non timer 1 do\n setvar $n = 0\n while $n lt 100 do\n\
         publish remote r \"\"\n setvar $n = $n + 1\n done\n settimer 1 1\n"
    );
    let verdict = device.push(script.as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    // What waits at the other computer, and in between, is full too.
    device.has_said("too many messages are waiting to be sent");
    newcomers_get_in(&device, &mut witness, "messages that nobody reads");
    device.console().ask("script delete");
    witness.is_served(&device, "messages that nobody reads");
    drop(end);
}
