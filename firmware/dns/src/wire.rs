//! Messages, RFC 1035 section 4: what is read of them.

use core::net::Ipv4Addr;

use crate::error::WireError;
use crate::name::Name;

/// Bytes of the header.
pub const HEADER_LEN: usize = 12;
/// The class of the Internet.
pub const CLASS_IN: u16 = 1;
/// Every class.
pub const CLASS_ANY: u16 = 255;
/// Multicast DNS: the highest bit of a record's class (the record replaces all others) and of a
/// question's (an answer by unicast is welcome).
pub const CLASS_FLAG: u16 = 0x8000;

/// Types of records.
pub mod rtype {
    #![allow(missing_docs)]
    pub const A: u16 = 1;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const NSEC: u16 = 47;
    pub const ANY: u16 = 255;
}

/// Bits of the header's second word.
pub mod flags {
    #![allow(missing_docs)]
    pub const RESPONSE: u16 = 0x8000;
    pub const OPCODE: u16 = 0x7800;
    pub const AUTHORITATIVE: u16 = 0x0400;
    pub const TRUNCATED: u16 = 0x0200;
    pub const RECURSION_DESIRED: u16 = 0x0100;
    pub const RECURSION_AVAILABLE: u16 = 0x0080;
    pub const RCODE: u16 = 0x000f;
}

/// Codes of a response.
pub mod rcode {
    #![allow(missing_docs)]
    pub const NO_ERROR: u16 = 0;
    pub const FORMAT_ERROR: u16 = 1;
    pub const SERVER_FAILURE: u16 = 2;
    pub const NAME_ERROR: u16 = 3;
    pub const NOT_IMPLEMENTED: u16 = 4;
    pub const REFUSED: u16 = 5;
}

/// A message of which the header is there.
#[derive(Clone, Copy, Debug)]
pub struct DnsMessage<'a> {
    bytes: &'a [u8],
}

impl<'a> DnsMessage<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if there is none.
    pub const fn parse(bytes: &'a [u8]) -> Result<DnsMessage<'a>, WireError> {
        if bytes.len() < HEADER_LEN {
            return Err(WireError::Truncated);
        }
        Ok(DnsMessage { bytes })
    }

    fn word(&self, at: usize) -> u16 {
        word(self.bytes, at).unwrap_or_default()
    }

    /// The number that a response repeats.
    pub fn id(&self) -> u16 {
        self.word(0)
    }

    /// The second word: [`flags`].
    pub fn flags(&self) -> u16 {
        self.word(2)
    }

    /// Whether it is a response.
    pub fn is_response(&self) -> bool {
        self.flags() & flags::RESPONSE != 0
    }

    /// The kind of query; 0 is the usual one.
    pub fn opcode(&self) -> u16 {
        (self.flags() & flags::OPCODE) >> 11
    }

    /// The code of the response: [`rcode`].
    pub fn rcode(&self) -> u16 {
        self.flags() & flags::RCODE
    }

    /// How many questions the header promises.
    pub fn question_count(&self) -> u16 {
        self.word(4)
    }

    /// How many records the header promises in a section.
    pub fn record_count(&self, section: Section) -> u16 {
        self.word(section as usize)
    }

    /// The questions and records in their order, up to the first error.
    pub fn items(&self) -> Items<'a> {
        let counts = [self.word(4), self.word(6), self.word(8), self.word(10)];
        Items { bytes: self.bytes, at: HEADER_LEN, counts }
    }

    /// The only question; `None` if there are none or several, or if it is malformed.
    pub fn question(&self) -> Option<Question<'a>> {
        match self.items().next() {
            Some(Ok(Item::Question(question))) if self.question_count() == 1 => Some(question),
            _ => None,
        }
    }

    /// The records of a section, up to the first error.
    pub fn records(&self, wanted: Section) -> impl Iterator<Item = Record<'a>> {
        self.items().map_while(Result::ok).filter_map(move |item| match item {
            Item::Record(section, record) if section == wanted => Some(record),
            _ => None,
        })
    }
}

pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// A section of records; the number is where the header has their count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Section {
    Answer = 6,
    Authority = 8,
    Additional = 10,
}

/// A question.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Question<'a> {
    pub name: Name<'a>,
    pub qtype: u16,
    pub qclass: u16,
}

/// A record.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Record<'a> {
    pub name: Name<'a>,
    pub rtype: u16,
    pub class: u16,
    /// Seconds.
    pub ttl: u32,
    message: &'a [u8],
    start: usize,
    end: usize,
}

/// What stands in a record of a service.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Srv<'a> {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub target: Name<'a>,
}

impl<'a> Record<'a> {
    /// The data as it stands: names in it may be compressed.
    pub fn data(&self) -> &'a [u8] {
        self.message.get(self.start..self.end).unwrap_or_default()
    }

    /// The address of an A record.
    pub fn address(&self) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.data().try_into().ok()?;
        (self.rtype == rtype::A).then(|| octets.into())
    }

    /// The name in a CNAME or PTR record.
    pub fn target(&self) -> Option<Name<'a>> {
        let named = matches!(self.rtype, rtype::CNAME | rtype::PTR);
        if named { self.name_at(self.start, self.end) } else { None }
    }

    /// What stands in an SRV record.
    pub fn srv(&self) -> Option<Srv<'a>> {
        if self.rtype != rtype::SRV {
            return None;
        }
        let data = self.data();
        Some(Srv {
            priority: word(data, 0)?,
            weight: word(data, 2)?,
            port: word(data, 4)?,
            target: self.name_at(self.start + 6, self.end)?,
        })
    }

    /// The last number of an SOA record: how long a name may be taken for missing, in seconds.
    pub fn negative_ttl(&self) -> Option<u32> {
        let minimum = long(self.data(), self.data().len().checked_sub(4)?)?;
        (self.rtype == rtype::SOA && self.data().len() >= 22).then(|| minimum.min(self.ttl))
    }

    fn name_at(&self, start: usize, end: usize) -> Option<Name<'a>> {
        Name::parse(self.message, start).ok().filter(|(_, after)| *after == end).map(|(n, _)| n)
    }
}

/// A question or a record.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Item<'a> {
    Question(Question<'a>),
    Record(Section, Record<'a>),
}

/// The questions and records of a message. After an error there is nothing.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    bytes: &'a [u8],
    at: usize,
    counts: [u16; 4],
}

impl<'a> Items<'a> {
    fn read(&mut self) -> Result<Option<Item<'a>>, WireError> {
        let Some(section) = self.counts.iter().position(|count| *count > 0) else {
            return Ok(None);
        };
        self.counts[section] -= 1;
        let (name, at) = Name::parse(self.bytes, self.at)?;
        let section = match section {
            0 => {
                self.at = at + 4;
                let qtype = word(self.bytes, at).ok_or(WireError::Truncated)?;
                let qclass = word(self.bytes, at + 2).ok_or(WireError::Truncated)?;
                return Ok(Some(Item::Question(Question { name, qtype, qclass })));
            }
            1 => Section::Answer,
            2 => Section::Authority,
            _ => Section::Additional,
        };
        let len = word(self.bytes, at + 8).ok_or(WireError::Truncated)?;
        let (start, end) = (at + 10, at + 10 + usize::from(len));
        if end > self.bytes.len() {
            return Err(WireError::Truncated);
        }
        self.at = end;
        let record = Record {
            name,
            rtype: word(self.bytes, at).ok_or(WireError::Truncated)?,
            class: word(self.bytes, at + 2).ok_or(WireError::Truncated)?,
            ttl: long(self.bytes, at + 4).ok_or(WireError::Truncated)?,
            message: self.bytes,
            start,
            end,
        };
        Ok(Some(Item::Record(section, record)))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.read();
        if item.is_err() {
            self.counts = [0; 4];
        }
        item.transpose()
    }
}
