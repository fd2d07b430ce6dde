//! How much waits for a client, and how much may.

#[cfg(feature = "client")]
use crate::delivery::Delivery;
#[cfg(feature = "client")]
use crate::message::Publication;

/// What a message takes beside its packet: a short one many times its length.
#[cfg(feature = "client")]
const BESIDE: usize = Publication::cost_of(0) + crate::memory::BLOCK + size_of::<Delivery>();

/// How much waits, or may wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueueSize {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl QueueSize {
    pub(crate) fn half(self) -> QueueSize {
        QueueSize { messages: self.messages / 2, bytes: self.bytes / 2 }
    }

    pub(crate) fn plus(self, other: QueueSize) -> QueueSize {
        QueueSize {
            messages: self.messages + other.messages,
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// Whether it is no more than another.
    pub(crate) fn is_within(self, max: QueueSize) -> bool {
        self.messages <= max.messages && self.bytes <= max.bytes
    }

    /// Bytes of memory, those that several queues share counted in each.
    #[cfg(feature = "client")]
    pub(crate) fn memory(self) -> usize {
        self.bytes.saturating_add(self.messages.saturating_mul(BESIDE))
    }

    /// Whether a message of `len` bytes more stays within so many bytes of memory; one always does
    /// where nothing waits.
    #[cfg(feature = "client")]
    pub(crate) fn has_memory(self, len: usize, max: usize) -> bool {
        self.messages == 0 || self.plus(QueueSize { messages: 1, bytes: len }).memory() <= max
    }

    /// Whether a message of `len` bytes more stays within a limit; one always does where nothing
    /// waits.
    pub(crate) fn takes(self, len: usize, max: QueueSize) -> bool {
        self.messages == 0
            || self.messages < max.messages && self.bytes.saturating_add(len) <= max.bytes
    }
}
