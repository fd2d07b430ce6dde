//! The device: what runs on every board, without knowing any. Bytes, times and pins come in through
//! [`Board`] and [`Net`]; everything else is here.
//!
//! | module | job |
//! |---|---|
//! | [`board`] | what a board must give: pins, serial port, restart |
//! | [`platform`] | what a device runs on, as one type |
//! | [`net`] | what a board must give: TCP |
//! | [`crash_loop`] | what comes of faults at the start, again and again |
//! | [`device`] | puts the parts together; one `poll` |
//! | [`engine`] | runs the script: events, queue, timers, alarms, runaway rules |
//! | [`console`] | sessions, lines, commands |
//! | [`settings`] | every parameter, one table |
//! | [`signature`] | signed scripts: the line behind them, and whether it is right |
//! | [`storage`] | flash: settings, script, flash variables; power-cut safe |
//! | `dhcp`, `name_server` | addresses and names for the stations of the own network |
//! | `ntp` | network time: what the client and the server know |
//! | `upstream` | the client of another broker |
//! | [`http`] | a small HTTP client |
//! | [`printable`] | bytes from outside as text that is safe to show |
//! | [`sim`] | a device in virtual time, for testing scripts |
//! | [`trace`] | what a script does, as lines |
//! | [`upload`] | scripts pushed over TCP and pulled over HTTP |
//! | [`wifi`] | the contract with a board's radio; station, access point, scan |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod board;
pub mod console;
pub mod crash_loop;
pub mod device;
mod dhcp;
pub mod engine;
pub mod http;
mod log;
mod mdns;
mod name_server;
pub mod net;
mod notices;
mod ntp;
pub mod platform;
pub mod printable;
pub mod settings;
pub mod signature;
pub mod sim;
pub mod storage;
pub mod trace;
pub mod upload;
mod upstream;
mod wall_clock;
pub mod wifi;

pub use board::Board;
pub use device::{Device, ListenError};
pub use engine::Engine;
pub use net::Net;
pub use platform::Platform;
pub use umqtt_vm::Program;
