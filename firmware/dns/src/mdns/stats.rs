//! What a responder counts.

/// What came and what was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MdnsStats {
    /// Messages sent to the group.
    pub multicasts: u32,
    /// Messages sent to one who asked.
    pub unicasts: u32,
    /// Times that another host had the name, or got it.
    pub conflicts: u32,
    /// What was no message, or came from elsewhere than the link.
    pub ignored: u32,
    /// Answers that were not given because there were too many.
    pub refused: u32,
}

pub(super) fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
