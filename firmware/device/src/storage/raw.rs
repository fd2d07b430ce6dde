//! Bytes of the flash at any offset, whatever its word.

use alloc::vec::Vec;
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::{StorageError, flash_failed};

/// Bytes moved at a time; a multiple of every flash's word.
pub(super) const CHUNK: usize = 256;

/// Reads so many bytes at once.
pub(super) fn read_vec<F: NorFlash>(
    flash: &mut F,
    range: Range<u32>,
) -> Result<Vec<u8>, StorageError> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(range.len()).map_err(|_| StorageError::Memory)?;
    bytes.resize(range.len(), 0);
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
pub(super) fn write_at<F: NorFlash>(
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
