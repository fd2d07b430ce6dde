//! What scripts do and ask outside of computing, as small capabilities with defaults.
//!
//! A host implements the capabilities that it offers; the methods it leaves out do nothing and
//! answer that there is nothing. [`Gpio`], [`Serial`] and [`Random`] usually belong to a part of
//! the host, the board: it returns that part from [`Gpio::gpio`], [`Serial::serial`] or
//! [`Random::random_source`], to which the other methods default.
//!
//! Actions cannot fail as far as a script is concerned: what cannot be done is refused, counted and
//! logged by the implementor, and the handler goes on. Nothing blocks, and nothing calls back into
//! the machine.
//!
//! Some calls may take longer the more there is outside: they return how many places they looked
//! at, and the script pays for them with fuel. All others are done in a time that depends on their
//! arguments alone.
//!
//! Every argument is borrowed for the call only. Pins, timers, alarms and flash variables are
//! within the verified profile's range, filters are valid topic filters; contents are any bytes
//! whatever.

use core::fmt::Arguments;

use umqtt_topic::TopicError;

use crate::{Event, FLASH_VARIABLE_LEN, Side, Tracing};

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

/// Highest PWM duty, per mille.
pub const PWM_MAX: u16 = 1000;

/// Pins, PWM and the analogue input.
pub trait Gpio {
    /// The part that has the pins, if that is not this one.
    fn gpio(&mut self) -> Option<&mut dyn Gpio> {
        None
    }
    /// Chooses a pin's direction.
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        if let Some(gpio) = self.gpio() {
            gpio.pin_mode(pin, mode);
        }
    }
    /// Sets an output pin, making it an output if it is not one yet.
    fn pin_write(&mut self, pin: u8, level: bool) {
        if let Some(gpio) = self.gpio() {
            gpio.pin_write(pin, level);
        }
    }
    /// Reads a pin.
    fn pin_read(&mut self, pin: u8) -> bool {
        self.gpio().is_some_and(|gpio| gpio.pin_read(pin))
    }
    /// Sets a pin's PWM duty, 0 to [`PWM_MAX`].
    fn pwm(&mut self, pin: u8, duty: u16) {
        if let Some(gpio) = self.gpio() {
            gpio.pwm(pin, duty);
        }
    }
    /// Reads the analogue input, 0 to 1023.
    fn adc(&mut self) -> u16 {
        self.gpio().map_or(0, |gpio| gpio.adc())
    }
    /// Makes a pin an input and reports its edges from now on.
    fn watch_pin(&mut self, pin: u8, pullup: bool) {
        if let Some(gpio) = self.gpio() {
            gpio.watch_pin(pin, pullup);
        }
    }
    /// Stops reporting edges on every pin.
    fn unwatch_pins(&mut self) {
        if let Some(gpio) = self.gpio() {
            gpio.unwatch_pins();
        }
    }
}

/// The serial port's output.
pub trait Serial {
    /// The part that has the serial port, if that is not this one.
    fn serial(&mut self) -> Option<&mut dyn Serial> {
        None
    }
    /// Writes to the serial port; takes all (a board without room drops the oldest and counts).
    fn serial_write(&mut self, bytes: &[u8]) {
        if let Some(serial) = self.serial() {
            serial.serial_write(bytes);
        }
    }
}

/// Random numbers.
pub trait Random {
    /// The part that has a source of them, if that is not this one.
    fn random_source(&mut self) -> Option<&mut dyn Random> {
        None
    }
    /// Fills a buffer with random bytes that cannot be guessed: for salts, seeds, port numbers and
    /// scripts. An implementor without such a source documents that.
    fn random(&mut self, into: &mut [u8]) {
        match self.random_source() {
            Some(source) => source.random(into),
            None => into.fill(0),
        }
    }
}

/// Messages, on the device's own broker and on the other one.
pub trait Mqtt {
    /// Publishes a message, on the remote broker if that is connected (else logs that it is not);
    /// returns at how many places it looked for subscribers, themselves included.
    ///
    /// # Errors
    /// The topic is none that can be published to: nothing was done.
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<u32, TopicError> {
        let _ = (side, topic, data, retained);
        Ok(0)
    }
    /// Subscribes the script; retained messages that match follow as events. Returns at how many
    /// places it looked, besides those the filter names.
    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        let _ = (side, filter);
        0
    }
    /// Drops one of the script's subscriptions; returns at how many places it looked, besides those
    /// the filter names.
    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        let _ = (side, filter);
        0
    }
    /// Drops all subscriptions of the script on both sides: it ends.
    fn unsubscribe_all(&mut self) {}
    /// The payload of the first retained local message whose topic matches `filter`: as much of it
    /// as fits into `out`; returns how many bytes, 0 if there is none. Takes from `lookups` how
    /// many messages it looked at, and looks at no more.
    fn retained(&mut self, filter: &[u8], out: &mut [u8], lookups: &mut u32) -> usize {
        let _ = (filter, out, lookups);
        0
    }
}

/// Requests to web servers; their answers come as [`Event::HttpResponse`].
pub trait Http {
    /// Starts an HTTP GET of a URL.
    fn http_get(&mut self, url: &[u8]) {
        let _ = url;
    }
    /// Starts an HTTP POST of `body` to a URL.
    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        let _ = (url, body);
    }
}

/// Flash variables.
pub trait FlashVariables {
    /// Reads flash variable `n` (1 and up) into `out`; returns how many bytes.
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        let _ = (n, out);
        0
    }
    /// Writes flash variable `n`, at most [`FLASH_VARIABLE_LEN`] bytes.
    fn flash_write(&mut self, n: u8, value: &[u8]) {
        let _ = (n, value);
    }
}

/// The device's consoles: what scripts print there, and commands and settings as given there.
pub trait Console {
    /// Prints; `newline` ends the line.
    fn print(&mut self, text: &[u8], newline: bool) {
        let _ = (text, newline);
    }
    /// Executes a console command; one that ends or replaces the script takes effect after the
    /// handler.
    fn system(&mut self, command: &[u8]) {
        let _ = command;
    }
    /// Applies a `config` line: sets a parameter, also on a locked device, not saved.
    fn config(&mut self, name: &[u8], value: &[u8]) {
        let _ = (name, value);
    }
    /// Logs one line about the script, without line end.
    fn log(&mut self, line: Arguments<'_>) {
        let _ = line;
    }
}

/// Timers, alarms and the time of day.
pub trait Timekeeping {
    /// Arms one-shot timer `n` to run out in `ms` milliseconds; 0 or less disarms it.
    fn set_timer(&mut self, n: u8, ms: i32) {
        let _ = (n, ms);
    }
    /// Sets alarm `n` to a time of day: `hh`, `hh:mm` or `hh:mm:ss`; empty disarms it.
    fn set_alarm(&mut self, n: u8, time: &[u8]) {
        let _ = (n, time);
    }
    /// The time of day as `hh:mm:ss`, `99:99:99` before the clock is set.
    fn timestamp(&mut self) -> [u8; 8] {
        *b"99:99:99"
    }
    /// The day of the week as `Mon` to `Sun`, `xxx` before the clock is set.
    fn weekday(&mut self) -> [u8; 3] {
        *b"xxx"
    }
    /// The local date: days since 1 January 1970; `None` before the clock has one.
    fn day(&mut self) -> Option<u32> {
        None
    }
    /// The date as `yyyy-mm-dd`, `9999-99-99` before the clock has one.
    fn date(&mut self) -> [u8; 10] {
        *b"9999-99-99"
    }
    /// Seconds since the device started.
    fn uptime(&mut self) -> u64 {
        0
    }
}

/// What the device knows of its place and its zone.
pub trait Almanac {
    /// Sunrise and sunset of a local day (since 1 January 1970), in seconds from its midnight;
    /// `None` if the place is not known, or the sun does not rise or does not set.
    fn sun(&mut self, day: u32) -> Option<[i32; 2]> {
        let _ = day;
        None
    }
    /// Seconds since 1 January 1970 in UTC; 0 before the clock is set.
    fn unix_time(&mut self) -> u32 {
        0
    }
}

/// All that the surroundings of a script offer it. Implemented by whatever implements each
/// capability.
pub trait Host:
    Gpio + Serial + Random + Mqtt + Http + FlashVariables + Console + Almanac + Tracing
{
}

impl<T> Host for T where
    T: Gpio + Serial + Random + Mqtt + Http + FlashVariables + Console + Almanac + Tracing
{
}

/// What runs a script: keeps its time, and notes what its handlers do with messages.
pub trait Supervisor: Timekeeping {
    /// A handler of `event` has published a message on the local broker.
    fn published(&mut self, topic: &[u8], event: &Event<'_>) {
        let _ = (topic, event);
    }
    /// A handler was to `action` (publish to, subscribe to, ...) a topic that is none.
    fn refused(&mut self, action: &'static str, topic: &[u8], error: TopicError) {
        let _ = (action, topic, error);
    }
}

/// What handlers reach while they run.
pub struct Syscalls<'s> {
    /// What is around the script.
    pub host: &'s mut dyn Host,
    /// What runs the script.
    pub supervisor: &'s mut dyn Supervisor,
}

/// Offers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullHost;

impl Gpio for NullHost {}
impl Serial for NullHost {}
impl Mqtt for NullHost {}
impl Http for NullHost {}
impl FlashVariables for NullHost {}
impl Random for NullHost {}
impl Console for NullHost {}
impl Almanac for NullHost {}
impl Tracing for NullHost {}
impl Timekeeping for NullHost {}
impl Supervisor for NullHost {}
