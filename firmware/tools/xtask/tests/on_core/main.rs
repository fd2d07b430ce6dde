//! The device on the emulated ESP8266's core, driven over its serial port and its network. `cargo
//! xtask esp8266 test` builds it and runs these.
#![allow(clippy::unwrap_used)]

mod abuse;
mod boot;
mod broker;
mod burst;
mod device;
mod flash;
mod half_open;
mod hostile;
mod power;
mod run;
mod runtime;
mod scripts;
mod wire;

use umqtt_testkit::mqtt as client;
