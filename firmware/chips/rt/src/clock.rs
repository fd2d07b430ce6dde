//! Time since the start, from the core's counter.

use crate::{processor, soc};

/// Cycles of the counter per microsecond.
pub fn cycles_per_micro() -> u32 {
    soc::cycles_per_micro()
}

/// Milliseconds between two ticks, see [`interrupt`](crate::interrupt).
pub const TICK_MILLIS: u32 = 10;

/// Cycles since the start.
pub fn cycles() -> u64 {
    processor::cycles()
}

/// Microseconds since the start.
pub fn micros() -> u64 {
    cycles() / u64::from(cycles_per_micro())
}

/// Milliseconds since the start.
pub fn millis() -> u64 {
    cycles() / u64::from(cycles_per_micro() * 1000)
}

/// The cycle of so many milliseconds after the start; the last one there is for times too far away
/// to count.
pub fn cycle_at(millis: u64) -> u64 {
    millis.saturating_mul(u64::from(cycles_per_micro() * 1000))
}
