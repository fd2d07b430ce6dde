//! The device on QEMU's `lx60-nommu` machine, which has the ESP8266's core and memory map with an Ethernet in place of the
//! radio. [`run`] is the whole program.
//!
//! | file | job |
//! |---|---|
//! | `run` | the loop: device, network, sleep |
//! | `options` | what the device may grow to within the chip's RAM |
//! | `board` | serial port, clock, MAC address, restart |
//! | `pins` | pins, PWM and analogue input, simulated: driven from the console with `sim` |
//! | `ethernet` | the OpenCores Ethernet MAC, as smoltcp wants it |
//! | `flash` | the parallel NOR flash, as the device's storage wants it |

#![no_std]

extern crate alloc;

mod board;
mod ethernet;
mod flash;
mod options;
mod pins;
mod run;

pub use board::Lx60Board;
pub use ethernet::OpenEth;
pub use flash::{Flash, FlashError};
pub use options::{BOUNDS, OPTIONS};
pub use run::run;
