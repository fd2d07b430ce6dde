//! SUBSCRIBE, SUBACK, UNSUBSCRIBE (sections 3.8 to 3.10).

use alloc::vec::Vec;

use super::connect::put_bytes;
use super::{FixedHeader, Malformed, PacketType, QoS, Version, reader::Reader};

/// A request for messages. Checked as a whole, so iterating cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// What the SUBACK will name; never 0.
    pub packet_id: u16,
    list: &'a [u8],
}

impl<'a> Subscribe<'a> {
    /// Reads the body of a SUBSCRIBE.
    ///
    /// # Errors
    /// [`Malformed`]; no filter at all and a filter that is none are that too.
    pub fn parse(body: &'a [u8], version: Version) -> Result<Subscribe<'a>, Malformed> {
        let mut reader = Reader::new(body);
        let packet_id = reader.packet_id()?;
        let list = reader.rest();
        if list.is_empty() {
            return Err(Malformed::NoFilter);
        }
        while !reader.is_empty() {
            umqtt_topic::check_filter(reader.bytes()?)?;
            let options = reader.u8()?;
            // MQTT 3.1 calls the upper six bits unused; 3.1.1 reserves them ([MQTT-3-8.3-4]).
            let options = if version == Version::V31 { options & 3 } else { options };
            QoS::from_u8(options).ok_or(Malformed::Value)?;
        }
        Ok(Subscribe { packet_id, list })
    }

    /// The filters and the quality of service asked for, in order.
    pub fn filters(&self) -> impl Iterator<Item = (&'a [u8], QoS)> + use<'a> {
        let mut reader = Reader::new(self.list);
        core::iter::from_fn(move || {
            let filter = reader.bytes().ok()?;
            Some((filter, QoS::from_u8(reader.u8().ok()? & 3)?))
        })
    }

    /// Appends a SUBSCRIBE packet; `false`, with nothing appended, if a filter is longer than 65535
    /// bytes, there is none, or the whole is too long.
    pub fn emit(packet_id: u16, filters: &[(&[u8], QoS)], out: &mut Vec<u8>) -> bool {
        let body: usize = 2 + filters.iter().map(|(filter, _)| 3 + filter.len()).sum::<usize>();
        let fits = filters.iter().all(|(filter, _)| filter.len() <= umqtt_topic::MAX_LEN);
        let flags = PacketType::Subscribe.fixed_flags();
        let header = FixedHeader::emit(PacketType::Subscribe, flags, body);
        let (Some(header), true, false) = (header, fits, filters.is_empty()) else { return false };
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&packet_id.to_be_bytes());
        for (filter, qos) in filters {
            put_bytes(out, filter);
            out.push(*qos as u8);
        }
        true
    }
}

/// The server's answer to a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suback<'a> {
    /// The SUBSCRIBE it answers.
    pub packet_id: u16,
    codes: &'a [u8],
}

impl<'a> Suback<'a> {
    /// The code for a filter that was refused.
    pub const FAILURE: u8 = 0x80;

    /// Reads the body of a SUBACK.
    ///
    /// # Errors
    /// [`Malformed`] if there is no packet id, no code, or a code other than 0, 1, 2, 0x80.
    pub fn parse(body: &'a [u8]) -> Result<Suback<'a>, Malformed> {
        let mut reader = Reader::new(body);
        let packet_id = reader.packet_id()?;
        let codes = reader.rest();
        let known = |code: &u8| *code == Self::FAILURE || QoS::from_u8(*code).is_some();
        if codes.is_empty() || !codes.iter().all(known) {
            return Err(Malformed::Value);
        }
        Ok(Suback { packet_id, codes })
    }

    /// What was granted for each filter, in order; `None` is refused.
    pub fn granted(&self) -> impl Iterator<Item = Option<QoS>> + use<'a> {
        self.codes.iter().map(|code| QoS::from_u8(*code))
    }

    /// Appends a SUBACK packet; `false` if there are too many codes.
    pub fn emit(packet_id: u16, codes: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(header) = FixedHeader::emit(PacketType::Suback, 0, 2 + codes.len()) else {
            return false;
        };
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&packet_id.to_be_bytes());
        out.extend_from_slice(codes);
        true
    }
}

/// A request for no more messages. Checked as a whole, so iterating cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// What the UNSUBACK will name; never 0.
    pub packet_id: u16,
    list: &'a [u8],
}

impl<'a> Unsubscribe<'a> {
    /// Reads the body of an UNSUBSCRIBE.
    ///
    /// # Errors
    /// [`Malformed`]; no filter at all and a filter that is none are that too.
    pub fn parse(body: &'a [u8]) -> Result<Unsubscribe<'a>, Malformed> {
        let mut reader = Reader::new(body);
        let packet_id = reader.packet_id()?;
        let list = reader.rest();
        if list.is_empty() {
            return Err(Malformed::NoFilter);
        }
        while !reader.is_empty() {
            umqtt_topic::check_filter(reader.bytes()?)?;
        }
        Ok(Unsubscribe { packet_id, list })
    }

    /// The filters, in order.
    pub fn filters(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut reader = Reader::new(self.list);
        core::iter::from_fn(move || reader.bytes().ok())
    }

    /// Appends an UNSUBSCRIBE packet; `false`, with nothing appended, as for [`Subscribe::emit`].
    pub fn emit(packet_id: u16, filters: &[&[u8]], out: &mut Vec<u8>) -> bool {
        let body: usize = 2 + filters.iter().map(|filter| 2 + filter.len()).sum::<usize>();
        let fits = filters.iter().all(|filter| filter.len() <= umqtt_topic::MAX_LEN);
        let flags = PacketType::Unsubscribe.fixed_flags();
        let header = FixedHeader::emit(PacketType::Unsubscribe, flags, body);
        let (Some(header), true, false) = (header, fits, filters.is_empty()) else { return false };
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&packet_id.to_be_bytes());
        for filter in filters {
            put_bytes(out, filter);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figure_3_23() {
        let body = b"\0\x0a\0\x03a/b\x01\0\x03c/d\x02";
        let subscribe = Subscribe::parse(body, Version::V311).unwrap();
        let filters: Vec<_> = subscribe.filters().collect();
        let wanted = [(&b"a/b"[..], QoS::AtLeastOnce), (&b"c/d"[..], QoS::ExactlyOnce)];
        assert_eq!((subscribe.packet_id, &filters[..]), (10, &wanted[..]));
        let mut out = Vec::new();
        assert!(Subscribe::emit(10, &wanted, &mut out));
        assert_eq!(out, [&[0x82, 14][..], body].concat());
    }

    #[test]
    fn what_is_refused() {
        for (body, why) in [
            (&b"\0\x0a"[..], Malformed::NoFilter),
            (b"\0\0\0\x01a\0", Malformed::PacketId),
            (b"\0\x01\0\x01a", Malformed::Short),
            (b"\0\x01\0\x01a\x03", Malformed::Value),
            (b"\0\x01\0\x01a\x40", Malformed::Value),
        ] {
            assert_eq!(Subscribe::parse(body, Version::V311), Err(why));
        }
        assert!(matches!(
            Subscribe::parse(b"\0\x01\0\x02a#\0", Version::V311),
            Err(Malformed::Topic(_))
        ));
        assert!(Subscribe::parse(b"\0\x01\0\x01a\x41", Version::V31).is_ok());
        assert_eq!(Unsubscribe::parse(b"\0\x01"), Err(Malformed::NoFilter));
        assert_eq!(Unsubscribe::parse(b"\0\x01\0\x02a"), Err(Malformed::Short));
        assert_eq!(Suback::parse(b"\0\x01\x03"), Err(Malformed::Value));
        assert_eq!(Suback::parse(b"\0\x01"), Err(Malformed::Value));
    }

    #[test]
    fn suback_and_unsubscribe_there_and_back() {
        let mut out = Vec::new();
        assert!(Suback::emit(10, &[0, 2, Suback::FAILURE], &mut out));
        assert_eq!(out, [0x90, 5, 0, 10, 0, 2, 0x80]);
        let granted: Vec<_> = Suback::parse(&out[2..]).unwrap().granted().collect();
        assert_eq!(granted, [Some(QoS::AtMostOnce), Some(QoS::ExactlyOnce), None]);
        out.clear();
        assert!(Unsubscribe::emit(9, &[b"a/#", b"b"], &mut out));
        let unsubscribe = Unsubscribe::parse(&out[2..]).unwrap();
        assert!(unsubscribe.filters().eq([&b"a/#"[..], b"b"]));
    }
}
