//! Devices over the network: a client of their console (TCP 7777).
//!
//! ```text
//! let address: DeviceAddress = "lamp.lan".parse()?;
//! let mut console = ConsoleClient::connect(&address, Timeouts::default())?;
//! let reply = console.command("show stats")?;       // up to the next prompt
//! while let Some(line) = console.next_line(deadline)? { ... }   // what comes unasked
//! ```
//!
//! | module | job |
//! |---|---|
//! | [`address`] | `HOST[:PORT]` |
//! | [`arguments`] | what all commands for devices can be told |
//! | [`transcript`] | bytes to lines and prompts |
//! | `protocol_error` | what a peer sends that is no console |
//! | [`session`] | lines and prompts to replies, and what came unasked |
//! | [`reply`] | what a command was answered, and whether that is a refusal |
//! | [`client`] | a session over TCP, with time limits |
//! | [`error`] | why a device could not be talked to, and what to try |
//! | [`config`] | `show config`: version, kind of device, settings |
//! | [`stats`] | `show stats` and `show mqtt` |
//! | [`script`] | `show script`, all pages of it |
//! | [`variables`] | `show vars`: flash variables |
//! | [`backup`] | the files of a backup |
//! | [`upload`] | sends a script |
//! | [`verdict`] | what the device says of it |
//! | [`unlocked`] | a locked device, unlocked for a while |
//! | [`visit`] | one device for one command |
//! | [`fleet`] | several devices at a time |
//! | [`interrupt`] | Ctrl-C while something must be put in order first |
//!
//! [`transcript`] and [`session`] know neither sockets nor a clock. What they hold has a bound.

pub(crate) mod address;
pub(crate) mod arguments;
pub(crate) mod backup;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod fleet;
pub(crate) mod interrupt;
mod protocol_error;
pub(crate) mod reply;
pub(crate) mod script;
pub(crate) mod session;
pub(crate) mod stats;
pub(crate) mod transcript;
pub(crate) mod unlocked;
pub(crate) mod upload;
pub(crate) mod variables;
pub(crate) mod verdict;
pub(crate) mod visit;

pub(crate) use address::DeviceAddress;
pub(crate) use client::{ConsoleClient, Timeouts};
pub(crate) use error::RemoteError;
pub(crate) use protocol_error::ProtocolError;
pub(crate) use reply::Reply;
