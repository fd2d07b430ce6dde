//! What `cargo xtask` does, as a library, so that the tests on emulated boards start them the same
//! way.
//!
//! | module | job |
//! |---|---|
//! | [`esp32c3`] | the ESP32-C3 |
//! | [`chip`] | an emulated core, whichever it is |
//! | [`esp8266`] | the ESP8266's core |
//! | [`qemu_riscv`] | a RISC-V core like the ESP32-C3's |
//! | [`chips`] | all cores, by name |
//! | [`source`] | what the sources must keep to |
#![forbid(unsafe_code)]

pub mod chip;
pub mod chips;
pub mod esp32c3;
pub mod esp8266;
pub mod qemu_riscv;
pub mod source;
