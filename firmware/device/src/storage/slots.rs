//! The script's two slots. A slot is a header, then the image, then the source. The slot with the greater generation is
//! the current one. A store erases the other slot, writes the script there, reads it back, and writes the header last.
//!
//! A header can also be a mark that says what is being deleted: it makes the deletion certain with one write, and
//! is erased when all else is.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::{StorageError, StoredScript, flash_failed};

/// Bytes of a header, a multiple of every flash's word.
pub(super) const HEADER_LEN: usize = 32;

/// "uscr" and the version of this format.
const MAGIC: u32 = 0x7573_6301;

/// Bytes moved at a time; a multiple of every flash's word.
const CHUNK: usize = 256;

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// What is being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The script and the flash variables.
    Script,
    /// All there is.
    Everything,
}

/// A script and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) image: Range<u32>,
    pub(super) source: Range<u32>,
    pub(super) checksum: u32,
}

/// What the slots hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Current {
    /// No script.
    Nothing,
    /// A script.
    Script,
    /// The mark of a deletion.
    Deleting(Scope),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Script(Place),
    Mark(Scope),
}

/// A slot with a sound header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    slot: usize,
    generation: u32,
    content: Content,
}

/// The two slots.
#[derive(Debug)]
pub(super) struct Slots {
    ranges: [Range<u32>; 2],
    current: Option<Written>,
}

impl Slots {
    pub(super) fn new(ranges: [Range<u32>; 2]) -> Slots {
        Slots { ranges, current: None }
    }

    /// Looks which slot is the current one; true if a newer one is there but damaged.
    pub(super) fn find<F: NorFlash>(&mut self, flash: &mut F) -> Result<bool, StorageError> {
        let mut found = Vec::new();
        for slot in 0..self.ranges.len() {
            found.extend(self.read_header(flash, slot)?);
        }
        found.sort_by_key(|written| core::cmp::Reverse(written.generation));
        let mut damaged = false;
        self.current = None;
        for written in found {
            let whole = match &written.content {
                Content::Mark(_) => true,
                Content::Script(place) => is_whole(flash, place)?,
            };
            if whole {
                self.current = Some(written);
                break;
            }
            damaged = true;
        }
        Ok(damaged)
    }

    pub(super) fn current(&self) -> Current {
        match self.current.as_ref().map(|written| &written.content) {
            None => Current::Nothing,
            Some(Content::Script(_)) => Current::Script,
            Some(Content::Mark(scope)) => Current::Deleting(*scope),
        }
    }

    pub(super) fn script(&self) -> Option<&Place> {
        match &self.current.as_ref()?.content {
            Content::Script(place) => Some(place),
            Content::Mark(_) => None,
        }
    }

    /// Stores a script beside the current one and makes it the current one.
    pub(super) fn store<F: NorFlash>(
        &mut self,
        flash: &mut F,
        script: &StoredScript<'_>,
    ) -> Result<(), StorageError> {
        let (slot, generation) = self.next();
        let range = self.ranges[slot].clone();
        let limit = range.len() - HEADER_LEN;
        let total = script.image.len().saturating_add(script.source.len());
        if total > limit {
            return Err(StorageError::TooLarge { limit });
        }
        let image = range.start + HEADER_LEN as u32;
        let source = image + script.image.len() as u32;
        let place = Place {
            image: image..source,
            source: source..source + script.source.len() as u32,
            checksum: checksum(script.image, script.source),
        };
        flash.erase(range.start, range.end).map_err(flash_failed)?;
        write_at(flash, image, script.image.iter().chain(script.source).copied())?;
        if !is_whole(flash, &place)? {
            return Err(StorageError::Broken);
        }
        self.commit(flash, Written { slot, generation, content: Content::Script(place) })
    }

    /// Writes the mark of a deletion. It can be repeated, and made wider.
    pub(super) fn mark<F: NorFlash>(
        &mut self,
        flash: &mut F,
        scope: Scope,
    ) -> Result<(), StorageError> {
        let (slot, generation) = self.next();
        let range = self.ranges[slot].clone();
        flash.erase(range.start, range.end).map_err(flash_failed)?;
        self.commit(flash, Written { slot, generation, content: Content::Mark(scope) })
    }

    /// Erases both slots, the current one last: a mark must outlive what it marks.
    pub(super) fn clear<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StorageError> {
        let last = self.current.as_ref().map_or(1, |written| written.slot);
        for slot in [1 - last, last] {
            let range = self.ranges[slot].clone();
            flash.erase(range.start, range.end).map_err(flash_failed)?;
        }
        self.current = None;
        Ok(())
    }

    /// The slot to write next, and its generation.
    fn next(&self) -> (usize, u32) {
        match &self.current {
            Some(written) => (1 - written.slot, written.generation.wrapping_add(1)),
            None => (0, 1),
        }
    }

    fn commit<F: NorFlash>(&mut self, flash: &mut F, written: Written) -> Result<(), StorageError> {
        let start = self.ranges[written.slot].start;
        flash.write(start, &header(&written)).map_err(flash_failed)?;
        if self.read_header(flash, written.slot)?.as_ref() != Some(&written) {
            return Err(StorageError::Broken);
        }
        self.current = Some(written);
        Ok(())
    }

    fn read_header<F: NorFlash>(
        &self,
        flash: &mut F,
        slot: usize,
    ) -> Result<Option<Written>, StorageError> {
        let range = self.ranges[slot].clone();
        let mut bytes = [0; HEADER_LEN];
        read_at(flash, range.start, &mut bytes)?;
        Ok(parse(&bytes, slot, range))
    }
}

/// magic, generation, kind (0 script, 1 and 2 marks), image length, source length, checksum of both, 0, checksum of this.
fn header(written: &Written) -> [u8; HEADER_LEN] {
    let (kind, image, source, checksum) = match &written.content {
        Content::Script(place) => {
            (0, place.image.len() as u32, place.source.len() as u32, place.checksum)
        }
        Content::Mark(Scope::Script) => (1, 0, 0, 0),
        Content::Mark(Scope::Everything) => (2, 0, 0, 0),
    };
    let fields = [MAGIC, written.generation, kind, image, source, checksum, 0];
    let mut bytes = [0; HEADER_LEN];
    for (field, place) in fields.iter().zip(bytes.chunks_exact_mut(4)) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    let sum = CRC.checksum(&bytes[..HEADER_LEN - 4]);
    bytes[HEADER_LEN - 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn parse(bytes: &[u8; HEADER_LEN], slot: usize, range: Range<u32>) -> Option<Written> {
    let (words, _) = bytes.as_chunks::<4>();
    let field = |n: usize| words.get(n).map_or(0, |word| u32::from_le_bytes(*word));
    if field(0) != MAGIC || field(7) != CRC.checksum(&bytes[..HEADER_LEN - 4]) {
        return None;
    }
    let content = match field(2) {
        0 => {
            let image = range.start + HEADER_LEN as u32;
            let source = image.checked_add(field(3))?;
            let end = source.checked_add(field(4)).filter(|end| *end <= range.end)?;
            Content::Script(Place { image: image..source, source: source..end, checksum: field(5) })
        }
        1 => Content::Mark(Scope::Script),
        2 => Content::Mark(Scope::Everything),
        _ => return None,
    };
    Some(Written { slot, generation: field(1), content })
}

/// The checksum a header keeps of its script.
pub(super) fn checksum(image: &[u8], source: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(image);
    digest.update(source);
    digest.finalize()
}

fn is_whole<F: NorFlash>(flash: &mut F, place: &Place) -> Result<bool, StorageError> {
    let mut digest = CRC.digest();
    let mut chunk = [0; CHUNK];
    let (mut at, end) = (place.image.start, place.source.end);
    while at < end {
        let len = CHUNK.min((end - at) as usize);
        read_at(flash, at, &mut chunk[..len])?;
        digest.update(&chunk[..len]);
        at += len as u32;
    }
    Ok(digest.finalize() == place.checksum)
}

pub(super) fn read_vec<F: NorFlash>(
    flash: &mut F,
    range: Range<u32>,
) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; range.len()];
    read_at(flash, range.start, &mut bytes)?;
    Ok(bytes)
}

/// Reads at any offset, whatever the flash's word.
pub(super) fn read_at<F: NorFlash>(
    flash: &mut F,
    mut offset: u32,
    mut out: &mut [u8],
) -> Result<(), StorageError> {
    let mut chunk = [0; CHUNK];
    while !out.is_empty() {
        let skip = offset as usize % F::READ_SIZE;
        let len = out.len().min(CHUNK - skip);
        let aligned = (skip + len).next_multiple_of(F::READ_SIZE);
        flash.read(offset - skip as u32, &mut chunk[..aligned]).map_err(flash_failed)?;
        let (now, later) = out.split_at_mut(len);
        now.copy_from_slice(&chunk[skip..skip + len]);
        out = later;
        offset += len as u32;
    }
    Ok(())
}

/// Writes from an aligned offset into erased flash; pads the last word with ones.
fn write_at<F: NorFlash>(
    flash: &mut F,
    mut offset: u32,
    mut bytes: impl Iterator<Item = u8>,
) -> Result<(), StorageError> {
    loop {
        let mut chunk = [0xFF; CHUNK];
        let mut len = 0;
        for (place, byte) in chunk.iter_mut().zip(&mut bytes) {
            *place = byte;
            len += 1;
        }
        let aligned = usize::next_multiple_of(len, F::WRITE_SIZE);
        if len > 0 {
            flash.write(offset, &chunk[..aligned]).map_err(flash_failed)?;
        }
        if len < CHUNK {
            return Ok(());
        }
        offset += CHUNK as u32;
    }
}
