//! Who a client is, and what it may grow to.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Publication;
use crate::wire::{QoS, Version};

/// The settings of a [`Client`](super::Client). A limit of `0` allows none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// The protocol to speak.
    pub version: Version,
    /// Its name with the server; empty lets the server choose, with clean session only.
    pub client_id: String,
    /// Have the server forget the session before and after each connection.
    pub clean_session: bool,
    /// Seconds between signs of life; 0 for none, and then a dead connection is noticed only by
    /// sending.
    pub keep_alive: u16,
    /// The user name.
    pub user: Option<String>,
    /// The password; needs a user name.
    pub password: Option<Vec<u8>>,
    /// What the server publishes if the connection fails.
    pub will: Option<LastMessage>,
    /// Bytes of one packet from the server. A larger message is passed over; anything else that is
    /// larger ends the connection.
    pub max_packet: usize,
    /// Bytes of messages in each queue: to be sent, and for
    /// [`poll_event`](super::Client::poll_event).
    pub max_queue_bytes: usize,
    /// QoS 1 and 2 messages sent and not yet acknowledged; the next ones wait.
    pub max_inflight: usize,
    /// Subscriptions.
    pub max_subscriptions: usize,
}

/// A last will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastMessage {
    /// Topic and payload, each at most 65535 bytes.
    pub message: Publication,
    /// Its quality of service.
    pub qos: QoS,
    /// Whether the server retains it.
    pub retain: bool,
}

impl ClientOptions {
    /// A client of this name: MQTT 3.1.1, clean session, keep-alive 60 s, no user, no will, and the
    /// limits of a chip: packets and queues of 4 KiB, 8 messages in flight, 32 subscriptions.
    pub fn new(client_id: &str) -> ClientOptions {
        ClientOptions {
            version: Version::V311,
            client_id: client_id.into(),
            clean_session: true,
            keep_alive: 60,
            user: None,
            password: None,
            will: None,
            max_packet: 4096,
            max_queue_bytes: 4096,
            max_inflight: 8,
            max_subscriptions: 32,
        }
    }
}
