//! The memory a script computes in: as little as it needs, up to what its profile allows.

use alloc::vec::Vec;

use umqtt_vm::Memory;

const WORD: usize = size_of::<u32>();

/// Bytes for texts at the start, and the least that is added at once.
const STEP: usize = 128;

/// Memory that grows when a script needs more, never beyond its limit; if the heap has none left, not even that far.
pub(super) struct Room {
    words: Vec<u32>,
    /// Most words.
    limit: usize,
}

impl Room {
    /// Room for `needed` bytes and a few texts; at most `limit` bytes.
    pub(super) fn new(needed: usize, limit: usize) -> Room {
        let mut room = Room { words: Vec::new(), limit: limit / WORD };
        room.grow(needed + STEP);
        room
    }
}

impl Memory for Room {
    #[inline]
    fn words(&mut self) -> &mut [u32] {
        &mut self.words
    }

    #[cold]
    fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.max(STEP).div_ceil(WORD).min(self.limit - self.words.len());
        if more == 0 || self.words.try_reserve_exact(more).is_err() {
            return false;
        }
        self.words.resize(self.words.len() + more, 0);
        true
    }

    fn may_grow(&self) -> bool {
        self.words.len() < self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_limit_and_keeps_what_it_holds() {
        let mut room = Room::new(64, 400);
        assert_eq!(room.words().len() * WORD, 64 + STEP);
        room.words().fill(7);
        assert!(room.may_grow() && room.grow(1));
        assert_eq!(room.words().len() * WORD, 64 + 2 * STEP);
        assert!(room.grow(1000));
        assert_eq!(room.words().len() * WORD, 400);
        assert!(!room.may_grow() && !room.grow(1));
        assert_eq!(room.words().iter().filter(|word| **word == 7).count(), (64 + STEP) / WORD);
    }
}
