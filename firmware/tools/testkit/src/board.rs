//! A board in memory: a test holds the other end of its wires.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use umqtt_device::board::{Board, Gpio, Radio, Random, Restart, Serial};
use umqtt_device::net::Interface;
use umqtt_device::platform::Platform;
use umqtt_device::sim::SimulatedRadio;
use umqtt_device::storage::MappedFlash;
use umqtt_device::storage::ram::RamFlash;
use umqtt_device::wifi::{ApConfig, Credentials, RadioError, RadioEvent};

use crate::memory;

/// What is on the board's pins and wires, and what it is asked for.
pub struct Wires {
    /// What was typed on the serial port and not read yet.
    pub typed: VecDeque<u8>,
    /// What the device wrote to the serial port.
    pub serial: Vec<u8>,
    /// How many bytes it had written each time it asked for another speed, and that speed in bit/s.
    pub bitrates: Vec<(usize, u32)>,
    /// Levels the device put on pins, in order.
    pub outputs: Vec<(u8, bool)>,
    /// The level of every input.
    pub input: bool,
    /// The analogue input.
    pub adc: u16,
    /// The device asked for a restart.
    pub restarted: bool,
    /// Milliseconds since 1970, if the board has a clock.
    pub clock: Option<u64>,
    /// The network comes or goes; taken when it is told.
    pub link: Option<bool>,
    /// The radio, if the board has one.
    pub radio: Option<SimulatedRadio>,
    /// Seconds ahead of UTC.
    pub zone: i32,
    /// Bytes of free memory, if the board can tell.
    pub free_memory: Option<u32>,
    /// It tells what is free of the device's own heap, where it has one.
    pub measures: bool,
    /// The board's address.
    pub mac: [u8; 6],
    /// Maps a part of the flash, on a board that has it in its address space.
    pub map_flash: fn(Range<u32>) -> Option<MappedFlash>,
    /// Runs what the board does with memory of its own: for tests that count the device's.
    pub on_test_heap: fn(&mut dyn FnMut()),
}

impl Default for Wires {
    fn default() -> Wires {
        Wires {
            typed: VecDeque::new(),
            serial: Vec::new(),
            bitrates: Vec::new(),
            outputs: Vec::new(),
            input: false,
            adc: 0,
            restarted: false,
            clock: None,
            link: None,
            radio: None,
            zone: 0,
            free_memory: None,
            measures: false,
            mac: [2, 0, 0, 1, 2, 3],
            map_flash: |_| None,
            on_test_heap: |run| run(),
        }
    }
}

/// A board whose wires a test holds too.
#[derive(Clone, Default)]
pub struct FakeBoard(Rc<RefCell<Wires>>, FakeRadio);

/// The radio at the wires of a board.
#[derive(Clone, Default)]
struct FakeRadio(Rc<RefCell<Wires>>);

impl FakeBoard {
    /// A board with these wires.
    pub fn new(wires: Wires) -> FakeBoard {
        let wires = Rc::new(RefCell::new(wires));
        FakeBoard(Rc::clone(&wires), FakeRadio(wires))
    }

    /// The wires, to hold.
    pub fn wires(&self) -> Rc<RefCell<Wires>> {
        Rc::clone(&self.0)
    }
}

impl Gpio for FakeBoard {
    fn pin_write(&mut self, pin: u8, level: bool) {
        let mut wires = self.0.borrow_mut();
        let on_test_heap = wires.on_test_heap;
        on_test_heap(&mut || wires.outputs.push((pin, level)));
    }

    fn pin_read(&mut self, _pin: u8) -> bool {
        self.0.borrow().input
    }

    fn adc(&mut self) -> u16 {
        self.0.borrow().adc
    }
}

impl Serial for FakeBoard {
    fn serial_write(&mut self, bytes: &[u8]) {
        let mut wires = self.0.borrow_mut();
        let on_test_heap = wires.on_test_heap;
        on_test_heap(&mut || wires.serial.extend_from_slice(bytes));
    }
}

impl Random for FakeBoard {
    /// The same in every run.
    fn random(&mut self, into: &mut [u8]) {
        into.fill(4);
    }
}

impl Board for FakeBoard {
    fn bitrate(&mut self, bits: u32) {
        let mut wires = self.0.borrow_mut();
        let (on_test_heap, written) = (wires.on_test_heap, wires.serial.len());
        on_test_heap(&mut || wires.bitrates.push((written, bits)));
    }

    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        let typed = &mut self.0.borrow_mut().typed;
        let n = into.len().min(typed.len());
        for (to, from) in into.iter_mut().zip(typed.drain(..n)) {
            *to = from;
        }
        n
    }

    fn map_flash(&self, range: Range<u32>) -> Option<MappedFlash> {
        let map = self.0.borrow().map_flash;
        map(range)
    }

    fn free_memory(&self) -> Option<u32> {
        let wires = self.0.borrow();
        let measured = memory::free().filter(|_| wires.measures).map(|bytes| bytes as u32);
        measured.or(wires.free_memory)
    }

    fn mac(&self) -> [u8; 6] {
        self.0.borrow().mac
    }

    fn wall_clock(&self) -> Option<u64> {
        self.0.borrow().clock
    }

    fn poll_link(&mut self) -> Option<bool> {
        self.0.borrow_mut().link.take()
    }

    fn radio(&mut self) -> Option<&mut dyn Radio> {
        let there = self.0.borrow().radio.is_some();
        there.then_some(&mut self.1)
    }

    fn utc_offset(&self, _utc: u64) -> i32 {
        self.0.borrow().zone
    }

    fn micros(&self) -> u32 {
        0
    }

    fn restart(&mut self, _how: Restart) {
        self.0.borrow_mut().restarted = true;
    }
}

impl FakeRadio {
    fn ask<T>(&self, nothing: T, mut ask: impl FnMut(&mut SimulatedRadio) -> T) -> T {
        let mut wires = self.0.borrow_mut();
        let on_test_heap = wires.on_test_heap;
        let mut answer = nothing;
        if let Some(radio) = &mut wires.radio {
            on_test_heap(&mut || answer = ask(radio));
        }
        answer
    }
}

/// What it keeps is memory of its own.
impl Radio for FakeRadio {
    fn join(&mut self, network: &Credentials) -> Result<(), RadioError> {
        self.ask(Err(RadioError::Failed), |radio| radio.join(network))
    }

    fn leave(&mut self) {
        self.ask((), Radio::leave);
    }

    fn start_ap(&mut self, config: &ApConfig) -> Result<(), RadioError> {
        self.ask(Err(RadioError::Failed), |radio| radio.start_ap(config))
    }

    fn stop_ap(&mut self) {
        self.ask((), Radio::stop_ap);
    }

    fn scan(&mut self) -> Result<(), RadioError> {
        self.ask(Err(RadioError::Failed), Radio::scan)
    }

    fn poll_event(&mut self) -> Option<RadioEvent> {
        self.ask(None, Radio::poll_event)
    }

    fn rssi(&mut self) -> Option<i8> {
        self.ask(None, Radio::rssi)
    }

    fn mac(&self, interface: Interface) -> [u8; 6] {
        self.ask([0; 6], |radio| radio.mac(interface))
    }
}

/// What a device in memory runs on.
#[derive(Debug)]
pub struct FakePlatform;

impl Platform for FakePlatform {
    type Board = FakeBoard;
    type Flash = RamFlash;
}
