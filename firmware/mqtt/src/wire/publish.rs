//! PUBLISH (section 3.3).

use alloc::vec::Vec;

use super::{FixedHeader, Malformed, PacketType, QoS, reader::Reader};

/// A message on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// A valid topic name.
    pub topic: &'a [u8],
    /// Any bytes.
    pub payload: &'a [u8],
    /// The quality of service of this transfer.
    pub qos: QoS,
    /// Client to server: keep it. Server to client: it was kept.
    pub retain: bool,
    /// It may have been sent before.
    pub dup: bool,
    /// 1 to 65535 at QoS 1 and 2, else 0.
    pub packet_id: u16,
}

impl<'a> Publish<'a> {
    /// Reads the body of a PUBLISH.
    ///
    /// # Errors
    /// [`Malformed`], also for a topic name that is none ([MQTT-3.3.2-2]).
    pub fn parse(header: &FixedHeader, body: &'a [u8]) -> Result<Publish<'a>, Malformed> {
        let mut reader = Reader::new(body);
        let topic = reader.bytes()?;
        umqtt_topic::check_name(topic)?;
        let qos = QoS::from_u8(header.flags >> 1 & 3).ok_or(Malformed::Value)?;
        let packet_id = if qos == QoS::AtMostOnce { 0 } else { reader.packet_id()? };
        Ok(Publish {
            topic,
            payload: reader.rest(),
            qos,
            retain: header.flags & 1 != 0,
            dup: header.flags & 8 != 0,
            packet_id,
        })
    }

    /// The flags of the fixed header.
    pub fn flags(&self) -> u8 {
        u8::from(self.dup) << 3 | (self.qos as u8) << 1 | u8::from(self.retain)
    }

    /// Appends the packet; `false`, with nothing appended, if the topic or the whole is too long.
    pub fn emit(&self, out: &mut Vec<u8>) -> bool {
        let id = if self.qos == QoS::AtMostOnce { 0 } else { 2 };
        let body = 2 + self.topic.len() + id + self.payload.len();
        let Ok(topic_len) = u16::try_from(self.topic.len()) else { return false };
        let Some(header) = FixedHeader::emit(PacketType::Publish, self.flags(), body) else {
            return false;
        };
        out.reserve(header.as_bytes().len() + body);
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&topic_len.to_be_bytes());
        out.extend_from_slice(self.topic);
        if self.qos != QoS::AtMostOnce {
            out.extend_from_slice(&self.packet_id.to_be_bytes());
        }
        out.extend_from_slice(self.payload);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Version;

    fn parse(packet: &[u8]) -> Result<Publish<'_>, Malformed> {
        let header = FixedHeader::parse(packet, Version::V311)?.unwrap();
        Publish::parse(&header, &packet[header.len..])
    }

    #[test]
    fn figure_3_11() {
        let packet = [0x32, 7, 0, 3, b'a', b'/', b'b', 0, 10];
        let publish = parse(&packet).unwrap();
        assert_eq!((publish.topic, publish.payload), (&b"a/b"[..], &b""[..]));
        assert_eq!((publish.qos, publish.packet_id), (QoS::AtLeastOnce, 10));
        let mut out = Vec::new();
        assert!(publish.emit(&mut out));
        assert_eq!(out, packet);
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(parse(&[0x32, 5, 0, 1, b'a', 0, 0]), Err(Malformed::PacketId));
        assert_eq!(parse(&[0x32, 3, 0, 1, b'a']), Err(Malformed::Short));
        assert_eq!(parse(&[0x30, 3, 0, 2, b'a']), Err(Malformed::Short));
        assert_eq!(parse(&[0x30, 0]), Err(Malformed::Short));
        for topic in [&b""[..], b"+", b"a/#", b"\0", b"\xff"] {
            let mut packet = Vec::from([0x30, topic.len() as u8 + 2, 0, topic.len() as u8]);
            packet.extend_from_slice(topic);
            assert!(matches!(parse(&packet), Err(Malformed::Topic(_))), "{topic:?}");
        }
    }
}
