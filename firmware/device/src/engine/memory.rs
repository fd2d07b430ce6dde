//! The memory a script computes in: as little as it needs, up to what its profile allows.

use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::{Memory, Slot};

/// Bytes for texts at the start, and the least that is added at once.
const STEP: usize = 128;

/// Memory whose texts get more room when a script needs it, never beyond its limit; if the heap has none left, not even that far.
pub(super) struct ScriptMemory {
    slots: Vec<Slot>,
    texts: Vec<u8>,
    /// Most bytes of texts.
    limit: usize,
}

impl ScriptMemory {
    /// Bytes that [`ScriptMemory::new`] allocates.
    pub(super) fn takes(slots: usize, limit: usize) -> usize {
        slots.min(limit / size_of::<Slot>()) * size_of::<Slot>() + STEP
    }

    /// ScriptMemory for so many slots and a few texts; at most `limit` bytes. Slots the limit has no room for are not there.
    pub(super) fn new(slots: usize, limit: usize) -> ScriptMemory {
        let slots = slots.min(limit / size_of::<Slot>());
        let limit = limit - slots * size_of::<Slot>();
        let mut memory = ScriptMemory { slots: vec![[0; 2]; slots], texts: Vec::new(), limit };
        memory.grow(STEP);
        memory
    }
}

impl ScriptMemory {
    /// Bytes of the heap.
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.texts.capacity()
    }
}

impl Memory for ScriptMemory {
    #[inline]
    fn parts(&mut self) -> (&mut [Slot], &mut [u8]) {
        (&mut self.slots, &mut self.texts)
    }

    #[cold]
    fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.max(STEP).min(self.limit - self.texts.len());
        if more == 0 || self.texts.try_reserve_exact(more).is_err() {
            return false;
        }
        self.texts.resize(self.texts.len() + more, 0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_limit_and_keeps_what_it_holds() {
        let mut memory = ScriptMemory::new(8, 400);
        let most = 400 - 8 * size_of::<Slot>();
        assert_eq!((memory.parts().0.len(), memory.parts().1.len()), (8, STEP));
        memory.parts().1.fill(7);
        assert!(memory.grow(1));
        assert_eq!(memory.parts().1.len(), 2 * STEP);
        assert!(memory.grow(1000));
        assert_eq!(memory.parts().1.len(), most);
        assert!(!memory.grow(1));
        assert_eq!(memory.parts().1.iter().filter(|byte| **byte == 7).count(), STEP);
    }

    #[test]
    fn has_no_more_slots_than_its_limit_allows() {
        let mut memory = ScriptMemory::new(100, 400);
        assert_eq!((memory.parts().0.len(), memory.parts().1.len()), (50, 0));
    }
}
