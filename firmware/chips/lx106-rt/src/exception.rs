//! Exceptions: interrupts, loads the hardware cannot do, and faults.

use umqtt_chip_rt::{fault, stack};

use crate::{interrupt, loads};

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

#[unsafe(no_mangle)]
extern "C" fn rt_exception(frame: &mut Frame) {
    let stack_pointer = frame.registers[1];
    if frame.cause == LEVEL_1_INTERRUPT && matches!(frame.vector, KERNEL | USER) {
        interrupt::handle(frame.pc, stack_pointer);
        return;
    }
    if frame.cause == LOAD_STORE_ERROR
        && matches!(frame.vector, KERNEL | USER)
        && loads::load_from_flash(&mut frame.pc, &mut frame.registers)
    {
        return;
    }
    let pc = if frame.vector == DOUBLE { frame.double_pc } else { frame.pc };
    // A stack too deep is often seen by what it has broken first.
    if stack::overflowed(stack_pointer) {
        fault::stack_overflow(pc);
    }
    fault::report(format_args!(
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
