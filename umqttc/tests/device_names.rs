//! `umqttc find`, and the device that is found: on this computer alone, by its own address.
#![cfg(unix)]

mod common;

use common::device::Device;
use common::{folder, umqttc};

#[test]
fn a_device_is_found_once_it_may_answer() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), None);
    let (mqtt, console) = (device.mqtt_port, device.console_port);
    let line = |found: &str| {
        let ports = format!("  {mqtt}  ");
        found.lines().find(|line| line.contains(&ports)).map(str::to_owned)
    };
    let ask =
        |timeout: &str| umqttc(dir.path(), &["find", "--bind", "127.0.0.1", "--timeout", timeout]);
    assert_eq!(line(&ask("1").out), None, "nobody asked it to answer");
    let mut session = device.console();
    session.ask("set mqtt_id hub-1");
    session.ask("set mdns_mode 1");
    session.ask_until("show stats", |stats| {
        stats.contains("mDNS: ") && !stats.contains("not ours yet")
    });
    let found = ask("2");
    let line = line(&found.out).unwrap_or_else(|| panic!("{}{}", found.out, found.err));
    let words: Vec<&str> = line.split_whitespace().collect();
    let [address, name, _, found_console, version, id] = words[..] else { panic!("{line}") };
    assert_eq!((address, found_console), ("127.0.0.1", &*console.to_string()));
    assert!(name.starts_with("mqtt") && name.ends_with(".local"), "{name}");
    assert_eq!((version, id), (env!("CARGO_PKG_VERSION"), "hub-1"));
}

#[test]
fn who_finds_nothing_is_told_what_to_do() {
    let dir = folder(&[]);
    // Nobody has this address but this test.
    let ran = umqttc(dir.path(), &["find", "--bind", "127.77.0.1", "--timeout", "1"]);
    if ran.code == 2 {
        // Not every system has all of 127.0.0.0/8.
        assert!(ran.err.starts_with("error: cannot ask the network: "), "{}", ran.err);
        return;
    }
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(ran.err.contains("set mdns_mode 1"), "{}", ran.err);
}
