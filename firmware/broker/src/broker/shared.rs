//! Shared subscriptions: which of a group gets a message, and what becomes of it when that client does not come back.

use alloc::vec::Vec;

use super::Broker;
use crate::message::Publication;
use crate::queue;
use crate::session::Session;
use crate::subscriptions::{LOCAL, NodeId, Subscriber, is_shared};
use crate::wire::QoS;

/// Messages that a client leaves and that go to others of its groups; of more the rest is dropped, and counted. It
/// bounds the work that the end of one connection makes.
const PASSED_ON: usize = 4096;

/// How well a member can take a message: it can be sent now, it has to wait, or until the client comes back.
const READY: u8 = 2;
const BUSY: u8 = 1;
const AWAY: u8 = 0;

/// A message that was for somebody who is gone, and the group it came by.
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
            let (Some(session), Some(connection)) = (session, connection) else { return AWAY };
            let message = (len, qos.min(member.qos()));
            let ready = queue::is_ready(session, &connection.outbox, message, limits, share);
            if ready { READY } else { BUSY }
        };
        if let Some(member) = self.subscriptions.choose(group, READY, rank) {
            let how = (qos.min(member.qos()), false);
            self.deliver(member.session(), message, how, share);
        }
    }

    /// What a session that ends has got as a member of groups and not acknowledged: it is for others of its group now
    /// (MQTT 5 section 4.8.2). Not so QoS 2 that was sent, which could come twice.
    pub(super) fn orphans(&mut self, key: u32, session: &mut Session) -> Vec<Orphan> {
        let mut orphans: Vec<Orphan> = Vec::new();
        if !session.subscriptions.iter().any(|node| is_shared(*node)) {
            return orphans;
        }
        let reliable = session.take_reliable().map(|reliable| reliable.into_orphans());
        for (message, qos) in reliable.into_iter().flatten() {
            // It may have come several times, by several groups.
            let same = orphans.iter().rev().take_while(|known| known.1.is(&message)).count();
            let Some(group) = self.group_of(key, &message, same) else { continue };
            if orphans.len() < PASSED_ON {
                orphans.push((group, message, qos));
            } else {
                self.stats.messages_dropped += 1;
            }
        }
        orphans
    }

    /// Of the groups that a session is a member of and that get the message, the one of this number.
    fn group_of(&mut self, key: u32, message: &Publication, number: usize) -> Option<NodeId> {
        let found = self.subscriptions.matching(message.topic());
        // Groups come behind all sessions but the local client's.
        let last = (0..found).rev().filter_map(|at| self.subscriptions.found(at));
        let groups = last.skip_while(|s| s.session() == LOCAL).map_while(Subscriber::as_group);
        groups.filter(|group| self.subscriptions.granted(key, *group).is_some()).nth(number)
    }

    /// Queues orphans for others.
    pub(super) fn pass_on(&mut self, orphans: Vec<Orphan>) {
        for (group, message, qos) in orphans {
            let share = self.share();
            self.deliver_to_group(group, &message, qos, share);
        }
    }
}
