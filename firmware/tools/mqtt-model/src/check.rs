//! What must, may and must not arrive.

use std::collections::{BTreeMap, BTreeSet};

use umqtt_mqtt::QoS;

use crate::life::{Occurrence, Tick};
use crate::matching::matches;
use crate::model::{Message, Session, Subscription};
use crate::{Broken, ConnKey, MessageId, Model, SessionKey, broken};

mod shared;

/// A message as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Its topic.
    pub topic: &'a [u8],
    /// Its payload.
    pub payload: &'a [u8],
    /// The quality of service of the transfer.
    pub qos: QoS,
    /// It was retained.
    pub retain: bool,
    /// It may have been sent before.
    pub dup: bool,
}

impl Model {
    /// A message arrived, in a transfer that is new to the client (at QoS 2) or may be (at QoS 1).
    /// Which one it was; `None` for one that deletes a retained message, as these all look the
    /// same.
    pub fn arrived(
        &mut self,
        key: SessionKey,
        conn: Option<ConnKey>,
        arrival: &Arrival<'_>,
    ) -> Result<Option<MessageId>, Broken> {
        let now = self.tick();
        self.arrivals += 1;
        let Some(session) = self.sessions.get(&key) else {
            return broken!("for nobody: {arrival:?}");
        };
        let topic = String::from_utf8_lossy(arrival.topic).into_owned();
        let Some(id) = self.find(&topic, arrival.payload) else {
            return self.deletion(session, &topic, arrival);
        };
        let message = &self.messages[&id];
        let got = session.got.get(&id).copied().unwrap_or_default();
        let what = format!(
            "message {} on {topic} at {:?}{}{}",
            id.0,
            arrival.qos,
            if arrival.retain { ", retained" } else { "" },
            if arrival.dup { ", repeated" } else { "" }
        );
        if arrival.dup {
            let begun = conn.and_then(|conn| self.connections.get(&conn)).map(|c| c.life.sure_from);
            let before = begun.is_some_and(|begun| message.events.iter().any(|e| e.from < begun));
            if arrival.qos == QoS::AtMostOnce || !before {
                return broken!("{what}: has not been sent before");
            }
            // Shared subscriptions may bring the same message in another transfer.
            let single = !arrival.retain
                && message.events.len() == 1
                && !self.is_shared_by(session, message);
            if arrival.qos == QoS::AtLeastOnce && got.settled && single {
                return broken!("{what}: was acknowledged");
            }
        }
        let repeated = arrival.dup && arrival.qos == QoS::AtLeastOnce;
        if arrival.retain {
            let asks = self.asks(session, message);
            if !asks.iter().any(|s| arrival.qos == message.qos.min(s.qos)) {
                return broken!("{what}: nobody asked for it");
            }
            if !repeated && got.retained >= asks.len() {
                return broken!("{what}: comes more often than was asked for");
            }
        } else {
            let fits = message.events.iter().any(|e| {
                qualities(session, message, e).contains(&arrival.qos)
                    || self.may_share(session, message, e, arrival.qos)
            });
            if !fits {
                let subscriptions =
                    session.subscriptions.iter().filter(|s| matches(&s.filter, &topic));
                let subscriptions: Vec<_> = subscriptions.collect();
                return broken!("{what}: no such subscription: {message:?}, {subscriptions:?}");
            }
            if !repeated && got.fresh >= self.most_copies(session, message) {
                return broken!("{what}: comes more often than it was published: {message:?}");
            }
            let last = message.events.iter().map(|e| e.tried).max().unwrap_or(now);
            let newest = session.newest.get(&(message.publisher, arrival.qos)).copied();
            // What another member of a group has left comes late.
            let in_order = !self.is_shared_by(session, message);
            if in_order && !got.live && newest.is_some_and(|newest| newest > last) {
                return broken!("{what}: comes after what was published later");
            }
        }
        if !arrival.retain && !repeated {
            self.is_one_of_few(id, message, &what)?;
        }
        let first = message.events.iter().map(|e| e.from).min().unwrap_or(now);
        let order = (message.publisher, arrival.qos);
        let Some(session) = self.sessions.get_mut(&key) else { return Ok(None) };
        if !arrival.retain {
            let newest = session.newest.entry(order).or_default();
            *newest = first.max(*newest);
        }
        let got = session.got.entry(id).or_default();
        if arrival.retain {
            got.retained += usize::from(!repeated);
            got.retained_at = now;
        } else {
            got.fresh += usize::from(!repeated);
            got.live = true;
        }
        Ok(Some(id))
    }

    /// The broker has taken a session's PUBACK.
    pub fn settled(&mut self, key: SessionKey, id: MessageId) {
        if let Some(got) = self.sessions.get_mut(&key).and_then(|session| session.got.get_mut(&id))
        {
            got.settled = true;
        }
    }

    fn find(&self, topic: &str, payload: &[u8]) -> Option<MessageId> {
        let digits = payload.split(|b| *b == b':').next()?;
        let id = MessageId(std::str::from_utf8(digits).ok()?.parse().ok()?);
        let message = self.messages.get(&id)?;
        (message.topic == topic && !message.delete && payload.get(digits.len()) == Some(&b':'))
            .then_some(id)
    }

    fn deletion(
        &self,
        session: &Session,
        topic: &str,
        arrival: &Arrival<'_>,
    ) -> Result<Option<MessageId>, Broken> {
        let fits = |message: &&Message| {
            message.delete
                && message.topic == topic
                && message.events.iter().any(|e| {
                    qualities(session, message, e).contains(&arrival.qos)
                        || self.may_share(session, message, e, arrival.qos)
                })
        };
        if arrival.payload.is_empty() && !arrival.retain && self.messages.values().any(|m| fits(&m))
        {
            return Ok(None);
        }
        let payload = String::from_utf8_lossy(arrival.payload);
        broken!("{payload:?} on {topic}: nobody published that, or there is no such subscription")
    }

    /// The subscriptions that may have called for a retained message.
    fn asks<'a>(&self, session: &'a Session, message: &Message) -> Vec<&'a Subscription> {
        let asks = session.subscriptions.iter().filter(|s| {
            matches(&s.filter, &message.topic)
                && message.events.iter().any(|e| self.may_be_retained(message, e, s.life.may_from))
        });
        asks.collect()
    }

    /// Whether the message may be the topic's retained one at some time from `since` on.
    fn may_be_retained(&self, message: &Message, event: &Occurrence, since: Tick) -> bool {
        let replaced = |other: &&Message| {
            let sure = |e: &&Occurrence| e.sure && event.to < e.from && e.to < since;
            other.retain && other.topic == message.topic && other.events.iter().any(|e| sure(&e))
        };
        // With little room the broker may refuse the newer one.
        message.retain
            && (!self.rules.roomy || !self.messages.values().any(|other| replaced(&other)))
    }

    /// The messages that may be a topic's retained one at some time from `since` on, those that
    /// delete it too; and whether there surely was one by then.
    fn candidates(&self, topic: &str, since: Tick) -> (Vec<(MessageId, &Message)>, bool) {
        let on_topic = || self.messages.iter().filter(|(_, m)| m.retain && m.topic == topic);
        let may = |m: &Message| m.events.iter().any(|e| self.may_be_retained(m, e, since));
        let some = on_topic().filter(|(_, m)| may(m)).map(|(id, m)| (*id, m)).collect();
        let sure = on_topic().any(|(_, m)| m.events.iter().any(|e| e.sure && e.to < since));
        (some, sure)
    }

    /// All messages that may be retained now.
    pub(crate) fn retained_now(&self) -> BTreeSet<MessageId> {
        let topics: BTreeSet<&str> = self.messages.values().map(|m| m.topic.as_str()).collect();
        let now = Tick::MAX;
        topics
            .into_iter()
            .flat_map(|topic| self.candidates(topic, now).0)
            .map(|(id, _)| id)
            .collect()
    }

    /// What is retained, as somebody saw it who looked at all topics: nothing else may be, and from
    /// now on that is known.
    pub fn retained_is(&mut self, seen: &[(&[u8], &[u8])]) -> Result<(), Broken> {
        let mut found = BTreeMap::new();
        for (topic, payload) in seen {
            let topic = String::from_utf8_lossy(topic).into_owned();
            let Some(id) = self.find(&topic, payload) else {
                return broken!(
                    "{:?} is retained on {topic}: nobody published that",
                    String::from_utf8_lossy(payload)
                );
            };
            if found.insert(topic.clone(), id).is_some() {
                return broken!("{topic} has two retained messages");
            }
        }
        let now = self.tick();
        let topics: BTreeSet<String> = self.messages.values().map(|m| m.topic.clone()).collect();
        for topic in topics {
            let (some, sure) = self.candidates(&topic, now);
            let fits = match found.get(&topic) {
                Some(id) => some.iter().any(|(other, _)| other == id),
                None => !self.rules.roomy || !sure || some.iter().any(|(_, m)| m.delete),
            };
            if !fits {
                let ids: Vec<u32> = some.iter().map(|(id, _)| id.0).collect();
                let is = found.get(&topic);
                return broken!("{topic} retains {is:?}, not one of {ids:?}");
            }
            let is = found.get(&topic).copied();
            for (id, message) in self.messages.iter_mut().filter(|(_, m)| m.topic == topic) {
                message.retain &= Some(*id) == is;
                if message.retain {
                    message.events.iter_mut().for_each(|e| (e.sure, e.to) = (true, e.to.min(now)));
                }
            }
        }
        Ok(())
    }

    /// What must have arrived and has not, provided that all bytes have, and all acknowledgements
    /// are given: for those who are connected, or for all who have been since their sessions
    /// got anything.
    pub fn missing(&self, away_too: bool) -> Vec<String> {
        let mut missing = Vec::new();
        let present = |session: &&Session| {
            away_too && !session.clean
                || session.client == crate::model::LOCAL
                || self.online(session).is_some()
        };
        for session in self.sessions.values().filter(|session| !session.over).filter(&present) {
            for (id, message) in &self.messages {
                let live = message.events.iter().any(|e| self.is_due(session, message, e));
                let got = session.got.get(id).copied().unwrap_or_default();
                if live && !got.live && !message.delete {
                    missing.push(format!(
                        "client {}: message {} on {}",
                        session.client, id.0, message.topic
                    ));
                }
            }
            let held = session.subscriptions.iter().filter(|s| s.life.holds() && self.rules.roomy);
            for subscription in held {
                self.missing_retained(session, subscription, &mut missing);
            }
        }
        self.missing_shared(present, &mut missing);
        missing
    }

    /// Whether the session must get the message for this publication of it.
    fn is_due(&self, session: &Session, message: &Message, event: &Occurrence) -> bool {
        if !event.sure {
            return false;
        }
        let sure = session
            .subscriptions
            .iter()
            .filter(|s| s.life.meets(event) && matches(&s.filter, &message.topic));
        let Some(qos) = sure.map(|s| s.qos.min(message.qos)).max() else { return false };
        qos > QoS::AtMostOnce || self.listens_since(session, event.from)
    }

    /// Whether the session has had the connection it has since then.
    fn listens_since(&self, session: &Session, since: Tick) -> bool {
        session.client == crate::model::LOCAL
            || self.online(session).is_some_and(|connection| connection.life.sure_from <= since)
    }

    fn missing_retained(&self, session: &Session, asked: &Subscription, missing: &mut Vec<String>) {
        let since = asked.life.may_from;
        let topics: BTreeSet<&str> = self.messages.values().map(|m| m.topic.as_str()).collect();
        for topic in topics.into_iter().filter(|topic| matches(&asked.filter, topic)) {
            let (some, sure) = self.candidates(topic, since);
            let [(id, message)] = some[..] else { continue };
            let due = sure
                && !message.delete
                && (asked.qos.min(message.qos) > QoS::AtMostOnce
                    || self.listens_since(session, since));
            if due && session.got.get(&id).is_none_or(|got| got.retained_at < since) {
                missing.push(format!(
                    "client {}: retained message {} on {topic}",
                    session.client, id.0
                ));
            }
        }
    }
}

/// The qualities of service at which the session may get the message for this publication of it:
/// that of the highest subscription that matches, where some may or may not have held.
fn qualities(session: &Session, message: &Message, event: &Occurrence) -> BTreeSet<QoS> {
    let fits = |s: &&Subscription| matches(&s.filter, &message.topic);
    let sure = session.subscriptions.iter().filter(fits).filter(|s| s.life.meets(event));
    let least = sure.map(|s| s.qos).max().unwrap_or(QoS::AtMostOnce);
    let may = session.subscriptions.iter().filter(fits).filter(|s| s.life.may_meet(event));
    may.filter(|s| s.qos >= least).map(|s| s.qos.min(message.qos)).collect()
}
