//! Messages of QoS 1 and 2 that are held back: neither acknowledged nor dropped while the queue of
//! a subscriber that is connected has no room for them.

use super::Broker;
use crate::Instant;
use crate::message::Publication;
use crate::queue;
use crate::subscriptions::{LOCAL, Subscriber};
use crate::wire::{Publish, QoS};

/// Milliseconds for which messages are held back for those who show no sign of life, however many
/// these are. The device may have had the publisher wait for a second already, for want of memory:
/// both together stay well below the two seconds in which everybody is answered.
const HOLD: u32 = 500;
/// Milliseconds in which a client that has sent something may be reading: longer than what others
/// hold up.
const LATELY: u32 = 2 * HOLD;

/// Since when messages are held back, or would be, and when that was last: the lower half of the
/// time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hold {
    since: u32,
    last: Option<u32>,
}

impl Hold {
    /// A message wants to wait: whether it has not been too long.
    fn admits(&mut self, now: Instant) -> bool {
        let now = now.as_millis() as u32;
        if self.last.replace(now).is_none_or(|last| now.wrapping_sub(last) > HOLD) {
            self.since = now;
        }
        now.wrapping_sub(self.since) <= HOLD
    }
}

impl Broker {
    /// Whether a message is to wait for one of its subscribers. A client's messages to itself do
    /// not: its acknowledgements would come behind them.
    #[inline(never)]
    pub(super) fn holds(
        &mut self,
        publish: &Publish<'_>,
        source: Option<u32>,
        now: Instant,
    ) -> bool {
        let (topic, payload) = (publish.topic, publish.payload);
        let Some(targets) = self.subscriptions.matching(topic) else { return false };
        let len = Publication::len_of(topic, payload).unwrap_or(0);
        let is_short = !self.has_memory_for(topic, payload, targets);
        // What a queue may take once the message is there.
        let share = self.memory_left().saturating_sub(Publication::cost_of(len)) / 2;
        let mut holds = false;
        for number in 0..targets {
            let Some(target) = self.subscriptions.found(number) else { break };
            // Not for a group, which has none: it is not known whose the message would be.
            let waits = target.qos() > QoS::AtMostOnce && source != Some(target.session());
            if waits && self.is_full(target, len, share, is_short) {
                holds |= self.waits_for(target.session(), now);
            }
        }
        (self.holding, self.has_held) = (holds, self.has_held || holds);
        holds
    }

    /// Whether a message waits for a client whose queue is full.
    fn waits_for(&mut self, key: u32, now: Instant) -> bool {
        let Some(session) = self.sessions.get_mut(key) else { return false };
        let Some(slot) = session.connection() else { return false };
        let may = session.inflight_if_any().is_some_and(|inflight| inflight.may_hold(now));
        let connection = self.connections.get(slot);
        may && (self.hold.admits(now) || connection.is_some_and(|c| c.heard_within(LATELY, now)))
    }

    /// Whether a subscriber is connected and would lose a message for want of room.
    fn is_full(&self, target: Subscriber, len: usize, share: usize, is_short: bool) -> bool {
        if target.session() == LOCAL {
            return false;
        }
        let session = self.sessions.get(target.session());
        let connection =
            session.and_then(|session| self.connections.get(session.connection()?)).zip(session);
        connection.is_some_and(|(connection, session)| {
            is_short || queue::is_full(session, &connection.outbox, len, &self.limits, share)
        })
    }

    /// A client has taken or acknowledged something: what waits for it may be tried again.
    #[inline]
    pub(super) fn note_moved(&mut self, key: u32) {
        if self.has_held {
            self.look_whether_moved(key);
        }
    }

    #[cold]
    #[inline(never)]
    fn look_whether_moved(&mut self, key: u32) {
        let half = self.limits.max_queue(self.share()).half();
        let Some(session) = self.sessions.get_mut(key) else { return };
        let Some(slot) = session.connection() else { return };
        let Some(connection) = self.connections.get(slot) else { return };
        let waiting = connection.outbox.queued().plus(session.waiting());
        let Some(inflight) = session.inflight_if_any() else { return };
        if inflight.was_full() {
            self.holding = false;
            if waiting.is_within(half) {
                inflight.end_hold();
            }
        }
    }
}
