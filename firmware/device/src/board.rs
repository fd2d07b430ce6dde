//! What a board gives the device besides the network and the flash: pins, the serial port, memory
//! figures and a restart. One file per board implements it; what else a new board takes is in
//! `ARCHITECTURE.md`.

use alloc::string::String;
use core::ops::Range;

pub use umqtt_calendar::Zone;
pub use umqtt_vm::{Gpio, PWM_MAX, PinMode, Random, Serial};

use crate::storage::MappedFlash;
pub use crate::wifi::Radio;

/// What a piece of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What a script prints.
    Print,
    /// What goes wrong with a script.
    Script,
    /// Something went wrong.
    Warning,
    /// Something happened.
    Info,
    /// For those who look for a fault.
    Debug,
}

/// A restart was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Start again with what is stored.
    Reset,
    /// The same, after all of it was cleared: the board clears what it keeps itself.
    Factory,
}

/// The hardware, as far as the device needs it besides what scripts use of it. Nothing blocks.
pub trait Board: Gpio + Serial + Random {
    /// Sets the PWM period of all channels, in slots of 200 ns.
    fn pwm_period(&mut self, slots: u32) {
        let _ = slots;
    }
    /// Sets the speed of the serial port in bit/s, once what was written until the end of this turn
    /// has gone out at the old one. For boards with
    /// [`Capability::Bitrate`](crate::settings::Capability::Bitrate).
    fn bitrate(&mut self, bits: u32) {
        let _ = bits;
    }
    /// The next pin that scripts watch on which an edge was seen; the level is read later, when it
    /// has settled.
    fn poll_edge(&mut self) -> Option<u8> {
        None
    }
    /// News of the network we are a station of: it came up (`true`) or was lost. A board with a
    /// wire reports it up once at the start.
    fn poll_link(&mut self) -> Option<bool> {
        None
    }
    /// The radio, on a board that has one. It is there from the start to the end or not at all; a
    /// board that has none reports its network by [`Board::poll_link`].
    fn radio(&mut self) -> Option<&mut dyn Radio> {
        None
    }
    /// A line (without line end) the board wants in the device's log, such as a simulated pin's
    /// change.
    fn poll_note(&mut self) -> Option<String> {
        None
    }
    /// Bytes typed on the serial port, at most as many as fit; returns how many.
    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        let _ = into;
        0
    }
    /// Whether lines are edited before they come to [`Board::serial_read`], so that the board shows
    /// the prompt: a terminal.
    fn edits_lines(&self) -> bool {
        false
    }
    /// The console waits for a line; `prompt` is empty while the port belongs to the script. For
    /// boards that edit lines.
    fn serial_prompt(&mut self, prompt: &'static [u8]) {
        let _ = prompt;
    }
    /// Takes note of a piece of the log: a line, or what a script prints as it comes
    /// (`LogLevel::Print`). For boards that keep a log of their own.
    fn log(&mut self, level: LogLevel, text: &[u8]) {
        let _ = (level, text);
    }
    /// Whether [`Board::log`] wants [`LogLevel::Debug`].
    fn logs_debug(&self) -> bool {
        false
    }
    /// A range of the device's flash where it lies, offsets from its beginning, if the processor
    /// can read it there byte by byte: scripts run from it then, and their images take no memory.
    fn map_flash(&self, range: Range<u32>) -> Option<MappedFlash> {
        let _ = range;
        None
    }
    /// Free memory in bytes; `None` where that means nothing.
    fn free_memory(&self) -> Option<u32> {
        None
    }
    /// The MAC address: the last three bytes make default names.
    fn mac(&self) -> [u8; 6];
    /// Milliseconds since 1970 in UTC, if the board knows them without NTP (a desktop does).
    fn wall_clock(&self) -> Option<u64> {
        None
    }
    /// Seconds the computer's own zone is ahead of UTC at that time (milliseconds since 1970),
    /// summer time included: what counts unless a time zone is set.
    fn utc_offset(&self, utc: u64) -> i32 {
        let _ = utc;
        0
    }
    /// The rules of the computer's own zone, as they are today: for sunrise and sunset.
    fn zone(&self) -> Zone {
        Zone::UTC
    }
    /// A counter of microseconds that wraps around, for measuring short times.
    fn micros(&self) -> u32;
    /// Asks for a restart; the board's loop makes it once the device's poll has returned.
    fn restart(&mut self, how: Restart);
    /// Commands only this board has (`sim ...` on the desktop): returns true if it knew the
    /// command, having written the reply through `reply`. Words are already unquoted.
    fn command(&mut self, words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool {
        let _ = (words, reply);
        false
    }
    /// Help for [`Board::command`], one `usage: words` per line; empty if there is none.
    fn command_help(&self) -> &'static str {
        ""
    }
}
