//! What the broker knows of one client beyond its connection (section 3.1.2.4, session state).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use smallvec::SmallVec;

use umqtt_memory::reserve;

use crate::inflight::{INFLIGHT_BYTES, Inflight, QueueKind};
use crate::journal::SessionLog;
use crate::memory::{BLOCK, CountedBytes, block};
use crate::queue_size::QueueSize;
use crate::retained::Replay;
use crate::subscriptions::{FEW, NodeId};

/// A replay among those of a session, its filter estimated.
const REPLAY: usize = 2 * size_of::<Replay>() + BLOCK + 16;

/// Whether a session has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Not yet, or it is about to end.
    New,
    /// It has one.
    Connected,
    /// It has none, and is in the list of [`crate::offline`].
    Offline,
}

/// One client, connected or remembered.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client_id: Box<str>,
    pub(crate) presence: Presence,
    /// The slot of its connection; without one, its neighbours in the list of those offline: the
    /// older, the newer.
    pub(crate) place: [u32; 2],
    /// It ends with its connection: clean session 1.
    pub(crate) clean: bool,
    /// The nodes of its filters in the subscription tree, in the order of subscribing.
    pub(crate) subscriptions: SmallVec<[NodeId; FEW]>,
    /// Retained messages it is still to get, by the nodes of the filters that match them.
    pub(crate) replays: BTreeMap<NodeId, Replay>,
    /// There once it has to do with QoS 1 or 2; most clients on a chip never have.
    inflight: Option<Box<Inflight>>,
    /// Where its changes are noted, if it is stored.
    pub(crate) log: SessionLog,
    /// Of the memory counted.
    pub(crate) share: CountedBytes,
}

impl Session {
    /// Messages that its next connection has to queue at once.
    pub(crate) fn entries(&self) -> usize {
        self.inflight.as_ref().map_or(0, |inflight| inflight.entries())
    }

    pub(crate) fn new(client_id: &str, clean: bool, log: SessionLog) -> Session {
        Session {
            client_id: client_id.into(),
            presence: Presence::New,
            place: [0; 2],
            clean,
            subscriptions: SmallVec::new(),
            replays: BTreeMap::new(),
            inflight: None,
            log,
            share: CountedBytes::default(),
        }
    }

    /// The slot of its connection.
    pub(crate) fn connection(&self) -> Option<u32> {
        (self.presence == Presence::Connected).then_some(self.place[0])
    }

    /// Gives it a connection.
    pub(crate) fn connect(&mut self, slot: u32) {
        (self.presence, self.place[0]) = (Presence::Connected, slot);
    }

    /// Bytes of the heap that it takes now besides its place; messages are counted elsewhere.
    pub(crate) fn held(&self) -> usize {
        let nodes = &self.subscriptions;
        let nodes = if nodes.spilled() { nodes.capacity() * size_of::<NodeId>() } else { 0 };
        block(self.client_id.len())
            + block(nodes)
            + self.replays.len() * REPLAY
            + self.inflight.as_ref().map_or(0, |inflight| inflight.held())
    }

    /// The QoS 1 and 2 state with room for one more message in flight, in waiting, or at QoS 0;
    /// `None` if there is no memory.
    pub(crate) fn room_for(&mut self, kind: QueueKind) -> Option<&mut Inflight> {
        if self.inflight.is_none() && !reserve(INFLIGHT_BYTES) {
            return None;
        }
        let inflight = self.inflight();
        inflight.make_room(kind).then_some(inflight)
    }

    /// The QoS 1 and 2 state, made when it is first needed.
    pub(crate) fn inflight(&mut self) -> &mut Inflight {
        let log = &self.log;
        self.inflight.get_or_insert_with(|| Box::new(Inflight::new(log.clone())))
    }

    /// The QoS 1 and 2 state, if there is any.
    pub(crate) fn inflight_if_any(&mut self) -> Option<&mut Inflight> {
        self.inflight.as_deref_mut()
    }

    /// The QoS 1 and 2 state, if there is any, to look at.
    pub(crate) fn inflight_ref(&self) -> Option<&Inflight> {
        self.inflight.as_deref()
    }

    /// Whether one more message may be put in flight.
    pub(crate) fn inflight_may_send(&self, max_inflight: usize) -> bool {
        let none = max_inflight > 0;
        self.inflight.as_ref().map_or(none, |inflight| inflight.may_send(max_inflight))
    }

    /// Whether anything waits for room.
    pub(crate) fn has_backlog(&self) -> bool {
        !self.replays.is_empty() || self.has_waiting()
    }

    /// Whether a message of QoS 1 or 2 would be put in flight at once.
    pub(crate) fn may_send(&self, max_inflight: usize) -> bool {
        let may = |inflight: &Inflight| !inflight.has_waiting() && inflight.may_send(max_inflight);
        self.inflight.as_deref().map_or(max_inflight > 0, may)
    }

    /// What waits for an acknowledgement of earlier messages.
    pub(crate) fn waiting(&self) -> QueueSize {
        self.inflight.as_ref().map_or(QueueSize::default(), |inflight| inflight.queued())
    }

    /// Whether messages wait for an acknowledgement of earlier ones.
    pub(crate) fn has_waiting(&self) -> bool {
        self.inflight.as_ref().is_some_and(|inflight| inflight.has_waiting())
    }
}
