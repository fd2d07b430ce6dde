//! Messages, RFC 1035 section 4: how they are written.

use core::net::Ipv4Addr;

use heapless::Vec;

use crate::name::Name;
use crate::wire::{HEADER_LEN, Section};

/// Names that later ones of the same message can point to.
const COMPRESSED_NAMES: usize = 24;
/// The first place that no pointer leads to.
const POINTER_LIMIT: usize = 0x4000;

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl core::fmt::Display for Full {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no room in the message")
    }
}

impl core::error::Error for Full {}

/// What stands in a record.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Data<'a> {
    A(Ipv4Addr),
    /// A name: that of a PTR or CNAME record.
    Name(Name<'a>),
    /// Priority and weight are 0.
    Srv {
        port: u16,
        target: Name<'a>,
    },
    /// The name has records of this type (less than 248) and no others, RFC 6762 section 6.1.
    Only {
        name: Name<'a>,
        rtype: u8,
    },
    /// As it stands.
    Bytes(&'a [u8]),
}

/// Writes a message: questions first, then the records of each section. What finds no room leaves
/// nothing behind.
#[derive(Debug)]
pub struct Writer<'b> {
    buf: &'b mut [u8],
    len: usize,
    names: Vec<u16, COMPRESSED_NAMES>,
}

impl<'b> Writer<'b> {
    /// Begins a message.
    ///
    /// # Errors
    /// [`Full`] if there is no room for a header.
    pub fn new(buf: &'b mut [u8], id: u16, flags: u16) -> Result<Writer<'b>, Full> {
        let mut writer = Writer { buf, len: 0, names: Vec::new() };
        writer.put(&[0; HEADER_LEN])?;
        writer.patch(0, id);
        writer.patch(2, flags);
        Ok(writer)
    }

    /// Whether there are neither questions nor records yet.
    pub const fn is_empty(&self) -> bool {
        self.len == HEADER_LEN
    }

    /// Adds a question.
    ///
    /// # Errors
    /// [`Full`].
    pub fn question(&mut self, name: &Name<'_>, qtype: u16, qclass: u16) -> Result<(), Full> {
        self.attempt(4, |writer| {
            writer.name(name)?;
            writer.put(&qtype.to_be_bytes())?;
            writer.put(&qclass.to_be_bytes())
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`Full`].
    pub fn record(
        &mut self,
        section: Section,
        name: &Name<'_>,
        (rtype, class): (u16, u16),
        ttl: u32,
        data: Data<'_>,
    ) -> Result<(), Full> {
        self.attempt(section as usize, |writer| {
            writer.name(name)?;
            writer.put(&rtype.to_be_bytes())?;
            writer.put(&class.to_be_bytes())?;
            writer.put(&ttl.to_be_bytes())?;
            writer.put(&[0; 2])?;
            let start = writer.len;
            match data {
                Data::A(address) => writer.put(&address.octets())?,
                Data::Name(name) => writer.name(&name)?,
                Data::Srv { port, target } => {
                    writer.put(&[0; 4])?;
                    writer.put(&port.to_be_bytes())?;
                    // RFC 2782: the target is not compressed.
                    writer.whole_name(&target)?;
                }
                Data::Only { name, rtype } => {
                    writer.whole_name(&name)?;
                    let len = rtype / 8 + 1;
                    writer.put(&[0, len])?;
                    for _ in 1..len {
                        writer.put(&[0])?;
                    }
                    writer.put(&[0x80 >> (rtype % 8)])?;
                }
                Data::Bytes(bytes) => writer.put(bytes)?,
            }
            let len = u16::try_from(writer.len - start).map_err(|_| Full)?;
            writer.patch(start - 2, len);
            Ok(())
        })
    }

    /// The length of the message.
    pub fn finish(self) -> usize {
        self.len
    }

    /// Writes an item of the section whose count stands there, whole or not at all.
    fn attempt(
        &mut self,
        count_at: usize,
        write: impl FnOnce(&mut Self) -> Result<(), Full>,
    ) -> Result<(), Full> {
        let start = self.len;
        let result = write(self);
        if result.is_ok() {
            let count = crate::wire::word(self.buf, count_at).unwrap_or_default();
            self.patch(count_at, count.saturating_add(1));
        } else {
            self.len = start;
            self.names.retain(|at| usize::from(*at) < start);
        }
        result
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let into = self.buf.get_mut(self.len..self.len + bytes.len()).ok_or(Full)?;
        into.copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    fn patch(&mut self, at: usize, word: u16) {
        if let Some(into) = self.buf.get_mut(at..at + 2) {
            into.copy_from_slice(&word.to_be_bytes());
        }
    }

    /// A name as labels, up to a rest that is in the message already.
    fn name(&mut self, name: &Name<'_>) -> Result<(), Full> {
        let mut labels = name.labels();
        loop {
            let rest = labels.clone();
            let Some(label) = labels.next() else { return self.put(&[0]) };
            if let Some(at) = self.find(rest) {
                return self.put(&(0xc000 | at).to_be_bytes());
            }
            if self.len < POINTER_LIMIT {
                // If there is no room, the name is written again next time.
                let _ = self.names.push(self.len as u16);
            }
            self.label(label)?;
        }
    }

    fn whole_name(&mut self, name: &Name<'_>) -> Result<(), Full> {
        name.labels().try_for_each(|label| self.label(label))?;
        self.put(&[0])
    }

    fn label(&mut self, label: &[u8]) -> Result<(), Full> {
        self.put(&[u8::try_from(label.len()).map_err(|_| Full)?])?;
        self.put(label)
    }

    fn find<'l>(&self, rest: impl Iterator<Item = &'l [u8]> + Clone) -> Option<u16> {
        let written = self.buf.get(..self.len)?;
        self.names.iter().copied().find(|at| {
            Name::parse(written, usize::from(*at))
                .is_ok_and(|(name, _)| name.labels().eq(rest.clone()))
        })
    }
}
