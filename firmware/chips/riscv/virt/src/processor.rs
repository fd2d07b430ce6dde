//! The core, for the runtime.

use riscv::register::{mie, mstatus};
use umqtt_chip_rt::processor::Processor;

use crate::{clint, plic, trap};

/// The core.
pub(crate) struct Rv32;

impl Processor for Rv32 {
    fn cycles() -> u64 {
        clint::cycles()
    }

    fn mask() {
        riscv::interrupt::disable();
    }

    fn stack_pointer() -> usize {
        let here: usize;
        // SAFETY: it copies a register.
        unsafe { core::arch::asm!("mv {}, sp", out(reg) here, options(nomem, nostack)) };
        here
    }

    fn sleep(cycle: u64, interrupts: u32, ready: &mut dyn FnMut() -> bool) {
        // Masked, an interrupt that comes ends the sleep all the same, and is handled behind it.
        riscv::interrupt::disable();
        let ahead = cycle.saturating_sub(clint::cycles());
        if ahead > 0 && !ready() {
            clint::set_ahead(ahead);
            if interrupts & plic::DEVICES != 0 {
                // SAFETY: its handler disables it again.
                unsafe { mie::set_mext() };
            }
            riscv::asm::wfi();
        }
        // SAFETY: they were enabled before.
        unsafe { mstatus::set_mie() };
        trap::mask_devices();
    }
}
