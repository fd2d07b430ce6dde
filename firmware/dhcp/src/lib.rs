//! A DHCP server for the network of an access point (RFC 2131, RFC 2132) as a state machine: a
//! [`Server`] whose own address is the router and the DNS server of a /24 network. No sockets, no
//! clock, no allocation.
//!
//! | file | job |
//! |---|---|
//! | `message` | [`DhcpRequest`]: what is read of a client's message; how an answer is written |
//! | `client_key` | [`ClientKey`]: by what a client is known |
//! | `leases` | [`Lease`]: who has which address; offers, declined addresses |
//! | `server` | [`Server`]: what is answered, and to where |
//! | `lease_codec` | the leases as bytes with a checksum |
//!
//! # Order of calls
//!
//! For each datagram to [`SERVER_PORT`]: [`Server::handle_datagram`], then
//! [`Server::poll_transmit`], whose bytes go out from that port. There are no deadlines. After
//! that, if [`Server::take_changed`], the leases may be saved with [`Server::to_bytes`]; a
//! restarted device begins with [`Server::from_bytes`], and its clients keep their addresses.
//!
//! # Who gets an address
//!
//! A client is offered the address it has or had, else the one it asks for, else one that nobody
//! has had, else that of the lease that expired first; one that is in use is never given to
//! another. An offer is a hint of a few seconds, kept for [`MAX_OFFERS`] clients: it keeps two
//! clients from being offered the same address, and to forget it costs nobody anything. So a flood
//! of `DISCOVER`s touches no lease. When all leases are in use, newcomers are not answered and
//! counted ([`ServerStats::exhausted`]). Whatever comes beyond [`MESSAGES_PER_SECOND`] is counted
//! and not looked at ([`ServerStats::flooded`]): answers are broadcasts, which all stations hear.
//!
//! # In place of `edge-dhcp` and of smoltcp's wire format
//!
//! The server of `edge-dhcp` keeps no offers and no declined addresses, knows clients by their
//! hardware address alone, forgets leases when somebody just asks for an address, does not answer
//! `DHCPINFORM`, gives the address of a `DHCPRELEASE` from the wrong field, and reads the broadcast
//! flag from the wrong bit. Its messages could be used alone, but they answer relays and write
//! neither T1 and T2 nor the client identifier. `smoltcp::wire::DhcpRepr` refuses client
//! identifiers that are no hardware addresses. What is left, fixed offsets and a list of options,
//! is `message.rs`. smoltcp's client is the peer of a test.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(test)]
extern crate std;

mod client_key;
mod lease_codec;
mod leases;
mod message;
mod server;

pub use client_key::{ClientKey, MAX_CLIENT_ID};
pub use lease_codec::{RestoreError, saved_len};
pub use leases::{
    DECLINE_TIME, FIRST_HOST, LAST_HOST, Lease, MAX_DECLINED, MAX_OFFERS, OFFER_TIME,
};
pub use message::{DhcpRequest, HEADER_LEN, MIN_LEN, Mac, MessageType, option};
pub use server::{
    DEFAULT_LEASE_TIME, MAX_LEASE_TIME, MESSAGES_PER_SECOND, MIN_LEASE_TIME, Server, ServerStats,
};

/// The port of the server.
pub const SERVER_PORT: u16 = 67;
/// The port of the clients.
pub const CLIENT_PORT: u16 = 68;
/// Leases of a server for which nothing else is said: as many as an ESP8266 has stations.
pub const DEFAULT_LEASES: usize = 8;
/// Bytes of the longest answer.
pub const REPLY_LEN: usize = HEADER_LEN + 52 + 2 + MAX_CLIENT_ID;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
