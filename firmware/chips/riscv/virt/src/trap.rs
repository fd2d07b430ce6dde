//! Exceptions and interrupts. Each has its registers kept on a stack of its own: the program's may
//! be what is wrong. An exception in the handler begins there anew, and ends the program.

use core::arch::global_asm;

use riscv::register::{mcause, mie, mstatus, mtval};
use umqtt_chip_rt::{fault, interrupt, stack};

use crate::clint;

/// Bytes of the traps' stack.
const STACK: usize = 2048;

/// The traps' stack. Only the assembly below knows it.
#[repr(C, align(16))]
struct Stack(core::cell::UnsafeCell<[u8; STACK]>);

// SAFETY: only traps use it, and they do not come while one is handled.
unsafe impl Sync for Stack {}

#[unsafe(no_mangle)]
static RT_TRAP_STACK: Stack = Stack(core::cell::UnsafeCell::new([0; STACK]));

/// What the assembly keeps: what a call may change, the stack pointer, and the place.
#[repr(C)]
struct Frame {
    /// ra, t0 to t6, a0 to a7.
    registers: [u32; 16],
    stack_pointer: u32,
    pc: u32,
}

// `mscratch` holds where the traps' stack begins.
global_asm!(
    "
    .section .text.rt_trap, \"ax\"
    .balign 4
rt_trap_entry:
    csrrw sp, mscratch, sp
    addi sp, sp, -80
    sw ra, 0(sp)
    sw t0, 4(sp)
    sw t1, 8(sp)
    sw t2, 12(sp)
    sw t3, 16(sp)
    sw t4, 20(sp)
    sw t5, 24(sp)
    sw t6, 28(sp)
    sw a0, 32(sp)
    sw a1, 36(sp)
    sw a2, 40(sp)
    sw a3, 44(sp)
    sw a4, 48(sp)
    sw a5, 52(sp)
    sw a6, 56(sp)
    sw a7, 60(sp)
    csrr t0, mscratch
    sw t0, 64(sp)
    csrr t0, mepc
    sw t0, 68(sp)
    addi t0, sp, 80
    csrw mscratch, t0
    mv a0, sp
    call rt_trap
    lw ra, 0(sp)
    lw t0, 4(sp)
    lw t1, 8(sp)
    lw t2, 12(sp)
    lw t3, 16(sp)
    lw t4, 20(sp)
    lw t5, 24(sp)
    lw t6, 28(sp)
    lw a0, 32(sp)
    lw a1, 36(sp)
    lw a2, 40(sp)
    lw a3, 44(sp)
    lw a4, 48(sp)
    lw a5, 52(sp)
    lw a6, 56(sp)
    lw a7, 60(sp)
    lw sp, 64(sp)
    mret

    .section .text.rt_trap_init, \"ax\"
rt_trap_init:
    la t0, RT_TRAP_STACK + {stack}
    csrw mscratch, t0
    la t0, rt_trap_entry
    csrw mtvec, t0
    ret
",
    stack = const STACK,
);

unsafe extern "C" {
    safe fn rt_trap_init();
}

/// Has traps come here. Interrupts are off still.
pub(crate) fn init() {
    // The assembly has the address only.
    core::hint::black_box(&RT_TRAP_STACK);
    rt_trap_init();
}

/// Lets the ticks come.
pub(crate) fn enable() {
    // SAFETY: what they need is set up.
    unsafe {
        mie::set_mtimer();
        mstatus::set_mie();
    }
}

/// Interrupts of `mcause`, and the bit they have in it.
const INTERRUPT: usize = 1 << 31;
const TIMER: usize = INTERRUPT | 7;
const EXTERNAL: usize = INTERRUPT | 11;

#[unsafe(no_mangle)]
extern "C" fn rt_trap(frame: &Frame) {
    match mcause::read().bits() {
        TIMER => {
            clint::set_tick();
            interrupt::tick(frame.pc, frame.stack_pointer);
        }
        // Whoever sleeps is woken by having been interrupted; nobody else wants these.
        EXTERNAL => mask_devices(),
        cause => exception(cause, frame),
    }
}

/// Has the devices' interrupts wait.
pub(crate) fn mask_devices() {
    // SAFETY: fewer interrupts come.
    unsafe { mie::clear_mext() };
}

fn exception(cause: usize, frame: &Frame) -> ! {
    // A stack too deep is often seen by what it has broken first.
    if stack::overflowed(frame.stack_pointer) {
        fault::stack_overflow(frame.pc);
    }
    fault::report(format_args!(
        "exception {cause} ({}) at pc {:#010x}, address {:#010x}, called from {:#010x}",
        cause_name(cause),
        frame.pc,
        mtval::read(),
        frame.registers[0],
    ))
}

/// The cause in words (RISC-V privileged architecture 1.12, table 3.6).
fn cause_name(cause: usize) -> &'static str {
    match cause {
        0 => "instruction address misaligned",
        1 => "instruction fetch from nowhere",
        2 => "illegal instruction",
        3 => "breakpoint",
        4 => "load address misaligned",
        5 => "load from nowhere",
        6 => "store address misaligned",
        7 => "store to nowhere",
        11 => "system call",
        _ => "unknown",
    }
}
