//! A message finds its subscribers; subscriptions come and go.

use umqtt_memory::{STEP_MARGIN, reserve};

use super::Broker;
use super::connections::note;
use super::local::SubscribeError;
use crate::arena::PIECE;
use crate::delivery_options::DeliveryOptions;
use crate::message::{Message, Publication};
use crate::queue;
use crate::retained::{Replay, ReplayStep, end_replay};
use crate::subscriptions::{FEW, LOCAL, Subscriber, Subscriptions, is_shared};
use crate::wire::QoS;

/// Bytes that a retained message may add to the tree they are in: a node splits, and the one above
/// it.
const NODE: usize = 2 * (11 * (size_of::<Publication>() + 1) + 15 * size_of::<usize>());
/// Bytes of the list of those that wait to look at more, at most.
const SCANNING: usize = 512;
/// Bytes of the list of what a subscriber is still to get, at most.
const REPLAYS: usize = 11 * (size_of::<Replay>() + 4) + 12 * size_of::<usize>();

/// A retained message was delivered, but there was no room to keep it.
#[derive(Debug)]
pub(super) struct NotKept;

impl Broker {
    /// A message from a client, whose session is `source`. The topics of the broker itself are not
    /// for clients to publish to.
    pub(super) fn publish_from_client(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        how: (QoS, bool),
        source: Option<u32>,
    ) {
        if crate::retained::is_own(topic) {
            self.stats.messages_received += 1;
            self.stats.messages_denied += 1;
            return;
        }
        // A client has no way to learn that its message was not kept; it is counted.
        let _ = self.route(topic, payload, how, source);
    }

    /// Keeps a message if it is to be retained, and queues it for all its subscribers. Encodes it
    /// once, and not at all if it has no subscriber.
    pub(super) fn route(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        (qos, retain): (QoS, bool),
        source: Option<u32>,
    ) -> Result<(), NotKept> {
        self.stats.messages_received += 1;
        let mut message = None;
        let mut kept = Ok(());
        if retain && payload.is_empty() {
            self.remove_retained(topic); // [MQTT-3.3.1-10]
        } else if retain {
            kept = self.keep_retained(topic, payload, qos, &mut message);
            if kept.is_err() {
                self.remove_retained(topic); // no message is better than one that is not the last ([MQTT-3.3.1-7])
            }
        }
        let targets = self.subscriptions.matching(topic).unwrap_or_else(|| {
            self.stats.out_of_memory += 1;
            self.stats.messages_dropped += 1;
            0
        });
        if targets > 0
            && message.is_none()
            && self.has_memory_for(topic, payload, targets)
            && self.may_allocate(Publication::own_block())
        {
            message = Publication::counted(topic, payload, &self.store);
        }
        if let Some(message) = &message {
            let share = self.share();
            for number in 0..targets {
                let Some(target) = self.subscriptions.found(number) else { break };
                if let Some(granted) = target.plain_qos() {
                    let how = DeliveryOptions::new(qos.min(granted), false);
                    self.deliver(target.session(), message, how, share);
                } else {
                    self.deliver_special(target, message, (qos, retain), source, share);
                }
            }
        } else {
            self.stats.messages_dropped += targets as u64;
        }
        kept
    }

    pub(super) fn keep_retained(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        qos: QoS,
        message: &mut Option<Publication>,
    ) -> Result<(), NotKept> {
        let len = Publication::len_of(topic, payload).unwrap_or(0);
        let revision = self.retained.revision();
        if self.has_memory_to_keep(Publication::cost_of(len))
            && !self.journal.is_full()
            && self.may_allocate(Publication::own_block() + NODE)
        {
            *message = Publication::counted(topic, payload, &self.store);
            if let Some(new) = message
                && self.retained.set(new.clone(), qos, &self.limits).is_ok()
            {
                if !crate::retained::is_own(topic) {
                    let changed = self.retained.revision() != revision;
                    self.journal.retained(new, qos, changed);
                }
                return Ok(());
            }
        }
        self.stats.retained_refused += 1;
        Err(NotKept)
    }

    /// Queues a message for a bridge or a group.
    ///
    /// A bridge does not get back what it has published, or two brokers would send each other the
    /// same message for ever; and it learns whether a message is to be retained, so that the other
    /// broker can do the same.
    #[cold]
    #[inline(never)]
    fn deliver_special(
        &mut self,
        target: Subscriber,
        message: &Publication,
        (qos, retain): (QoS, bool),
        source: Option<u32>,
        share: usize,
    ) {
        if let Some(group) = target.as_group() {
            self.deliver_to_group(group, message, qos, share);
        } else if source != Some(target.session()) {
            let how = DeliveryOptions::new(qos.min(target.qos()), retain);
            self.deliver(target.session(), message, how, share);
        }
    }

    /// Forgets the retained message of a topic, if it has one.
    pub(super) fn remove_retained(&mut self, topic: &[u8]) {
        if self.retained.remove(topic) && !crate::retained::is_own(topic) {
            self.journal.retained_gone(topic);
        }
    }

    /// Queues a message for one subscriber, whose queue may take `share` bytes.
    pub(super) fn deliver(
        &mut self,
        target: u32,
        message: &Publication,
        how: DeliveryOptions,
        share: usize,
    ) {
        let qos = how.qos;
        if target == LOCAL {
            let retain = how.origin.retain();
            let publication = message.clone();
            return self.deliver_local(Message { publication, qos, retain }, share);
        }
        let Some(session) = self.sessions.get_mut(target) else { return };
        let slot = session.connection();
        let connection = slot.and_then(|slot| self.connections.get_mut(slot));
        let outcome = match (connection, slot) {
            (Some(connection), Some(slot)) => {
                let outbox = &mut connection.outbox;
                let outcome = queue::connected(session, outbox, message, how, &self.limits, share);
                if qos == QoS::ExactlyOnce {
                    self.journal.note_gate(slot, outbox.gate());
                }
                note(connection, slot, &mut self.writable, &mut self.shares);
                outcome
            }
            _ => queue::offline(session, message, how, &self.limits, share),
        };
        if qos > QoS::AtMostOnce || slot.is_none() {
            session.share.set(session.held(), &mut self.shares);
        }
        self.stats.messages_sent += u64::from(outcome.queued);
        self.stats.messages_dropped += outcome.dropped;
    }

    /// Moves on what waits for room: messages behind full flight windows, then retained ones.
    pub(super) fn pump(&mut self, key: u32) {
        let Some(session) = self.sessions.get_mut(key) else { return };
        let Some(slot) = session.connection() else { return };
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let (max_inflight, bytes) = (self.limits.max_inflight, self.limits.max_queue_bytes);
        if let Some(inflight) = session.inflight_if_any() {
            inflight.pump(&mut connection.outbox, max_inflight, bytes);
            session.share.set(session.held(), &mut self.shares);
            self.journal.note_gate(slot, connection.outbox.gate());
        }
        let share = self.share();
        while let Some((message, qos)) = self.next_replay(key, share) {
            let before = self.stats.messages_sent;
            self.deliver(key, &message, DeliveryOptions::new(qos, true), share);
            if crate::retained::is_own(message.topic()) {
                self.stats.internal_sent += self.stats.messages_sent - before;
            }
        }
        self.announce(slot);
    }

    /// The next retained message for a client that has room for it. Half of its queue is left to
    /// new messages.
    fn next_replay(&mut self, key: u32, share: usize) -> Option<(Publication, QoS)> {
        let half = self.limits.max_queue(share).half();
        let session = self.sessions.get_mut(key)?;
        if session.has_waiting() {
            return None;
        }
        let outbox = &self.connections.get(session.connection()?)?.outbox;
        while let Some(mut first) = session.replays.first_entry() {
            let replay = first.get_mut();
            let (message, qos) = match replay.next(&self.retained, &mut self.scans_left) {
                ReplayStep::Found(message, qos) => (message, qos),
                ReplayStep::Later => {
                    self.stats.scans_put_off += 1;
                    // Looked at again when its queue has room, if not before.
                    if reserve(SCANNING) {
                        self.scanning.insert(key);
                    }
                    return None;
                }
                ReplayStep::Done => {
                    let node = *first.key();
                    end_replay(&mut session.replays, node);
                    session.share.set(session.held(), &mut self.shares);
                    continue;
                }
            };
            if !outbox.queued().takes(message.packet().len(), half) {
                return None;
            }
            replay.advance(message.clone());
            return Some((message, qos));
        }
        None
    }

    /// Subscribes, and lines up the retained messages that match. What is granted is the quality of
    /// service asked for, but 0 where the limits leave no message in flight.
    pub(super) fn add_subscription(
        &mut self,
        subscriber: u32,
        filter: &[u8],
        wanted: QoS,
    ) -> Result<QoS, SubscribeError> {
        let mut checked = self.check_room(subscriber, filter);
        // Every level may be a node, in lists that grow by doubling.
        let needed = 3 * Subscriptions::held_with(filter) + PIECE + REPLAYS + filter.len();
        if checked.is_ok() && !self.heap_has(needed + STEP_MARGIN) {
            checked = Err(SubscribeError::NoMemory);
        }
        if let Err(why) = checked {
            self.stats.subscriptions_refused += 1;
            return Err(why);
        }
        let granted = if self.limits.max_inflight == 0 { QoS::AtMostOnce } else { wanted };
        self.stats.subscribed += 1;
        let (node, new) = self.subscriptions.subscribe(subscriber, filter, granted);
        let (nodes, replays) = match self.sessions.get_mut(subscriber) {
            Some(session) => (&mut session.subscriptions, &mut session.replays),
            None => (&mut self.local.subscriptions, &mut self.local.replays),
        };
        if new {
            nodes.push(node);
        }
        // None for those who share: each member that comes would get them all (MQTT 5 section
        // 4.8.2).
        if self.retained.len() > 0 && !is_shared(node) {
            replays.insert(node, Replay::new(filter, granted)); // [MQTT-3.8.4-3]
        }
        if let Some(session) = self.sessions.get(subscriber) {
            session.log.subscribed(filter, granted, false);
        }
        self.recount_session(subscriber);
        Ok(granted)
    }

    /// Marks a subscription as a bridge's.
    pub(super) fn mark_bridge(&mut self, subscriber: u32, filter: &[u8]) {
        if let Some(node) = self.subscriptions.find(filter).filter(|node| !is_shared(*node)) {
            self.subscriptions.mark_bridge(subscriber, node);
            if let Some(session) = self.sessions.get(subscriber) {
                let granted = self.subscriptions.granted(subscriber, node).unwrap_or_default();
                session.log.subscribed(filter, granted, true);
            }
        }
    }

    fn check_room(&self, subscriber: u32, filter: &[u8]) -> Result<(), SubscribeError> {
        let known = self.subscriptions.find(filter);
        if known.is_some_and(|node| self.subscriptions.granted(subscriber, node).is_some()) {
            return Ok(());
        }
        umqtt_topic::split_shared(filter)?;
        if filter.len() > self.limits.max_topic {
            return Err(SubscribeError::TooLong);
        }
        if filter.split(|b| *b == b'/').count() > self.limits.max_filter_levels {
            return Err(SubscribeError::TooDeep);
        }
        let own = self.sessions.get(subscriber).map(|session| &session.subscriptions);
        let own = own.unwrap_or(&self.local.subscriptions).len();
        if own >= self.limits.max_client_subscriptions
            || self.subscriptions.len() >= self.limits.max_subscriptions
        {
            return Err(SubscribeError::TooMany);
        }
        if known.is_none() && self.subscriptions.cost_with(filter) > self.limits.max_lookup {
            return Err(SubscribeError::TooCostly);
        }
        if !self.has_memory_to_keep(Subscriptions::held_with(filter)) {
            return Err(SubscribeError::NoMemory);
        }
        Ok(())
    }

    /// Ends a subscription; false if there was none.
    pub(super) fn remove_subscription(&mut self, subscriber: u32, filter: &[u8]) -> bool {
        let Some(node) = self.subscriptions.find(filter) else { return false };
        if !self.subscriptions.unsubscribe(subscriber, node) {
            return false;
        }
        let (nodes, replays) = match self.sessions.get_mut(subscriber) {
            Some(session) => (&mut session.subscriptions, &mut session.replays),
            None => (&mut self.local.subscriptions, &mut self.local.replays),
        };
        // Mostly they end in the order in which they were made, or the other way round.
        if nodes.last() == Some(&node) {
            nodes.pop();
        } else if let Some(place) = nodes.iter().position(|other| *other == node) {
            nodes.remove(place);
        }
        if nodes.len() <= FEW {
            nodes.shrink_to_fit();
        }
        end_replay(replays, node);
        if let Some(session) = self.sessions.get(subscriber) {
            session.log.unsubscribed(filter);
        }
        self.recount_session(subscriber);
        true
    }
}
