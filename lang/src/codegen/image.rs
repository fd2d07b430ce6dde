//! Writes an image out of its sections.

use umqtt_vm::decode::version;
use umqtt_vm::image::{
    CHECKED_FROM, CONSTANT_WORDS, Checksum, HEADER_MAX, Header, MAGIC, RECORD_WORDS, Record, WORD,
};
use umqtt_vm::isa::{write_varint, zigzag};

use super::constants::Constants;
use super::variable::Variable;

/// Takes pieces of an image; false: no more of it.
pub(super) type Out<'o> = dyn FnMut(&[u8]) -> bool + 'o;

/// The sections of an image.
#[derive(Clone, Copy)]
pub(super) struct Sections<'s> {
    pub(super) variables: usize,
    pub(super) temporaries: usize,
    pub(super) constants: &'s Constants,
    /// In the order the image has them; see [`sort`].
    pub(super) records: &'s [Record],
    pub(super) code: &'s [u32],
    /// Names and lines, if they are wanted.
    pub(super) debug: Option<(Names<'s>, &'s [(u32, u32)])>,
    pub(super) source: &'s [u8],
}

/// The names of the variables.
#[derive(Clone, Copy)]
pub(super) struct Names<'s> {
    pub(super) names: &'s [u8],
    pub(super) variables: &'s [Variable],
}

/// The sections do not fit an image's format, or the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLarge {
    pub(super) what: &'static str,
    pub(super) found: usize,
    pub(super) allowed: usize,
}

/// Puts the records in the order of an image.
pub(super) fn sort(records: &mut [Record]) {
    // By insertion: they are few, and the library's sort is 6 KiB of code on a chip.
    for end in 1..records.len() {
        let (sorted, rest) = records.split_at(end);
        let at = sorted.partition_point(|placed| placed.order() < rest[0].order());
        records[at..=end].rotate_right(1);
    }
}

/// Gives the image out piece by piece: false if `out` is. At most `allowed` bytes of it may be what
/// runs.
// Out of line, as `finish`: the frame of who calls it is there while a whole script is parsed.
#[inline(never)]
pub(super) fn write(
    sections: &Sections<'_>,
    allowed: usize,
    out: &mut Out<'_>,
) -> Result<bool, TooLarge> {
    let narrow = |what, found: usize| {
        u16::try_from(found).map_err(|_| TooLarge { what, found, allowed: u16::MAX.into() })
    };
    let mut debug_len = 0;
    debug(sections, &mut |bytes| {
        debug_len += bytes.len();
        true
    });
    let header = Header {
        variables: narrow("variables", sections.variables)?,
        temporaries: sections.temporaries.min(u8::MAX.into()) as u8,
        constants: narrow("constants", sections.constants.len())?,
        handlers: narrow("handlers", sections.records.len())?,
        code: narrow("words of code", sections.code.len())?,
        strings: narrow("bytes of constants", sections.constants.strings().len())?,
        debug: debug_len as u32,
        source: sections.source.len() as u32,
    };
    let mut space = [0; HEADER_MAX];
    let header = postcard::to_slice(&header, &mut space).map_err(|_| TooLarge {
        what: "bytes of header",
        found: HEADER_MAX + 1,
        allowed: HEADER_MAX,
    })?;
    let words = CONSTANT_WORDS * sections.constants.len()
        + RECORD_WORDS * sections.records.len()
        + sections.code.len();
    let start = (CHECKED_FROM + header.len()).next_multiple_of(WORD);
    let found = start + WORD * words + sections.constants.strings().len() + debug_len;
    if found > allowed {
        return Err(TooLarge { what: "bytes", found, allowed });
    }
    let padding = &[0; WORD][..start - CHECKED_FROM - header.len()];
    let mut checksum = Checksum::new();
    pieces(sections, header, padding, &mut |bytes| {
        checksum.update(bytes);
        true
    });
    let checksum = checksum.finish().to_le_bytes();
    let version = version(sections.records, sections.code);
    Ok(out(&MAGIC) && out(&[version]) && out(&checksum) && pieces(sections, header, padding, out))
}

/// All behind the checksum.
fn pieces(sections: &Sections<'_>, header: &[u8], padding: &[u8], out: &mut Out<'_>) -> bool {
    out(header)
        && out(padding)
        && sections.constants.table().iter().all(|constant| put_words(constant, out))
        && sections.records.iter().all(|record| put_words(&record.to_words(), out))
        && put_words(sections.code, out)
        && out(sections.constants.strings())
        && debug(sections, out)
        && out(sections.source)
}

fn put_words(words: &[u32], out: &mut Out<'_>) -> bool {
    const AT_ONCE: usize = 8;
    words.chunks(AT_ONCE).all(|words| {
        let mut bytes = [0; AT_ONCE * WORD];
        for (place, word) in bytes.chunks_exact_mut(WORD).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        out(&bytes[..WORD * words.len()])
    })
}

/// The debug section: see [`umqtt_vm::Debug`].
fn debug(sections: &Sections<'_>, out: &mut Out<'_>) -> bool {
    let Some((Names { names, variables }, lines)) = sections.debug else { return true };
    let varint = |out: &mut Out<'_>, value| {
        let (bytes, len) = write_varint(value);
        out(&bytes[..len])
    };
    let mut all = varint(out, variables.len() as u32);
    let ends = variables.iter().skip(1).map(|variable| variable.start as usize);
    for (variable, end) in variables.iter().zip(ends.chain([names.len()])) {
        let name = &names[variable.start as usize..end];
        all = all && varint(out, name.len() as u32) && out(name);
    }
    let (mut offset, mut line) = (0, 1);
    for &(next_offset, next_line) in lines {
        all = all
            && varint(out, next_offset - offset)
            && varint(out, zigzag((next_line as i32).wrapping_sub(line)));
        (offset, line) = (next_offset, next_line as i32);
    }
    all
}
