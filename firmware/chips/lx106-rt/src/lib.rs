//! The ESP8266's core under the runtime all chips share (`umqtt-chip-rt`): start-up, exceptions,
//! interrupts, cycle counter.
//!
//! | module | job |
//! |---|---|
//! | [`clock`] | the cycle counter |
//! | [`interrupt`] | the tick, sleep, the chip's hardware timer |
//! | `exception` | what becomes of an exception |
//! | `critical` | critical sections |
//! | `processor` | the core, for the shared runtime |
//! | [`mod@loads`] | loads the memory cannot do |
//! | [`lx`] | special registers and instructions |
//!
//! Assembly is in `asm/`, the linker's scripts and the compiler's target beside it.
#![no_std]

pub mod clock;
mod critical;
mod exception;
pub mod interrupt;
pub mod loads;
pub mod lx;
mod processor;

/// Start-up after the assembly's: memory is set up, interrupts are off.
#[unsafe(no_mangle)]
extern "C" fn rt_main(boot: *const u32) -> ! {
    umqtt_chip_rt::init(boot);
    interrupt::init();
    umqtt_chip_rt::program_main()
}
