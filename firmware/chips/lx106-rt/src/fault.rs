//! What must not happen: exceptions, panics, a stack too deep, a program stuck. Each is said on the serial port, kept over the
//! reset that follows, and named by [`crate::reset::last`] after it.

use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::{interrupt, lx, machine, println, reset, stack};

/// What `asm/vectors.s` keeps: the registers at the exception.
#[repr(C)]
struct Frame {
    vector: u32,
    registers: [u32; 16],
    pc: u32,
    cause: u32,
    address: u32,
    ps: u32,
    double_pc: u32,
    shift: u32,
}

/// The vectors' numbers, of `asm/vectors.s`.
const KERNEL: u32 = 3;
const USER: u32 = 4;
const DOUBLE: u32 = 5;
/// EXCCAUSE of a level-1 interrupt.
const LEVEL_1_INTERRUPT: u32 = 4;
/// EXCCAUSE of a load the memory cannot do.
const LOAD_STORE_ERROR: u32 = 3;

/// A fault is being reported: another one in it gets no report.
static REPORTING: AtomicBool = AtomicBool::new(false);

#[unsafe(no_mangle)]
extern "C" fn rt_exception(frame: &mut Frame) {
    let stack_pointer = frame.registers[1];
    if frame.cause == LEVEL_1_INTERRUPT && matches!(frame.vector, KERNEL | USER) {
        interrupt::handle(frame.pc, stack_pointer);
        return;
    }
    if frame.cause == LOAD_STORE_ERROR
        && matches!(frame.vector, KERNEL | USER)
        && machine::load_from_flash(&mut frame.pc, &mut frame.registers)
    {
        return;
    }
    let pc = if frame.vector == DOUBLE { frame.double_pc } else { frame.pc };
    // A stack too deep is often seen by what it has broken first.
    if stack::overflowed(stack_pointer) {
        stack_overflow(pc);
    }
    report(format_args!(
        "exception {} ({}) at pc {pc:#010x}, address {:#010x}, called from {:#010x}",
        frame.cause,
        cause_name(frame.cause),
        frame.address,
        frame.registers[0],
    ))
}

/// EXCCAUSE in words (Xtensa instruction set reference, section 4.4.1.5).
fn cause_name(cause: u32) -> &'static str {
    match cause {
        0 => "illegal instruction",
        1 => "system call",
        2 => "instruction fetch failed",
        3 => "load or store failed",
        4 => "interrupt",
        6 => "division by zero",
        8 => "privileged instruction",
        9 => "unaligned load or store",
        12 | 14 => "instruction fetch from nowhere",
        13 | 15 => "load or store to nowhere",
        20 => "instruction fetch forbidden",
        28 => "load forbidden",
        29 => "store forbidden",
        _ => "unknown",
    }
}

/// The stack went past its limit; seen at this place.
pub(crate) fn stack_overflow(pc: u32) -> ! {
    report(format_args!("stack overflow: more than {} bytes, seen at pc {pc:#010x}", stack::size()))
}

/// The program does not feed the watchdog; it is at this place.
pub(crate) fn stuck(pc: u32) -> ! {
    report(format_args!("watchdog: the program is stuck, at pc {pc:#010x}"))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    lx::lx_mask();
    let stack_pointer = lx::lx_stack_pointer();
    if stack::overflowed(stack_pointer) {
        stack_overflow(0);
    }
    match info.location() {
        Some(place) => report(format_args!("panic at {place}: {}", info.message())),
        None => report(format_args!("panic: {}", info.message())),
    }
}

/// What `core` calls where it cannot even panic.
#[unsafe(no_mangle)]
extern "C" fn abort() -> ! {
    report(format_args!("abort"))
}

fn report(what: fmt::Arguments<'_>) -> ! {
    if REPORTING.load(Ordering::Relaxed) {
        machine::restart();
    }
    REPORTING.store(true, Ordering::Relaxed);
    // First of all: what comes may fail too.
    reset::count_fault();
    println!("\n{what}");
    reset::restart(what)
}
