//! The image: a compiled script as bytes. This file is the contract between the compiler and the
//! device.
//!
//! ```text
//! magic "uMQ!"                      4
//! format version                    1
//! CRC-32 (ISO-HDLC) of all after it 4, little-endian
//! Header, postcard; zeros up to a multiple of 4
//! constants     CONSTANT_WORDS words each, see Constant
//! handlers      RECORD_WORDS words each, sorted, see Record
//! code          words; one segment per handler and per filter expression
//! strings       the bytes of the constants
//! debug         variable names and line table; absent when stripped
//! source        the script's text; optional
//! ```
//!
//! Words have 32 bits and are little-endian. They are read in place: an image that is to run starts
//! at a multiple of 4 in memory.
//!
//! An image is data, not trust: [`Image::parse`] checks only where the sections are, and nothing
//! can run it. [`crate::Program::verify`] proves the rest.

mod error;

use core::ops::Range;

use crc::{CRC_32_ISO_HDLC, Crc};
use serde::{Deserialize, Serialize};

pub use crate::words::Trigger;
pub use error::ImageError;

/// The first bytes of every image; no script starts like this.
pub const MAGIC: [u8; 4] = *b"uMQ!";
/// The format this crate reads and writes at most.
pub const VERSION: u8 = 3;
/// The format of images without what came with [`VERSION`]: devices that know no other take them,
/// and refuse the rest by this number.
pub const FIRST_VERSION: u8 = 2;
/// Words of one handler record.
pub const RECORD_WORDS: usize = 2;
/// Words of one constant.
pub const CONSTANT_WORDS: usize = 2;
/// Bytes of a word.
pub const WORD: usize = 4;
/// Where the checksummed part starts.
pub const CHECKED_FROM: usize = MAGIC.len() + 1 + 4;
/// Longest encoding of a [`Header`], bytes.
pub const HEADER_MAX: usize = 26;

/// The same checksum everywhere, computed with 1 KiB of tables on a chip and with 16 KiB where that
/// is nothing.
#[cfg(not(target_pointer_width = "64"))]
type Tables = crc::Table<1>;
#[cfg(target_pointer_width = "64")]
type Tables = crc::Table<16>;

static CRC: Crc<u32, Tables> = Crc::<u32, Tables>::new(&CRC_32_ISO_HDLC);

/// The checksum of an image's bytes from [`CHECKED_FROM`] on.
pub fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

/// The same of bytes that come in pieces.
pub struct Checksum(crc::Digest<'static, u32, Tables>);

impl Checksum {
    /// Of nothing.
    #[expect(clippy::new_without_default)] // never wanted
    pub fn new() -> Checksum {
        Checksum(CRC.digest())
    }

    /// Adds these bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of all that was added.
    pub fn finish(self) -> u32 {
        self.0.finalize()
    }
}

/// The sizes of what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// How many variables the script has.
    pub variables: u16,
    /// How many temporaries its expressions take.
    pub temporaries: u8,
    /// How many constants.
    pub constants: u16,
    /// How many handler records.
    pub handlers: u16,
    /// Words of code.
    pub code: u16,
    /// Bytes of the constants' strings.
    pub strings: u16,
    /// Bytes of debug information.
    pub debug: u32,
    /// Bytes of source.
    pub source: u32,
}

/// How the filter of a [`Trigger::LocalFilter`] or [`Trigger::RemoteFilter`] is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FilterKind {
    /// A constant with wildcards: the record's filter is its number.
    Constant = 0,
    /// A variable: the record's filter is its number.
    Variable = 1,
    /// An expression: the record's filter is the offset of its code, which ends with `result` and
    /// may not look at the event.
    Expression = 2,
}

impl FilterKind {
    /// The kind of that number.
    pub fn from_code(code: u8) -> Option<FilterKind> {
        match code {
            0 => Some(FilterKind::Constant),
            1 => Some(FilterKind::Variable),
            2 => Some(FilterKind::Expression),
            _ => None,
        }
    }
}

/// One handler, [`RECORD_WORDS`] words: trigger, key and code offset (16 bits) make the first, the
/// filter the second.
///
/// Records are sorted by trigger; then by key, except for [`Trigger::LocalFilter`] and
/// [`Trigger::RemoteFilter`]; then by code offset. Code stands in the order of the script, so the
/// offset decides which of two handlers comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What wakes it.
    pub trigger: Trigger,
    /// Depends on the trigger, as does its filter.
    pub key: u8,
    /// Offset of its code in the code section, in words.
    pub code: u16,
    /// Depends on the trigger; 0 where it means nothing.
    pub filter: u16,
}

impl Record {
    /// Reads a record out of little-endian words; `None` for an unknown trigger.
    #[inline]
    pub fn from_words(words: [u32; RECORD_WORDS]) -> Option<Record> {
        let [head, filter] = words.map(u32::from_le);
        Some(Record {
            trigger: Trigger::from_code(head as u8)?,
            key: (head >> 8) as u8,
            code: (head >> 16) as u16,
            filter: filter as u16,
        })
    }

    /// The numbers a record's words hold.
    pub fn to_words(self) -> [u32; RECORD_WORDS] {
        let head = self.trigger as u32 | u32::from(self.key) << 8 | u32::from(self.code) << 16;
        [head, self.filter.into()]
    }

    /// What records are sorted by.
    pub fn order(self) -> (Trigger, u8, u16) {
        match self.trigger {
            Trigger::LocalFilter | Trigger::RemoteFilter => (self.trigger, 0, self.code),
            _ => (self.trigger, self.key, self.code),
        }
    }
}

/// A [`Record`] without its trigger, which follows from its place in the handler table.
#[derive(Clone, Copy)]
pub(crate) struct HandlerEntry {
    pub(crate) key: u8,
    pub(crate) code: u16,
    pub(crate) filter: u16,
}

impl HandlerEntry {
    #[inline(always)]
    pub(crate) fn from_words(words: [u32; RECORD_WORDS]) -> HandlerEntry {
        let [head, filter] = words.map(u32::from_le);
        HandlerEntry { key: (head >> 8) as u8, code: (head >> 16) as u16, filter: filter as u16 }
    }
}

/// A cheap digest of a topic name, by which handlers are found: its length and two of its bytes.
#[inline]
pub fn fingerprint(topic: &[u8]) -> u8 {
    let len = topic.len();
    let (Some(last), Some(middle)) = (topic.last(), topic.get(len / 2)) else { return 0 };
    (len as u8).wrapping_add(last.wrapping_mul(3)).wrapping_add(middle.wrapping_mul(5))
}

/// A constant. Of its words in the table the first is 0 for an integer, which is the second; for a
/// string it holds [`CONSTANT_STRING`] and, in the upper half, the length, and the second where in
/// the strings it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant<'i> {
    /// An integer.
    Int(i32),
    /// A string.
    String(&'i [u8]),
}

/// The lower half of a string's first word.
pub const CONSTANT_STRING: u32 = 1;

impl<'i> Constant<'i> {
    /// Reads a constant out of little-endian words; `None` if they make no sense, or the text is
    /// not in the strings.
    #[inline]
    pub fn from_words(words: [u32; CONSTANT_WORDS], strings: &'i [u8]) -> Option<Constant<'i>> {
        let [head, value] = words.map(u32::from_le);
        if head == 0 {
            return Some(Constant::Int(value as i32));
        }
        if head & 0xffff != CONSTANT_STRING || value > u16::MAX.into() {
            return None;
        }
        let start = value as usize;
        strings.get(start..start + (head >> 16) as usize).map(Constant::String)
    }
}

/// Bytes that start at a multiple of 4 in memory, as those of an image have to: for an image that
/// is part of a program.
///
/// ```
/// use umqtt_vm::image::{AlignedImage, ImageError};
/// use umqtt_vm::{Profile, Program, VerifyError};
///
/// // `AlignedImage(*include_bytes!("relay.umq"))`, as `umqttc build` has made it.
/// static RELAY: AlignedImage<4> = AlignedImage(*b"what");
/// let refused = Program::verify(&RELAY, &Profile::ESP8266).err();
/// assert_eq!(refused, Some(VerifyError::Image(ImageError::NotAnImage)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(4))]
pub struct AlignedImage<const N: usize>(pub [u8; N]);

impl<const N: usize> AsRef<[u8]> for AlignedImage<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Where the sections of an image are, in bytes. Constants, handlers and code start at multiples of
/// 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageLayout {
    /// The header.
    pub header: Header,
    /// The table of constants.
    pub constants: Range<usize>,
    /// The handler records.
    pub handlers: Range<usize>,
    /// The code.
    pub code: Range<usize>,
    /// The bytes of the constants.
    pub strings: Range<usize>,
    /// The debug information, empty if stripped.
    pub debug: Range<usize>,
    /// The source, empty if not embedded.
    pub source: Range<usize>,
}

impl ImageLayout {
    fn parse(bytes: &[u8]) -> Result<ImageLayout, ImageError> {
        if !bytes.as_ptr().addr().is_multiple_of(WORD) {
            return Err(ImageError::Alignment);
        }
        let rest = bytes.strip_prefix(&MAGIC).ok_or(ImageError::NotAnImage)?;
        let (&version, rest) = rest.split_first().ok_or(ImageError::Length)?;
        if !(FIRST_VERSION..=VERSION).contains(&version) {
            return Err(ImageError::Version(version));
        }
        let (crc, checked) = rest.split_first_chunk::<4>().ok_or(ImageError::Length)?;
        if checksum(checked) != u32::from_le_bytes(*crc) {
            return Err(ImageError::Checksum);
        }
        let (header, rest) =
            postcard::take_from_bytes::<Header>(checked).map_err(|_| ImageError::Header)?;
        let mut at = (bytes.len() - rest.len()).next_multiple_of(WORD);
        let mut section = |len: usize| {
            let start = at;
            at = at.checked_add(len).filter(|&end| end <= bytes.len()).ok_or(ImageError::Length)?;
            Ok(start..at)
        };
        let layout = ImageLayout {
            header,
            constants: section(usize::from(header.constants) * CONSTANT_WORDS * WORD)?,
            handlers: section(usize::from(header.handlers) * RECORD_WORDS * WORD)?,
            code: section(usize::from(header.code) * WORD)?,
            strings: section(header.strings.into())?,
            debug: section(header.debug as usize)?,
            source: section(header.source as usize)?,
        };
        if at == bytes.len() { Ok(layout) } else { Err(ImageError::Length) }
    }
}

/// An image that can be looked at: sections, disassembly, source. It cannot run.
#[derive(Clone, Debug)]
pub struct Image<'i> {
    pub(crate) bytes: &'i [u8],
    pub(crate) layout: ImageLayout,
}

impl<'i> Image<'i> {
    /// Whether bytes claim to be an image rather than a script's source.
    pub fn is_image(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// Finds the sections. Borrows: nothing is copied. The bytes must start at a multiple of 4:
    /// those of a vector do with every allocator that allocates words so, those that are compiled
    /// into a program in an [`AlignedImage`].
    ///
    /// # Errors
    /// [`ImageError`] when the bytes are not a whole, undamaged image of this format.
    pub fn parse(bytes: &'i [u8]) -> Result<Image<'i>, ImageError> {
        Ok(Image { bytes, layout: ImageLayout::parse(bytes)? })
    }

    /// Where the sections are.
    pub fn layout(&self) -> &ImageLayout {
        &self.layout
    }

    /// The script's text, if the image carries it.
    pub fn source(&self) -> Option<&'i [u8]> {
        self.bytes.get(self.layout.source.clone()).filter(|source| !source.is_empty())
    }

    /// The code section.
    pub fn code(&self) -> &'i [u32] {
        words(self.bytes, &self.layout.code)
    }

    /// The debug section.
    pub fn debug(&self) -> crate::Debug<'i> {
        crate::Debug::new(self.bytes.get(self.layout.debug.clone()).unwrap_or_default())
    }

    /// A constant.
    pub fn constant(&self, number: u16) -> Option<Constant<'i>> {
        let (table, _) = words(self.bytes, &self.layout.constants).as_chunks::<CONSTANT_WORDS>();
        let strings = self.bytes.get(self.layout.strings.clone())?;
        Constant::from_words(*table.get(usize::from(number))?, strings)
    }

    /// The handler records, in their order in the image; unknown triggers are left out.
    pub fn records(&self) -> impl Iterator<Item = Record> + use<'i> {
        let (records, _) = words(self.bytes, &self.layout.handlers).as_chunks::<RECORD_WORDS>();
        records.iter().copied().filter_map(Record::from_words)
    }
}

/// A section of words.
pub(crate) fn words<'i>(bytes: &'i [u8], section: &Range<usize>) -> &'i [u32] {
    let bytes = bytes.get(section.clone()).unwrap_or_default();
    bytemuck::try_cast_slice(bytes).unwrap_or_default()
}
