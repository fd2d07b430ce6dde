//! What things cost of the heap, by arithmetic: the same on every machine, and known without
//! asking.
//! `docs/memory.md` has the figures.

/// What a heap adds to each block of memory, about.
pub(crate) const BLOCK: usize = 8;

/// Bytes a block takes; none if there is nothing in it.
pub(crate) fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + BLOCK }
}

/// Bytes that one client or message takes, counted in a total too.
#[derive(Debug, Default)]
pub(crate) struct CountedBytes(u32);

impl CountedBytes {
    /// Changes it, and the total with it.
    pub(crate) fn set(&mut self, bytes: usize, total: &mut usize) {
        if bytes != self.0 as usize {
            let new = u32::try_from(bytes).unwrap_or(u32::MAX);
            *total = *total - self.0 as usize + new as usize;
            self.0 = new;
        }
    }
}
