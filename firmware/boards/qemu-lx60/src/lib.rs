//! The device on QEMU's `lx60-nommu` machine, which has the ESP8266's core and memory map with an
//! Ethernet in place of the radio. The program is that of every emulated board
//! (`umqtt-qemu-board`); here is what the machine is.
//!
//! | file | job |
//! |---|---|
//! | `machine` | the machine, put together |
//! | `options` | what the device may grow to within the chip's RAM |
//! | `ethernet` | the OpenCores Ethernet MAC, as smoltcp wants it |
//! | `insecure_random` | numbers that differ, for want of random ones: for tests only |
#![no_std]

extern crate alloc;

mod ethernet;
mod insecure_random;
mod machine;
mod options;

pub use ethernet::OpenEth;
pub use machine::Lx60;
pub use options::{NET_LIMITS, OPTIONS};

/// Pins are numbered from 0 to one less than this.
const PINS: usize = 17;

/// The whole program.
pub fn run() -> ! {
    umqtt_qemu_board::run::<Lx60, PINS>()
}
