//! HTTP requests of the script that wait for their turn.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::{try_push_back, try_to_vec};

/// Requests that wait at most.
const MAX_REQUESTS: usize = 8;

/// The requests: URL, and body of a POST.
#[derive(Debug, Default)]
pub(super) struct HttpRequests(VecDeque<(Vec<u8>, Option<Vec<u8>>)>);

impl HttpRequests {
    /// Whether there is room for another one.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < MAX_REQUESTS
    }

    /// Queues a request; false if there is no memory for it.
    pub(super) fn push(&mut self, url: &[u8], body: Option<&[u8]>) -> bool {
        let body = match body {
            Some(bytes) => try_to_vec(bytes).map(Some),
            None => Some(None),
        };
        let request = try_to_vec(url).zip(body);
        request.is_some_and(|request| try_push_back(&mut self.0, request).is_ok())
    }

    /// The next one.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
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
        self.0.iter().map(|(url, post)| url.capacity() + body(post)).sum()
    }
}
