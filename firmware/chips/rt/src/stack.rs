//! The stack: lowest in RAM and painted at the start. It is over its limit when the stack pointer
//! is, or when the paint at the limit is gone.

use crate::processor;

/// What the start-up paints with.
const PAINT: u32 = 0x57ac_57ac;
/// Words at the limit that stay painted.
const GUARD: usize = 4;

unsafe extern "C" {
    static _stack_limit: u32;
    static _stack_top: u32;
}

fn word(index: usize) -> u32 {
    // SAFETY: only for words between limit and top; reading one that is in use is harmless.
    unsafe { (&raw const _stack_limit).add(index).read_volatile() }
}

/// Its size in bytes.
pub fn size() -> usize {
    (&raw const _stack_top).addr() - (&raw const _stack_limit).addr()
}

/// The most bytes of it that were ever in use (frames that were left unwritten at the very end are
/// not seen).
pub fn high_water() -> usize {
    let words = size() / size_of::<u32>();
    let untouched = (0..words).take_while(|&index| word(index) == PAINT).count();
    (words - untouched) * size_of::<u32>()
}

/// The stack went past its limit, with this stack pointer or before.
pub fn overflowed(stack_pointer: u32) -> bool {
    (stack_pointer as usize) < (&raw const _stack_limit).addr()
        || (0..GUARD).any(|index| word(index) != PAINT)
}

/// Paints what is below the caller anew, so that [`high_water`] counts from here.
pub fn reset_high_water() {
    /// Below this function's own frame.
    const MARGIN: usize = 64;
    let here = processor::stack_pointer();
    let mut at = (&raw const _stack_limit).cast_mut();
    while at.addr() + MARGIN < here {
        // SAFETY: below the stack pointer nothing is in use: interrupts have a stack of their own.
        unsafe {
            at.write_volatile(PAINT);
            at = at.add(1);
        }
    }
}
