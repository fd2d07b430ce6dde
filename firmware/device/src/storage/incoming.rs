//! A script on its way into the slot that is not the current one: its bytes go to flash as they
//! come, a page at a time. The header, which makes it the current one, is written when all of it
//! has been found right.
//!
//! Source comes first in its slot, and behind it the image that is compiled from it; bytecode is
//! the image.

use alloc::vec::Vec;
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use umqtt_vm::image::Checksum;

use super::extent::{Extent, HEADER_LEN, Order};
use super::raw::{CHUNK, read_at};
use super::{ImageBytes, MapFlash, StorageError, flash_failed};

/// Bytes written together; a multiple of every flash's word.
const PAGE: usize = 256;
/// The same for slots so large that they are those of a board with memory: there, it may be a disk
/// that each write waits for.
const LARGE_PAGE: usize = 4096;
/// Bytes of such a slot.
const LARGE_SLOT: usize = 128 * 1024;

/// Bytes written together to a slot.
fn page_of(slot: &Range<u32>) -> usize {
    if slot.len() >= LARGE_SLOT { LARGE_PAGE } else { PAGE }
}
/// How a script's first bytes are kept, to tell source from bytecode.
const HEAD: usize = 4;

/// See the module.
pub(super) struct Incoming {
    /// The slot, and where in it the next page goes.
    slot: Range<u32>,
    at: u32,
    /// Up to there it is erased.
    erased: u32,
    /// Not yet written.
    page: Vec<u8>,
    digest: Checksum,
    /// Bytes that came.
    len: usize,
    head: [u8; HEAD],
    last: u8,
    /// Where the image starts that is made of the source.
    image: Option<u32>,
    /// Where the image ends, once all of it is in flash.
    closed: Option<u32>,
}

impl core::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Incoming").field("slot", &self.slot).field("len", &self.len).finish()
    }
}

impl Incoming {
    /// Nothing has come yet; nothing is erased.
    pub(super) fn new(slot: Range<u32>) -> Result<Incoming, StorageError> {
        let mut page = Vec::new();
        page.try_reserve_exact(page_of(&slot)).map_err(|_| StorageError::Memory)?;
        Ok(Incoming {
            at: slot.start + HEADER_LEN as u32,
            erased: slot.start,
            slot,
            page,
            digest: Checksum::new(),
            len: 0,
            head: [0; HEAD],
            last: 0,
            image: None,
            closed: None,
        })
    }

    /// Bytes that came.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        self.page.capacity()
    }

    /// The first of them, up to four.
    pub(super) fn head(&self) -> &[u8] {
        &self.head[..self.len.min(HEAD)]
    }

    /// The last of them.
    pub(super) fn last(&self) -> Option<u8> {
        (self.len > 0).then_some(self.last)
    }

    /// Whether an image has been begun or looked at: nothing more can come then.
    pub(super) fn is_closed(&self) -> bool {
        self.image.is_some() || self.closed.is_some()
    }

    /// More of it has come.
    pub(super) fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        for (place, byte) in self.head.iter_mut().skip(self.len).zip(bytes) {
            *place = *byte;
        }
        self.last = bytes.last().copied().unwrap_or(self.last);
        self.len += bytes.len();
        self.write(flash, bytes)
    }

    /// More of the image that is made of it.
    pub(super) fn append_image<F: NorFlash>(
        &mut self,
        flash: &mut F,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        if self.image.is_none() {
            // It may be run where it lies, so it starts at a word; and no word of flash is written
            // twice.
            let end = self.end();
            let start = end.next_multiple_of(HEADER_LEN as u32);
            self.write(flash, &[0xFF; HEADER_LEN][..(start - end) as usize])?;
            self.image = Some(start);
        }
        self.write(flash, bytes)
    }

    /// Reads what came, from `offset` on; false where there is not so much.
    pub(super) fn read<F: NorFlash>(
        &self,
        flash: &mut F,
        offset: usize,
        out: &mut [u8],
    ) -> Result<bool, StorageError> {
        let start = self.slot.start as usize + HEADER_LEN;
        let there = offset.checked_add(out.len()).is_some_and(|end| end <= self.len);
        if there {
            self.read_at(flash, (start + offset) as u32, out)?;
        }
        Ok(there)
    }

    /// What came is bytecode of so many bytes; what is behind them is none of the script. Nothing
    /// more can come then.
    pub(super) fn cut<F: NorFlash>(
        &mut self,
        flash: &mut F,
        len: usize,
    ) -> Result<(), StorageError> {
        let start = self.slot.start + HEADER_LEN as u32;
        let mut digest = Checksum::new();
        let mut chunk = [0; CHUNK];
        for at in (0..len).step_by(CHUNK) {
            let piece = &mut chunk[..CHUNK.min(len - at)];
            if !self.read(flash, at, piece)? {
                return Err(StorageError::Broken);
            }
            digest.update(piece);
        }
        (self.digest, self.closed) = (digest, Some(start + len as u32));
        Ok(())
    }

    /// All of the image, what came or what was made of it: mapped, or read if there is room.
    /// Nothing more can come then.
    pub(super) fn image_bytes<F: NorFlash>(
        &mut self,
        flash: &mut F,
        map: MapFlash<'_>,
        room: &dyn Fn(usize) -> bool,
    ) -> Result<ImageBytes, StorageError> {
        let range = self.image();
        self.closed = Some(range.end);
        self.flush(flash)?;
        if let Some(mapped) = map(range.clone()) {
            return Ok(mapped.into());
        }
        let mut image = Vec::new();
        if !room(range.len()) || image.try_reserve_exact(range.len()).is_err() {
            return Err(StorageError::Memory);
        }
        image.resize(range.len(), 0);
        read_at(flash, range.start, &mut image)?;
        Ok(image.into())
    }

    /// Writes what waits. Where the script lies then, whose source (of bytecode: its last bytes) is
    /// so long.
    pub(super) fn finish<F: NorFlash>(
        mut self,
        flash: &mut F,
        source: usize,
    ) -> Result<(Extent, Order), StorageError> {
        let image = self.image();
        self.flush(flash)?;
        let (source, order) = match self.image {
            Some(_) => {
                let start = self.slot.start + HEADER_LEN as u32;
                (start..start + self.len as u32, Order::SourceFirst)
            }
            None => (image.end - source.min(self.len) as u32..image.end, Order::SourceInImage),
        };
        Ok((Extent { image, source, checksum: self.digest.finish() }, order))
    }

    fn image(&self) -> Range<u32> {
        self.image.unwrap_or(self.slot.start + HEADER_LEN as u32)..self.closed.unwrap_or(self.end())
    }

    /// Where the next byte belongs.
    fn end(&self) -> u32 {
        self.at + self.page.len() as u32
    }

    fn read_at<F: NorFlash>(
        &self,
        flash: &mut F,
        from: u32,
        out: &mut [u8],
    ) -> Result<(), StorageError> {
        let in_flash = (self.at.saturating_sub(from) as usize).min(out.len());
        let (old, new) = out.split_at_mut(in_flash);
        read_at(flash, from, old)?;
        let skip = (from + in_flash as u32).saturating_sub(self.at) as usize;
        let waiting = self.page.get(skip..skip + new.len()).ok_or(StorageError::Broken)?;
        new.copy_from_slice(waiting);
        Ok(())
    }

    fn write<F: NorFlash>(&mut self, flash: &mut F, bytes: &[u8]) -> Result<(), StorageError> {
        if self.closed.is_some() {
            return Err(StorageError::Broken);
        }
        let room = self.slot.end - self.end();
        if bytes.len() > room as usize {
            let limit = self.slot.len() - HEADER_LEN;
            return Err(StorageError::TooLarge { limit });
        }
        self.digest.update(bytes);
        let mut rest = bytes;
        let page = page_of(&self.slot);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(page - self.page.len()));
            self.page.extend_from_slice(now);
            rest = later;
            if self.page.len() == page {
                self.flush(flash)?;
            }
        }
        Ok(())
    }

    fn flush<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StorageError> {
        if self.page.is_empty() {
            return Ok(());
        }
        self.page.resize(self.page.len().next_multiple_of(F::WRITE_SIZE), 0xFF);
        let end = self.end();
        while self.erased < end {
            let next = self.erased + F::ERASE_SIZE as u32;
            flash.erase(self.erased, next).map_err(flash_failed)?;
            self.erased = next;
        }
        flash.write(self.at, &self.page).map_err(flash_failed)?;
        self.at = end;
        self.page.clear();
        Ok(())
    }
}
