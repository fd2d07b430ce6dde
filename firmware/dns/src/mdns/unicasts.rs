//! Answers by unicast that wait to be sent, and their rate limit.

use heapless::Vec;
use umqtt_net::Instant;

use super::messages::Unicast;

/// Answers by unicast that wait to be sent.
pub const UNICAST_REPLIES: usize = 4;
/// Rate limit: answers by unicast in a second; more are not given.
pub const UNICASTS_PER_SECOND: u8 = 20;

/// The answers that wait.
#[derive(Clone, Debug)]
pub(super) struct Unicasts {
    waiting: Vec<Unicast, UNICAST_REPLIES>,
    second: u64,
    in_second: u8,
}

impl Unicasts {
    pub(super) const fn new() -> Unicasts {
        Unicasts { waiting: Vec::new(), second: 0, in_second: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds an answer; false if there are too many.
    pub(super) fn push(&mut self, unicast: Unicast, now: Instant) -> bool {
        let second = now.as_millis() / 1000;
        if second != self.second {
            (self.second, self.in_second) = (second, 0);
        }
        let takes = self.in_second < UNICASTS_PER_SECOND && self.waiting.push(unicast).is_ok();
        self.in_second += u8::from(takes);
        takes
    }

    /// The one that has waited longest.
    pub(super) fn pop(&mut self) -> Option<Unicast> {
        (!self.waiting.is_empty()).then(|| self.waiting.remove(0))
    }
}
