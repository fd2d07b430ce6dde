//! The layout of a message, RFC 2131 section 2 and RFC 2132.

use core::net::Ipv4Addr;

/// Bytes of a message before its options: header and magic cookie.
pub const HEADER_LEN: usize = 240;
/// Bytes of the smallest message that is sent: that of BOOTP, RFC 1542 section 2.1.
pub const MIN_LEN: usize = 300;

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const BOOT_REQUEST: u8 = 1;
const BOOT_REPLY: u8 = 2;
const ETHERNET: u8 = 1;
const BROADCAST: u16 = 0x8000;
const OPTION_PAD: u8 = 0;
const OPTION_END: u8 = 255;

/// Codes of the options that are read or written.
pub mod option {
    #![allow(missing_docs)]
    pub const SUBNET_MASK: u8 = 1;
    pub const ROUTER: u8 = 3;
    pub const DNS_SERVER: u8 = 6;
    pub const BROADCAST_ADDRESS: u8 = 28;
    pub const REQUESTED_ADDRESS: u8 = 50;
    pub const LEASE_TIME: u8 = 51;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER_ID: u8 = 54;
    pub const RENEWAL_TIME: u8 = 58;
    pub const REBINDING_TIME: u8 = 59;
    pub const CLIENT_ID: u8 = 61;
}

/// What a message is for, RFC 2132 section 9.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum MessageType {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
}

impl MessageType {
    fn from_byte(byte: u8) -> Option<MessageType> {
        Some(match byte {
            1 => MessageType::Discover,
            2 => MessageType::Offer,
            3 => MessageType::Request,
            4 => MessageType::Decline,
            5 => MessageType::Ack,
            6 => MessageType::Nak,
            7 => MessageType::Release,
            8 => MessageType::Inform,
            _ => return None,
        })
    }
}

/// The hardware address of a client, of Ethernet or WiFi.
pub type Mac = [u8; 6];

/// A message of a client, as far as a server is interested in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DhcpRequest<'a> {
    /// What it is for.
    pub message_type: MessageType,
    /// The number that its answer repeats.
    pub transaction_id: u32,
    /// Seconds since the client began.
    pub secs: u16,
    /// The flags: all that is known of them is whether the answer has to be a broadcast.
    pub flags: u16,
    /// The address that the client has already.
    pub client_addr: Ipv4Addr,
    /// The relay through which it came, unspecified if there was none.
    pub relay_addr: Ipv4Addr,
    /// The hardware address.
    pub mac: Mac,
    /// The client identifier, if it has one.
    pub client_id: Option<&'a [u8]>,
    /// The address that the client asks for.
    pub requested_addr: Option<Ipv4Addr>,
    /// The server that the client means.
    pub server_id: Option<Ipv4Addr>,
}

impl<'a> DhcpRequest<'a> {
    /// Reads a client's message; `None` for what is none, and for networks other than Ethernet.
    pub fn parse(bytes: &'a [u8]) -> Option<DhcpRequest<'a>> {
        let (header, options) = bytes.split_at_checked(HEADER_LEN)?;
        let [op, hardware_type, hardware_len, ..] = *header else { return None };
        let known = op == BOOT_REQUEST && hardware_type == ETHERNET && hardware_len == 6;
        if !known || array::<4>(header, 236)? != COOKIE {
            return None;
        }
        let mut message_type = None;
        let mut request = DhcpRequest {
            message_type: MessageType::Discover,
            transaction_id: u32::from_be_bytes(array(header, 4)?),
            secs: u16::from_be_bytes(array(header, 8)?),
            flags: u16::from_be_bytes(array(header, 10)?),
            client_addr: array(header, 12)?.into(),
            relay_addr: array(header, 24)?.into(),
            mac: array(header, 28)?,
            client_id: None,
            requested_addr: None,
            server_id: None,
        };
        for (code, value) in (Options { rest: options }) {
            match code {
                option::MESSAGE_TYPE if message_type.is_none() => {
                    let [byte] = *value else { return None };
                    message_type = Some(MessageType::from_byte(byte)?);
                }
                option::REQUESTED_ADDRESS => request.requested_addr = Some(address(value)?),
                option::SERVER_ID => request.server_id = Some(address(value)?),
                option::CLIENT_ID if value.len() >= 2 => request.client_id = Some(value),
                _ => {}
            }
        }
        request.message_type = message_type?;
        Some(request)
    }

    /// Whether the client wants its answer as a broadcast.
    pub const fn wants_broadcast(&self) -> bool {
        self.flags & BROADCAST != 0
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    array::<4>(value, 0).filter(|_| value.len() == 4).map(Ipv4Addr::from)
}

/// The options of a message up to its end, or to the first one that is cut off.
struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.rest {
                [OPTION_PAD, ref rest @ ..] => self.rest = rest,
                [code, len, ref rest @ ..] if code != OPTION_END => {
                    let (value, rest) = rest.split_at_checked(usize::from(len))?;
                    self.rest = rest;
                    return Some((code, value));
                }
                _ => return None,
            }
        }
    }
}

/// The fixed part of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyHeader {
    pub(crate) transaction_id: u32,
    pub(crate) flags: u16,
    pub(crate) client_addr: Ipv4Addr,
    pub(crate) your_addr: Ipv4Addr,
    pub(crate) mac: Mac,
}

/// Writes a server's message. What finds no room is noticed by [`ReplyWriter::finish`].
pub(crate) struct ReplyWriter<'a> {
    buf: &'a mut [u8],
    len: usize,
    overflow: bool,
}

impl<'a> ReplyWriter<'a> {
    pub(crate) fn new(buf: &'a mut [u8], header: &ReplyHeader) -> ReplyWriter<'a> {
        let overflow = buf.len() < MIN_LEN;
        let mut writer = ReplyWriter { buf, len: 0, overflow };
        writer.buf.fill(0);
        writer.put(&[BOOT_REPLY, ETHERNET, 6, 0]);
        writer.put(&header.transaction_id.to_be_bytes());
        writer.put(&[0, 0]);
        writer.put(&header.flags.to_be_bytes());
        writer.put(&header.client_addr.octets());
        writer.put(&header.your_addr.octets());
        // No next server, no relay.
        writer.put(&[0; 8]);
        writer.put(&header.mac);
        writer.len = HEADER_LEN - COOKIE.len();
        writer.put(&COOKIE);
        writer
    }

    fn put(&mut self, bytes: &[u8]) {
        match self.buf.get_mut(self.len..self.len + bytes.len()) {
            Some(into) => into.copy_from_slice(bytes),
            None => self.overflow = true,
        }
        self.len += bytes.len();
    }

    pub(crate) fn option(&mut self, code: u8, value: &[u8]) {
        let Ok(len) = u8::try_from(value.len()) else {
            self.overflow = true;
            return;
        };
        self.put(&[code, len]);
        self.put(value);
    }

    /// The length of the message, at least [`MIN_LEN`]; `None` if it did not fit.
    pub(crate) fn finish(mut self) -> Option<usize> {
        self.put(&[OPTION_END]);
        (!self.overflow).then_some(self.len.max(MIN_LEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discover(options: &[u8]) -> std::vec::Vec<u8> {
        let mut bytes = std::vec![0; HEADER_LEN];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[4..8].copy_from_slice(&[1, 2, 3, 4]);
        bytes[10] = 0x80;
        bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        bytes[236..240].copy_from_slice(&COOKIE);
        bytes.extend(options);
        bytes
    }

    #[test]
    fn the_smallest_request() {
        let bytes = discover(&[53, 1, 1]);
        let request = DhcpRequest::parse(&bytes).unwrap();
        assert_eq!(request.message_type, MessageType::Discover);
        assert_eq!(request.transaction_id, 0x0102_0304);
        assert_eq!(request.mac, [2, 0, 0, 0, 0, 9]);
        assert!(request.wants_broadcast());
    }

    #[test]
    fn every_shorter_one_is_none() {
        let bytes = discover(&[53, 1, 1]);
        for len in 0..bytes.len() {
            assert_eq!(DhcpRequest::parse(&bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn options() {
        let bytes = discover(&[
            0, 0, 61, 3, 1, 7, 7, 53, 1, 3, 50, 4, 192, 168, 4, 7, 54, 4, 192, 168, 4, 1, 255, 53,
            1, 1,
        ]);
        let request = DhcpRequest::parse(&bytes).unwrap();
        assert_eq!(request.message_type, MessageType::Request);
        assert_eq!(request.client_id, Some(&[1, 7, 7][..]));
        assert_eq!(request.requested_addr, Some(Ipv4Addr::new(192, 168, 4, 7)));
        assert_eq!(request.server_id, Some(Ipv4Addr::new(192, 168, 4, 1)));
    }

    #[test]
    fn what_is_no_request() {
        for options in [&[53, 1, 9][..], &[53, 2, 1, 1], &[53, 1, 1, 50, 3, 1, 1, 1], &[255]] {
            assert_eq!(DhcpRequest::parse(&discover(options)), None, "{options:?}");
        }
        for (at, byte) in [(0, 2), (1, 6), (2, 16), (236, 0)] {
            let mut bytes = discover(&[53, 1, 1]);
            bytes[at] = byte;
            assert_eq!(DhcpRequest::parse(&bytes), None, "byte {at}");
        }
    }

    #[test]
    fn a_buffer_that_is_too_small() {
        let header = ReplyHeader {
            transaction_id: 1,
            flags: 0,
            client_addr: Ipv4Addr::UNSPECIFIED,
            your_addr: Ipv4Addr::UNSPECIFIED,
            mac: [0; 6],
        };
        for len in 0..MIN_LEN {
            let mut buf = std::vec![0; len];
            assert_eq!(ReplyWriter::new(&mut buf, &header).finish(), None);
        }
        let mut buf = [0; MIN_LEN];
        let mut writer = ReplyWriter::new(&mut buf, &header);
        writer.option(61, &[1; 80]);
        assert_eq!(writer.finish(), None);
        assert_eq!(ReplyWriter::new(&mut buf, &header).finish(), Some(MIN_LEN));
    }
}
