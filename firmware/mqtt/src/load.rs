//! How much waits for a client, and how much may.

/// How much waits, or may wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Load {
    pub(crate) fn half(self) -> Load {
        Load { messages: self.messages / 2, bytes: self.bytes / 2 }
    }

    pub(crate) fn plus(self, other: Load) -> Load {
        Load { messages: self.messages + other.messages, bytes: self.bytes + other.bytes }
    }

    /// Whether a message of `len` bytes more stays within a limit; one always does where nothing
    /// waits.
    pub(crate) fn takes(self, len: usize, max: Load) -> bool {
        self.messages == 0
            || self.messages < max.messages && self.bytes.saturating_add(len) <= max.bytes
    }
}
