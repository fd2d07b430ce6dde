//! The calls of subs that are not over: where to go on behind each.

use crate::isa::MAX_CALL_DEPTH;

/// See the module. Empty while no handler runs.
#[derive(Debug, Default)]
pub(super) struct CallStack {
    /// Words of the image.
    back: [u16; MAX_CALL_DEPTH as usize],
    depth: u8,
}

impl CallStack {
    /// None if there are as many as there may be; the verifier has seen to it that there are not.
    pub(super) fn push(&mut self, back: usize) -> Option<()> {
        *self.back.get_mut(usize::from(self.depth))? = u16::try_from(back).ok()?;
        self.depth += 1;
        Some(())
    }

    pub(super) fn pop(&mut self) -> Option<usize> {
        self.depth = self.depth.checked_sub(1)?;
        self.back.get(usize::from(self.depth)).copied().map(usize::from)
    }

    /// The handler was stopped.
    pub(super) fn clear(&mut self) {
        self.depth = 0;
    }
}
