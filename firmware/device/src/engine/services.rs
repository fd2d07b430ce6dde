//! What the engine needs of the device around it. Timers, alarms and the time of day are the engine's own business;
//! everything else a script can do ends up here.

use umqtt_topic::TopicError;
use umqtt_vm::{FLASH_VARIABLE_LEN, PinMode, Side};

/// The device around an [`Engine`](super::Engine), as scripts use it.
///
/// Nothing blocks and nothing fails: what cannot be done is refused, counted and logged by the implementor, and the
/// script goes on. Nothing calls back into the engine either: what a local publish, a console command or an HTTP request brings
/// about reaches the engine later, through [`Engine::handle`](super::Engine::handle) or by replacing the engine.
///
/// All arguments are borrowed for the call. Filters are valid topic filters: the engine has refused the others. Whether a topic can be
/// published to, the broker looks at anyway, so the engine does not.
pub trait Services {
    /// Publishes a message on the local broker, or on the remote one if that is connected (else logs that it is not); returns
    /// at how many places it looked for subscribers, themselves included.
    ///
    /// # Errors
    /// The topic is none that can be published to: the engine counts and logs that, and the message is gone.
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<u32, TopicError>;
    /// Subscribes the script; retained messages that match follow as events. Returns at how many places it looked, besides those the
    /// filter names.
    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32;
    /// Drops one of the script's subscriptions; returns at how many places it looked, besides those the filter names.
    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32;
    /// Drops all subscriptions of the script on both sides: it ends.
    fn unsubscribe_all(&mut self);
    /// Starts an HTTP GET of a URL; the answer comes as an `HttpResponse` event.
    fn http_get(&mut self, url: &[u8]);
    /// Starts an HTTP POST of `body` to a URL; the answer comes as an `HttpResponse` event.
    fn http_post(&mut self, url: &[u8], body: &[u8]);
    /// Chooses a pin's direction.
    fn pin_mode(&mut self, pin: u8, mode: PinMode);
    /// Sets an output pin, making it an output if it is not one yet.
    fn pin_write(&mut self, pin: u8, level: bool);
    /// Reads a pin.
    fn pin_read(&mut self, pin: u8) -> bool;
    /// Sets a pin's PWM duty, 0 to 1000 per mille: the engine has clamped it.
    fn pwm(&mut self, pin: u8, duty: u16);
    /// Reads the analogue input, 0 to 1023.
    fn adc(&mut self) -> u16;
    /// Makes a pin an input and reports its edges from now on through [`Engine::edge`](super::Engine::edge).
    fn watch_pin(&mut self, pin: u8, pullup: bool);
    /// Stops reporting edges, on every pin: the script ends.
    fn unwatch_pins(&mut self);
    /// Writes bytes to the serial port.
    fn serial_out(&mut self, bytes: &[u8]);
    /// Prints to the consoles; `newline` ends the line.
    fn print(&mut self, text: &[u8], newline: bool);
    /// Executes a console command; one that ends or replaces the script takes effect after the handler.
    fn system(&mut self, command: &[u8]);
    /// Applies a `config` line: sets a parameter, also on a locked device, not saved.
    fn config(&mut self, name: &[u8], value: &[u8]);
    /// Reads flash variable `n` (1 and up) into `out`; returns how many bytes.
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize;
    /// Writes flash variable `n`, at most [`FLASH_VARIABLE_LEN`] bytes.
    fn flash_write(&mut self, n: u8, value: &[u8]);
    /// The payload of the first retained local message whose topic matches `filter`: as much of it as fits into
    /// `out`; returns how many bytes, 0 if there is none. Takes from `looks` how many messages it looked at, and looks at no more.
    fn retained(&mut self, filter: &[u8], out: &mut [u8], looks: &mut u32) -> usize;
    /// Logs one line, without line end.
    fn log(&mut self, line: core::fmt::Arguments<'_>);
}
