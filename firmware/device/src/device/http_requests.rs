//! HTTP requests of the script that wait for their turn.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::{try_push_back, try_to_vec};

/// Requests that wait at most.
const MAX_REQUESTS: usize = 8;

/// The part of the share that requests may take whatever the one under way, or its answer, holds:
/// so that a request of an ordinary length waits for its turn.
const WAITING_PART: usize = 4;

/// A request: URL, and body of a POST. `None` for one that there was no memory for.
type Waiting = Option<(Vec<u8>, Option<Vec<u8>>)>;

/// The requests.
#[derive(Debug, Default)]
pub(super) struct HttpRequests(VecDeque<Waiting>);

impl HttpRequests {
    /// Whether there is room for another one.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < MAX_REQUESTS
    }

    /// Whether so many bytes more are within what requests may always take of a share.
    pub(super) fn may_always_wait(&self, more: usize, share: usize) -> bool {
        self.memory() + more <= share / WAITING_PART
    }

    /// Queues a request; false if there is no memory for it.
    pub(super) fn push(&mut self, url: &[u8], body: Option<&[u8]>) -> bool {
        let body = match body {
            Some(bytes) => try_to_vec(bytes).map(Some),
            None => Some(None),
        };
        let request = try_to_vec(url).zip(body);
        request.is_some_and(|request| try_push_back(&mut self.0, Some(request)).is_ok())
    }

    /// Queues what is left of a request that there was no memory for: its answer, in its turn.
    pub(super) fn push_refused(&mut self) -> bool {
        try_push_back(&mut self.0, None).is_ok()
    }

    /// The next one.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        self.0.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        let body = |body: &Option<Vec<u8>>| body.as_ref().map_or(0, Vec::capacity);
        self.0.iter().flatten().map(|(url, post)| url.capacity() + body(post)).sum()
    }
}
