//! The local client: the program the broker is part of publishes and subscribes without a
//! connection.

use alloc::collections::{BTreeMap, VecDeque};

use smallvec::SmallVec;
use umqtt_memory::try_deque_room;
use umqtt_topic::{NotShared, TopicError};

use super::Broker;
use crate::memory::block;
use crate::message::{Message, Publication};
use crate::retained::{Replay, ReplayStep, RetainedStore, end_replay};
use crate::subscriptions::{FEW, LOCAL, NodeId};
use crate::wire::QoS;

/// Why a message is not published, or not kept.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// The topic is none that can be published to.
    Topic(TopicError),
    /// Topic and payload make a packet of more than `max_packet` bytes.
    TooLarge,
    /// It was delivered, but there is no room to retain it.
    NotRetained,
}

impl core::fmt::Display for PublishError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            PublishError::Topic(why) => return why.fmt(f),
            PublishError::TooLarge => "the message is too large",
            PublishError::NotRetained => "there is no room to retain the message",
        })
    }
}

impl core::error::Error for PublishError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            PublishError::Topic(why) => Some(why),
            _ => None,
        }
    }
}

/// Why a subscription is refused.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The filter is none.
    Filter(TopicError),
    /// It begins with `$share/`, and no group and filter follow.
    NotShared,
    /// It would pass `max_memory`.
    NoMemory,
    /// It is the local client's, whose subscriptions would leave less than what `max_clients` take.
    NoRoomForClients,
    /// It has more than `max_filter_levels` levels.
    TooDeep,
    /// It has more than `max_topic` bytes.
    TooLong,
    /// With it the lookup for one message could pass `max_lookup`.
    TooCostly,
    /// There are `max_subscriptions` already.
    TooMany,
}

impl core::fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            SubscribeError::Filter(why) => return why.fmt(f),
            SubscribeError::NotShared => return NotShared.fmt(f),
            SubscribeError::NoMemory => "there is no memory left for the subscription",
            SubscribeError::NoRoomForClients => "it would leave no memory for clients",
            SubscribeError::TooDeep => "the filter has too many levels",
            SubscribeError::TooLong => "the filter is too long",
            SubscribeError::TooCostly => "too many filters match the same topics in different ways",
            SubscribeError::TooMany => "there are too many subscriptions",
        })
    }
}

impl core::error::Error for SubscribeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            SubscribeError::Filter(why) => Some(why),
            _ => None,
        }
    }
}

impl From<NotShared> for SubscribeError {
    fn from(_: NotShared) -> SubscribeError {
        SubscribeError::NotShared
    }
}

/// The local client's state.
#[derive(Debug, Default)]
pub(super) struct Local {
    pub(super) subscriptions: SmallVec<[NodeId; FEW]>,
    pub(super) replays: BTreeMap<NodeId, Replay>,
    /// Bytes that the subscriptions have added to the tree.
    filters: usize,
    /// A look for retained messages goes on when more may be looked at.
    pub(super) scanning: bool,
    queue: VecDeque<Message>,
    waiting: Waiting,
}

/// What waits for the local client: bytes of packets, and what these take in memory. A short
/// message takes many times its length.
#[derive(Clone, Copy, Debug, Default)]
struct Waiting {
    bytes: usize,
    memory: usize,
}

impl Waiting {
    fn of(publication: &Publication) -> Waiting {
        let bytes = publication.packet().len();
        Waiting { bytes, memory: Publication::cost_of(bytes) + size_of::<Message>() }
    }

    fn plus(self, other: Waiting) -> Waiting {
        let bytes = self.bytes.saturating_add(other.bytes);
        Waiting { bytes, memory: self.memory.saturating_add(other.memory) }
    }

    fn minus(self, other: Waiting) -> Waiting {
        Waiting { bytes: self.bytes - other.bytes, memory: self.memory - other.memory }
    }

    fn is_within(self, max: Waiting) -> bool {
        self.bytes <= max.bytes && self.memory <= max.memory
    }

    fn half(self) -> Waiting {
        Waiting { bytes: self.bytes / 2, memory: self.memory / 2 }
    }
}

impl Local {
    /// Queues a message; false if it does not fit. One always does in an empty queue.
    fn push(&mut self, message: Message, max: Waiting) -> bool {
        let waiting = self.waiting.plus(Waiting::of(&message.publication));
        let fits = self.queue.is_empty() || waiting.is_within(max);
        if !fits || !try_deque_room(&mut self.queue, 1) {
            return false;
        }
        self.waiting = waiting;
        self.queue.push_back(message);
        true
    }

    /// Bytes of the heap, those of the messages not counted.
    pub(super) fn held(&self) -> usize {
        block(self.queue.capacity() * size_of::<Message>())
    }

    /// Drops all messages; how many.
    pub(super) fn drop_messages(&mut self) -> u64 {
        self.waiting = Waiting::default();
        core::mem::take(&mut self.queue).len() as u64
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        self.waiting = self.waiting.minus(Waiting::of(&message.publication));
        Some(message)
    }

    /// Queues retained messages as far as they leave half of the queue free, and as `looks` last;
    /// how many.
    fn pump(&mut self, store: &RetainedStore, max: Waiting, looks: &mut usize) -> u64 {
        let mut count = 0;
        self.scanning = false;
        while let Some(mut first) = self.replays.first_entry() {
            let replay = first.get_mut();
            let (publication, qos) = match replay.next(store, looks) {
                ReplayStep::Found(publication, qos) => (publication, qos),
                ReplayStep::Later => {
                    self.scanning = true;
                    break;
                }
                ReplayStep::Done => {
                    let node = *first.key();
                    end_replay(&mut self.replays, node);
                    continue;
                }
            };
            let waiting = self.waiting.plus(Waiting::of(&publication));
            let fits = self.queue.is_empty() || waiting.is_within(max.half());
            if !fits || !try_deque_room(&mut self.queue, 1) {
                break;
            }
            replay.advance(publication.clone());
            self.waiting = waiting;
            self.queue.push_back(Message { publication, qos, retain: true });
            count += 1;
        }
        count
    }
}

impl Broker {
    /// Publishes, as a client would; the local subscriptions get it too. Also on topics that begin
    /// with
    /// `$SYS`, which clients may not publish to. With `retain` and an empty payload the topic's
    /// retained message is deleted. A message without subscribers is not even encoded.
    ///
    /// # Errors
    /// [`PublishError`]; with [`PublishError::NotRetained`] it was delivered all the same.
    pub fn publish(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        qos: QoS,
        retain: bool,
    ) -> Result<(), PublishError> {
        self.check_message(topic, payload)?;
        let (sent, internal) = (self.stats.messages_sent, self.stats.internal_sent);
        self.stats.local_received += 1;
        let routed = self.route(topic, payload, (qos, retain), None);
        if crate::retained::is_own(topic) {
            self.stats.internal_sent = internal + (self.stats.messages_sent - sent);
        }
        routed.map_err(|_| PublishError::NotRetained)
    }

    /// Puts a message among the retained ones without delivering it, as when they are loaded at the
    /// start. An empty payload deletes the topic's message.
    ///
    /// # Errors
    /// [`PublishError`]; the topic's message is then as it was.
    pub fn retain(&mut self, topic: &[u8], payload: &[u8], qos: QoS) -> Result<(), PublishError> {
        self.check_message(topic, payload)?;
        if payload.is_empty() {
            self.remove_retained(topic);
            return Ok(());
        }
        self.keep_retained(topic, payload, qos, &mut None).map_err(|_| PublishError::NotRetained)
    }

    /// Forgets all retained messages.
    pub fn clear_retained(&mut self) {
        self.retained.clear();
        self.journal.retained_cleared();
    }

    /// Subscribes the local client; again with the same filter, it changes the quality of service.
    /// The retained messages that match come in [`poll_local`](Self::poll_local), as for any
    /// subscriber.
    ///
    /// All its subscriptions together take no more than what `max_clients` clients leave.
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing has changed.
    pub fn subscribe(&mut self, filter: &[u8], qos: QoS) -> Result<(), SubscribeError> {
        umqtt_topic::check_filter(filter).map_err(SubscribeError::Filter)?;
        let before = self.subscriptions.held();
        self.add_subscription(LOCAL, filter, qos)?;
        let added = self.subscriptions.held() - before;
        self.local.filters += added;
        if added > 0 && self.local.filters > self.local_share() {
            self.unsubscribe(filter);
            self.stats.subscriptions_refused += 1;
            return Err(SubscribeError::NoRoomForClients);
        }
        self.pump_local();
        Ok(())
    }

    /// Ends a subscription of the local client; false if there was none. Messages that wait already
    /// still come.
    pub fn unsubscribe(&mut self, filter: &[u8]) -> bool {
        let before = self.subscriptions.held();
        let was = self.remove_subscription(LOCAL, filter);
        let freed = before - self.subscriptions.held();
        self.local.filters = self.local.filters.saturating_sub(freed);
        was
    }

    /// Ends all subscriptions of the local client and drops what waits for it, in a time that their
    /// number decides.
    pub fn unsubscribe_all(&mut self) {
        for node in core::mem::take(&mut self.local).subscriptions {
            self.subscriptions.unsubscribe(LOCAL, node);
        }
    }

    /// How many messages wait for the local client, retained ones of a new subscription that are
    /// still to be looked up not counted.
    pub fn local_waiting(&self) -> usize {
        self.local.queue.len()
    }

    /// The next message for the local client, in the order of publishing.
    pub fn poll_local(&mut self) -> Option<Message> {
        if !self.local.replays.is_empty() && self.scans_left > 0 {
            self.pump_local();
        }
        self.local.pop()
    }

    pub(super) fn pump_local(&mut self) {
        let max = self.max_local(self.share());
        let sent = self.local.pump(&self.retained, max, &mut self.scans_left);
        self.stats.messages_sent += sent;
        self.stats.internal_sent += sent;
        self.stats.scans_put_off += u64::from(self.local.scanning);
    }

    /// Queues a message for the local client, whose queue may take `share` bytes of memory.
    pub(super) fn deliver_local(&mut self, message: Message, share: usize) {
        let max = self.max_local(share);
        if self.local.push(message, max) {
            self.stats.messages_sent += 1;
            self.stats.internal_sent += 1;
        } else {
            self.stats.messages_dropped += 1;
        }
    }

    fn max_local(&self, share: usize) -> Waiting {
        Waiting { bytes: self.limits.max_local_queue_bytes, memory: share }
    }

    fn check_message(&self, topic: &[u8], payload: &[u8]) -> Result<(), PublishError> {
        umqtt_topic::check_name(topic).map_err(PublishError::Topic)?;
        match Publication::len_of(topic, payload) {
            Some(len) if len <= self.limits.max_packet => Ok(()),
            _ => Err(PublishError::TooLarge),
        }
    }
}
