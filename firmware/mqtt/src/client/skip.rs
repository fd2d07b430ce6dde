//! A message larger than the client takes: it is passed over, and what comes behind it is read as
//! ever.
//!
//! At QoS 1 and 2 it is acknowledged too. A server keeps what is not acknowledged, and would send
//! it again on every connection: a message that can never be taken would keep the client from all
//! others.

use crate::wire::{FixedHeader, QoS};

/// A PUBLISH packet on its way past. Of its body only the packet id is looked at.
#[derive(Debug)]
pub(super) struct Skip {
    qos: QoS,
    /// Bytes of the whole packet.
    pub(super) total: usize,
    /// Bytes of the body, and how many of them have gone by.
    len: usize,
    at: usize,
    topic_len: u16,
    packet_id: u16,
}

impl Skip {
    /// Passes over the packet behind this header.
    pub(super) fn new(header: &FixedHeader) -> Skip {
        let qos = QoS::from_u8(header.flags >> 1 & 3).unwrap_or_default();
        let (total, len) = (header.total(), header.remaining);
        Skip { qos, total, len, at: 0, topic_len: 0, packet_id: 0 }
    }

    /// Takes the packet's bytes away; true once all of them have come.
    pub(super) fn pass(&mut self, bytes: &mut &[u8]) -> bool {
        while let Some((&byte, rest)) = bytes.split_first().filter(|_| self.at < self.len) {
            let id_at = 2 + usize::from(self.topic_len);
            let next = match self.at {
                0 | 1 => {
                    self.topic_len = self.topic_len << 8 | u16::from(byte);
                    rest
                }
                at if at == id_at || at == id_at + 1 => {
                    self.packet_id = self.packet_id << 8 | u16::from(byte);
                    rest
                }
                at => {
                    let end = if at < id_at { id_at.min(self.len) } else { self.len };
                    bytes.get(end - at..).unwrap_or_default()
                }
            };
            self.at += bytes.len() - next.len();
            *bytes = next;
        }
        self.at == self.len
    }

    /// How it is to be answered: its quality of service, and its packet id unless it is no message
    /// at all.
    pub(super) fn answer(&self) -> (QoS, Option<u16>) {
        let whole = self.len >= 4 + usize::from(self.topic_len);
        (self.qos, Some(self.packet_id).filter(|id| whole && *id > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Publish, Version};
    use alloc::vec::Vec;

    #[test]
    fn in_any_pieces_it_ends_where_the_packet_does_and_knows_its_id() {
        let mut packet = Vec::new();
        let message = Publish {
            topic: b"a/topic",
            payload: &[7; 300],
            qos: QoS::ExactlyOnce,
            retain: false,
            dup: false,
            packet_id: 0x1234,
        };
        assert!(message.emit(&mut packet));
        let header = FixedHeader::parse(&packet, Version::V311).unwrap().unwrap();
        packet.extend_from_slice(b"next");
        for size in 1..=packet.len() {
            let mut skip = Skip::new(&header);
            let mut passed = false;
            let mut left = Vec::new();
            for mut piece in packet[header.len..].chunks(size) {
                passed = passed || skip.pass(&mut piece);
                left.extend_from_slice(piece);
            }
            assert_eq!((passed, &left[..]), (true, &b"next"[..]), "pieces of {size}");
            assert_eq!(skip.answer(), (QoS::ExactlyOnce, Some(0x1234)));
        }
    }

    #[test]
    fn one_that_ends_within_its_topic_has_no_id() {
        let header = FixedHeader::parse(&[0x32, 6], Version::V311).unwrap().unwrap();
        let mut skip = Skip::new(&header);
        assert!(skip.pass(&mut &[0, 9, 1, 2, 3, 4, 5][..]));
        assert_eq!(skip.answer(), (QoS::AtLeastOnce, None));
    }
}
