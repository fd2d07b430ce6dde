//! The device's board: what the files beside this one have.

use alloc::format;
use alloc::string::String;

use esp_hal::rng::Rng;
use esp_hal::time::Instant;
use umqtt_device::board::{Board, Gpio, Radio, Random, Restart, Serial};
use umqtt_net::Interface;

use crate::gpio::Pins;
use crate::radio::{self, WifiRadio};
use crate::serial::SerialPorts;

/// The chip, as far as the device needs it.
pub(crate) struct ChipBoard {
    pins: Pins,
    pub(crate) serial: SerialPorts,
    pub(crate) radio: WifiRadio,
    random: Rng,
    restart: bool,
    note: Option<String>,
}

impl ChipBoard {
    pub(crate) fn new(pins: Pins, serial: SerialPorts, radio: WifiRadio) -> ChipBoard {
        ChipBoard { pins, serial, radio, random: Rng::new(), restart: false, note: None }
    }

    /// To be called behind each turn of the device.
    pub(crate) fn end_turn(&mut self) {
        if let Some(bits) = self.serial.end_turn() {
            self.note = Some(format!("bitrate: the serial port cannot have {bits} bit/s"));
        }
    }

    /// Whether a restart was asked for.
    pub(crate) fn wants_restart(&self) -> bool {
        self.restart
    }
}

impl Gpio for ChipBoard {
    fn gpio(&mut self) -> Option<&mut dyn Gpio> {
        Some(&mut self.pins)
    }
}

impl Serial for ChipBoard {
    fn serial_write(&mut self, bytes: &[u8]) {
        self.serial.write(bytes);
    }
}

impl Random for ChipBoard {
    /// The hardware's, which has the radio's noise: that runs from before the device begins
    /// (section 26.3).
    fn random(&mut self, into: &mut [u8]) {
        self.random.read(into);
    }
}

impl Board for ChipBoard {
    fn pwm_period(&mut self, slots: u32) {
        self.pins.set_pwm_period(slots);
    }

    fn bitrate(&mut self, bits: u32) {
        self.serial.set_bitrate(bits);
    }

    fn poll_edge(&mut self) -> Option<u8> {
        self.pins.poll_edge()
    }

    fn radio(&mut self) -> Option<&mut dyn Radio> {
        Some(&mut self.radio)
    }

    fn poll_note(&mut self) -> Option<String> {
        self.note.take().or_else(|| self.pins.poll_note())
    }

    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        self.serial.read(into)
    }

    fn free_memory(&self) -> Option<u32> {
        Some(esp_alloc::HEAP.free() as u32)
    }

    fn mac(&self) -> [u8; 6] {
        radio::mac(Interface::Station)
    }

    fn micros(&self) -> u32 {
        Instant::now().duration_since_epoch().as_micros() as u32
    }

    fn restart(&mut self, _: Restart) {
        self.restart = true;
    }
}
