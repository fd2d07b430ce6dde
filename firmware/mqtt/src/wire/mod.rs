//! The packets of MQTT 3.1 and 3.1.1, both directions: borrowed views with `parse`, and `emit`.
//!
//! Not here: what a packet means. The broker and the client use the same definitions from their two
//! ends. A packet is taken in two steps: [`FixedHeader::parse`] on the bytes there are, and once
//! [`FixedHeader::total`] bytes are there, the packet's own `parse` on the body.
//!
//! ```
//! use umqtt_mqtt::QoS;
//! use umqtt_mqtt::wire::{FixedHeader, Malformed, PacketType, Publish, Version};
//!
//! # fn main() -> Result<(), Malformed> {
//! let received = b"\x32\x07\0\x01t\0\x05hi and what comes behind it";
//! let header = FixedHeader::parse(received, Version::V311)?.expect("all of it is there");
//! assert_eq!((header.kind, header.total()), (PacketType::Publish, 9));
//! let publish = Publish::parse(&header, &received[header.len..header.total()])?;
//! assert_eq!((publish.topic, publish.payload), (&b"t"[..], &b"hi"[..]));
//! assert_eq!((publish.qos, publish.packet_id), (QoS::AtLeastOnce, 5));
//! # Ok(())
//! # }
//! ```

mod ack;
mod connack;
mod connect;
mod header;
mod publish;
mod reader;
mod subscribe;

pub use ack::{Ack, emit_ack, emit_bare};
pub use connack::{Connack, ReturnCode};
pub use connect::{Connect, Will};
pub use header::{FixedHeader, HeaderBytes, MAX_REMAINING, PacketType};
pub use publish::Publish;
pub use subscribe::{Suback, Subscribe, Unsubscribe};

use umqtt_topic::TopicError;

/// The protocol a connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// MQTT 3.1: name `MQIsdp`, level 3.
    V31,
    /// MQTT 3.1.1: name `MQTT`, level 4.
    #[default]
    V311,
}

/// Quality of service (MQTT 3.1.1 section 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// At most once.
    #[default]
    AtMostOnce = 0,
    /// At least once.
    AtLeastOnce = 1,
    /// Exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// The level of 0, 1 or 2; nothing else is one.
    pub fn from_u8(level: u8) -> Option<QoS> {
        match level {
            0 => Some(QoS::AtMostOnce),
            1 => Some(QoS::AtLeastOnce),
            2 => Some(QoS::ExactlyOnce),
            _ => None,
        }
    }
}

/// Why bytes are not a packet.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// Packet type 0 or 15 (section 2.2.1).
    Type,
    /// Fixed header flags that the type does not allow ([MQTT-2.2.2-2]).
    Flags,
    /// A remaining length of more than four bytes (section 2.2.3).
    Length,
    /// The body ends too early.
    Short,
    /// The body goes on after its end.
    Trailing,
    /// A protocol name that is neither `MQTT` nor `MQIsdp` ([MQTT-3.1.2-1]).
    Protocol,
    /// Connect flags that contradict each other ([MQTT-3.1.2-3], [MQTT-3.1.2-11..22]).
    ConnectFlags,
    /// A quality of service of 3, or a return code that does not exist.
    Value,
    /// Packet id 0 ([MQTT-2.3.1-1]).
    PacketId,
    /// A string that is not UTF-8 or holds what MQTT does not want in one ([MQTT-1.5.3-1],
    /// [MQTT-1.5.3-2]).
    Text,
    /// A topic name or filter that is none.
    Topic(TopicError),
    /// SUBSCRIBE or UNSUBSCRIBE without a filter ([MQTT-3.8.3-3], [MQTT-3.10.3-2]).
    NoFilter,
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Malformed::Type => "no such packet type",
            Malformed::Flags => "the packet type does not allow these header flags",
            Malformed::Length => "the remaining length has more than four bytes",
            Malformed::Short => "the packet ends too early",
            Malformed::Trailing => "the packet goes on after its end",
            Malformed::Protocol => "the protocol is not MQTT",
            Malformed::ConnectFlags => "the connect flags contradict each other",
            Malformed::Value => "a field has a value that does not exist",
            Malformed::PacketId => "the packet id is 0",
            Malformed::Text => "a string is not UTF-8 or holds a control character",
            Malformed::Topic(why) => return why.fmt(f),
            Malformed::NoFilter => "the packet names no topic filter",
        })
    }
}

impl core::error::Error for Malformed {}

impl From<TopicError> for Malformed {
    fn from(why: TopicError) -> Self {
        Malformed::Topic(why)
    }
}
