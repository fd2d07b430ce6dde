//! The program's flash is not to be written: here it is RAM, so the core's memory protection holds
//! what the chip's hardware does (RISC-V privileged architecture 1.12, section 3.7).

use riscv::register::{Permission, Range, pmpaddr0, pmpcfg0};

unsafe extern "C" {
    static _flash_start: u8;
    static _flash_size: u8;
}

/// Locks the flash to reading and executing, until the next reset.
pub(crate) fn init() {
    let (start, size) = ((&raw const _flash_start).addr(), (&raw const _flash_size).addr());
    // SAFETY: nothing of ours is written there.
    unsafe {
        // A range of a power of two that is aligned to itself, in words: ones for its size.
        pmpaddr0::write(start >> 2 | ((size >> 3) - 1));
        pmpcfg0::set_pmp(0, Range::NAPOT, Permission::RX, true);
    }
}
