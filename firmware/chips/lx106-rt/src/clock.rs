//! The core's cycle counter, which wraps around, as a count that does not.

use core::cell::Cell;

use critical_section::Mutex;

use crate::lx;

/// What the counter was last, and how often it has wrapped around.
static LAST: Mutex<Cell<(u32, u32)>> = Mutex::new(Cell::new((0, 0)));

/// The 32-bit cycle counter itself: wraps around after 107 s at 40 MHz.
pub fn counter() -> u32 {
    lx::lx_ccount()
}

/// CPU cycles since the start. Something has to ask once before the counter wraps around: the tick
/// does.
pub(crate) fn cycles() -> u64 {
    critical_section::with(|section| {
        let now = counter();
        let (last, wraps) = LAST.borrow(section).get();
        let wraps = if now < last { wraps.wrapping_add(1) } else { wraps };
        LAST.borrow(section).set((now, wraps));
        u64::from(wraps) << 32 | u64::from(now)
    })
}
