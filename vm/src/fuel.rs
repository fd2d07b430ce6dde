//! What scripts pay: fuel, which stands for time (others call it gas).
//!
//! Every operation costs fuel in proportion to what it does at worst: to the bytes it reads or
//! makes, to the places it looks at. So the instructions a unit of fuel buys have a bound,
//! [`INSTRUCTIONS_PER_FUEL`], whatever a script does with it, and an event is over in bounded time.
//! `firmware/device/docs/fuel.md` has what was measured.
//!
//! Fuel is taken where it costs nothing to take it: by backward jumps, for all words since the
//! jump's target, and by what takes longer than a word. Code without either is passed once; it is
//! bounded by the size of the image.

/// Instructions that a unit of fuel buys at most, of a desktop's or the ESP8266's processor.
pub const INSTRUCTIONS_PER_FUEL: u32 = 40;
/// So often the handlers of an event have the profile's fuel: one that uses it up leaves the others
/// as much.
pub const EVENT_TANKS: u32 = 2;
/// Microseconds for which the handlers of one event may keep everything else waiting, whatever they
/// do; not counted what a serial port and a flash make them wait, where these are real.
pub const EVENT_MICROS: u32 = 100_000;

/// A word of code passed by a loop.
pub const WORD: i32 = 2;
/// An action, or a question to the outside, over what its words cost anyway.
pub const CALL: i32 = 20;
/// A message, over [`CALL`].
pub const PUBLISH: i32 = 140;
/// A subscription made or ended, over [`CALL`].
pub const SUBSCRIBE: i32 = 100;
/// A command for the console, over [`CALL`]: it is executed when the handler is over.
pub const COMMAND: i32 = 2_500;
/// A `config` line or an HTTP request, over [`CALL`].
pub const REQUEST: i32 = 500;
/// Writes to flash that the fuel of an event buys, on every board: a write takes milliseconds, on a
/// disk as on a chip, and the faster processor does not make it shorter.
pub const FLASH_WRITES: u32 = 40;
/// A place that was looked at: a retained message, a node of the subscriptions, a subscriber that
/// is sent to.
pub const LOOKUP: i32 = 20;
/// An alarm set, over [`CALL`].
pub const ALARM: i32 = 20;
/// Sunrise or sunset computed, over [`CALL`].
pub const SUN: i32 = 400;
/// A byte of a filter that is subscribed to, or no longer: it may be a level.
pub const FILTER_BYTE: usize = 20;

/// Computing with decimals, or a function of numbers, over what its word costs.
pub const DECIMAL: i32 = 60;
/// A decimal read from a text, over its bytes.
pub const DECIMAL_TEXT: i32 = 60;
/// A quotient with decimals, over [`DECIMAL`].
pub const DIVISION: i32 = 55;
/// A number whose text is needed, if that has more than a digit.
pub const NUMBER_TEXT: i32 = 13;
/// A text read as a number, over its bytes.
pub const TEXT_NUMBER: i32 = 3;
/// A quotient or a remainder of integers, over what its word costs: not every processor divides.
pub const QUOTIENT: i32 = 12;
/// A text that is looked at or made, over its bytes.
pub const TEXT: i32 = 3;
/// A value put into a JSON text, over its bytes.
pub const JSON_NUMBER: i32 = 9;
/// One of them that is a text itself, over its bytes.
pub const JSON_TEXT: i32 = 16;
/// A JSON text looked through, over its bytes.
pub const JSON: i32 = 24;
/// A byte of a string taken out, over what its word costs.
pub const PART: i32 = 4;
/// A value joined with others, over its bytes.
pub const JOINED: i32 = 4;
/// A byte printed or sent to the serial port, which takes its time where that is a wire.
pub const PRINTED: i32 = 16;

/// Bytes copied for a unit of fuel.
pub const COPIED: usize = 8;
/// Bytes compared for a unit of fuel: a RISC-V compares them one by one.
pub const COMPARED: usize = 4;
/// Bytes of a message for a unit of fuel.
pub const SENT: usize = 8;
/// Bytes of a string made or looked through, one by one, for a unit of fuel.
pub const READ: usize = 2;

/// The fuel for so many bytes, of which a unit of fuel buys `per`.
#[inline(always)]
pub(crate) fn bytes(len: usize, per: usize) -> i32 {
    (len / per) as i32
}
