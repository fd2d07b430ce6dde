//! Shared subscriptions: which of a group gets a message, and what becomes of it when that client
//! does not come back.

use alloc::vec::Vec;

use umqtt_memory::try_push;

use super::Broker;
use crate::delivery_options::{DeliveryOptions, Origin};
use crate::message::Publication;
use crate::queue;
use crate::session::Session;
use crate::subscriptions::{LOCAL, NodeId, Subscriber, group_of_tag, group_tag, is_shared};
use crate::wire::QoS;

/// Messages that a client leaves and that go to others of its groups; of more the rest is dropped,
/// and counted. It bounds the work that the end of one connection makes.
const PASSED_ON: usize = 4096;

/// How well a member can take a message: it can be sent now, it has to wait, or until the client
/// comes back.
const READY: u8 = 2;
const BUSY: u8 = 1;
const OFFLINE: u8 = 0;

/// A message for a member that has left, and the group it came by.
type Orphan = (NodeId, Publication, QoS);

impl Broker {
    /// Queues a message for one member of a group: in turn, those who are ready first.
    pub(super) fn deliver_to_group(
        &mut self,
        group: NodeId,
        message: &Publication,
        qos: QoS,
        share: usize,
    ) {
        let (sessions, connections, limits) = (&self.sessions, &self.connections, &self.limits);
        let len = message.packet().len();
        let rank = |member: Subscriber| {
            if member.session() == LOCAL {
                return READY;
            }
            let session = sessions.get(member.session());
            let connection = session.and_then(|s| connections.get(s.connection()?));
            let (Some(session), Some(connection)) = (session, connection) else { return OFFLINE };
            let message = (len, qos.min(member.qos()));
            let ready = queue::is_ready(session, &connection.outbox, message, limits, share);
            if ready { READY } else { BUSY }
        };
        if let Some(member) = self.subscriptions.choose(group, READY, rank) {
            let (qos, tag) = (qos.min(member.qos()), group_tag(group));
            let how = DeliveryOptions { qos, origin: Origin::of_group(tag) };
            self.deliver(member.session(), message, how, share);
        }
    }

    /// What a session that ends has got as a member of groups and not acknowledged: it is for
    /// others of its group now (MQTT 5 section 4.8.2). Not so QoS 2 that was sent, which could come
    /// twice.
    pub(super) fn orphans(&mut self, key: u32, session: &mut Session) -> Vec<Orphan> {
        let mut orphans: Vec<Orphan> = Vec::new();
        if !session.subscriptions.iter().any(|node| is_shared(*node)) {
            return orphans;
        }
        let Some(inflight) = session.inflight_if_any() else { return orphans };
        for (message, qos, tag) in inflight.orphans() {
            let group = group_of_tag(tag);
            // Groups end, and their numbers are used again.
            let looked_up = self.subscriptions.matching(message.topic()).is_some();
            if looked_up && !self.subscriptions.is_member_found(key, group) {
                continue;
            }
            let room = looked_up && orphans.len() < PASSED_ON;
            if !room || try_push(&mut orphans, (group, message.clone(), qos)).is_err() {
                self.stats.messages_dropped += 1;
            }
        }
        orphans
    }

    /// Queues orphans for others.
    pub(super) fn pass_on(&mut self, orphans: Vec<Orphan>) {
        for (group, message, qos) in orphans {
            let share = self.share();
            self.deliver_to_group(group, &message, qos, share);
        }
    }
}
