//! A published message, encoded once and shared by every queue it waits in.

use alloc::rc::Rc;

use crate::wire::{self, QoS};

/// A topic and a payload, kept as the QoS 0 PUBLISH packet that carries them.
///
/// Cloning shares. A delivery at QoS 0 sends these very bytes; at QoS 1 or 2 it sends its own header,
/// the topic from here, its packet id, and the payload from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication(Rc<[u8]>);

impl Publication {
    /// Encodes a message. `None` if the topic passes 65535 bytes, or the packet, with a packet id, 256 MiB.
    pub fn new(topic: &[u8], payload: &[u8]) -> Option<Publication> {
        let topic_len = u16::try_from(topic.len()).ok()?;
        let (header, body) = Publication::measure(topic, payload)?;
        let head = header.as_bytes();
        let mut bytes: Rc<[u8]> = core::iter::repeat_n(0, head.len() + body).collect();
        let all = Rc::get_mut(&mut bytes)?;
        let (first, rest) = all.split_at_mut(head.len());
        first.copy_from_slice(head);
        let (length, rest) = rest.split_at_mut(2);
        length.copy_from_slice(&topic_len.to_be_bytes());
        let (name, data) = rest.split_at_mut(topic.len());
        name.copy_from_slice(topic);
        data.copy_from_slice(payload);
        Some(Publication(bytes))
    }

    /// Bytes of the packet that [`new`](Self::new) would make.
    pub(crate) fn len_of(topic: &[u8], payload: &[u8]) -> Option<usize> {
        let (header, body) = Publication::measure(topic, payload)?;
        Some(header.as_bytes().len() + body)
    }

    /// The header, and the bytes of the body.
    fn measure(topic: &[u8], payload: &[u8]) -> Option<(wire::HeaderBytes, usize)> {
        let body = 2 + topic.len() + payload.len();
        if body > wire::MAX_REMAINING - 2 {
            return None; // no room for a packet id
        }
        Some((wire::FixedHeader::emit(wire::PacketType::Publish, 0, body)?, body))
    }

    /// The topic name.
    pub fn topic(&self) -> &[u8] {
        let body = self.body();
        body.get(2..self.topic_end()).unwrap_or_default()
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        self.body().get(self.topic_end()..).unwrap_or_default()
    }

    /// The whole packet as delivered at QoS 0 without the retain flag.
    pub fn packet(&self) -> &[u8] {
        &self.0
    }

    /// Topic length, topic, payload: the packet without its fixed header.
    pub(crate) fn body(&self) -> &[u8] {
        &self.0[self.header_len()..]
    }

    /// Where in [`body`](Self::body) the payload starts.
    pub(crate) fn topic_end(&self) -> usize {
        match self.body() {
            [high, low, ..] => 2 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => 0,
        }
    }

    fn header_len(&self) -> usize {
        // The length field ends at its first byte below 0x80; `new` wrote it.
        1 + self.0.iter().skip(1).take_while(|b| **b >= 0x80).count() + 1
    }
}

/// A message for the local client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub(crate) publication: Publication,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
}

impl Message {
    /// The topic name.
    pub fn topic(&self) -> &[u8] {
        self.publication.topic()
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        self.publication.payload()
    }

    /// The quality of service it was delivered at: the smaller of the publisher's and the
    /// subscription's.
    pub fn qos(&self) -> QoS {
        self.qos
    }

    /// Whether it was a retained message at the time of the subscription, rather than a new one.
    pub fn retain(&self) -> bool {
        self.retain
    }

    /// The shared bytes of topic and payload, for keeping them without a copy.
    pub fn publication(&self) -> &Publication {
        &self.publication
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_for_every_header_length() {
        for len in [0, 1, 120, 125, 126, 200, 16_380, 16_384, 3_000_000] {
            let payload = alloc::vec![7; len];
            let message = Publication::new(b"a/b", &payload).unwrap();
            assert_eq!(message.topic(), b"a/b");
            assert_eq!(message.payload(), payload);
        }
        assert!(Publication::new(&[b'a'; 65_536], b"").is_none());
    }

    #[test]
    fn it_is_the_packet_of_the_specification() {
        let message = Publication::new(b"a/b", b"hi").unwrap();
        assert_eq!(message.packet(), [0x30, 7, 0, 3, b'a', b'/', b'b', b'h', b'i']);
    }
}
