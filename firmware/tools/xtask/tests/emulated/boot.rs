//! Starts that lead to a reset, again and again: the device comes up all the same.

use std::fs;
use std::time::Duration;

use umqtt_device::storage::StoredScript;
use xtask::chip::emulator::Emulator;

use crate::device::{Device, chip, eventually, program};
use crate::flash;

const GOOD: &[u8] = b"on init do publish local name good retained\n";
/// Larger than all of the heap.
fn much() -> usize {
    chip().plan.total() + 6_000
}

fn times(device: &Device, what: &str) -> usize {
    device.serial().matches(what).count()
}

/// The script is there to be seen, and a new one can be put in its place.
fn is_mended(device: &Device) {
    let mut client = device.client("test");
    client.subscribe("name", 0);
    assert!(device.push(GOOD).contains("Syntax okay"));
    assert_eq!(client.next().payload, b"good");
}

#[test]
fn a_script_that_resets_the_device_at_its_start_is_left_out_the_fourth_time() {
    let device = Device::boot();
    device.console().ask("script 2000");
    device.upload(b"on init do\n system \"reset\"\n");
    device.has_said("Script disabled: the device was reset 3 times while it started");
    assert_eq!(times(&device, "it was restarted: the device was asked to"), 3);
    // In between it was reset before it had one.
    eventually("the network", || (times(&device, "network up") == 2).then_some(()));
    let mut console = device.console();
    assert!(console.ask("show script").contains("system \"reset\""));
    assert!(console.ask("show mqtt").contains("Script disabled"));
    is_mended(&device);
}

#[test]
fn a_start_that_leads_to_a_fault_is_made_without_the_script_the_fourth_time() {
    let device = Device::boot();
    device.push(GOOD);
    let device = Device::boot_to_fault(device.cut(), "fault with script");
    device.has_said("Script disabled until the next start: 3 faults in a row");
    assert_eq!(times(&device, "it was restarted: panic at"), 3);
    assert!(device.console().ask("show script").contains("publish local name"));
    assert!(device.console().ask("show mqtt").contains("Script disabled"));

    // After a power cut the memory of the faults is gone; the flash has counted too.
    let device = Device::boot_with(device.cut());
    device.has_said("Script disabled: the device was reset 3 times while it started");
    assert_eq!(times(&device, "it was restarted"), 0);
    is_mended(&device);
    let device = Device::boot_with(device.cut());
    assert!(device.console().ask("show mqtt").contains("Script enabled"));
}

#[test]
fn what_is_stored_and_cannot_run_is_said_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let script = StoredScript { image: &vec![7; much()], source: b"" };
    flash::make(&folder.path().join("flash"), &script);
    let device = Device::boot_with(folder);
    device.has_said("the stored script cannot run: not a bytecode image");
    assert!(device.console().ask("show mqtt").contains("Script disabled"));
    assert!(device.console().ask("show script").contains("not loaded"));
    device.client("served").publish_acknowledged("name", b"x", 1);
    is_mended(&device);
    assert_eq!(times(&device, "it was restarted"), 0);
}

#[test]
fn a_damaged_script_is_said_and_not_used() {
    let device = Device::boot();
    device.push(GOOD);
    let folder = device.cut();
    let file = folder.path().join("flash");
    let mut bytes = fs::read(&file).unwrap();
    for slot in flash::slots() {
        bytes[slot + 40] ^= 0x10;
    }
    fs::write(&file, bytes).unwrap();
    let device = Device::boot_with(folder);
    device.has_said("a stored script is damaged and is not used");
    assert!(device.console().ask("show script").contains("No script"));
    is_mended(&device);
}

#[test]
fn a_device_that_cannot_start_at_all_waits_longer_and_longer() {
    let folder = tempfile::tempdir().unwrap();
    let mut emulator = Emulator::new(chip(), &program("UMQTT_ON_CORE_DEVICE"));
    emulator.flash(&folder.path().join("flash")).unwrap().append("fault").exact(true);
    // It never ends; with exact time its waits take none.
    let output = match emulator.run(Duration::from_secs(8)) {
        Ok(ended) => panic!("it has ended: {}", ended.text()),
        Err(killed) => killed.to_string(),
    };
    let waits: Vec<&str> = output
        .lines()
        .filter_map(|line| line.split_once(" faults in a row: the next try is in "))
        .map(|(_, wait)| wait)
        .take(10)
        .collect();
    let expected = ["1 s", "2 s", "4 s", "8 s", "16 s", "32 s", "64 s", "128 s", "256 s", "300 s"];
    assert_eq!(waits, expected, "{output}");
}
