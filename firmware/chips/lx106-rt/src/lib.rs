//! What a program on the ESP8266's core stands on: start-up, exceptions, clock, heap, sleep,
//! watchdog, reset. It knows nothing of the device.
//!
//! | module | job |
//! |---|---|
//! | [`clock`] | cycles and milliseconds since the start |
//! | [`uart`] | the serial port; `print!`, `println!` |
//! | [`heap`] | the allocator and its high-water mark |
//! | [`stack`] | how far the stack went, and that it did not go too far |
//! | [`interrupt`] | sleeping until something happens; the tick |
//! | [`watchdog`] | restarts a program that is stuck |
//! | `exception` | what becomes of an exception |
//! | [`fault`] | faults and panics: printed, remembered, restarted |
//! | [`reset`] | restarting, and why it was |
//! | [`mod@machine`] | what differs between machines: the serial port, restart |
//! | [`lx`] | special registers and instructions |
//!
//! Assembly is in `asm/`, the linker's scripts and the compiler's target beside it.
#![no_std]

pub mod clock;
mod critical;
mod exception;
pub mod fault;
pub mod heap;
pub mod interrupt;
pub mod lx;
pub mod machine;
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
extern "C" fn rt_main(boot: *const u32) -> ! {
    machine::init(boot);
    heap::init();
    reset::init();
    interrupt::init();
    program_main()
}
