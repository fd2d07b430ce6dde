//! The broker: what it is given and what it leaves.
//!
//! Here are the state and its getters; the calls are in the modules below, one for each thing that
//! can happen.

mod connect;
mod connections;
mod deliver;
mod hold;
mod local;
mod memory;
mod receive;
mod shared;
mod timers;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::cell::Cell;
use core::ops::Bound;

pub use local::{PublishError, SubscribeError};

use crate::arena::Arena;
use crate::connection::{Connection, Phase};
use crate::delivery::Piece;
use crate::journal::Journal;
use crate::message::MessagePool;
use crate::offline::Offline;
use crate::retained::RetainedStore;
use crate::session::Session;
use crate::subscriptions::{LOCAL, Subscriptions};
use crate::timers::Timers;
use crate::{ConnId, Instant, Limits, Peer, QoS, Stats};
use hold::Hold;
use local::Local;

/// Why a connection is not taken.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The id names an open connection already.
    AlreadyOpen,
    /// `max_waiting` connections are to be closed, so that none of them can make room.
    TooMany,
    /// [`Hooks::on_connect`](crate::Hooks::on_connect) refused it.
    ByHook,
    /// There is no memory for it.
    NoMemory,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refused::AlreadyOpen => "a connection with this id is open",
            Refused::TooMany => "too many connections",
            Refused::ByHook => "the connection was refused",
            Refused::NoMemory => "not enough memory",
        })
    }
}

impl core::error::Error for Refused {}

/// A connected client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo<'a> {
    /// Its client id; the broker made one up if it gave none.
    pub id: &'a str,
    /// Its connection.
    pub conn: ConnId,
    /// Where it comes from.
    pub peer: Peer,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionInfo<'a> {
    /// Whose: a client id; empty for the local client.
    pub client_id: &'a str,
    /// The topic filter.
    pub filter: Vec<u8>,
    /// The granted quality of service.
    pub qos: QoS,
}

/// A retained message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retained<'a> {
    /// The topic name.
    pub topic: &'a [u8],
    /// The payload; never empty.
    pub payload: &'a [u8],
    /// The quality of service it was published with.
    pub qos: QoS,
}

/// An MQTT 3.1 and 3.1.1 broker as a state machine: bytes and the time in, bytes and requests out.
///
/// * **Connections**: [`open`](Self::open), [`receive`](Self::receive), [`closed`](Self::closed)
///   are the events of the network; [`outgoing`](Self::outgoing) or
///   [`copy_outgoing`](Self::copy_outgoing) and [`sent`](Self::sent) take what is to be sent.
/// * **Wishes**: after any of the calls, ask [`poll_writable`](Self::poll_writable),
///   [`poll_close`](Self::poll_close) and [`poll_local`](Self::poll_local) until each is `None`,
///   in this order; come back with [`handle_timeout`](Self::handle_timeout) at
///   [`poll_at`](Self::poll_at).
/// * **The local client**, the program itself: [`publish`](Self::publish),
///   [`subscribe`](Self::subscribe), [`unsubscribe`](Self::unsubscribe).
///
/// What a client does wrong closes its own connection and nothing else. All that can grow is
/// bounded by the [`Limits`].
#[derive(Debug)]
pub struct Broker {
    limits: Limits,
    /// Bytes lent for what passes through.
    borrowed: usize,
    /// Bytes that may be allocated before the heap is looked at again.
    allowance: usize,
    /// From when on a stored session may make room for a connection.
    next_displacement: Instant,
    stats: Stats,
    /// What is received now may be held back: see [`Broker::receive_or_hold`].
    may_hold: bool,
    /// A message is held back, and no queue that it waits for has moved since.
    holding: bool,
    /// One was once.
    has_held: bool,
    hold: Hold,
    pub(crate) connections: Arena<Connection>,
    /// The slots of the connections, sorted by the caller's ids.
    slots: Vec<(ConnId, u32)>,
    /// Connections in [`Phase::Live`].
    live: usize,
    /// Slots of those in [`Phase::AwaitingConnect`], the one that has waited longest first.
    waiting: VecDeque<u32>,
    pub(crate) sessions: Arena<Session>,
    /// The sessions, sorted by client id.
    names: Vec<u32>,
    /// Sessions with clean session 0.
    stored: usize,
    /// Those of them without a connection.
    pub(crate) offline: Offline,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) retained: RetainedStore,
    local: Local,
    /// Counts the messages.
    pub(crate) store: MessagePool,
    /// What connections and sessions use besides their places.
    shares: usize,
    /// At most one for each connection and each session.
    timers: Timers,
    /// Slots with something to send, not yet named by `poll_writable`; each at most once.
    writable: VecDeque<u32>,
    /// The connection asked for last, which mostly is the next one too.
    recent: Cell<u32>,
    /// A short piece of a packet on its way out, which exists nowhere else.
    piece: Piece,
    /// Connections that are over, not yet named by `poll_close`.
    closes: VecDeque<ConnId>,
    /// For the next client id to make up.
    made_up: u32,
    /// Retained messages that may still be looked at for subscribers within this millisecond.
    scans_left: usize,
    scan_time: Instant,
    /// Sessions that wait for the next millisecond to look at more.
    scanning: BTreeSet<u32>,
    /// The first of them whose turn is next.
    scan_turn: u32,
    /// What is to outlive a restart.
    pub(crate) journal: Journal,
}

impl Default for Broker {
    fn default() -> Self {
        Broker::new(Limits::default())
    }
}

impl Broker {
    /// A broker without connections, subscriptions or retained messages.
    pub fn new(limits: Limits) -> Broker {
        Broker {
            limits,
            borrowed: 0,
            allowance: 0,
            next_displacement: Instant::ZERO,
            stats: Stats::default(),
            may_hold: false,
            holding: false,
            has_held: false,
            hold: Hold::default(),
            connections: Arena::new(),
            slots: Vec::new(),
            live: 0,
            waiting: VecDeque::new(),
            sessions: Arena::new(),
            names: Vec::new(),
            stored: 0,
            offline: Offline::default(),
            subscriptions: Subscriptions::new(),
            retained: RetainedStore::default(),
            local: Local::default(),
            store: MessagePool::default(),
            shares: 0,
            timers: Timers::default(),
            writable: VecDeque::new(),
            recent: Cell::new(0),
            piece: Piece::default(),
            closes: VecDeque::new(),
            made_up: 0,
            scans_left: timers::SCANS_PER_MILLI,
            scan_time: Instant::ZERO,
            scanning: BTreeSet::new(),
            scan_turn: 0,
            journal: Journal::default(),
        }
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Changes the limits. Who and what is there stays, also where the new limit would not have let
    /// it in.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// What was counted so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The connected clients, in the order of their ids.
    pub fn clients(&self) -> impl Iterator<Item = ClientInfo<'_>> {
        self.names.iter().filter_map(|name| {
            let session = self.sessions.get(*name)?;
            let connection = self.connections.get(session.connection()?)?;
            Some(ClientInfo {
                id: &session.client_id,
                conn: connection.id,
                peer: connection.peer(),
            })
        })
    }

    /// How many clients are connected.
    pub fn clients_len(&self) -> usize {
        self.live
    }

    /// How many sessions are remembered of clients that are not connected.
    pub fn stored_sessions_len(&self) -> usize {
        self.sessions.len() - self.live
    }

    /// All subscriptions, those of the local client first. Remembered sessions count too.
    pub fn subscriptions(&self) -> impl Iterator<Item = SubscriptionInfo<'_>> {
        let local = (LOCAL, "", &self.local.subscriptions);
        let clients = self.names.iter().filter_map(|name| {
            let session = self.sessions.get(*name)?;
            Some((*name, &*session.client_id, &session.subscriptions))
        });
        core::iter::once(local).chain(clients).flat_map(move |(subscriber, client_id, nodes)| {
            nodes.iter().filter_map(move |node| {
                let qos = self.subscriptions.granted(subscriber, *node)?;
                let filter = self.subscriptions.filter(*node);
                Some(SubscriptionInfo { client_id, filter, qos })
            })
        })
    }

    /// How many subscriptions there are, the local client's included.
    pub fn subscriptions_len(&self) -> usize {
        self.subscriptions.len()
    }

    /// The retained messages that a filter matches, in the order of their topics. A filter that is
    /// none matches nothing of use, or nothing.
    pub fn retained<'a>(
        &'a self,
        filter: &'a [u8],
    ) -> impl Iterator<Item = Retained<'a>> + use<'a> {
        let valid = umqtt_topic::check_filter(filter).is_ok();
        self.retained.matching(if valid { filter } else { b"\0" }).map(|(message, qos)| Retained {
            topic: message.topic(),
            payload: message.payload(),
            qos,
        })
    }

    /// The first retained message that a filter matches, in the order of their topics. Takes from
    /// `looks` at how many messages it looked, and looks at no more: one with a long topic counts
    /// more than once.
    pub fn first_retained<'a>(&'a self, filter: &'a [u8], looks: &mut u32) -> Option<Retained<'a>> {
        umqtt_topic::check_filter(filter).ok()?;
        let (message, qos) = self.retained.first(filter, looks)?;
        Some(Retained { topic: message.topic(), payload: message.payload(), qos })
    }

    /// At how many places the last message published made the broker look for subscribers at most,
    /// and how many there were.
    pub fn looked_at(&self) -> usize {
        self.subscriptions.lookup_cost() + self.subscriptions.last_found()
    }

    /// All retained messages but the broker's own under `$SYS`, which are published anew: what to
    /// keep over a restart.
    pub fn retained_to_keep(&self) -> impl Iterator<Item = Retained<'_>> {
        self.retained_to_keep_from(Bound::Unbounded)
    }

    /// As [`retained_to_keep`](Self::retained_to_keep), from a topic on, in the order of their
    /// topics.
    pub fn retained_to_keep_from(
        &self,
        from: Bound<&[u8]>,
    ) -> impl Iterator<Item = Retained<'_>> + use<'_> {
        self.retained.all(from).map(|(message, qos)| Retained {
            topic: message.topic(),
            payload: message.payload(),
            qos,
        })
    }

    /// How many messages are retained.
    pub fn retained_len(&self) -> usize {
        self.retained.len()
    }

    /// A number that moves whenever the retained messages change: time to save them.
    pub fn retained_revision(&self) -> u32 {
        self.retained.revision()
    }

    /// Whether so much waits to be written that those who publish had better wait; never without a
    /// journal.
    pub fn journal_is_behind(&self) -> bool {
        self.journal.is_behind()
    }

    fn slot(&self, conn: ConnId) -> Option<u32> {
        let recent = self.recent.get();
        if self.connections.get(recent).is_some_and(|connection| connection.id == conn) {
            return Some(recent);
        }
        let place = self.slots.binary_search_by_key(&conn, |slot| slot.0).ok()?;
        let slot = self.slots[place].1;
        self.recent.set(slot);
        Some(slot)
    }

    fn connection(&mut self, slot: u32) -> Option<&mut Connection> {
        self.connections.get_mut(slot)
    }

    /// The session of a live connection.
    fn session_of(&mut self, slot: u32) -> Option<(u32, &mut Session)> {
        let Phase::Live(key) = self.connections.get(slot)?.phase else { return None };
        self.sessions.get_mut(key).map(|session| (key, session))
    }
}
