//! The umqtt device as a desktop process: a board of sockets, files and simulated pins, and the loop that drives
//! the device.
//!
//! | module | job |
//! |---|---|
//! | [`net`] | the network on the operating system's sockets |
//! | [`flash`] | flash memory in a file |
//! | [`board`] | simulated pins; the `sim` command |
//! | `run` | the loop |
//! | `options` | what it is started with, and why it may not start |
//! | [`terminal`] | the serial port |
#![forbid(unsafe_code)]

pub mod board;
pub mod flash;
pub mod net;
mod options;
mod run;
pub mod terminal;

pub use options::{Options, RunError, Serial, default_data_dir};
pub use run::{Desktop, Stopper, run};
