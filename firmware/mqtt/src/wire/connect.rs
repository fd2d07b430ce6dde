//! CONNECT (section 3.1).

use alloc::vec::Vec;

use super::{FixedHeader, Malformed, PacketType, QoS, Version, reader::Reader};

/// A client's request to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The protocol it speaks.
    pub version: Version,
    /// It is another broker, and says so by the highest bit of the protocol level. No standard
    /// knows that; mosquitto introduced it.
    pub bridge: bool,
    /// Its name; may be empty.
    pub client_id: &'a str,
    /// Forget the session before and after this connection.
    pub clean_session: bool,
    /// Seconds within which it promises to send something; 0 promises nothing.
    pub keep_alive: u16,
    /// What to publish if the connection ends without DISCONNECT.
    pub will: Option<Will<'a>>,
    /// Its user name.
    pub user: Option<&'a str>,
    /// Its password.
    pub password: Option<&'a [u8]>,
}

/// A Will Message (a last will).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Will<'a> {
    /// A valid topic name.
    pub topic: &'a [u8],
    /// Any bytes.
    pub payload: &'a [u8],
    /// Its quality of service.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
}

/// The bit of the protocol level by which a bridge makes itself known.
const BRIDGE: u8 = 0x80;

const CLEAN: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_QOS: u8 = 0x18;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USER: u8 = 0x80;

impl<'a> Connect<'a> {
    /// Reads the body of a CONNECT. `Ok(None)` is a well-formed start that asks for a protocol
    /// level not known here: the answer to that is CONNACK return code 1 ([MQTT-3.1.2-2]).
    ///
    /// # Errors
    /// [`Malformed`] for anything else that is not a CONNECT of MQTT 3.1 or 3.1.1.
    pub fn parse(body: &'a [u8]) -> Result<Option<Connect<'a>>, Malformed> {
        let mut reader = Reader::new(body);
        let known = match reader.bytes()? {
            b"MQTT" => (4, Version::V311),
            b"MQIsdp" => (3, Version::V31),
            _ => return Err(Malformed::Protocol),
        };
        let level = reader.u8()?;
        if level & !BRIDGE != known.0 {
            return Ok(None);
        }
        let bridge = level & BRIDGE != 0;
        let version = known.1;
        let flags = reader.u8()?;
        check_flags(flags, version)?;
        let keep_alive = reader.u16()?;
        let client_id = reader.text()?;
        let will = if flags & WILL == 0 { None } else { Some(parse_will(&mut reader, flags)?) };
        // MQTT 3.1 section 3.1: the remaining length outranks the two flags.
        let given = |reader: &Reader<'_>, flag| {
            flags & flag != 0 && !(version == Version::V31 && reader.is_empty())
        };
        let user = if given(&reader, USER) { Some(reader.text()?) } else { None };
        let password = if given(&reader, PASSWORD) { Some(reader.bytes()?) } else { None };
        reader.end()?;
        let clean_session = flags & CLEAN != 0;
        Ok(Some(Connect {
            version,
            bridge,
            client_id,
            clean_session,
            keep_alive,
            will,
            user,
            password,
        }))
    }

    /// Appends the packet; `false`, with nothing appended, if a field is longer than 65535 bytes or
    /// a password comes without a user name.
    pub fn emit(&self, out: &mut Vec<u8>) -> bool {
        let (name, level): (&[u8], u8) = match self.version {
            Version::V31 => (b"MQIsdp", 3),
            Version::V311 => (b"MQTT", 4),
        };
        let mut flags = if self.clean_session { CLEAN } else { 0 };
        let mut fields: [Option<&[u8]>; 5] =
            [Some(self.client_id.as_bytes()), None, None, None, None];
        if let Some(will) = &self.will {
            flags |= WILL | (will.qos as u8) << 3 | if will.retain { WILL_RETAIN } else { 0 };
            (fields[1], fields[2]) = (Some(will.topic), Some(will.payload));
        }
        if let Some(user) = self.user {
            flags |= USER;
            fields[3] = Some(user.as_bytes());
        }
        if let Some(password) = self.password {
            flags |= PASSWORD;
            fields[4] = Some(password);
        }
        if flags & (USER | PASSWORD) == PASSWORD {
            return false;
        }
        let mut body = 2 + name.len() + 4;
        for field in fields.iter().flatten() {
            if field.len() > usize::from(u16::MAX) {
                return false;
            }
            body += 2 + field.len();
        }
        let Some(header) = FixedHeader::emit(PacketType::Connect, 0, body) else { return false };
        out.reserve(header.as_bytes().len() + body);
        out.extend_from_slice(header.as_bytes());
        put_bytes(out, name);
        let bridge = if self.bridge { BRIDGE } else { 0 };
        out.extend_from_slice(&[level | bridge, flags]);
        out.extend_from_slice(&self.keep_alive.to_be_bytes());
        for field in fields.into_iter().flatten() {
            put_bytes(out, field);
        }
        true
    }
}

/// Appends bytes behind their 16-bit length, which the caller has checked.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn parse_will<'a>(reader: &mut Reader<'a>, flags: u8) -> Result<Will<'a>, Malformed> {
    let topic = reader.bytes()?;
    umqtt_topic::check_name(topic)?;
    let payload = reader.bytes()?;
    let qos = QoS::from_u8((flags & WILL_QOS) >> 3).ok_or(Malformed::ConnectFlags)?;
    Ok(Will { topic, payload, qos, retain: flags & WILL_RETAIN != 0 })
}

fn check_flags(flags: u8, version: Version) -> Result<(), Malformed> {
    // MQTT 3.1 calls these bits unused; 3.1.1 wants them checked ([MQTT-3.1.2-3], [-11], [-13],
    // [-15]).
    let strict = version == Version::V311;
    let reserved = flags & 1 != 0;
    let will_bits = flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0;
    let password_alone = flags & (USER | PASSWORD) == PASSWORD;
    if strict && (reserved || will_bits) || password_alone {
        return Err(Malformed::ConnectFlags);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(flags: u8, rest: &[u8]) -> Vec<u8> {
        let mut body = b"\0\x04MQTT\x04".to_vec();
        body.extend_from_slice(&[flags, 0, 10]);
        body.extend_from_slice(rest);
        body
    }

    #[test]
    fn all_fields_there_and_back() {
        for version in [Version::V31, Version::V311] {
            let connect = Connect {
                version,
                bridge: false,
                client_id: "me",
                clean_session: true,
                keep_alive: 600,
                will: Some(Will {
                    topic: b"gone",
                    payload: b"\0\xff",
                    qos: QoS::ExactlyOnce,
                    retain: true,
                }),
                user: Some("u\u{e9}"),
                password: Some(b"\xffp"),
            };
            let mut packet = Vec::new();
            assert!(connect.emit(&mut packet));
            let header = FixedHeader::parse(&packet, version).unwrap().unwrap();
            assert_eq!(header.total(), packet.len());
            assert_eq!(Connect::parse(&packet[header.len..]), Ok(Some(connect)));
            for cut in header.len..packet.len() - 1 {
                // Only MQTT 3.1 may end early, and only before user name or password.
                let cut_short = Connect::parse(&packet[header.len..cut]);
                let early_end = matches!(cut_short, Ok(Some(c)) if c.password.is_none());
                let wanted = early_end && version == Version::V31;
                assert!(wanted || cut_short == Err(Malformed::Short), "{cut_short:?}");
            }
        }
    }

    #[test]
    fn figure_3_6_and_no_more_than_its_fields() {
        let packet = body(0b1100_1110, b"\0\x01i\0\x01w\0\0\0\x01u\0\x01p");
        let connect = Connect::parse(&packet).unwrap().unwrap();
        assert_eq!(connect.will.unwrap().qos, QoS::AtLeastOnce);
        assert_eq!(connect.password, Some(&b"p"[..]));
        assert_eq!(Connect::parse(&[&packet[..], b"x"].concat()), Err(Malformed::Trailing));
    }

    #[test]
    fn what_is_refused() {
        let id = b"\0\x01i";
        for flags in [0x01, 0x08, 0x20, 0x40, 0x1c] {
            let packet = body(flags, b"\0\x01i\0\x01w\0\0\0\x01p");
            assert_eq!(Connect::parse(&packet), Err(Malformed::ConnectFlags), "{flags:#x}");
        }
        assert_eq!(Connect::parse(b"\0\x04mqtt\x04"), Err(Malformed::Protocol));
        assert_eq!(Connect::parse(b"\0\x04MQTT\x05"), Ok(None));
        assert_eq!(Connect::parse(b"\0\x04MQTT\x85"), Ok(None));
        assert_eq!(Connect::parse(b"\0\x04MQTT\x83"), Ok(None));
        assert_eq!(Connect::parse(b"\0\x06MQIsdp\x04"), Ok(None));
        assert_eq!(Connect::parse(b""), Err(Malformed::Short));
        assert_eq!(Connect::parse(&body(2, b"\0\x01\0")), Err(Malformed::Text));
        assert_eq!(Connect::parse(&body(2, b"\0\x02\xc3\x28")), Err(Malformed::Text));
        let bad_will = body(6, b"\0\x01i\0\x01+\0\0");
        assert!(matches!(Connect::parse(&bad_will), Err(Malformed::Topic(_))));
        assert!(Connect::parse(&body(2, id)).unwrap().is_some());
    }

    #[test]
    fn nothing_is_emitted_that_cannot_be_parsed() {
        let long = "x".repeat(65_536);
        let connect = Connect {
            version: Version::V311,
            bridge: false,
            client_id: &long,
            clean_session: true,
            keep_alive: 0,
            will: None,
            user: None,
            password: None,
        };
        let mut out = Vec::new();
        assert!(!connect.emit(&mut out));
        assert!(!Connect { client_id: "", password: Some(b"p"), ..connect }.emit(&mut out));
        assert!(out.is_empty());
    }
}
