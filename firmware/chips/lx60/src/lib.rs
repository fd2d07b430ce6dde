//! QEMU's `lx60-nommu` machine with the ESP8266's core, as far as every program on it needs it. A
//! program that names this crate has the runtime on this machine.
//!
//! | module | job |
//! |---|---|
//! | `machine` | serial port and reset, for the runtime |
//! | [`emulator`] | command line, flash and exit |
#![no_std]

pub mod emulator;
mod machine;

/// The Ethernet's interrupt.
pub const ETHERNET: u32 = 1 << 1;

umqtt_chip_rt::soc!(machine::Lx60);
umqtt_lx106_rt::loads!(machine::Lx60);
