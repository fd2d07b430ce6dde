//! The client's events, and its requests to the network.

use alloc::vec::Vec;

use crate::message::Message;
use crate::wire::{QoS, ReturnCode};

/// What the client wants from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkRequest {
    /// Make a connection to the server, then call [`connected`](super::Client::connected), or
    /// [`closed`](super::Client::closed) if there is none.
    Connect,
    /// Close the connection, or give up making it. [`closed`](super::Client::closed) need not be
    /// called.
    Close,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The server accepted the client.
    Connected {
        /// It remembered the session.
        session_present: bool,
    },
    /// The server refused the client. It tries again later.
    Refused(ReturnCode),
    /// An accepted connection is over.
    Disconnected(Reason),
    /// The server answered a subscription.
    Subscribed {
        /// Its filter.
        filter: Vec<u8>,
        /// What it granted; `None` is a refusal.
        granted: Option<QoS>,
    },
    /// A message.
    Message(Message),
    /// A message of so many bytes was passed over: it is larger than
    /// [`max_packet`](super::ClientOptions::max_packet). It is counted by
    /// [`dropped`](super::Client::dropped), and acknowledged if its sender wants that, as it could
    /// never be taken.
    TooLarge(usize),
    /// A message was passed over as one that is too large: its topic holds a character that MQTT
    /// advises against ([`TextError::Disallowed`](umqtt_topic::TextError::Disallowed)).
    BadTopic,
}

/// Why a connection is over.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The network closed it.
    Network,
    /// The server was silent for too long.
    Timeout,
    /// The server sent what is no MQTT, or passed a limit.
    Protocol,
    /// [`stop`](super::Client::stop) was called.
    Stopped,
}
