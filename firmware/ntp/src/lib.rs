//! Network time (SNTP, RFC 5905 section 14): a [`Client`] and a small [`Server`] as state machines.
//! No sockets, no clock, no allocation.
//!
//! | file | job |
//! |---|---|
//! | `timestamp` | [`Timestamp`]: 64 bits of seconds and fractions, and which era they are of |
//! | `packet` | [`Packet`]: the 48 bytes |
//! | `client` | [`Client`]: when to ask, and whether to believe the answer |
//! | `refusal` | [`Refusal`]: why not |
//! | `server` | [`Server`]: answers from a [`ServerClock`] |
//!
//! # Order of calls
//!
//! [`Client::start`] once there is a network. From then on, whenever [`Client::poll_at`] has come
//! or a datagram has: [`Client::handle_timeout`], [`Client::handle_datagram`] for each datagram,
//! and, while [`Client::wants_to_ask`], [`Client::poll_transmit`] with the server's address and a
//! random number; what that returns is to be sent from a port that is new each time. A name is
//! looked up before; where that fails, [`Client::fail`].
//!
//! # Time
//!
//! The client measures with [`Instant`](umqtt_net::Instant), which never goes back, and its
//! requests carry a random number in place of the time: what its clock shows is nobody's affair,
//! and whoever has not seen the request cannot answer it. A [`Sample`] says what time it was when
//! the answer came.
//!
//! # In place of `sntpc`
//!
//! The crate `sntpc` has the same packets and arithmetic, but only behind functions that own the
//! exchange: they send and receive themselves, over an asynchronous socket (or an executor that
//! blocks), and what parses and judges an answer is private. Its origin timestamp is the clock's
//! time, which can be guessed, and needs a clock that runs already; and it has no server. It is
//! used here as a peer in the tests.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod client;
mod packet;
mod refusal;
mod server;
mod timestamp;

pub use client::{Client, ClientStats, MAX_BACKOFF, MIN_INTERVAL, Sample, TRIES, Timeout};
pub use packet::{LEN, Leap, Mode, Packet, VERSION};
pub use refusal::Refusal;
pub use server::{ANSWERS_PER_SECOND, LOCAL_STRATUM, Server, ServerClock, ServerStats};
pub use timestamp::{FIRST_UNIX_MILLIS, Timestamp};

/// The port of NTP.
pub const PORT: u16 = 123;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
