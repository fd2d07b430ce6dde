//! The power fails while something is written: afterwards the old is there or the new, whole.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::device::Device;

/// Two scripts that cannot be taken for each other, nor half of one for anything.
fn script(name: &str) -> String {
    let filler = "println \"nothing of interest\" ".repeat(60);
    format!("on init do publish local name {name} retained\non serial do {filler}\n")
}

/// Times at which the power fails, after the last byte was sent, in milliseconds.
const MOMENTS: [u64; 6] = [0, 3, 10, 25, 60, 150];

#[test]
fn a_script_is_old_or_new_after_a_power_cut() {
    let device = Device::boot();
    assert!(device.push(script("old").as_bytes()).contains("Syntax okay"));
    let mut folder = device.cut();
    for (round, moment) in MOMENTS.into_iter().enumerate() {
        let (old, new) = (names(round), names(round + 1));
        let device = Device::boot_with(folder);
        let before = running(&device);
        assert!(before == old || round > 0, "{before}");
        let next = if before == new { old } else { new };
        device.console().ask("script 2000");
        let mut upload = TcpStream::connect(device.addresses()[2]).unwrap();
        upload.write_all(script(&next).as_bytes()).unwrap();
        drop(upload);
        thread::sleep(Duration::from_millis(moment));
        let device = Device::boot_with(device.cut());
        let after = running(&device);
        assert!(after == before || after == next, "{before} was to become {next}, it is {after}");
        folder = device.cut();
    }
}

fn names(round: usize) -> String {
    if round == 0 { "old".into() } else { format!("new{round}") }
}

/// The name the script that runs has published.
fn running(device: &Device) -> String {
    let mut client = device.client("test");
    client.subscribe("name", 0);
    String::from_utf8(client.next().payload).unwrap()
}

#[test]
fn settings_are_old_or_new_after_a_power_cut() {
    let device = Device::boot();
    let mut console = device.console();
    console.ask("set ap_ssid first");
    assert!(console.ask("save").contains("Config saved"));
    let mut folder = device.cut();
    for moment in MOMENTS {
        let device = Device::boot_with(folder);
        let mut console = device.console();
        let before = ssid(&mut console);
        console.ask("set ap_ssid other");
        console.send("save");
        thread::sleep(Duration::from_millis(moment));
        let device = Device::boot_with(device.cut());
        let after = ssid(&mut device.console());
        assert!(after == before || after == "other", "{before} was to become other, it is {after}");
        folder = device.cut();
    }
}

fn ssid(console: &mut crate::device::Console) -> String {
    let shown = console.ask("show config");
    let line =
        shown.lines().find(|line| line.contains("ap_ssid")).unwrap_or_else(|| panic!("{shown}"));
    line.split_whitespace().last().unwrap().trim_matches('"').to_owned()
}
