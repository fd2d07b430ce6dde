//! Time since the start, from the core's cycle counter.

use core::cell::Cell;

use critical_section::Mutex;

use crate::{lx, machine};

/// CPU cycles per microsecond.
pub fn cycles_per_micro() -> u32 {
    machine::cycles_per_micro()
}

/// Milliseconds between two ticks, see [`interrupt`](crate::interrupt).
pub const TICK_MILLIS: u32 = 10;

/// What the counter was last, and how often it has wrapped around.
static LAST: Mutex<Cell<(u32, u32)>> = Mutex::new(Cell::new((0, 0)));

/// The 32-bit cycle counter itself: wraps around after 107 s at 40 MHz.
pub fn counter() -> u32 {
    lx::lx_ccount()
}

/// CPU cycles since the start. Something has to ask once before the counter wraps around: the tick
/// does.
pub fn cycles() -> u64 {
    critical_section::with(|section| {
        let now = counter();
        let (last, wraps) = LAST.borrow(section).get();
        let wraps = if now < last { wraps.wrapping_add(1) } else { wraps };
        LAST.borrow(section).set((now, wraps));
        u64::from(wraps) << 32 | u64::from(now)
    })
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
