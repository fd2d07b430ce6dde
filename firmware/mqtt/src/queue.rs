//! What waits for one client: in the outbox of its connection and in its session, under the same
//! two limits.
//!
//! When they are reached, the oldest messages of QoS 0 make room: they promise nothing, and what is
//! new is worth more than what is old. Where none is left, the newcomer is the one to go.

use crate::Limits;
use crate::message::Publication;
use crate::outbox::{Delivery, Outbox};
use crate::session::{Entry, Session};
use crate::wire::QoS;

/// How a message is delivered to a client. Two values, which go in two registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handling {
    pub(crate) qos: QoS,
    pub(crate) mark: Mark,
}

impl Handling {
    pub(crate) fn new(qos: QoS, retain: bool) -> Handling {
        Handling { qos, mark: Mark::of(retain) }
    }
}

/// Whether a message has the retain flag, and by which group of those who share a subscription it
/// came, in two bytes: so what is in flight takes no more memory for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(u16);

impl Mark {
    const RETAIN: u16 = 1 << 15;

    /// Of a message that came by no group.
    pub(crate) fn of(retain: bool) -> Mark {
        Mark(if retain { Mark::RETAIN } else { 0 })
    }

    /// Of a message that came by a group, as [`group_tag`](crate::subscriptions::group_tag) has it;
    /// 0 for none.
    pub(crate) fn of_group(tag: u16) -> Mark {
        Mark(tag & !Mark::RETAIN)
    }

    pub(crate) fn retain(self) -> bool {
        self.0 & Mark::RETAIN != 0
    }

    pub(crate) fn group(self) -> u16 {
        self.0 & !Mark::RETAIN
    }
}

/// How much waits, or may wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Load {
    /// What may wait for one client when it may take no more than `share` bytes.
    pub(crate) fn limit(limits: &Limits, share: usize) -> Load {
        Load { messages: limits.max_queue_messages, bytes: limits.max_queue_bytes.min(share) }
    }

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

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) queued: bool,
    /// Messages lost by it: older ones that made room, or itself.
    pub(crate) dropped: u64,
}

impl Outcome {
    fn refused(dropped: u64) -> Outcome {
        Outcome { queued: false, dropped: dropped + 1 }
    }
}

/// Queues a message for a client that is connected.
pub(crate) fn connected(
    session: &mut Session,
    outbox: &mut Outbox,
    message: &Publication,
    how: Handling,
    limits: &Limits,
    share: usize,
) -> Outcome {
    let (len, max) = (message.packet().len(), Load::limit(limits, share));
    let (waiting, mut dropped) = (session.waiting(), 0);
    while !outbox.load().plus(waiting).takes(len, max) {
        // What would stay if all that promises nothing went.
        let firm = outbox.load().bytes + waiting.bytes - outbox.loose_bytes();
        if firm > 0 && firm.saturating_add(len) > max.bytes || !outbox.drop_oldest() {
            return Outcome::refused(dropped);
        }
        dropped += 1;
    }
    if !outbox.make_room() {
        return Outcome::refused(dropped);
    }
    if how.qos == QoS::AtMostOnce {
        outbox.push(Delivery::new(message.clone(), how.qos, 0, how.mark.retain()));
    } else {
        let sends = waiting.messages == 0 && session.inflight_may_send(limits.max_inflight);
        let entry = if sends { Entry::Inflight } else { Entry::Waiting };
        let Some(inflight) = session.room_for(entry) else { return Outcome::refused(dropped) };
        if sends {
            inflight.send(message.clone(), how, outbox);
        } else {
            inflight.wait(message.clone(), how, usize::MAX);
        }
    }
    Outcome { queued: true, dropped }
}

/// Queues a message for a client that is away.
pub(crate) fn away(
    session: &mut Session,
    message: &Publication,
    how: Handling,
    limits: &Limits,
    share: usize,
) -> Outcome {
    let is_qos0 = how.qos == QoS::AtMostOnce;
    let mut dropped = 0;
    if is_qos0 && limits.max_away_qos0 == 0 {
        return Outcome { queued: false, dropped }; // it was never promised one
    }
    let (len, max) = (message.packet().len(), Load::limit(limits, share));
    let entry = if is_qos0 { Entry::Qos0 } else { Entry::Waiting };
    let Some(inflight) = session.room_for(entry) else { return Outcome::refused(dropped) };
    let firm = inflight.load().bytes - inflight.qos0().bytes;
    if firm > 0 && firm.saturating_add(len) > max.bytes {
        return Outcome::refused(dropped);
    }
    while is_qos0 && inflight.qos0().messages >= limits.max_away_qos0
        || !inflight.load().takes(len, max)
    {
        if !inflight.drop_oldest() {
            return Outcome::refused(dropped);
        }
        dropped += 1;
    }
    if is_qos0 {
        inflight.keep_loose(message.clone());
    } else {
        inflight.wait(message.clone(), how, usize::MAX);
    }
    Outcome { queued: true, dropped }
}

/// Whether a client that is connected would be sent a message soon: it waits for no acknowledgement
/// of others.
pub(crate) fn is_ready(
    session: &Session,
    outbox: &Outbox,
    (len, qos): (usize, QoS),
    limits: &Limits,
    share: usize,
) -> bool {
    let sends = qos == QoS::AtMostOnce || session.may_send(limits.max_inflight);
    sends && outbox.load().takes(len, Load::limit(limits, share))
}
