//! The umqtt device as a desktop process: a board of sockets, files and simulated pins, and the
//! loop that drives the device.
//!
//! | module | job |
//! |---|---|
//! | [`net`] | the network on the operating system's sockets |
//! | [`flash`] | flash memory in a file |
//! | [`board`] | simulated pins; the `sim` command |
//! | [`journal_store`] | the broker's journal in a file: what outlives a restart |
//! | [`journal_writer`] | writes it, on a thread of its own |
//! | `run` | the loop |
//! | `find` | devices in this computer's networks |
//! | `options` | what it is started with, and why it may not start |
//! | [`terminal`] | the serial port |
//! | `byte_queue` | bytes between the device and the threads of the serial port |
//! | [`line_editor`] | editing lines in a terminal |
//! | `editor` | gives them to the device |
//! | `memory_limit` | how much memory the broker gets on this computer |
//! | `signals`, `stop` | what signals do; ending the device from another thread |
//! | `log` | the log on standard error |
#![forbid(unsafe_code)]

pub mod board;
mod byte_queue;
mod editor;
mod find;
pub mod flash;
pub mod journal_store;
pub mod journal_writer;
pub mod line_editor;
mod log;
mod memory_limit;
pub mod net;
mod options;
mod run;
mod signals;
mod stop;
pub mod terminal;

pub use find::{FoundDevice, find};
pub use log::Verbosity;
pub use net::Interfaces;
pub use options::{HostOptions, RunError, Script, Serial, default_data_dir};
pub use run::{HostDevice, run};
pub use signals::report_full_files;
pub use stop::StopHandle;
