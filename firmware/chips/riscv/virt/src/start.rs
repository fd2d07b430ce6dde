//! From reset to the program.

use core::arch::global_asm;

use crate::{clint, guard, plic, trap};

// The stack is painted, so that one can see later how far it went (`umqtt_chip_rt::stack`).
global_asm!(
    "
    .section .init, \"ax\"
    .global _start
_start:
    csrci mstatus, 8
    csrw mie, zero
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, _stack_top

    la t0, _stack_limit
    li t1, 0x57ac57ac
1:  sw t1, 0(t0)
    addi t0, t0, 4
    bltu t0, sp, 1b

    la t0, _bss_start
    la t1, _bss_end
2:  bgeu t0, t1, 3f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 2b
3:  call rt_main
"
);

/// Start-up after the assembly's: memory is set up, interrupts are off.
#[unsafe(no_mangle)]
extern "C" fn rt_main() -> ! {
    guard::init();
    trap::init();
    clint::init();
    umqtt_chip_rt::init(core::ptr::null());
    plic::init();
    trap::enable();
    umqtt_chip_rt::program_main()
}
