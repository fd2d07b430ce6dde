//! The board: the chip's pins, and what the runtime has.

use alloc::format;
use alloc::string::String;
use core::cell::RefCell;

use critical_section::Mutex;
use esp8266_hal::efuse::DPortExt;
use umqtt_chip_rt::{clock, uart};
use umqtt_device::board::{Board, Gpio, PinMode, Random, Restart, Serial};
use umqtt_esp8266_drivers::adc;
use umqtt_esp8266_drivers::pins::{Mode, Pins};
use umqtt_esp8266_drivers::pwm::Pwm;
use umqtt_esp8266_drivers::random;
use umqtt_lx106_rt::interrupt;

use crate::mmio::Registers;

/// The pulses: the timer's interrupt goes on with them.
static PWM: Mutex<RefCell<Pwm>> = Mutex::new(RefCell::new(Pwm::new()));

fn with_pwm<T>(run: impl FnOnce(&mut Pwm) -> T) -> T {
    critical_section::with(|section| run(&mut PWM.borrow_ref_mut(section)))
}

fn on_timer() {
    with_pwm(|pwm| pwm.on_timer(&mut Registers));
}

/// The chip, as far as the device needs it.
#[derive(Debug)]
pub(crate) struct ChipBoard {
    pins: Pins,
    mac: [u8; 6],
    note: Option<String>,
}

impl ChipBoard {
    pub(crate) fn new(fuses: &impl DPortExt) -> ChipBoard {
        interrupt::on_frc1(on_timer);
        ChipBoard { pins: Pins::new(), mac: fuses.read_mac_addr(), note: None }
    }

    /// Says in the log what a script wanted and cannot have.
    fn refuse(&mut self, pin: u8, what: &str) {
        self.note = Some(format!("gpio {pin} cannot be used for {what}"));
    }
}

impl Gpio for ChipBoard {
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        let mode = match mode {
            PinMode::Input => Mode::Input,
            PinMode::InputPullup => Mode::InputPullup,
            PinMode::Output => Mode::Output,
        };
        with_pwm(|pwm| pwm.release(&mut Registers, pin));
        if self.pins.set_mode(&mut Registers, pin, mode).is_err() {
            self.refuse(pin, "input or output");
        }
    }

    fn pin_write(&mut self, pin: u8, level: bool) {
        with_pwm(|pwm| pwm.release(&mut Registers, pin));
        if self.pins.write(&mut Registers, pin, level).is_err() {
            self.refuse(pin, "output");
        }
    }

    fn pin_read(&mut self, pin: u8) -> bool {
        self.pins.read(&mut Registers, pin).unwrap_or(false)
    }

    fn pwm(&mut self, pin: u8, duty: u16) {
        let output = self.pins.set_mode(&mut Registers, pin, Mode::Output);
        let pulses = with_pwm(|pwm| pwm.set(&mut Registers, pin, duty));
        if output.is_err() || pulses.is_err() {
            self.refuse(pin, "PWM");
        }
    }

    fn adc(&mut self) -> u16 {
        adc::read(&mut Registers).unwrap_or(0)
    }

    fn watch_pin(&mut self, pin: u8, pullup: bool) {
        if self.pins.watch(&mut Registers, pin, pullup).is_err() {
            self.refuse(pin, "interrupts");
        }
    }

    fn unwatch_pins(&mut self) {
        self.pins.unwatch_all(&mut Registers);
    }
}

impl Serial for ChipBoard {
    fn serial_write(&mut self, bytes: &[u8]) {
        uart::write(bytes);
    }
}

impl Random for ChipBoard {
    fn random(&mut self, into: &mut [u8]) {
        random::fill(&mut Registers, into);
    }
}

impl Board for ChipBoard {
    fn pwm_period(&mut self, slots: u32) {
        with_pwm(|pwm| pwm.set_period(&mut Registers, slots));
    }

    fn poll_edge(&mut self) -> Option<u8> {
        self.pins.poll_edge(&mut Registers)
    }

    fn poll_note(&mut self) -> Option<String> {
        self.note.take()
    }

    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        uart::read(into)
    }

    fn free_memory(&self) -> Option<u32> {
        Some(umqtt_chip_board::free_memory())
    }

    fn mac(&self) -> [u8; 6] {
        self.mac
    }

    fn micros(&self) -> u32 {
        clock::micros() as u32
    }

    fn restart(&mut self, _: Restart) {
        umqtt_chip_board::restart_after_this_turn();
    }
}
