//! QEMU's `virt` machine with a core like the ESP32-C3's (RV32IMC), as far as every program on it
//! needs it. A program that names this crate has the runtime on this machine.
//!
//! | module | job |
//! |---|---|
//! | `start` | from reset to the program |
//! | `trap` | exceptions and interrupts |
//! | `guard` | the program's flash is not to be written |
//! | `clint` | the clock and its alarm |
//! | `plic` | interrupts of devices |
//! | `processor` | the core, for the runtime |
//! | `machine` | serial port and reset, for the runtime |
//! | [`emulator`] | command line, flash and exit |
//!
//! The linker script is beside it.
#![no_std]

mod clint;
pub mod emulator;
mod guard;
mod machine;
pub mod plic;
mod processor;
mod start;
mod trap;

pub use plic::DEVICES;

umqtt_chip_rt::soc!(machine::Virt);
umqtt_chip_rt::processor!(processor::Rv32);
