//! The bytes of an image: a copy in memory, or the flash itself where a board has it in its address
//! space.

use alloc::vec::Vec;
use core::ops::Range;

/// A range of flash in the address space of the processor. Its board neither erases nor writes any
/// of it until this is dropped.
#[derive(Debug)]
pub struct MappedFlash {
    bytes: &'static [u8],
    unmap: fn(&[u8]),
}

impl MappedFlash {
    /// For boards: the bytes, and what is called with them when nobody looks at them any more.
    pub fn new(bytes: &'static [u8], unmap: fn(&[u8])) -> MappedFlash {
        MappedFlash { bytes, unmap }
    }
}

impl Drop for MappedFlash {
    fn drop(&mut self) {
        (self.unmap)(self.bytes);
    }
}

/// Maps a range of the flash, offsets from its beginning; `None` where that cannot be: see
/// [`crate::board::Board::map_flash`].
pub type MapFlash<'m> = &'m dyn Fn(Range<u32>) -> Option<MappedFlash>;

/// The bytes of an image.
// No enum: which of the two it is takes fewer instructions to tell so, and each event asks several
// times.
#[derive(Debug, Default)]
pub struct ImageBytes {
    mapped: Option<MappedFlash>,
    /// A copy, if it is not mapped.
    copy: Vec<u8>,
}

impl ImageBytes {
    /// The copy; nothing if it is mapped.
    pub(super) fn into_copy(self) -> Vec<u8> {
        self.copy
    }

    /// Bytes of the heap.
    pub fn memory(&self) -> usize {
        self.copy.capacity()
    }
}

impl AsRef<[u8]> for ImageBytes {
    #[inline(always)]
    fn as_ref(&self) -> &[u8] {
        match &self.mapped {
            Some(mapped) => mapped.bytes,
            None => &self.copy,
        }
    }
}

impl From<Vec<u8>> for ImageBytes {
    fn from(copy: Vec<u8>) -> ImageBytes {
        ImageBytes { mapped: None, copy }
    }
}

impl From<MappedFlash> for ImageBytes {
    fn from(mapped: MappedFlash) -> ImageBytes {
        ImageBytes { mapped: Some(mapped), copy: Vec::new() }
    }
}
