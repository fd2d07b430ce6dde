//! What a program on the ESP8266's core stands on: start-up, exceptions, clock, heap, sleep, watchdog, reset. It knows nothing
//! of the device.
//!
//! | module | job |
//! |---|---|
//! | [`clock`] | cycles and milliseconds since the start |
//! | [`uart`] | the serial port; `print!`, `println!` |
//! | [`heap`] | the allocator and its high-water mark |
//! | [`stack`] | how far the stack went, and that it did not go too far |
//! | [`interrupt`] | sleeping until something happens; the tick |
//! | [`watchdog`] | restarts a program that is stuck |
//! | [`fault`] | exceptions and panics: said, remembered, restarted |
//! | [`reset`] | restarting, and why it was |
//! | [`emulator`] | command line and exit under the emulator |
//!
//! What differs between the emulated machine and the chip is in `machine`, of which there are two: `machine.rs`, and
//! `esp8266.rs` with the feature `silicon`. Assembly is in `asm/`.
#![no_std]

pub mod clock;
mod critical;
pub mod emulator;
pub mod fault;
pub mod heap;
pub mod interrupt;
mod lx;
#[cfg(not(feature = "silicon"))]
mod machine;
#[cfg(feature = "silicon")]
#[path = "esp8266.rs"]
mod machine;
pub mod reset;
pub mod stack;
pub mod uart;
pub mod watchdog;

/// Names the program's main function, `fn() -> !`.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[unsafe(no_mangle)]
        fn program_main() -> ! {
            $main()
        }
    };
}

unsafe extern "Rust" {
    /// What [`entry!`] makes.
    safe fn program_main() -> !;
}

/// Start-up after the assembly's: memory is set up, interrupts are off.
#[unsafe(no_mangle)]
extern "C" fn rt_main(tags: *const u32) -> ! {
    machine::init();
    emulator::keep_tags(tags);
    heap::init();
    reset::init();
    interrupt::init();
    program_main()
}
