//! Steps are put off when the heap has not what they may need.

use umqtt_net::{Duration, Instant};

/// Milliseconds after which a step that was put off is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(20);
/// A wait for memory: steps that are put off, and since when.
#[derive(Debug, Default)]
pub(super) struct MemoryPressure {
    /// A step was put off in this poll for want of memory.
    deferred: bool,
    /// Since when no step has found memory: the lower half of the time.
    pub(super) starved_since: Option<u32>,
    /// When a client gave way for that last: the lower half of the time.
    pub(super) relieved_at: Option<u32>,
    /// What the network had refused when it was looked at last.
    pub(super) network_refused: u32,
    /// Answers to nothing that was asked, while names were looked up.
    pub(super) refused_answers: u32,
}

impl MemoryPressure {
    /// A poll begins.
    pub(super) fn begin(&mut self) {
        self.deferred = false;
    }

    /// A step found its memory.
    pub(super) fn note_margin(&mut self) {
        self.starved_since = None;
    }

    /// A step found no memory, and is put off.
    pub(super) fn note_no_margin(&mut self, now: Instant) {
        self.starved_since.get_or_insert(now.as_millis() as u32);
        self.deferred = true;
    }

    /// A step is put off, for another reason than its margin.
    pub(super) fn defer_step(&mut self) {
        self.deferred = true;
    }

    /// Whether a step was put off in this poll.
    pub(super) fn is_step_deferred(&self) -> bool {
        self.deferred
    }
}
