//! The watchdog: a program that does not say for [`LIMIT_MILLIS`] that it is well is restarted.
//!
//! It counts ticks, not time: a computer that is too busy to run the emulator must not look like a
//! program that is stuck. On the chip its hardware watchdog stands behind this one, for when
//! interrupts are off.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::{clock, fault, soc};

/// Milliseconds until it restarts the program.
pub const LIMIT_MILLIS: u32 = 5000;

static TICKS: AtomicU32 = AtomicU32::new(0);

/// The program is well. To be said in its main loop.
pub fn feed() {
    TICKS.store(0, Ordering::Relaxed);
    soc::feed();
}

pub(crate) fn tick(pc: u32) {
    // Only interrupts count, and they do not interrupt each other.
    let ticks = TICKS.load(Ordering::Relaxed) + 1;
    TICKS.store(ticks, Ordering::Relaxed);
    if ticks >= LIMIT_MILLIS / clock::TICK_MILLIS {
        fault::stuck(pc);
    }
}
