//! What a program on a chip stands on, whatever its core: heap, stack, clock, serial port, faults,
//! watchdog, restart. It knows nothing of the device. The core's own crate, such as
//! `umqtt-lx106-rt`, starts the program, takes its exceptions and interrupts, and implements
//! [`Processor`](processor::Processor); the crate of the chip around the core implements
//! [`Soc`](soc::Soc).
//!
//! | module | job |
//! |---|---|
//! | [`clock`] | time since the start |
//! | [`uart`] | the serial port; `print!`, `println!` |
//! | [`heap`] | the allocator and its high-water mark |
//! | [`stack`] | how far the stack went, and that it did not go too far |
//! | [`interrupt`] | sleeping until something happens; the tick |
//! | [`watchdog`] | restarts a program that is stuck |
//! | [`fault`] | faults and panics: printed, remembered, restarted |
//! | [`reset`] | restarting, and why it was |
//! | [`emulator`] | what programs want of an emulator |
//! | [`mod@processor`] | what differs between cores: cycles, masking, sleep |
//! | [`mod@soc`] | what differs between chips: the serial port, restart |
//!
//! The linker script says where the stack is (`_stack_limit`, `_stack_top`), where the heap is
//! (`_heap_start`, `_heap_end`), and names memory that survives a reset (`_rtc_noinit`, 512 bytes).
#![no_std]

pub mod clock;
pub mod emulator;
pub mod fault;
pub mod heap;
pub mod interrupt;
pub mod processor;
pub mod reset;
pub mod soc;
pub mod stack;
pub mod uart;
pub mod watchdog;

/// Names the program's main function, `fn() -> !`.
#[macro_export]
macro_rules! entry {
    ($main:expr) => {
        #[unsafe(no_mangle)]
        fn program_main() -> ! {
            ($main)()
        }
    };
}

unsafe extern "Rust" {
    /// What [`entry!`] makes: the program.
    pub safe fn program_main() -> !;
}

/// Start-up for the core's crate, once: the chip, the heap, why the last run ended. `boot` is
/// what the boot loader left in its register.
pub fn init(boot: *const u32) {
    soc::init(boot);
    heap::init();
    reset::init();
}
