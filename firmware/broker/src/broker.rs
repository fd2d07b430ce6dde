//! The broker: what it is given and what it leaves.

#![allow(unused_variables, missing_docs, dead_code)] // while the bodies are being written

use alloc::vec::Vec;

use umqtt_topic::TopicError;

use crate::{Hooks, Limits, Message, Millis, Peer, QoS, Stats};

/// The caller's name for a network connection: any number it likes, one per open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The id names an open connection already.
    AlreadyOpen,
    /// There are `max_clients + max_waiting` connections already.
    TooMany,
    /// [`Hooks::on_connect`] said no.
    ByHook,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refused::AlreadyOpen => "a connection with this id is open",
            Refused::TooMany => "too many connections",
            Refused::ByHook => "the connection was refused",
        })
    }
}

impl core::error::Error for Refused {}

/// Why a message is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// The topic is none that can be published to.
    Topic(TopicError),
    /// Topic and payload make a packet larger than `max_packet`.
    TooLarge,
    /// A limit on retained messages is reached; the message was delivered all the same.
    NotRetained,
}

/// Why a subscription is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscribeError {
    /// The filter is none.
    Filter(TopicError),
    /// It has more than `max_filter_levels` levels.
    TooDeep,
    /// There are `max_subscriptions` already.
    TooMany,
}

/// A connected client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientInfo<'a> {
    pub id: &'a str,
    pub conn: ConnId,
    pub peer: Peer,
}

/// A retained message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retained<'a> {
    pub topic: &'a [u8],
    pub payload: &'a [u8],
    pub qos: QoS,
}

/// An MQTT broker as a state machine.
#[derive(Debug)]
pub struct Broker {
    limits: Limits,
    stats: Stats,
}

impl Broker {
    pub fn new(limits: Limits) -> Broker {
        Broker { limits, stats: Stats::default() }
    }
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
    /// Lowering a limit closes nobody; it only refuses newcomers.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    // ---- network connections
    pub fn open(
        &mut self,
        conn: ConnId,
        peer: Peer,
        now: Millis,
        hooks: &mut dyn Hooks,
    ) -> Result<(), Refused> {
        unimplemented!()
    }
    /// Any chunking; unknown ids are ignored.
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Millis, hooks: &mut dyn Hooks) {
        unimplemented!()
    }
    /// The network connection is gone.
    pub fn closed(&mut self, conn: ConnId, now: Millis) {
        unimplemented!()
    }
    /// The next piece to send: empty if nothing waits. Report with `sent` what of it went.
    pub fn outgoing(&mut self, conn: ConnId) -> &[u8] {
        unimplemented!()
    }
    /// As much of what waits as fits into `buffer`, over packet boundaries (one write for many
    /// messages). Takes nothing away: report with `sent` what of it went.
    pub fn copy_outgoing(&self, conn: ConnId, buffer: &mut [u8]) -> usize {
        unimplemented!()
    }
    pub fn sent(&mut self, conn: ConnId, n: usize) {
        unimplemented!()
    }
    /// Connections whose queue went from empty to not empty. Then send until `outgoing` is empty, or when the
    /// socket takes no more, go on when it is writable again: it is not named again before it was empty.
    pub fn poll_writable(&mut self) -> Option<ConnId> {
        unimplemented!()
    }
    /// Connections to close now: all that was to be flushed has been, or the time for it is over. The
    /// broker has forgotten the id; calling `closed` for it does nothing.
    pub fn poll_close(&mut self) -> Option<ConnId> {
        unimplemented!()
    }
    pub fn poll_at(&self) -> Option<Millis> {
        unimplemented!()
    }
    pub fn handle_timeout(&mut self, now: Millis) {
        unimplemented!()
    }
    /// Closes the connection of a client as if it had failed (its will is published). False if there is none.
    pub fn disconnect(&mut self, client_id: &str, now: Millis) -> bool {
        unimplemented!()
    }

    // ---- the local client
    /// Like a client's publish: reaches the local subscriptions too.
    pub fn publish(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        qos: QoS,
        retain: bool,
    ) -> Result<(), PublishError> {
        unimplemented!()
    }
    pub fn subscribe(&mut self, filter: &[u8], qos: QoS) -> Result<(), SubscribeError> {
        unimplemented!()
    }
    /// False if there was no such subscription.
    pub fn unsubscribe(&mut self, filter: &[u8]) -> bool {
        unimplemented!()
    }
    pub fn unsubscribe_all(&mut self) {
        unimplemented!()
    }
    /// What the local subscriptions received, in order.
    pub fn poll_local(&mut self) -> Option<Message> {
        unimplemented!()
    }

    // ---- looking, and the retained store
    /// In the order of their topics.
    pub fn retained<'a>(&'a self, filter: &'a [u8]) -> impl Iterator<Item = Retained<'a>> + 'a {
        core::iter::empty()
    }
    pub fn retained_len(&self) -> usize {
        unimplemented!()
    }
    /// Counts every change of the retained messages: save them when it moved.
    pub fn retained_revision(&self) -> u32 {
        unimplemented!()
    }
    /// Puts a message into the store without delivering it (loading from flash). Empty payload deletes.
    pub fn retain(&mut self, topic: &[u8], payload: &[u8], qos: QoS) -> Result<(), PublishError> {
        unimplemented!()
    }
    pub fn clear_retained(&mut self) {
        unimplemented!()
    }
    /// Connected clients in the order of their ids.
    pub fn clients(&self) -> impl Iterator<Item = ClientInfo<'_>> + '_ {
        core::iter::empty()
    }
    /// Client id ("" is the local client), filter, granted QoS.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&str, Vec<u8>, QoS)> + '_ {
        core::iter::empty()
    }
}
