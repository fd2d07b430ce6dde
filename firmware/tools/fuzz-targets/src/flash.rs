//! Any contents of the flash of a whole device: it comes up, keeps what it is told, and comes up
//! again.

use umqtt_device::Device;
use umqtt_device::device::DeviceOptions;
use umqtt_device::net::Instant;
use umqtt_device::storage::ram::{RamFlash, SECTOR};
use umqtt_device::storage::{FlashLayout, Storage};
use umqtt_mqtt::Limits;
use umqtt_vm::Profile;

use crate::OneConnection;
use umqtt_testkit::board::{FakeBoard, FakePlatform};

/// Few sectors, so that the fuzzer reaches all of them.
const LAYOUT: FlashLayout = FlashLayout { start: 0, map_sectors: 3, slot_sectors: 1 };

/// Runs the target: records of sector, place in it, length and bytes, on a flash in use.
pub fn run(input: &[u8]) {
    let mut bytes = used();
    let mut rest = input;
    while let [sector, at, fine, len, tail @ ..] = rest {
        let start = usize::from(*sector) * SECTOR + usize::from(*at) * 16 + usize::from(*fine % 16);
        let (content, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        let start = start % bytes.len();
        for (place, byte) in bytes[start..].iter_mut().zip(content) {
            *place = *byte;
        }
        rest = tail;
    }
    // The storage alone: whatever it found, it works.
    let flash = RamFlash::with(bytes.clone());
    let (mut storage, _) = Storage::mount(flash, LAYOUT).expect("it can be used");
    let _ = storage.script();
    let _ = storage.load_retained();
    storage.save_settings(b"settings").expect("they are kept");
    storage.set_flash_variable(1, b"one").expect("it is kept");
    let (mut storage, report) = Storage::mount(storage.unmount(), LAYOUT).expect("it can be used");
    assert!(!report.formatted && !report.settings_damaged, "{report:?}");
    assert_eq!(storage.load_settings().as_deref(), Ok(&b"settings"[..]));

    // And a device on it.
    let options = DeviceOptions {
        profile: Profile::ESP8266,
        limits: Limits::SMALL,
        layout: LAYOUT,
        send_buffer: 4096,
        ..DeviceOptions::DESKTOP
    };
    let board = FakeBoard::default();
    let mut device =
        Device::<FakePlatform>::new(board, RamFlash::with(bytes), options).expect("it comes up");
    let mut net = OneConnection::new(7777, b"show\nshow vars\nshow script\nquit\n");
    device.start(Instant::ZERO);
    for now in (0..200).map(Instant::from_millis) {
        net.knock();
        device.poll(now, &mut net);
    }
}

/// A flash in use.
fn used() -> Vec<u8> {
    let flash = RamFlash::new(LAYOUT.sectors());
    let (mut storage, _) = Storage::mount(flash, LAYOUT).expect("a blank one can be used");
    storage.save_settings(&[1]).expect("there is room");
    storage.save_lock(&[]).expect("there is room");
    storage.append_incoming(b"on init do println 1\n").expect("there is room");
    storage.drop_incoming();
    for n in 1..=16 {
        storage.set_flash_variable(n, &[n; 40]).expect("there is room");
    }
    storage.unmount().bytes_mut().to_vec()
}
