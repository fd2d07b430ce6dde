//! Writes an image out of its sections.

use alloc::vec::Vec;

use umqtt_vm::image::{
    CHECKED_FROM, CONSTANT_WORDS, HEADER_MAX, Header, MAGIC, RECORD_WORDS, Record, VERSION, WORD,
    checksum,
};
use umqtt_vm::isa::{write_varint, zigzag};

use super::constants::Constants;

/// The sections of an image.
#[derive(Debug)]
pub(super) struct Sections<'s> {
    pub(super) variables: usize,
    pub(super) temporaries: usize,
    pub(super) constants: &'s Constants,
    pub(super) records: &'s [Record],
    pub(super) code: &'s [u32],
    pub(super) debug: &'s [u8],
    pub(super) source: &'s [u8],
}

/// The sections do not fit an image's format.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLarge {
    pub(super) what: &'static str,
    pub(super) found: usize,
    pub(super) allowed: usize,
}

// Out of line, as `finish`: the frame of who calls it is there while a whole script is parsed.
#[inline(never)]
pub(super) fn write(sections: &Sections<'_>) -> Result<Vec<u8>, TooLarge> {
    let narrow = |what, found: usize| {
        u16::try_from(found).map_err(|_| TooLarge { what, found, allowed: u16::MAX.into() })
    };
    let header = Header {
        variables: narrow("variables", sections.variables)?,
        temporaries: sections.temporaries.min(u8::MAX.into()) as u8,
        constants: narrow("constants", sections.constants.len())?,
        handlers: narrow("handlers", sections.records.len())?,
        code: narrow("words of code", sections.code.len())?,
        texts: narrow("bytes of constants", sections.constants.texts().len())?,
        debug: sections.debug.len() as u32,
        source: sections.source.len() as u32,
    };
    let mut room = [0; HEADER_MAX];
    let header = postcard::to_slice(&header, &mut room).map_err(|_| TooLarge {
        what: "bytes of header",
        found: HEADER_MAX + 1,
        allowed: HEADER_MAX,
    })?;

    // Put in place one by one: they are few, and the library's sort is 6 KiB of code on a chip.
    let mut records: Vec<Record> = Vec::with_capacity(sections.records.len());
    for record in sections.records {
        let place = records.partition_point(|placed| placed.order() < record.order());
        records.insert(place, *record);
    }
    let texts = sections.constants.texts();
    let words = CONSTANT_WORDS * sections.constants.len()
        + RECORD_WORDS * sections.records.len()
        + sections.code.len();
    let start = (CHECKED_FROM + header.len()).next_multiple_of(WORD);
    let len = start + WORD * words + texts.len() + sections.debug.len() + sections.source.len();
    let mut image = Vec::with_capacity(len);
    image.extend_from_slice(&MAGIC);
    image.push(VERSION);
    image.extend_from_slice(&[0; 4]);
    image.extend_from_slice(header);
    image.resize(start, 0);
    let words = sections
        .constants
        .table()
        .iter()
        .copied()
        .flatten()
        .chain(records.iter().flat_map(|record| record.to_words()))
        .chain(sections.code.iter().copied());
    words.for_each(|word| image.extend_from_slice(&word.to_le_bytes()));
    image.extend_from_slice(texts);
    image.extend_from_slice(sections.debug);
    image.extend_from_slice(sections.source);
    let crc = checksum(&image[CHECKED_FROM..]).to_le_bytes();
    image[CHECKED_FROM - crc.len()..CHECKED_FROM].copy_from_slice(&crc);
    Ok(image)
}

/// The debug section: see [`umqtt_vm::Debug`].
pub(super) fn debug<'n>(
    names: impl ExactSizeIterator<Item = &'n [u8]>,
    lines: &[(u32, u32)],
) -> Vec<u8> {
    let mut out = Vec::new();
    let varint = |out: &mut Vec<u8>, value| {
        let (bytes, len) = write_varint(value);
        out.extend_from_slice(&bytes[..len]);
    };
    varint(&mut out, names.len() as u32);
    for name in names {
        varint(&mut out, name.len() as u32);
        out.extend_from_slice(name);
    }
    let (mut offset, mut line) = (0, 1);
    for &(next_offset, next_line) in lines {
        varint(&mut out, next_offset - offset);
        varint(&mut out, zigzag((next_line as i32).wrapping_sub(line)));
        (offset, line) = (next_offset, next_line as i32);
    }
    out
}
