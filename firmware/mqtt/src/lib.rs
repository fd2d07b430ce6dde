//! An MQTT 3.1 and 3.1.1 broker as a state machine, for a chip with some tens of KiB and for a
//! desktop.
//!
//! It touches no socket and no clock: it is given bytes and the time, and leaves bytes, connections
//! to close and its next deadline. The caller owns the network, in one plain loop: it hands in what
//! happened, sends what waits, and comes back at the deadline. So the same broker runs over
//! `smoltcp` on a device and over the operating system's sockets, and its tests run in virtual
//! time.
//!
//! It knows nothing of scripts, of settings or of storage; the embedder decides who may connect
//! ([`Hooks`]) and saves the retained messages if it wants to ([`Broker::retained_revision`]).
//!
//! # Map
//!
//! * [`Broker`]: state and getters; below it one module for each thing that can happen: connections
//!   come and go, bytes arrive, CONNECT, delivery, timers, the local client.
//! * [`client`]: a client in the same manner, for talking to other brokers.
//! * [`wire`]: the packets, both directions; of use to a client too.
//! * [`Limits`], [`Stats`], [`Hooks`]: what the embedder sets, reads, decides.
//! * [`Publication`], [`Message`]: a message, encoded once, shared by all queues it waits in.
//! * Inside: `inbox` (bytes in pieces become packets), `connection` and its `outbox` of messages
//!   (`delivery`), `session` and its messages of QoS 1 and 2 (`inflight`), `queue` (what makes room
//!   for what, by `queue_size` and `delivery_options`), `subscriptions` (a tree), `retained`;
//!   `arena` (places for clients and filters), `offline` (which session was there longest ago),
//!   `timers`, and `memory`, what things cost: the figures are in `docs/memory.md`.
//!
//! # What it does with MQTT's choices
//!
//! The whole of it, and every statement of the standard with its tests, is in
//! `docs/conformance.md`.
//!
//! * A client with several matching subscriptions gets a message once, at the highest of their
//!   qualities of service.
//! * Messages wait for a client, also for one that is offline and is remembered, up to
//!   [`Limits::max_queue_messages`] and [`Limits::max_queue_bytes`]. Then the oldest of QoS 0 make
//!   room; if there is none, the newcomer is dropped and counted.
//! * Clients may not publish to `$SYS`: such messages are acknowledged and thrown away.
//! * Anything malformed closes that connection, and no other; the will is published. What else
//!   clients may do too much of, what bounds it and where it is counted is in `docs/abuse.md`.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `broker` | yes | [`Broker`] |
//! | `client` | yes | [`client`] |
//! | `journal` | no | what outlives a restart: [`Broker::poll_journal`]; with `broker` |
//! | `serde` | no | [`Limits`] and [`Stats`] for serde |
//! | `defmt` | no | errors as `defmt::Format` |
//!
//! Without `broker` and `client` there is [`wire`] alone.
//!
//! # Example
//!
//! A program that subscribes on its own broker; the "network" is two slices of bytes.
//!
//! ```
//! use std::net::SocketAddr;
//! use umqtt_mqtt::{AllowAll, Broker, ConnId, Instant, Limits, Peer, QoS};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut broker = Broker::new(Limits::SMALL);
//! broker.subscribe(b"room/+/light", QoS::AtMostOnce)?;
//!
//! // Somebody connects at time 0, says CONNECT and publishes.
//! let (conn, addr) = (ConnId(1), "192.168.4.2:50000".parse::<SocketAddr>()?);
//! let at = Instant::from_millis;
//! broker.open(conn, Peer::from(addr), at(0), &mut AllowAll)?;
//! broker.receive(conn, b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02me", at(5), &mut AllowAll);
//! broker.receive(conn, b"\x30\x10\0\x0croom/1/lighton", at(9), &mut AllowAll);
//!
//! // The broker has something to say to it: CONNACK.
//! assert_eq!(broker.poll_writable(), Some(conn));
//! let mut buffer = [0; 64];
//! let n = broker.copy_outgoing(conn, &mut buffer);
//! assert_eq!(buffer[..n], [0x20, 2, 0, 0]);
//! broker.sent(conn, n);
//!
//! // And the program gets its message.
//! let message = broker.poll_local().ok_or("nothing came")?;
//! assert_eq!((message.topic(), message.payload()), (&b"room/1/light"[..], &b"on"[..]));
//!
//! // A minute of keep-alive, one and a half times: then it counts as gone.
//! assert!(broker.poll_at().is_some());
//! broker.handle_timeout(at(9 + 90_000));
//! assert_eq!(broker.poll_close(), Some(conn));
//! # Ok(())
//! # }
//! ```
#![no_std]
#![forbid(unsafe_code)]
// The client uses a part of what it shares with the broker.
#![cfg_attr(not(feature = "broker"), allow(dead_code))]

extern crate alloc;

pub mod wire;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "broker")]
mod arena;
#[cfg(feature = "broker")]
mod broker;
#[cfg(feature = "broker")]
mod connection;
#[cfg(any(feature = "broker", feature = "client"))]
mod delivery;
#[cfg(any(feature = "broker", feature = "client"))]
mod delivery_options;
#[cfg(feature = "broker")]
mod hooks;
#[cfg(any(feature = "broker", feature = "client"))]
mod inbox;
#[cfg(any(feature = "broker", feature = "client"))]
mod inflight;
#[cfg(any(feature = "broker", feature = "client"))]
mod journal;
#[cfg(feature = "broker")]
mod limits;
#[cfg(any(feature = "broker", feature = "client"))]
mod memory;
#[cfg(any(feature = "broker", feature = "client"))]
mod message;
#[cfg(feature = "broker")]
mod offline;
#[cfg(any(feature = "broker", feature = "client"))]
mod outbox;
#[cfg(feature = "broker")]
mod queue;
#[cfg(any(feature = "broker", feature = "client"))]
mod queue_size;
#[cfg(feature = "broker")]
mod retained;
#[cfg(feature = "broker")]
mod session;
#[cfg(feature = "broker")]
mod stats;
#[cfg(feature = "broker")]
mod subscriptions;
#[cfg(feature = "broker")]
mod timers;

#[cfg(feature = "broker")]
pub use broker::{
    Broker, ClientInfo, PublishError, Refused, Retained, SubscribeError, SubscriptionInfo,
};
#[cfg(feature = "broker")]
pub use hooks::{AllowAll, Callbacks, Credentials, Hooks, Verdict};
#[cfg(feature = "journal")]
pub use journal::{Batch, Change, Restore, RestoreError, Restored};
#[cfg(feature = "broker")]
pub use limits::Limits;
#[cfg(any(feature = "broker", feature = "client"))]
pub use message::{Message, Publication};
#[cfg(feature = "broker")]
pub use stats::Stats;
pub use umqtt_net::{ConnId, Duration, Instant, Interface, Peer};
pub use wire::QoS;
