//! What a radio reports, such as networks with any names, to a whole device whose owner scans.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use umqtt_device::board::{Board, Gpio, Radio, Random, Restart, Serial};
use umqtt_device::device::DeviceOptions;
use umqtt_device::net::{Duration, Instant, Interface};
use umqtt_device::storage::FlashLayout;
use umqtt_device::storage::ram::RamFlash;
use umqtt_device::wifi::{
    ApConfig, Credentials, JoinError, MAX_NETWORKS, MAX_SSID, MAX_STATIONS, RadioError, RadioEvent,
    ScanResult, Security, Ssid,
};
use umqtt_device::{Device, Platform};

use crate::OneConnection;

/// Polls of the device at one time: each does a bounded piece of work.
const POLLS: usize = 2_000;

/// The wires of the board, held by the target too.
#[derive(Default)]
struct Wires {
    events: VecDeque<RadioEvent>,
    /// The radio refuses what it is asked.
    refuses: bool,
    typed: VecDeque<u8>,
    serial: Vec<u8>,
}

struct FuzzedRadio(Rc<RefCell<Wires>>);

impl FuzzedRadio {
    fn answer(&self) -> Result<(), RadioError> {
        if self.0.borrow().refuses { Err(RadioError::Busy) } else { Ok(()) }
    }
}

impl Radio for FuzzedRadio {
    fn join(&mut self, _: &Credentials) -> Result<(), RadioError> {
        self.answer()
    }
    fn leave(&mut self) {}
    fn start_ap(&mut self, _: &ApConfig) -> Result<(), RadioError> {
        self.answer()
    }
    fn scan(&mut self) -> Result<(), RadioError> {
        self.answer()
    }
    fn poll_event(&mut self) -> Option<RadioEvent> {
        self.0.borrow_mut().events.pop_front()
    }
    fn rssi(&mut self) -> Option<i8> {
        Some(-50)
    }
    fn mac(&self, _: Interface) -> [u8; 6] {
        [2, 0, 0, 1, 2, 3]
    }
}

struct FuzzedBoard(Rc<RefCell<Wires>>, FuzzedRadio);

impl Gpio for FuzzedBoard {}

impl Serial for FuzzedBoard {
    fn serial_write(&mut self, bytes: &[u8]) {
        self.0.borrow_mut().serial.extend_from_slice(bytes);
    }
}

impl Random for FuzzedBoard {}

impl Board for FuzzedBoard {
    fn radio(&mut self) -> Option<&mut dyn Radio> {
        Some(&mut self.1)
    }
    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        let typed = &mut self.0.borrow_mut().typed;
        let len = into.len().min(typed.len());
        for (to, from) in into.iter_mut().zip(typed.drain(..len)) {
            *to = from;
        }
        len
    }
    fn mac(&self) -> [u8; 6] {
        [2, 0, 0, 1, 2, 3]
    }
    fn micros(&self) -> u32 {
        0
    }
    fn restart(&mut self, _: Restart) {}
}

struct FuzzedPlatform;

impl Platform for FuzzedPlatform {
    type Board = FuzzedBoard;
    type Flash = RamFlash;
}

struct Story {
    device: Device<FuzzedPlatform>,
    net: OneConnection,
    wires: Rc<RefCell<Wires>>,
    now: Instant,
}

/// Runs the target. Each step is a byte that says what happens, one with a number, and for a
/// network its name, whose length is in the first byte.
pub fn run(mut input: &[u8]) {
    let mut story = Story::begin();
    while let [what, number, rest @ ..] = input {
        input = rest;
        let mac = [2, 0, 0, 0, 0, *number];
        let event = match what & 7 {
            0 => {
                let len = usize::from(what >> 3).min(MAX_SSID).min(input.len());
                let (name, rest) = input.split_at(len);
                input = rest;
                RadioEvent::Network(network(name, *number))
            }
            1 => RadioEvent::ScanDone(number & 1 == 0),
            2 => RadioEvent::Joined { channel: *number, rssi: number.cast_signed() },
            3 => RadioEvent::JoinFailed(match number % 3 {
                0 => JoinError::WrongPassword,
                1 => JoinError::NotFound,
                _ => JoinError::Failed,
            }),
            4 => RadioEvent::Lost,
            5 if number & 0x80 == 0 => RadioEvent::StationJoined(mac),
            5 => RadioEvent::StationLeft(mac),
            6 => {
                story.wires.borrow_mut().refuses = number & 1 != 0;
                story.scan();
                continue;
            }
            _ => {
                story.now += Duration::from_millis(u64::from(*number) * 200);
                story.settle();
                continue;
            }
        };
        story.wires.borrow_mut().events.push_back(event);
        // Some come alone and some together.
        if number & 1 == 0 {
            story.settle();
        }
    }
    story.settle();
    let shown = story.say(b"show stats\r\n");
    let stations = shown.lines().find_map(|line| line.split_once(" stations connected to AP"));
    let stations = stations.map_or(0, |(count, _)| count.parse().expect("a number"));
    assert!(stations <= MAX_STATIONS, "{stations} stations");
}

fn network(name: &[u8], number: u8) -> ScanResult {
    let security = [Security::Open, Security::Wpa2, Security::Enterprise, Security::Other];
    ScanResult {
        ssid: Ssid::from_slice(name).expect("no longer than names are"),
        security: security[usize::from(number & 3)],
        rssi: number.cast_signed(),
        mac: [number; 6],
        channel: number,
    }
}

impl Story {
    fn begin() -> Story {
        let wires = Rc::new(RefCell::new(Wires::default()));
        let board = FuzzedBoard(Rc::clone(&wires), FuzzedRadio(Rc::clone(&wires)));
        let options =
            DeviceOptions { layout: FlashLayout::ESP8266, ..DeviceOptions::DESKTOP.with_radio() };
        let flash = RamFlash::new(FlashLayout::ESP8266.sectors());
        let device = Device::new(board, flash, options).expect("a blank flash can be used");
        let mut net = OneConnection::new(1, b"");
        net.events.clear();
        let mut story = Story { device, net, wires, now: Instant::ZERO };
        story.device.listen(&mut story.net).expect("every port is free");
        story.device.start(story.now);
        story.settle();
        story
    }

    /// Polls the device until it has nothing to do at this time.
    fn settle(&mut self) {
        let mut polls = 0;
        while self.device.poll(self.now, &mut self.net).is_some_and(|next| next <= self.now)
            || !self.wires.borrow().events.is_empty()
        {
            polls += 1;
            assert!(polls < POLLS, "it never ends");
        }
    }

    /// What the device says to a line, and what it had to say before.
    fn say(&mut self, line: &[u8]) -> String {
        self.wires.borrow_mut().typed.extend(line);
        self.settle();
        let serial = std::mem::take(&mut self.wires.borrow_mut().serial);
        let text = String::from_utf8(serial).expect("names are shown as text");
        let control = text.chars().find(|c| c.is_control() && !"\r\n".contains(*c));
        assert_eq!(control, None, "no name moves the terminal's cursor");
        assert!(networks(&text) <= MAX_NETWORKS, "those of one scan");
        text
    }

    /// Begins a scan, when that before has shown all it has.
    fn scan(&mut self) {
        self.say(b"");
        self.say(b"scan\r\n");
    }
}

/// Lines of networks: the name and the address are in quotes, and no name has one of its own.
fn networks(text: &str) -> usize {
    text.lines().filter(|line| line.matches("\",").count() == 2).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_seen() {
        let mut story = Story::begin();
        story.scan();
        for number in 0..=255 {
            let event = RadioEvent::Network(network(b"a\",\"\r\n", number));
            story.wires.borrow_mut().events.push_back(event);
        }
        story.wires.borrow_mut().events.push_back(RadioEvent::ScanDone(true));
        let text = story.say(b"");
        assert_eq!(networks(&text), MAX_NETWORKS, "{text}");
        assert!(text.contains("... and 192 more"), "{text}");
    }
}
