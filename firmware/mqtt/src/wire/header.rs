//! The fixed header: packet type, flags, remaining length (section 2.2).

use super::{Malformed, Version};

/// The largest remaining length four bytes can say.
pub const MAX_REMAINING: usize = 268_435_455;

/// The packet types (section 2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PacketType {
    /// Client asks to connect.
    Connect = 1,
    /// Server answers that.
    Connack = 2,
    /// A message.
    Publish = 3,
    /// QoS 1 message received.
    Puback = 4,
    /// QoS 2 message received.
    Pubrec = 5,
    /// QoS 2 message released.
    Pubrel = 6,
    /// QoS 2 message complete.
    Pubcomp = 7,
    /// Client subscribes.
    Subscribe = 8,
    /// Server answers that.
    Suback = 9,
    /// Client unsubscribes.
    Unsubscribe = 10,
    /// Server answers that.
    Unsuback = 11,
    /// Client shows it is alive.
    Pingreq = 12,
    /// Server answers that.
    Pingresp = 13,
    /// Client takes its leave.
    Disconnect = 14,
}

impl PacketType {
    fn from_nibble(nibble: u8) -> Result<PacketType, Malformed> {
        Ok(match nibble {
            1 => PacketType::Connect,
            2 => PacketType::Connack,
            3 => PacketType::Publish,
            4 => PacketType::Puback,
            5 => PacketType::Pubrec,
            6 => PacketType::Pubrel,
            7 => PacketType::Pubcomp,
            8 => PacketType::Subscribe,
            9 => PacketType::Suback,
            10 => PacketType::Unsubscribe,
            11 => PacketType::Unsuback,
            12 => PacketType::Pingreq,
            13 => PacketType::Pingresp,
            14 => PacketType::Disconnect,
            _ => return Err(Malformed::Type),
        })
    }

    /// The flags every packet of this type has ([MQTT-2.2.2-1]); PUBLISH has its own.
    pub(crate) fn fixed_flags(self) -> u8 {
        match self {
            PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
            _ => 0,
        }
    }
}

/// A parsed fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedHeader {
    /// The packet's type.
    pub kind: PacketType,
    /// The low four bits of the first byte, checked.
    pub flags: u8,
    /// Bytes the header itself takes: 2 to 5.
    pub len: usize,
    /// Bytes of the body.
    pub remaining: usize,
}

impl FixedHeader {
    /// Reads the header at the start of `bytes`; `None` if it is not all there yet.
    ///
    /// # Errors
    /// As soon as the bytes there are cannot become a header any more: [`Malformed::Type`],
    /// [`Malformed::Flags`], [`Malformed::Length`], or [`Malformed::Value`] for a QoS of 3.
    pub fn parse(bytes: &[u8], version: Version) -> Result<Option<FixedHeader>, Malformed> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let kind = PacketType::from_nibble(first >> 4)?;
        let flags = first & 0x0f;
        check_flags(kind, flags, version)?;
        let mut remaining = 0;
        for (i, &byte) in rest.iter().take(4).enumerate() {
            remaining |= usize::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(Some(FixedHeader { kind, flags, len: i + 2, remaining }));
            }
        }
        if rest.len() >= 4 { Err(Malformed::Length) } else { Ok(None) }
    }

    /// Bytes of the whole packet.
    pub fn total(&self) -> usize {
        self.len + self.remaining
    }

    /// Bytes of the header of a packet with such a body.
    pub(crate) fn len_for(remaining: usize) -> usize {
        match remaining {
            0..0x80 => 2,
            0x80..0x4000 => 3,
            0x4000..0x20_0000 => 4,
            _ => 5,
        }
    }

    /// Encodes a header; `None` if the body passes [`MAX_REMAINING`].
    pub fn emit(kind: PacketType, flags: u8, remaining: usize) -> Option<HeaderBytes> {
        if remaining > MAX_REMAINING {
            return None;
        }
        let mut bytes = [0; 5];
        bytes[0] = (kind as u8) << 4 | (flags & 0x0f);
        let (mut rest, mut len) = (remaining, 1_u8);
        loop {
            let low = (rest & 0x7f) as u8;
            rest >>= 7;
            bytes[usize::from(len)] = if rest > 0 { low | 0x80 } else { low };
            len += 1;
            if rest == 0 {
                return Some(HeaderBytes { bytes, len });
            }
        }
    }
}

/// An encoded fixed header.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeaderBytes {
    bytes: [u8; 5],
    len: u8,
}

impl HeaderBytes {
    /// The 2 to 5 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

fn check_flags(kind: PacketType, flags: u8, version: Version) -> Result<(), Malformed> {
    if kind == PacketType::Publish {
        let (dup, qos) = (flags & 0b1000 != 0, flags >> 1 & 0b11);
        if qos == 3 {
            return Err(Malformed::Value); // [MQTT-3.3.1-4]
        }
        if dup && qos == 0 && version == Version::V311 {
            return Err(Malformed::Flags); // [MQTT-3.3.1-2]
        }
        return Ok(());
    }
    let wanted = kind.fixed_flags();
    // MQTT 3.1 sets DUP on a repeated SUBSCRIBE, UNSUBSCRIBE or PUBREL.
    let dup_allowed = version == Version::V31 && wanted != 0;
    if flags == wanted || (dup_allowed && flags == wanted | 0b1000) {
        Ok(())
    } else {
        Err(Malformed::Flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
        Ok(FixedHeader::parse(bytes, Version::V311)?.map(|h| (h.len, h.remaining)))
    }

    #[test]
    fn remaining_length_boundaries_of_table_2_4() {
        for (len, encoded) in [
            (0, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xff, 0xff, 0x7f]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xff, 0xff, 0xff, 0x7f]),
        ] {
            let header = FixedHeader::emit(PacketType::Publish, 0, len).unwrap();
            assert_eq!(&header.as_bytes()[1..], encoded);
            assert_eq!(parse(header.as_bytes()), Ok(Some((1 + encoded.len(), len))));
            assert_eq!(FixedHeader::len_for(len), 1 + encoded.len());
            for cut in 0..header.as_bytes().len() {
                assert_eq!(parse(&header.as_bytes()[..cut]), Ok(None));
            }
        }
        assert!(FixedHeader::emit(PacketType::Publish, 0, MAX_REMAINING + 1).is_none());
        assert_eq!(parse(&[0x30, 0x80, 0x80, 0x80, 0x80]), Err(Malformed::Length));
    }

    #[test]
    fn types_and_flags() {
        assert_eq!(parse(&[0x00]), Err(Malformed::Type));
        assert_eq!(parse(&[0xf0]), Err(Malformed::Type));
        assert_eq!(parse(&[0x82, 0]), Ok(Some((2, 0))));
        assert_eq!(parse(&[0x80, 0]), Err(Malformed::Flags));
        assert_eq!(parse(&[0xc1, 0]), Err(Malformed::Flags));
        assert_eq!(parse(&[0x36, 0]), Err(Malformed::Value));
        assert_eq!(parse(&[0x38, 0]), Err(Malformed::Flags));
        assert_eq!(parse(&[0x3d, 0]), Ok(Some((2, 0))));
        assert_eq!(parse(&[0x8a, 0]), Err(Malformed::Flags));
        assert!(FixedHeader::parse(&[0x8a, 0], Version::V31).unwrap().is_some());
    }
}
