//! What programs that do something on an emulated core and end want of the emulator.

/// An emulator: its machine's crate implements it.
pub trait Emulator {
    /// Instructions in one of [`counter`](Self::counter), when the emulator's time is exact.
    const INSTRUCTIONS: u32;

    /// Counts with the instructions; wraps around.
    fn counter() -> u32;

    /// The command line it was given for the program; empty without.
    fn command_line() -> &'static str;

    /// The machine's flash, to read: what the drive of the command line holds.
    fn flash() -> &'static [u8];

    /// Ends it with this exit status.
    fn exit(status: u8) -> !;
}
