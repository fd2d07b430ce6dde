//! What the client's user asks for: publish, subscribe, unsubscribe.

use alloc::vec::Vec;

use umqtt_memory::reserve;
use umqtt_topic::TopicError;

use super::{Client, State};
use crate::delivery::Delivery;
use crate::delivery_options::DeliveryOptions;
use crate::inflight::RESERVED_ID;
use crate::message::Publication;
use crate::wire::{QoS, Subscribe, Unsubscribe};

/// Filters in one SUBSCRIBE or UNSUBSCRIBE.
const BATCH: usize = 8;

/// Why a message is not sent.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientPublishError {
    /// The topic is none that can be published to, or the message is too long for MQTT.
    Topic(TopicError),
    /// At QoS 0: there is no connection.
    NotConnected,
    /// The queue is full.
    Full,
}

impl core::fmt::Display for ClientPublishError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ClientPublishError::Topic(why) => return why.fmt(f),
            ClientPublishError::NotConnected => "the client is not connected",
            ClientPublishError::Full => "too many messages are waiting to be sent",
        })
    }
}

impl core::error::Error for ClientPublishError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            ClientPublishError::Topic(why) => Some(why),
            _ => None,
        }
    }
}

/// Why a subscription is not asked for.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The filter is none.
    Filter(TopicError),
    /// There are `max_subscriptions` already.
    TooMany,
}

impl core::fmt::Display for RequestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            RequestError::Filter(why) => return why.fmt(f),
            RequestError::TooMany => "there are too many subscriptions",
        })
    }
}

impl core::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            RequestError::Filter(why) => Some(why),
            _ => None,
        }
    }
}

/// A subscription its user wants.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) filter: Vec<u8>,
    pub(super) qos: QoS,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The server is to be asked.
    New,
    /// The request that is out holds it.
    Asked,
    /// The server has answered, one way or the other.
    Answered,
}

/// Bytes that one more message in each queue may take, at most.
pub(super) const ENTRIES: usize = 512;

/// A request that is out.
#[derive(Debug)]
pub(super) enum Request {
    /// Its filters, in order.
    Subscribe(Vec<Vec<u8>>),
    Unsubscribe,
}

impl Client {
    /// Publishes. QoS 0 needs a connection; QoS 1 and 2 wait for one, and are sent again until the
    /// server has them.
    ///
    /// # Errors
    /// [`ClientPublishError`]; nothing was sent.
    pub fn publish(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        qos: QoS,
        retain: bool,
    ) -> Result<(), ClientPublishError> {
        let queued = self.queue(topic, payload, qos, retain);
        if queued == Err(ClientPublishError::Full) {
            self.refuse();
        }
        queued
    }

    fn queue(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        qos: QoS,
        retain: bool,
    ) -> Result<(), ClientPublishError> {
        umqtt_topic::check_name(topic).map_err(ClientPublishError::Topic)?;
        let connected = self.state == State::Connected;
        if qos == QoS::AtMostOnce && !connected {
            return Err(ClientPublishError::NotConnected);
        }
        let max = self.options.max_queue_bytes;
        if !reserve(Publication::own_block() + ENTRIES) || !self.outbox.make_room() {
            return Err(ClientPublishError::Full);
        }
        let publication = Publication::new(topic, payload).ok_or(ClientPublishError::Full)?;
        if qos == QoS::AtMostOnce {
            if !self.outbox.queued().has_memory(publication.packet().len(), max) {
                return Err(ClientPublishError::Full);
            }
            self.outbox.push(Delivery::new(publication, qos, 0, retain));
            return Ok(());
        }
        let waiting = self.inflight.queued();
        if self.options.max_inflight == 0
            || !waiting.has_memory(publication.packet().len(), max)
            || !self.inflight.wait(publication, DeliveryOptions::new(qos, retain), usize::MAX)
        {
            return Err(ClientPublishError::Full);
        }
        if connected {
            self.pump();
        }
        Ok(())
    }

    /// Subscribes, as soon as there is a connection and again on each new one; asking again for the
    /// same filter changes the quality of service. The answer comes as
    /// [`ClientEvent::Subscribed`](super::ClientEvent::Subscribed).
    ///
    /// # Errors
    /// [`RequestError`]; nothing has changed.
    pub fn subscribe(&mut self, filter: &[u8], qos: QoS) -> Result<(), RequestError> {
        umqtt_topic::check_filter(filter).map_err(RequestError::Filter)?;
        let full = self.subscriptions.len() >= self.options.max_subscriptions;
        match self.subscriptions.iter_mut().find(|wanted| wanted.filter == filter) {
            Some(wanted) => (wanted.qos, wanted.stage) = (qos, Stage::New),
            None if full => return Err(RequestError::TooMany),
            None => {
                let wanted = Subscription { filter: filter.to_vec(), qos, stage: Stage::New };
                self.subscriptions.push(wanted);
            }
        }
        self.ask();
        Ok(())
    }

    /// Ends a subscription; false if there was none.
    pub fn unsubscribe(&mut self, filter: &[u8]) -> bool {
        let place = self.subscriptions.iter().position(|wanted| wanted.filter == filter);
        let Some(place) = place else { return false };
        self.subscriptions.remove(place);
        // What waits here is bounded by asking for no more than there can be subscriptions.
        if !self.pending_unsubscribes.iter().any(|old| old == filter)
            && self.pending_unsubscribes.len() < self.options.max_subscriptions
        {
            self.pending_unsubscribes.push_back(filter.to_vec());
        }
        self.ask();
        true
    }

    /// Ends all subscriptions, in the time it takes to look at each of them once.
    pub fn unsubscribe_all(&mut self) {
        // Some may be there twice, which does no harm.
        let room =
            (2 * self.options.max_subscriptions).saturating_sub(self.pending_unsubscribes.len());
        let ended = core::mem::take(&mut self.subscriptions).into_iter();
        self.pending_unsubscribes.extend(ended.take(room).map(|wanted| wanted.filter));
        self.ask();
    }

    /// Sends the next SUBSCRIBE or UNSUBSCRIBE, if one is due and none is out. Farewells go first:
    /// who subscribes again meanwhile means to be subscribed.
    pub(super) fn ask(&mut self) {
        if self.state != State::Connected || self.request.is_some() {
            return;
        }
        if !self.pending_unsubscribes.is_empty() {
            let batch: Vec<_> = self
                .pending_unsubscribes
                .drain(..self.pending_unsubscribes.len().min(BATCH))
                .collect();
            let filters: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
            Unsubscribe::emit(RESERVED_ID, &filters, self.outbox.control());
            self.request = Some(Request::Unsubscribe);
            return;
        }
        let new = self.subscriptions.iter_mut().filter(|wanted| wanted.stage == Stage::New);
        let mut batch = Vec::new();
        for wanted in new.take(BATCH) {
            wanted.stage = Stage::Asked;
            batch.push((wanted.filter.clone(), wanted.qos));
        }
        if batch.is_empty() {
            return;
        }
        let filters: Vec<_> = batch.iter().map(|(filter, qos)| (filter.as_slice(), *qos)).collect();
        Subscribe::emit(RESERVED_ID, &filters, self.outbox.control());
        self.request = Some(Request::Subscribe(batch.into_iter().map(|(f, _)| f).collect()));
    }

    /// Puts in flight what waits for it.
    pub(super) fn pump(&mut self) {
        let (max_inflight, bytes) = (self.options.max_inflight, self.options.max_queue_bytes);
        self.inflight.pump(&mut self.outbox, max_inflight, bytes);
    }
}
