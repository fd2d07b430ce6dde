//! What a machine computes in, as it is given.

use core::ops::DerefMut;

use super::value::Slot;
use crate::image::{Header, WORD};

/// Most bytes of memory that hold texts: places of texts are 16 bits wide.
pub const MAX_BUFFER: usize = 65_535;

/// The memory of a machine: anything that is a slice of words, or something that gets larger when it is needed.
pub trait Memory {
    /// The words there are. Between two calls they keep what they hold, though they may move.
    fn words(&mut self) -> &mut [u32];

    /// Makes room for at least `bytes` bytes more, behind the others; false if that cannot be.
    fn grow(&mut self, bytes: usize) -> bool {
        let _ = bytes;
        false
    }

    /// Whether [`Memory::grow`] may succeed.
    fn may_grow(&self) -> bool {
        false
    }
}

impl<M: DerefMut<Target = [u32]>> Memory for M {
    #[inline]
    fn words(&mut self) -> &mut [u32] {
        self
    }
}

/// The memory cannot hold the program's variables and stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferTooSmall {
    /// Bytes it takes at least.
    pub needed: usize,
}

impl core::fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the script needs {} bytes of memory", self.needed)
    }
}

impl core::error::Error for BufferTooSmall {}

/// How many slots a program takes: variables, stack, and one more for a value that may move.
#[inline]
fn slots(header: &Header) -> usize {
    usize::from(header.variables) + usize::from(header.stack) + 1
}

/// Bytes of memory a program needs before any text is stored.
pub(crate) fn needed(header: &Header) -> usize {
    size_of::<Slot>() * slots(header)
}

/// The parts of the memory: slots, and the arena for texts.
#[inline]
pub(super) fn split<'m>(words: &'m mut [u32], header: &Header) -> (&'m mut [Slot], &'m mut [u8]) {
    let len = slots(header) * size_of::<Slot>() / WORD;
    let Some((slots, arena)) = words.split_at_mut_checked(len) else { return (&mut [], &mut []) };
    let arena: &mut [u8] = bytemuck::cast_slice_mut(arena);
    let len = arena.len().min(MAX_BUFFER);
    (slots.as_chunks_mut().0, &mut arena[..len])
}
