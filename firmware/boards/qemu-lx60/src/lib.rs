//! The device on QEMU's `lx60-nommu` machine, which has the ESP8266's core and memory map with an Ethernet in place of the
//! radio. [`run`] is the whole program.
//!
//! | file | job |
//! |---|---|
//! | `run` | the loop: device, network, sleep |
//! | `guard` | what comes of faults at the start, again and again |
//! | `options` | what the device may grow to within the chip's RAM |
//! | `board` | serial port, clock, MAC address, restart |
//! | `pins` | pins, PWM and analogue input, simulated: driven from the console with `sim` |
//! | `ethernet` | the OpenCores Ethernet MAC, as smoltcp wants it |
//! | `seed` | numbers that differ, for want of random ones: for tests only |
//! | `flash` | the parallel NOR flash, as the device's storage wants it |
//!
//! With the feature `silicon`, `silicon` is in place of those that know the machine: the chip's own pins, flash and serial port.

#![no_std]

extern crate alloc;

#[cfg(not(feature = "silicon"))]
mod board;
#[cfg(not(feature = "silicon"))]
mod ethernet;
#[cfg(not(feature = "silicon"))]
mod flash;
mod guard;
mod options;
#[cfg(not(feature = "silicon"))]
mod pins;
#[cfg(not(feature = "silicon"))]
mod run;
#[cfg(not(feature = "silicon"))]
mod seed;

#[cfg(not(feature = "silicon"))]
pub use board::Lx60Board;
#[cfg(not(feature = "silicon"))]
pub use ethernet::OpenEth;
#[cfg(not(feature = "silicon"))]
pub use flash::{Flash, FlashError};
pub use options::{NET_LIMITS, OPTIONS};
#[cfg(not(feature = "silicon"))]
pub use run::run;

#[cfg(feature = "silicon")]
mod silicon;
#[cfg(feature = "silicon")]
pub use silicon::run;
