//! Sleeping until something happens, and the tick.
//!
//! A tick comes every [`TICK_MILLIS`] whatever the program does: it looks at the stack and counts
//! for the watchdog. Every other interrupt only wakes, and the program looks at the device.

pub use crate::clock::TICK_MILLIS;
use crate::{fault, processor, stack, watchdog};

/// Sleeps until `cycle` (of [`clock::cycles`](crate::clock::cycles)), one of `interrupts`, or the
/// next tick: whichever comes first. Interrupts that are pending already do not let it sleep.
/// `ready` is asked last, when nothing can come between its answer and the sleep: true keeps
/// awake.
pub fn sleep(cycle: u64, interrupts: u32, mut ready: impl FnMut() -> bool) {
    processor::sleep(cycle, interrupts, &mut ready);
}

/// A tick came, at this place with this stack. For the core's crate.
pub fn tick(pc: u32, stack_pointer: u32) {
    if stack::overflowed(stack_pointer) {
        fault::stack_overflow(pc);
    }
    watchdog::tick(pc);
}
