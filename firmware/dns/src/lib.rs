//! DNS for a small device as state machines: a [`Resolver`] that asks name servers, a [`Responder`]
//! that is the name server of the device's own access point, and multicast DNS with service
//! discovery ([`mdns::MdnsResponder`], [`mdns::Browser`]). No sockets, no clock, no allocation.
//!
//! | file | job |
//! |---|---|
//! | `name` | [`Name`], [`NameBuf`]: names in a message and of one's own |
//! | [`wire`] | [`DnsMessage`](wire::DnsMessage): what is read of a message |
//! | `error` | [`WireError`], [`ResolveError`] |
//! | `writer` | [`Writer`]: how one is written |
//! | `resolver`, `cache`, `addresses` | [`Resolver`]: addresses of hosts |
//! | `responder` | [`Responder`]: names for the clients of an access point |
//! | [`mdns`] | names and services of a link |
//!
//! # Order of calls
//!
//! Each is given datagrams and the time, and leaves datagrams and its next deadline (`poll_at`).
//!
//! * [`Resolver`]: [`resolve`](Resolver::resolve); then, whenever a deadline has passed or a
//!   datagram has come, [`handle_timeout`](Resolver::handle_timeout),
//!   [`handle_datagram`](Resolver::handle_datagram), [`poll_transmit`](Resolver::poll_transmit)
//!   until there is nothing, each question from a port of its own, and
//!   [`poll_event`](Resolver::poll_event).
//! * [`Responder`]: [`handle_query`](Responder::handle_query) for what comes to port 53,
//!   [`handle_answer`](Responder::handle_answer) for what comes to the port the station's server is
//!   asked from. Each of them leaves one datagram at most, at once, in the buffer it is given.
//! * [`mdns::MdnsResponder`], one for each interface, all on one socket of port 5353 that has
//!   joined [`MDNS_GROUP`] on each:
//!   [`handle_datagram`](mdns::MdnsResponder::handle_datagram),
//!   [`handle_timeout`](mdns::MdnsResponder::handle_timeout), and
//!   [`poll_transmit`](mdns::MdnsResponder::poll_transmit) until there is nothing.
//!
//! Random numbers are given to them: whoever guesses them can answer in a server's place.
//!
//! # In place of `edge-mdns`, `edge-captive`, `domain` and others
//!
//! `edge-mdns` answers and asks, but does not claim its name: it neither probes nor announces,
//! knows no conflicts, no goodbye, no rate and nobody without multicast DNS; what it has is an
//! asynchronous loop around sockets. `edge-captive` answers every name with one address. Both build
//! on `domain`, whose messages are generic over buffers and builders, with unsafe code in names and
//! labels; reading and writing the six types of records that are needed here takes 400 lines.
//! `simple-dns` and `hickory-proto` allocate, and smoltcp's `wire::dns` only reads answers to a
//! question for an address. `simple-dns` reads and writes the messages of the tests.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(test)]
extern crate std;

use core::net::Ipv4Addr;

mod addresses;
mod cache;
mod error;
pub mod mdns;
mod name;
mod resolver;
mod responder;
pub mod wire;
mod writer;

pub use addresses::{Addresses, MAX_ADDRESSES};
pub use cache::{DEFAULT_NEGATIVE_TTL, MAX_NEGATIVE_TTL, MAX_TTL, MIN_TTL};
pub use error::{ResolveError, WireError};
pub use name::{Labels, MAX_LABEL, MAX_NAME, MAX_OWNED_NAME, MAX_POINTERS, Name, NameBuf};
pub use resolver::{
    ANSWER_TIMEOUT, ATTEMPTS, Lookup, MAX_ALIASES, MAX_SERVERS, OutgoingQuery, QUERY_LEN, QueryId,
    Resolver,
};
pub use responder::{
    FORWARD_TIMEOUT, MESSAGE_LEN, OWN_TTL, QUERIES_PER_SECOND, Responder, ResponderStats, Transmit,
};
pub use writer::{Data, Full, Writer};

/// The port of name servers.
pub const PORT: u16 = 53;
/// The name of the device on its own access point, and by multicast.
pub const OWN_NAME: &str = "mqtt.local";
/// The group of multicast DNS.
pub const MDNS_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The port of multicast DNS.
pub const MDNS_PORT: u16 = 5353;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
