//! Shared subscriptions: of those who share one, a single one gets each message, and any of them
//! may.
//!
//! When a session ends, what it has not acknowledged may go to another member, also to one that has
//! come since.

use std::collections::BTreeSet;

use umqtt_mqtt::QoS;

use crate::life::Occurrence;
use crate::matching::matches;
use crate::model::{Message, Session, Subscription};
use crate::{Broken, MessageId, Model, broken};

/// The filter within that of a shared subscription.
fn within(filter: &str) -> Option<&str> {
    filter.strip_prefix("$share/")?.split_once('/').map(|(_, within)| within)
}

/// Whether it is a shared subscription that the message is for.
fn shares(subscription: &Subscription, message: &Message) -> bool {
    within(&subscription.filter).is_some_and(|within| matches(within, &message.topic))
}

/// A session's shared subscriptions that the message is for.
fn shared<'a>(
    session: &'a Session,
    message: &'a Message,
) -> impl Iterator<Item = &'a Subscription> {
    session.subscriptions.iter().filter(|subscription| shares(subscription, message))
}

impl Model {
    /// Whether the session may get the message by a shared subscription.
    pub(super) fn is_shared_by(&self, session: &Session, message: &Message) -> bool {
        shared(session, message).next().is_some()
    }

    /// Whether the session may get the message by a shared subscription, for this publication of
    /// it, in this quality.
    pub(super) fn may_share(
        &self,
        session: &Session,
        message: &Message,
        event: &Occurrence,
        qos: QoS,
    ) -> bool {
        shared(session, message).any(|subscription| {
            let most = subscription.qos.min(message.qos);
            // What another member has left is no better than that member was granted.
            let left =
                || message.qos > QoS::AtMostOnce && self.left_by(&subscription.filter, event) > 0;
            qos == most && subscription.life.may_meet(event) || qos <= most && left()
        })
    }

    /// Sessions that may have left this publication to others of a group.
    fn left_by(&self, group: &str, event: &Occurrence) -> usize {
        let may = |s: &Subscription| s.filter == group && s.life.may_meet(event);
        // The broker may know before the model that a connection is gone, and its session with it.
        let gone = |session: &&Session| {
            session.over || session.client != crate::model::LOCAL && self.online(session).is_none()
        };
        let over = self.sessions.values().filter(gone);
        over.filter(|session| session.subscriptions.iter().any(may)).count()
    }

    fn most_left(&self, group: &str, message: &Message) -> usize {
        message.events.iter().map(|event| self.left_by(group, event)).sum()
    }

    /// How often the session may get the message as a new one.
    pub(super) fn most_copies(&self, session: &Session, message: &Message) -> usize {
        let groups: BTreeSet<_> = shared(session, message).map(|s| &*s.filter).collect();
        let left: usize = groups.iter().map(|group| self.most_left(group, message)).sum();
        message.events.len() * (1 + groups.len()) + left
    }

    /// With one more, the message has come to no more clients than there are who do not share, and
    /// groups.
    pub(super) fn is_one_of_few(
        &self,
        id: MessageId,
        message: &Message,
        what: &str,
    ) -> Result<(), Broken> {
        let mut groups = BTreeSet::new();
        let (mut most, mut came) = (0, 1);
        for session in self.sessions.values() {
            groups.extend(shared(session, message).map(|s| &*s.filter));
            let plain = session.subscriptions.iter().any(|s| matches(&s.filter, &message.topic));
            most += if plain { message.events.len() } else { 0 };
            came += session.got.get(&id).map_or(0, |got| got.fresh);
        }
        if groups.is_empty() {
            return Ok(());
        }
        most += groups.len() * message.events.len();
        most += groups.iter().map(|group| self.most_left(group, message)).sum::<usize>();
        if came > most {
            return broken!("{what}: comes {came} times, at most {most} may get it: {groups:?}");
        }
        Ok(())
    }

    /// Messages that must have come to a member of a group, and have not.
    pub(super) fn missing_shared(
        &self,
        present: impl Fn(&&Session) -> bool,
        missing: &mut Vec<String>,
    ) {
        let filters = self.sessions.values().flat_map(|session| &session.subscriptions);
        let filters = filters.map(|s| &*s.filter).filter(|filter| within(filter).is_some());
        for group in filters.collect::<BTreeSet<_>>() {
            for (id, message) in self.messages.iter().filter(|(_, message)| !message.delete) {
                let came = |session: &Session| session.got.get(id).is_some_and(|got| got.live);
                let mut events = message.events.iter().skip(message.shared);
                let due = events.any(|event| self.is_due_in(group, message, event, &present));
                if due && !self.sessions.values().any(came) {
                    missing.push(format!("{group}: message {} on {}", id.0, message.topic));
                }
            }
        }
    }

    /// Whether one of those who share must get the message for this publication of it: some surely
    /// do, and all who may are here to show what they got.
    fn is_due_in(
        &self,
        group: &str,
        message: &Message,
        event: &Occurrence,
        present: &impl Fn(&&Session) -> bool,
    ) -> bool {
        let mut sure = false;
        for session in self.sessions.values() {
            let own = session.subscriptions.iter().filter(|s| s.filter == group);
            for subscription in own.filter(|s| shares(s, message) && s.life.may_meet(event)) {
                let safe = subscription.qos.min(message.qos) > QoS::AtMostOnce
                    || self.listens_since(session, event.from);
                if session.over || !present(&session) || !safe {
                    return false;
                }
                sure |= subscription.life.meets(event);
            }
        }
        sure && event.sure
    }
}
