//! What waits for one client: in the outbox of its connection and in its session, under the same
//! two limits.
//!
//! When they are reached, the oldest messages of QoS 0 make room: they promise nothing, and what is
//! new is worth more than what is old. Where none is left, the newcomer is dropped. Either is
//! counted ([`Stats::messages_dropped`](crate::Stats::messages_dropped)).

use crate::Limits;
use crate::delivery::Delivery;
use crate::delivery_options::DeliveryOptions;
use crate::inflight::QueueKind;
use crate::message::Publication;
use crate::outbox::Outbox;
use crate::session::Session;
use crate::wire::QoS;

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
    how: DeliveryOptions,
    limits: &Limits,
    share: usize,
) -> Outcome {
    let (len, max) = (message.packet().len(), limits.max_queue(share));
    let (waiting, mut dropped) = (session.waiting(), 0);
    while !outbox.queued().plus(waiting).takes(len, max) {
        // What would stay if all that promises nothing went.
        let firm = outbox.queued().bytes + waiting.bytes - outbox.qos0_bytes();
        if firm > 0 && firm.saturating_add(len) > max.bytes || !outbox.drop_oldest() {
            return Outcome::refused(dropped);
        }
        dropped += 1;
    }
    if !outbox.make_room() {
        return Outcome::refused(dropped);
    }
    if how.qos == QoS::AtMostOnce {
        outbox.push(Delivery::new(message.clone(), how.qos, 0, how.origin.retain()));
    } else {
        let sends = waiting.messages == 0 && session.inflight_may_send(limits.max_inflight);
        let kind = if sends { QueueKind::Inflight } else { QueueKind::Waiting };
        let Some(inflight) = session.room_for(kind) else { return Outcome::refused(dropped) };
        if sends {
            inflight.send(message.clone(), how, outbox);
        } else {
            inflight.wait(message.clone(), how, usize::MAX);
        }
    }
    Outcome { queued: true, dropped }
}

/// Queues a message for a client that is offline.
pub(crate) fn offline(
    session: &mut Session,
    message: &Publication,
    how: DeliveryOptions,
    limits: &Limits,
    share: usize,
) -> Outcome {
    let is_qos0 = how.qos == QoS::AtMostOnce;
    let mut dropped = 0;
    if is_qos0 && limits.max_offline_qos0 == 0 {
        return Outcome { queued: false, dropped }; // it was never promised one
    }
    let (len, max) = (message.packet().len(), limits.max_queue(share));
    let kind = if is_qos0 { QueueKind::Qos0 } else { QueueKind::Waiting };
    let Some(inflight) = session.room_for(kind) else { return Outcome::refused(dropped) };
    let firm = inflight.queued().bytes - inflight.qos0().bytes;
    if firm > 0 && firm.saturating_add(len) > max.bytes {
        return Outcome::refused(dropped);
    }
    while is_qos0 && inflight.qos0().messages >= limits.max_offline_qos0
        || !inflight.queued().takes(len, max)
    {
        if !inflight.drop_oldest() {
            return Outcome::refused(dropped);
        }
        dropped += 1;
    }
    if is_qos0 {
        inflight.push_qos0(message.clone());
    } else {
        inflight.wait(message.clone(), how, usize::MAX);
    }
    Outcome { queued: true, dropped }
}

/// Whether [`connected`] would lose a message of QoS 1 or 2 for want of room.
pub(crate) fn is_full(
    session: &Session,
    outbox: &Outbox,
    len: usize,
    limits: &Limits,
    share: usize,
) -> bool {
    let (waiting, max) = (session.waiting(), limits.max_queue(share));
    let firm = outbox.queued().bytes + waiting.bytes - outbox.qos0_bytes();
    let is_too_long = firm > 0 && firm.saturating_add(len) > max.bytes;
    !outbox.queued().plus(waiting).takes(len, max) && (is_too_long || !outbox.has_droppable())
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
    sends && outbox.queued().takes(len, limits.max_queue(share))
}
