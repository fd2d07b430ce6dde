//! The script's two slots. A slot is a header, then image and source, in the order the header says.
//! The slot with the greater generation is the current one. A store erases the other slot, writes
//! the script there, reads it back, and writes the header last: A/B slots, of which an update that
//! is cut off leaves the old one (rollback).
//!
//! A header can also be a mark that says what is being deleted: it makes the deletion certain with
//! one write, and is erased when all else is.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use umqtt_vm::image::checksum as crc32;

use super::extent::{Extent, HEADER_LEN, Order, checksum};
use super::incoming::Incoming;
use super::raw::{read_at, write_at};
use super::{StorageError, StoredScript, flash_failed};

/// "uscr" and the version of this format.
const MAGIC: u32 = 0x7573_6301;

/// What is being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The script and the flash variables.
    Script,
    /// All there is.
    Everything,
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
    Script(Extent, Order),
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
    /// What is being written to the other slot.
    incoming: Option<Incoming>,
}

impl Slots {
    pub(super) fn new(ranges: [Range<u32>; 2]) -> Slots {
        Slots { ranges, current: None, incoming: None }
    }

    /// Looks which slot is the current one; true if a newer one is there but damaged.
    pub(super) fn find<F: NorFlash>(&mut self, flash: &mut F) -> Result<bool, StorageError> {
        // The newer one first; the library's sort is 3 KB of code.
        let [mut newer, mut older] = [self.read_header(flash, 0)?, self.read_header(flash, 1)?];
        let generation = |slot: &Option<Written>| slot.as_ref().map(|written| written.generation);
        if generation(&older) > generation(&newer) {
            core::mem::swap(&mut newer, &mut older);
        }
        let mut damaged = false;
        self.current = None;
        for written in [newer, older].into_iter().flatten() {
            let whole = match &written.content {
                Content::Mark(_) => true,
                Content::Script(extent, _) => extent.is_whole(flash)?,
            };
            if whole {
                self.current = Some(written);
                break;
            }
            damaged = true;
        }
        Ok(damaged)
    }

    /// Whether there is a sound header, of whatever.
    pub(super) fn any<F: NorFlash>(&self, flash: &mut F) -> Result<bool, StorageError> {
        Ok(self.read_header(flash, 0)?.is_some() || self.read_header(flash, 1)?.is_some())
    }

    pub(super) fn current(&self) -> Current {
        match self.current.as_ref().map(|written| &written.content) {
            None => Current::Nothing,
            Some(Content::Script(..)) => Current::Script,
            Some(Content::Mark(scope)) => Current::Deleting(*scope),
        }
    }

    pub(super) fn script(&self) -> Option<&Extent> {
        match &self.current.as_ref()?.content {
            Content::Script(extent, _) => Some(extent),
            Content::Mark(_) => None,
        }
    }

    /// Stores a script beside the current one and makes it the current one.
    pub(super) fn store<F: NorFlash>(
        &mut self,
        flash: &mut F,
        script: &StoredScript<'_>,
    ) -> Result<(), StorageError> {
        self.incoming = None;
        let (slot, generation) = self.next();
        let range = self.ranges[slot].clone();
        let limit = range.len() - HEADER_LEN;
        let total = script.image.len().saturating_add(script.source.len());
        if total > limit {
            return Err(StorageError::TooLarge { limit });
        }
        let image = range.start + HEADER_LEN as u32;
        let source = image + script.image.len() as u32;
        let extent = Extent {
            image: image..source,
            source: source..source + script.source.len() as u32,
            checksum: checksum(script.image, script.source),
        };
        flash.erase(range.start, range.end).map_err(flash_failed)?;
        write_at(flash, image, script.image.iter().chain(script.source).copied())?;
        if !extent.is_whole(flash)? {
            return Err(StorageError::Broken);
        }
        self.commit(
            flash,
            Written { slot, generation, content: Content::Script(extent, Order::ImageFirst) },
        )
    }

    /// What is on its way, if there is something.
    pub(super) fn incoming(&self) -> Option<&Incoming> {
        self.incoming.as_ref()
    }

    /// The same, to go on with; begun if there is nothing.
    pub(super) fn incoming_mut(&mut self) -> Result<&mut Incoming, StorageError> {
        let range = self.ranges[self.next().0].clone();
        match &mut self.incoming {
            Some(incoming) => Ok(incoming),
            none => Ok(none.insert(Incoming::new(range)?)),
        }
    }

    /// Gives up what is on its way.
    pub(super) fn drop_incoming(&mut self) {
        self.incoming = None;
    }

    /// Makes what has come the current script.
    pub(super) fn commit_incoming<F: NorFlash>(
        &mut self,
        flash: &mut F,
        source: usize,
    ) -> Result<(), StorageError> {
        let Some(incoming) = self.incoming.take() else { return Err(StorageError::Broken) };
        let (slot, generation) = self.next();
        let (extent, order) = incoming.finish(flash, source)?;
        if !extent.is_whole(flash)? {
            return Err(StorageError::Broken);
        }
        self.commit(flash, Written { slot, generation, content: Content::Script(extent, order) })
    }

    /// Writes the mark of a deletion. It can be repeated, and made wider.
    pub(super) fn mark<F: NorFlash>(
        &mut self,
        flash: &mut F,
        scope: Scope,
    ) -> Result<(), StorageError> {
        self.incoming = None;
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

/// magic, generation, kind (0, 3 and 4 scripts, 1 and 2 marks), image length, source length,
/// checksum of both, 0, checksum of this.
fn header(written: &Written) -> [u8; HEADER_LEN] {
    let (kind, image, source, checksum) = match &written.content {
        Content::Script(extent, order) => {
            let kind = match order {
                Order::ImageFirst => 0,
                Order::SourceFirst => 3,
                Order::SourceInImage => 4,
            };
            (kind, extent.image.len() as u32, extent.source.len() as u32, extent.checksum)
        }
        Content::Mark(Scope::Script) => (1, 0, 0, 0),
        Content::Mark(Scope::Everything) => (2, 0, 0, 0),
    };
    let fields = [MAGIC, written.generation, kind, image, source, checksum, 0];
    let mut bytes = [0; HEADER_LEN];
    for (field, place) in fields.iter().zip(bytes.chunks_exact_mut(4)) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    let sum = crc32(&bytes[..HEADER_LEN - 4]);
    bytes[HEADER_LEN - 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn parse(bytes: &[u8; HEADER_LEN], slot: usize, range: Range<u32>) -> Option<Written> {
    let (words, _) = bytes.as_chunks::<4>();
    let field = |n: usize| words.get(n).map_or(0, |word| u32::from_le_bytes(*word));
    if field(0) != MAGIC || field(7) != crc32(&bytes[..HEADER_LEN - 4]) {
        return None;
    }
    let content = match field(2) {
        kind @ (0 | 3 | 4) => {
            let start = range.start + HEADER_LEN as u32;
            let (image, source, checksum) = (field(3), field(4), field(5));
            let from = |start: u32, len: u32| Some(start..start.checked_add(len)?);
            let (extent, order) = match kind {
                0 => {
                    let image = from(start, image)?;
                    (
                        Extent { source: from(image.end, source)?, image, checksum },
                        Order::ImageFirst,
                    )
                }
                3 => {
                    let source = from(start, source)?;
                    let at = source.end.checked_next_multiple_of(HEADER_LEN as u32)?;
                    (Extent { image: from(at, image)?, source, checksum }, Order::SourceFirst)
                }
                _ => {
                    let image = from(start, image)?;
                    let at = image.end.checked_sub(source).filter(|at| *at >= start)?;
                    (Extent { source: at..image.end, image, checksum }, Order::SourceInImage)
                }
            };
            if extent.whole().end > range.end {
                return None;
            }
            Content::Script(extent, order)
        }
        1 => Content::Mark(Scope::Script),
        2 => Content::Mark(Scope::Everything),
        _ => return None,
    };
    Some(Written { slot, generation: field(1), content })
}
