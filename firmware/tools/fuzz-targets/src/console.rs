//! Any bytes typed on the console of a whole device, over TCP or on the serial line.

use crate::OneConnection;
use umqtt_device::Device;
use umqtt_device::device::DeviceOptions;
use umqtt_device::net::Instant;
use umqtt_device::storage::FlashLayout;
use umqtt_device::storage::ram::RamFlash;
use umqtt_mqtt::Limits;
use umqtt_testkit::board::{FakeBoard, FakePlatform, Wires};
use umqtt_vm::Profile;

const CONSOLE: u16 = 7777;
/// Polls of the device: each does a bounded piece of work, of which a line is one.
const POLLS: u64 = 2_000;

// The first byte chooses the way in.
/// Runs the target.
pub fn run(input: &[u8]) {
    let Some((&way, bytes)) = input.split_first() else { return };
    let (tcp, serial) = if way & 1 == 0 { (bytes, &[][..]) } else { (&[][..], bytes) };
    let typed = serial.iter().copied().collect();
    let board = FakeBoard::new(Wires { typed, input: true, adc: 512, ..Wires::default() });
    let wires = board.wires();
    let options = DeviceOptions {
        profile: Profile::ESP8266,
        limits: Limits::SMALL,
        layout: FlashLayout::ESP8266,
        send_buffer: 4096,
        console_port: Some(CONSOLE),
        ..DeviceOptions::DESKTOP
    };
    let flash = RamFlash::new(FlashLayout::ESP8266.sectors());
    let mut device =
        Device::<FakePlatform>::new(board, flash, options).expect("a blank flash can be used");
    let mut net = OneConnection::new(CONSOLE, tcp);
    device.listen(&mut net).expect("every port is free");
    device.start(Instant::ZERO);
    for now in (0..POLLS).map(Instant::from_millis) {
        net.knock();
        let next = device.poll(now, &mut net);
        let idle = net.closed || net.incoming.is_empty();
        if wires.borrow().restarted
            || idle && wires.borrow().typed.is_empty() && next.is_none_or(|next| next > now)
        {
            break;
        }
    }
    if way & 1 == 0 {
        assert!(net.outgoing.starts_with(b"CMD>"), "a session begins with the prompt");
    }
}
