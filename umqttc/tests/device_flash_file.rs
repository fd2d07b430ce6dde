//! What a device does with a `flash.bin` that a power cut, a full disk or somebody's mistake has
//! left: it says what it found, and stays closed where it may have been locked.
#![cfg(unix)]

mod common;

use common::device::{Device, free_port};
use common::{eventually, folder};

fn start(data: &std::path::Path) -> Device {
    eventually("the device to start", || {
        let mut device = Device::spawn(data, None, free_port(), free_port());
        device.serves().then_some(device)
    })
}

/// Whether a client without a password is let in.
fn lets_in(device: &Device) -> bool {
    let options = rumqttc::MqttOptions::new("stranger", "127.0.0.1", device.mqtt_port);
    common::mqtt::Mqtt::with(options).is_ok()
}

#[test]
fn a_short_file_keeps_strangers_out_until_its_owner_has_set_what_is_missing() {
    let dir = folder(&[]);
    let device = start(dir.path());
    let mut console = device.console();
    for command in ["set broker_user me", "set broker_password secret", "save"] {
        console.ask(command);
    }
    assert!(!lets_in(&device));
    device.kill();
    let file = std::fs::OpenOptions::new().write(true).open(dir.path().join("flash.bin"));
    file.and_then(|file| file.set_len(8192)).expect("it can be cut");
    let device = start(dir.path());
    device.logs("flash.bin had 8192 bytes of");
    assert!(!lets_in(&device));
    device.kill();
    // What was filled up is whole now, and still not known.
    let mut device = start(dir.path());
    device.logs("the saved settings are damaged");
    assert!(!lets_in(&device));
    let lines =
        ["lock anew", "unlock anew", "set broker_user none", "set broker_password none", "save"];
    for line in lines {
        device.types(line);
    }
    eventually("the device to be open", || lets_in(&device).then_some(()));
}

#[test]
fn an_empty_file_is_a_new_device() {
    let dir = folder(&[("flash.bin", b"")]);
    let device = start(dir.path());
    device.logs("flash.bin was empty: this is a new device");
    assert!(lets_in(&device));
}

#[test]
fn a_file_of_somebody_else_is_refused_and_not_touched() {
    let jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00holiday";
    let dir = folder(&[("flash.bin", jpeg)]);
    let mut device = Device::spawn(dir.path(), None, free_port(), free_port());
    assert!(!device.wait().success());
    device.logs("flash.bin is no flash file of this device, and is left as it is: move it away");
    assert_eq!(std::fs::read(dir.path().join("flash.bin")).expect("it is there"), jpeg);
}
