//! The device on an emulated core, driven over its serial port and its network. `cargo xtask
//! esp8266 test` and `cargo xtask qemu-riscv test` build it and run these.
#![allow(clippy::unwrap_used)]

mod abuse;
mod boot;
mod broker;
mod burst;
mod device;
mod flash;
mod half_open;
mod hostile;
mod names;
mod network_time;
mod power_cuts;
mod run;
mod runtime;
mod scripts;
mod signed;
mod wire;

use umqtt_testkit::mqtt as client;
