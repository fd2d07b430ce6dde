//! The board: serial port, clock, MAC address, restart, and the simulated pins.

use alloc::format;
use alloc::string::String;
use core::marker::PhantomData;
use core::net::Ipv4Addr;
use core::ops::Range;

use umqtt_chip_rt::heap::{self, Usage};
use umqtt_chip_rt::{clock, stack, uart};
use umqtt_device::board::{Board, Gpio, Random, Restart, Serial};
use umqtt_device::sim::SimulatedPins;
use umqtt_device::storage::MappedFlash;

use crate::flash;
use crate::machine::{Emulated, MAC};

/// Lines for the log that wait to be fetched; further ones are dropped.
const NOTES: usize = 8;
/// What `sim` can do.
const USAGE: &str = "sim gpio PIN 0|1 or sim adc N";

/// The emulated machine, as far as the device needs it, with pins 0 to one less than `PINS`.
#[derive(Debug)]
pub struct QemuBoard<M, const PINS: usize> {
    pins: SimulatedPins<PINS, NOTES>,
    link: Option<bool>,
    machine: PhantomData<M>,
}

impl<M, const PINS: usize> Default for QemuBoard<M, PINS> {
    fn default() -> Self {
        QemuBoard { pins: SimulatedPins::default(), link: None, machine: PhantomData }
    }
}

impl<M, const PINS: usize> QemuBoard<M, PINS> {
    /// The network came up with this address, or was lost.
    pub fn set_link(&mut self, address: Option<Ipv4Addr>) {
        self.link = Some(address.is_some());
        self.pins.note(match address {
            Some(address) => format!("network up, address {address}"),
            None => "network lost".into(),
        });
    }
}

impl<M: Emulated, const PINS: usize> Gpio for QemuBoard<M, PINS> {
    fn gpio(&mut self) -> Option<&mut dyn Gpio> {
        Some(&mut self.pins)
    }
}

impl<M: Emulated, const PINS: usize> Serial for QemuBoard<M, PINS> {
    fn serial_write(&mut self, bytes: &[u8]) {
        uart::write(bytes);
    }
}

impl<M: Emulated, const PINS: usize> Random for QemuBoard<M, PINS> {
    fn random(&mut self, into: &mut [u8]) {
        M::random(into);
    }
}

impl<M: Emulated, const PINS: usize> Board for QemuBoard<M, PINS> {
    fn poll_edge(&mut self) -> Option<u8> {
        self.pins.poll_edge()
    }

    fn poll_link(&mut self) -> Option<bool> {
        self.link.take()
    }

    fn poll_note(&mut self) -> Option<String> {
        self.pins.poll_note()
    }

    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        uart::read(into)
    }

    fn map_flash(&self, range: Range<u32>) -> Option<MappedFlash> {
        flash::map::<M::Bank>(range)
    }

    fn free_memory(&self) -> Option<u32> {
        Some(umqtt_chip_board::free_memory())
    }

    fn mac(&self) -> [u8; 6] {
        MAC
    }

    fn micros(&self) -> u32 {
        clock::micros() as u32
    }

    fn restart(&mut self, _: Restart) {
        umqtt_chip_board::restart_after_this_turn();
    }

    fn command(&mut self, words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool {
        match words {
            [b"memory"] => reply(memory().as_bytes()),
            [b"sim", words @ ..] => match self.pins.simulate(words).unwrap_or(Err(USAGE)) {
                Ok(text) => reply(text.as_bytes()),
                Err(right) => {
                    reply(b"Invalid argument: ");
                    reply(right.as_bytes());
                }
            },
            _ => return M::command(words, reply),
        }
        true
    }

    fn command_help(&self) -> &'static str {
        M::HELP
    }
}

/// Figures of heap and stack, bytes. Counts the peaks anew.
fn memory() -> String {
    let Usage { size, used, high_water } = heap::usage();
    let text = format!(
        "Heap: {used} of {size} bytes, at most {high_water}\r\nStack: at most {} of {} bytes",
        stack::high_water(),
        stack::size()
    );
    heap::reset_high_water();
    stack::reset_high_water();
    text
}
