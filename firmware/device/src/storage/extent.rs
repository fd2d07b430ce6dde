//! Where a script lies in its slot, behind the slot's header.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use umqtt_vm::image::Checksum;

use super::StorageError;
use super::raw::{CHUNK, read_at};

/// Bytes of a header, a multiple of every flash's word.
pub(super) const HEADER_LEN: usize = 32;

/// How a script lies in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The image, then the source.
    ImageFirst,
    /// The source, then the image that was compiled from it.
    SourceFirst,
    /// The image, and at the end of it its source.
    SourceInImage,
}

/// A script and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) image: Range<u32>,
    pub(super) source: Range<u32>,
    pub(super) checksum: u32,
}

impl Extent {
    /// All that the checksum is of.
    pub(super) fn whole(&self) -> Range<u32> {
        self.image.start.min(self.source.start)..self.image.end.max(self.source.end)
    }

    /// Whether its bytes are still those the checksum is of.
    pub(super) fn is_whole<F: NorFlash>(&self, flash: &mut F) -> Result<bool, StorageError> {
        let mut digest = Checksum::new();
        let mut chunk = [0; CHUNK];
        let Range { start: mut at, end } = self.whole();
        while at < end {
            let len = CHUNK.min((end - at) as usize);
            read_at(flash, at, &mut chunk[..len])?;
            digest.update(&chunk[..len]);
            at += len as u32;
        }
        Ok(digest.finish() == self.checksum)
    }
}

/// The checksum a header keeps of its script.
pub(super) fn checksum(image: &[u8], source: &[u8]) -> u32 {
    let mut digest = Checksum::new();
    digest.update(image);
    digest.update(source);
    digest.finish()
}
