//! The device on QEMU's `lx60-nommu` machine, which has the ESP8266's core and memory map with an
//! Ethernet in place of the radio. [`run()`] is the whole program.
//!
//! | file | job |
//! |---|---|
//! | `run` | the loop: device, network, sleep |
//! | `options` | what the device may grow to within the chip's RAM |
//! | `board` | serial port, clock, MAC address, restart; simulated pins, driven from the console with `sim` |
//! | `ethernet` | the OpenCores Ethernet MAC, as smoltcp wants it |
//! | `insecure_random` | numbers that differ, for want of random ones: for tests only |
//! | `flash` | the parallel NOR flash, as the device's storage wants it |
#![no_std]

extern crate alloc;

mod board;
mod ethernet;
mod flash;
mod insecure_random;
mod options;
mod run;

pub use board::Lx60Board;
pub use ethernet::OpenEth;
pub use flash::{Flash, FlashError};
pub use options::{NET_LIMITS, OPTIONS};
pub use run::run;
