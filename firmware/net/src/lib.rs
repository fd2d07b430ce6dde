//! The contract between a device and its network.
//!
//! A device is written against [`Net`]; a stack implements it, over smoltcp on a chip and over the
//! operating system's sockets on a desktop. Nothing blocks and nothing calls back: the stack keeps
//! what happened as [`NetEvent`]s until the device takes them, and bytes stay in the stack until
//! the device takes those.
//!
//! | file | job |
//! |---|---|
//! | `net` | [`Net`]: events, TCP, the device's addresses |
//! | `udp` | [`Udp`]: datagrams and multicast, for stacks that have them |
//! | `stack` | [`Stack`]: how a board's loop drives a stack |
//! | `event`, `error` | what happened, and what was refused |
//! | `id` | [`ConnId`], [`UdpId`] |
//! | `peer` | [`Peer`], [`Interface`], [`InterfaceAddr`]: the far end, and the network it is in |
//! | `ready` | [`ReadyQueue`]: what a stack has to report, once for each connection |
//! | `dual` | [`DualNet`]: two stacks as one, such as station and access point |
//! | `time` | [`Instant`], [`Duration`] |
//! | `conformance` | the suite that every stack passes (feature `conformance`) |
//!
//! # Order of calls
//!
//! One turn of a board's loop is [`Stack::ingress`], the device's own poll, [`Stack::egress`]; then
//! it sleeps until the earlier of the two times that device and stack ask for, or until the network
//! wakes it. What arrives is handled in the turn that takes it, and what that produces leaves in
//! the same turn.
//!
//! The device's poll takes events with [`Net::poll_event`] until there are none, or up to a bound
//! of its own.
//!
//! # What a stack promises
//!
//! * An id is not given to another connection before the device has taken its [`NetEvent::Closed`]
//!   or [`NetEvent::Resolved`].
//!   Ids are small numbers: the lowest that are free.
//! * Events of one connection come in the order in which their kinds are listed in [`Readiness`],
//!   each once however often it happened. After [`Net::close`] or [`Net::abort`] only
//!   [`NetEvent::Closed`] follows, and it does follow.
//! * [`NetEvent::Readable`], [`NetEvent::Writable`] and [`NetEvent::Datagram`] are edges: they may
//!   come without need, and never fail to come when there is something new. That a peer has
//!   finished or reset the connection may show only when the device receives, which it is made to
//!   by a [`NetEvent::Readable`].
//! * What a stack holds has a bound. At the bound, and where an allocation fails, the newcomer is
//!   refused; what is open stays.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

extern crate alloc;
#[cfg(feature = "conformance")]
extern crate std;

#[cfg(feature = "conformance")]
pub mod conformance;

mod dual;
mod error;
mod event;
mod id;
mod net;
mod peer;
mod ready;
mod stack;
mod time;
mod udp;

pub use dual::DualNet;
pub use error::{NetError, SendError};
pub use event::{CloseReason, NetEvent};
pub use id::{ConnId, UdpId};
pub use net::Net;
pub use peer::{Addressing, Interface, InterfaceAddr, Peer};
pub use ready::{Readiness, ReadyQueue, ReadySet};
pub use stack::{Stack, turn};
pub use time::{Duration, Instant};
pub use udp::{BoundSocket, GUARANTEED_PAYLOAD, PortUse, Udp};
