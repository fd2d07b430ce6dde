//! The memory compiling may take: before each step it is asked whether there is room for all the
//! step can allocate, and where there is not, compiling ends instead of failing in the middle. What
//! is allocated in small pieces is asked for as such: a heap that was in use for long has hardly
//! another kind of room.

use alloc::vec::Vec;
use core::cell::Cell;

/// Most bytes a token adds to the tree of its action: an operator begins a chain and its list, a
/// function a call.
pub(crate) const TOKEN: usize = if size_of::<usize>() > 4 { 160 } else { 96 };
/// Asked for at once, for the tokens to come.
const AHEAD: usize = 6 * TOKEN;
/// Bytes a list grows by at least.
const LEAST: usize = 64;
/// What is asked for in pieces is allocated in blocks of at most so many bytes.
pub const PIECE: usize = 64 * size_of::<usize>();

/// Whether there is a block of so many bytes, and beside it so many bytes in pieces of at most
/// [`PIECE`].
pub type Room<'r> = dyn Fn(usize, usize) -> bool + 'r;

/// What a step may allocate.
#[derive(Clone, Copy, Default)]
pub(crate) struct StepMemory {
    /// In one block.
    block: usize,
    pieces: usize,
}

impl StepMemory {
    const NONE: StepMemory = StepMemory { block: 0, pieces: 0 };

    /// So many bytes, of which no allocation is larger than `largest`.
    pub(crate) fn new(bytes: usize, largest: usize) -> StepMemory {
        if largest <= PIECE {
            StepMemory { block: 0, pieces: bytes }
        } else {
            StepMemory { block: bytes, pieces: 0 }
        }
    }

    fn bytes(self) -> usize {
        self.block + self.pieces
    }
}

/// See the module. Shared by all that allocate.
pub(crate) struct MemoryBudget<'r> {
    ask: Option<&'r Room<'r>>,
    /// What of the last [`AHEAD`] is not accounted for.
    ahead: Cell<usize>,
    /// What was refused first.
    refused: Cell<Option<usize>>,
    /// Tokens since they were last taken.
    tokens: Cell<usize>,
}

impl<'r> MemoryBudget<'r> {
    /// Asks `ask`; `None`: there is always room.
    pub(crate) fn new(ask: Option<&'r Room<'r>>) -> MemoryBudget<'r> {
        MemoryBudget { ask, ahead: Cell::new(0), refused: Cell::new(None), tokens: Cell::new(0) }
    }

    /// What was asked for ahead may be part of it; only the token at hand can still count on that.
    fn asks(&self, block: usize, step: StepMemory) -> bool {
        self.ahead.set(0);
        self.ask.is_none_or(|ask| ask(block + step.block, step.pieces + TOKEN))
    }

    /// Whether so many bytes can be had together, in one allocation or several.
    pub(crate) fn has(&self, bytes: usize) -> bool {
        self.has_step(StepMemory { block: bytes, pieces: 0 })
    }

    /// The same in a step that may allocate that besides.
    pub(crate) fn has_beside(&self, bytes: usize, step: StepMemory) -> bool {
        self.has_step(StepMemory { block: bytes + step.block, ..step })
    }

    /// Whether there is room for a step.
    pub(crate) fn has_step(&self, step: StepMemory) -> bool {
        if self.refused.get().is_some() {
            return false;
        }
        let has = self.asks(0, step);
        if !has {
            self.refused.set(Some(step.bytes() + TOKEN));
        }
        has
    }

    /// Whether there is room for what a token of so many bytes adds to the tree of its action, and
    /// for what it means.
    pub(crate) fn has_token(&self, len: usize) -> bool {
        self.tokens.set(self.tokens.get() + 1);
        let bytes = TOKEN + len;
        match self.ahead.get().checked_sub(bytes) {
            Some(left) => {
                self.ahead.set(left);
                self.refused.get().is_none()
            }
            None => {
                let has = self.has_step(StepMemory::new(AHEAD + len, len));
                self.ahead.set(AHEAD - TOKEN);
                has
            }
        }
    }

    /// How many tokens there were since this was last asked.
    pub(crate) fn take_tokens(&self) -> usize {
        self.tokens.replace(0)
    }

    /// What was refused first, bytes.
    pub(crate) fn refused(&self) -> Option<usize> {
        self.refused.get()
    }

    /// Makes room for so many more elements; false if there is none.
    #[inline]
    pub(crate) fn grow<T>(&self, list: &mut Vec<T>, more: usize) -> bool {
        if list.capacity() - list.len() >= more {
            return self.refused.get().is_none();
        }
        self.grow_to(list, more, StepMemory::NONE)
    }

    /// The same in a step that may allocate that besides.
    #[inline]
    pub(crate) fn grow_beside<T>(&self, list: &mut Vec<T>, more: usize, step: StepMemory) -> bool {
        if list.capacity() - list.len() >= more {
            return self.refused.get().is_none();
        }
        self.grow_to(list, more, step)
    }

    #[cold]
    #[inline(never)]
    fn grow_to<T>(&self, list: &mut Vec<T>, more: usize, step: StepMemory) -> bool {
        if self.refused.get().is_some() {
            return false;
        }
        // Not by doubling: what one list has for nothing, another one lacks.
        let least = (LEAST / size_of::<T>().max(1)).max(list.len() / 4);
        let bytes = |more: usize| (list.len() + more).saturating_mul(size_of::<T>());
        let (wanted, needed) = (bytes(more.max(least)), bytes(more));
        let grown = self.asks(wanted, step) && list.try_reserve_exact(more.max(least)).is_ok()
            || self.asks(needed, step) && list.try_reserve_exact(more).is_ok();
        if !grown {
            self.refused.set(Some(needed + step.bytes() + TOKEN));
        }
        grown
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::cell::Cell;

    use super::{MemoryBudget, TOKEN};

    #[test]
    fn what_was_refused_once_stays_refused() {
        let free = Cell::new(100);
        let ask = |block, pieces| block + pieces <= free.get() + TOKEN;
        let budget = MemoryBudget::new(Some(&ask));
        assert!(budget.has(100));
        assert_eq!(budget.refused(), None);
        assert!(!budget.has(101));
        free.set(1_000_000);
        assert!(!budget.has(1) && !budget.has_token(1));
        assert_eq!(budget.refused(), Some(101 + TOKEN));
        let mut list: Vec<u32> = Vec::new();
        assert!(!budget.grow(&mut list, 1));
    }

    #[test]
    fn a_list_takes_what_it_needs_where_more_is_not_to_be_had() {
        let ask = |block, pieces| block + pieces <= 40 + TOKEN;
        let budget = MemoryBudget::new(Some(&ask));
        let mut list: Vec<u32> = Vec::new();
        assert!(budget.grow(&mut list, 3));
        assert_eq!(list.capacity(), 3);
        assert!(!budget.grow(&mut list, 11));
        assert_eq!(budget.refused(), Some(44 + TOKEN));
    }
}
