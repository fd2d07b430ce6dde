//! The device on a machine that QEMU emulates: all of it but what the machine itself is, which
//! implements [`Emulated`]. [`run()`] is the whole program.
//!
//! | file | job |
//! |---|---|
//! | `machine` | what a machine is: its Ethernet, its flash, its limits |
//! | `run` | the loop: device, network, sleep |
//! | `board` | serial port, clock, restart; simulated pins, driven from the console with `sim` |
//! | `flash` | the parallel NOR flash, as the device's storage wants it |
#![no_std]

extern crate alloc;

mod board;
mod flash;
mod machine;
mod run;

pub use board::QemuBoard;
pub use flash::{Bank, Flash, FlashError};
pub use machine::{Emulated, Ethernet, HELP, MAC};
pub use run::run;
