//! The memory a script computes in: as little as it needs, up to what its profile and its budget
//! allow.

use alloc::vec;
use alloc::vec::Vec;

use umqtt_memory::try_room_exact;
use umqtt_vm::{Memory, Slot};

/// Bytes for strings at the start, and the least that is added at once.
const STEP: usize = 128;

/// Memory whose strings get more room when a script needs it, never beyond its limit; if the heap
/// has none left, not even that far.
pub(super) struct ScriptMemory {
    slots: Vec<Slot>,
    strings: Vec<u8>,
    /// Most bytes of strings.
    limit: usize,
    /// Most bytes of strings now: less than `limit` while the queue holds what they could have.
    available: usize,
}

impl ScriptMemory {
    /// Bytes that [`ScriptMemory::new`] allocates.
    pub(super) fn takes(slots: usize, limit: usize) -> usize {
        slots.min(limit / size_of::<Slot>()) * size_of::<Slot>() + STEP
    }

    /// Memory of so many slots and a few strings; at most `limit` bytes. Slots the limit has no
    /// room for are not there.
    pub(super) fn new(slots: usize, limit: usize) -> ScriptMemory {
        let slots = slots.min(limit / size_of::<Slot>());
        let limit = limit - slots * size_of::<Slot>();
        let (slots, strings) = (vec![[0; 2]; slots], Vec::new());
        let mut memory = ScriptMemory { slots, strings, limit, available: limit };
        memory.grow(STEP);
        memory
    }
}

impl ScriptMemory {
    /// Bytes of the heap.
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.strings.capacity()
    }

    /// Lets it grow to so many bytes in all, and never beyond its limit.
    pub(super) fn set_available(&mut self, bytes: usize) {
        let strings = bytes.saturating_sub(self.slots.capacity() * size_of::<Slot>());
        self.available = strings.min(self.limit);
    }
}

impl Memory for ScriptMemory {
    #[inline]
    fn parts(&mut self) -> (&mut [Slot], &mut [u8]) {
        (&mut self.slots, &mut self.strings)
    }

    #[cold]
    fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.max(STEP).min(self.available.saturating_sub(self.strings.len()));
        if more == 0 || !try_room_exact(&mut self.strings, more) {
            return false;
        }
        self.strings.resize(self.strings.len() + more, 0);
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
    fn grows_no_further_than_it_may_now() {
        let mut memory = ScriptMemory::new(8, 4000);
        let slots = 8 * size_of::<Slot>();
        for (available, strings) in [(slots + STEP, STEP), (slots + 300, 300), (0, 300)] {
            memory.set_available(available);
            memory.grow(1000);
            assert_eq!(memory.parts().1.len(), strings);
        }
        memory.set_available(usize::MAX);
        assert!(memory.grow(4000));
        assert_eq!(memory.capacity(), 4000);
    }

    #[test]
    fn has_no_more_slots_than_its_limit_allows() {
        let mut memory = ScriptMemory::new(100, 400);
        assert_eq!((memory.parts().0.len(), memory.parts().1.len()), (50, 0));
    }
}
