//! The core, for the runtime all cores share.

use umqtt_chip_rt::processor::Processor;

use crate::{clock, interrupt, lx};

struct Lx106;
umqtt_chip_rt::processor!(Lx106);

impl Processor for Lx106 {
    fn cycles() -> u64 {
        clock::cycles()
    }

    fn mask() {
        lx::lx_mask();
    }

    fn stack_pointer() -> usize {
        lx::lx_stack_pointer() as usize
    }

    fn sleep(cycle: u64, interrupts: u32, ready: &mut dyn FnMut() -> bool) {
        interrupt::sleep(cycle, interrupts, ready);
    }
}

/// What `core` calls where it cannot even panic.
#[unsafe(no_mangle)]
extern "C" fn abort() -> ! {
    umqtt_chip_rt::fault::report(format_args!("abort"))
}
