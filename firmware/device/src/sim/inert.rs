//! A world in which nothing happens.

use core::hint::black_box;

use umqtt_topic::TopicError;
use umqtt_vm::{FLASH_VARIABLE_LEN, PinMode, Side};

use crate::Services;

/// A world without effect, for measuring what a script costs by itself: what it does comes to nothing, yet every argument counts
/// as used. Flash variables and retained messages are empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inert {
    /// The level of every pin.
    pub level: bool,
    /// Lines logged.
    pub logged: u32,
}

impl Services for Inert {
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<u32, TopicError> {
        black_box((side, topic, data, retained));
        Ok(0)
    }
    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        black_box((side, filter));
        0
    }
    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        black_box((side, filter));
        0
    }
    fn unsubscribe_all(&mut self) {}
    fn http_get(&mut self, url: &[u8]) {
        black_box(url);
    }
    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        black_box((url, body));
    }
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        black_box((pin, mode));
    }
    fn pin_write(&mut self, pin: u8, level: bool) {
        black_box((pin, level));
    }
    fn pin_read(&mut self, pin: u8) -> bool {
        black_box(pin);
        self.level
    }
    fn pwm(&mut self, pin: u8, duty: u16) {
        black_box((pin, duty));
    }
    fn adc(&mut self) -> u16 {
        black_box(512)
    }
    fn watch_pin(&mut self, pin: u8, pullup: bool) {
        black_box((pin, pullup));
    }
    fn unwatch_pins(&mut self) {}
    fn serial_out(&mut self, bytes: &[u8]) {
        black_box(bytes);
    }
    fn print(&mut self, text: &[u8], newline: bool) {
        black_box((text, newline));
    }
    fn system(&mut self, command: &[u8]) {
        black_box(command);
    }
    fn config(&mut self, name: &[u8], value: &[u8]) {
        black_box((name, value));
    }
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        black_box((n, out));
        0
    }
    fn flash_write(&mut self, n: u8, value: &[u8]) {
        black_box((n, value));
    }
    fn retained(&mut self, filter: &[u8], out: &mut [u8], _: &mut u32) -> usize {
        black_box((filter, out));
        0
    }
    fn log(&mut self, line: core::fmt::Arguments<'_>) {
        black_box(line);
        self.logged += 1;
    }
}
