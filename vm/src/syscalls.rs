//! The one door to the outside: everything a script does or asks that is not computing.

use crate::{FLASH_VARIABLE_LEN, Side};

/// How a pin is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinMode {
    /// Input, floating.
    Input,
    /// Input with the pull-up resistor.
    InputPullup,
    /// Push-pull output.
    Output,
}

/// The outside of a [`crate::Machine`]. Actions cannot fail as far as a script is concerned: what cannot
/// be done is refused, counted and logged by the implementor, and the handler goes on.
///
/// What is asked for, or done, may take longer the more there is outside: such calls return how many places they looked at, and the script
/// pays for them with fuel. All others are done in a time that depends on their arguments alone.
///
/// Every argument is borrowed for the call only. Pins, timers and alarms are within the verified
/// profile's range; contents are any bytes whatever.
pub trait Syscalls {
    /// Publishes a message; returns at how many places it looked for subscribers, themselves included.
    fn publish(&mut self, side: Side, topic: &[u8], data: &[u8], retained: bool) -> u32;
    /// Subscribes to a topic filter; returns at how many places it looked, besides those the filter names.
    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32;
    /// Drops a subscription; returns at how many places it looked, besides those the filter names.
    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32;
    /// Arms one-shot timer `n` to run out in `ms` milliseconds; 0 or less disarms it.
    fn set_timer(&mut self, n: u8, ms: i32);
    /// Sets alarm `n` to a time of day: `hh`, `hh:mm` or `hh:mm:ss`; empty disarms it.
    fn set_alarm(&mut self, n: u8, time: &[u8]);
    /// Starts an HTTP GET of a URL.
    fn http_get(&mut self, url: &[u8]);
    /// Starts an HTTP POST of `body` to a URL.
    fn http_post(&mut self, url: &[u8], body: &[u8]);
    /// Chooses a pin's direction.
    fn pin_mode(&mut self, pin: u8, mode: PinMode);
    /// Sets an output pin.
    fn pin_write(&mut self, pin: u8, level: bool);
    /// Reads a pin.
    fn pin_read(&mut self, pin: u8) -> bool;
    /// Sets a pin's PWM duty, 0 to 1000 per mille; the implementor clamps.
    fn pwm(&mut self, pin: u8, duty: i32);
    /// Reads the analogue input, 0 to 1023.
    fn adc(&mut self) -> u16;
    /// Writes bytes to the serial port.
    fn serial_out(&mut self, bytes: &[u8]);
    /// Prints to the console; `newline` ends the line.
    fn print(&mut self, text: &[u8], newline: bool);
    /// Executes a console command.
    fn system(&mut self, command: &[u8]);
    /// Applies a `config` line: sets a parameter, not saved.
    fn config(&mut self, name: &[u8], value: &[u8]);
    /// Reads flash variable `n` (1 and up) into `out`; returns how many bytes.
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize;
    /// Writes flash variable `n`; the machine has cut `value` to [`FLASH_VARIABLE_LEN`] bytes.
    fn flash_write(&mut self, n: u8, value: &[u8]);
    /// The fuel a write to flash costs: of what an event has, the part that [`crate::fuel::FLASH_WRITES`] leave to each.
    fn flash_fuel(&self) -> u32 {
        crate::Profile::ESP8266.fuel / crate::fuel::FLASH_WRITES
    }
    /// The first retained local message whose topic matches `filter`: as much of it as fits into `out`;
    /// returns how many bytes, 0 if there is none. Takes from `looks` how many messages it looked at, and looks at no more.
    fn retained(&mut self, filter: &[u8], out: &mut [u8], looks: &mut u32) -> usize;
    /// The time of day as `hh:mm:ss`, `99:99:99` before the clock is set.
    fn timestamp(&mut self) -> [u8; 8];
    /// The day of the week as `Mon` to `Sun`, `xxx` before the clock is set.
    fn weekday(&mut self) -> [u8; 3];
}
