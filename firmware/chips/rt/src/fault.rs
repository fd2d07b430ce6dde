//! What must not happen: faults, panics, a stack too deep, a program stuck. Each is said on the
//! serial port, kept over the reset that follows, and named by [`crate::reset::last_cause`] after
//! it.

use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::{println, processor, reset, soc, stack};

/// A fault is being reported: another one in it gets no report.
static REPORTING: AtomicBool = AtomicBool::new(false);

/// The stack went past its limit; seen at this place.
pub fn stack_overflow(pc: u32) -> ! {
    report(format_args!("stack overflow: more than {} bytes, seen at pc {pc:#010x}", stack::size()))
}

/// The program does not feed the watchdog; it is at this place.
pub(crate) fn stuck(pc: u32) -> ! {
    report(format_args!("watchdog: the program is stuck, at pc {pc:#010x}"))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    processor::mask();
    if stack::overflowed(processor::stack_pointer() as u32) {
        stack_overflow(0);
    }
    match info.location() {
        Some(place) => report(format_args!("panic at {place}: {}", info.message())),
        None => report(format_args!("panic: {}", info.message())),
    }
}

/// Reports a fault and restarts the program.
pub fn report(what: fmt::Arguments<'_>) -> ! {
    if REPORTING.load(Ordering::Relaxed) {
        soc::restart();
    }
    REPORTING.store(true, Ordering::Relaxed);
    // First of all: what comes may fail too.
    reset::count_fault();
    println!("\n{what}");
    reset::restart_with_cause(what)
}
