//! What there is, going by what the clients did: messages, sessions with their subscriptions,
//! connections.
//!
//! A client's act has a beginning (its last byte may be at the broker) and an end (the broker has
//! surely dealt with it), told by calls in pairs: `..._began`, `..._done`. Where there is no
//! telling, as when a connection broke in between, the second call is missing. What follows from it
//! all is in `check`.

mod connections;
mod keys;

use std::collections::BTreeMap;

use umqtt_mqtt::{Duration, Instant, QoS};

use crate::life::{Life, NEVER, Occurrence, Tick};
use crate::{Broken, broken};
pub use keys::{ConnKey, MessageId, SessionKey, SubKey};

/// What the broker is told to keep to.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Clients at a time.
    pub max_clients: usize,
    /// Sessions with clean session 0.
    pub max_stored_sessions: usize,
    /// The time a session outlives its connection.
    pub session_expiry: Duration,
    /// Subscriptions are granted and messages retained: no limit stands in the way.
    pub roomy: bool,
}

/// Something whose end is not known yet.
#[derive(Clone, Copy, Debug)]
pub enum Loose {
    /// A publication of the message.
    Publication(MessageId, usize),
    /// The same, unless the broker knows it for the repetition of an earlier one.
    Repetition(MessageId, usize),
    /// The end of the session.
    End(SessionKey),
}

/// A CONNECT, and what is to come of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its connection.
    pub conn: ConnKey,
    /// It is to be refused: the broker is full.
    pub refused: bool,
    /// What the CONNACK says of the session; `None` if there is no telling.
    pub present: Option<bool>,
    client: usize,
    /// The session before, where this one begins a new one.
    before: Option<SessionKey>,
    ends: Vec<Loose>,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// Deletes what is retained: its payload is empty.
    pub(crate) delete: bool,
    pub(crate) publisher: usize,
    /// The publisher's session when it was last published.
    session: Option<SessionKey>,
    /// The times it was published; QoS 1 may repeat that.
    pub(crate) events: Vec<Occurrence>,
    /// So many of them have come to the groups they were for, by members that may be forgotten
    /// since.
    pub(crate) shared: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) filter: String,
    pub(crate) qos: QoS,
    pub(crate) life: Life,
    /// When the broker had surely dealt with it, if it has granted it.
    taken: Tick,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) client: usize,
    pub(crate) clean: bool,
    pub(crate) over: bool,
    /// When its last connection ended.
    away_since: Option<Instant>,
    /// The same as the model's time; `None` if it may have been earlier.
    away_from: Option<Tick>,
    /// Up to here it may have been another session at the broker.
    unclear_to: Tick,
    pub(crate) conn: Option<ConnKey>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) got: BTreeMap<MessageId, Got>,
    /// Of the messages that arrived, by publisher and quality of service: the latest time at which
    /// one was first published.
    pub(crate) newest: BTreeMap<(usize, QoS), Tick>,
}

/// What arrived of one message in one session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Got {
    /// As a new message, not marked as repeated.
    pub(crate) fresh: usize,
    /// As a new message at all.
    pub(crate) live: bool,
    /// As a retained message, not marked as repeated.
    pub(crate) retained: usize,
    /// When it last did, in any way.
    pub(crate) retained_at: Tick,
    /// The broker has taken the client's PUBACK.
    pub(crate) settled: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) client: usize,
    session: SessionKey,
    will: Option<MessageId>,
    pub(crate) life: Life,
    /// The client has let go of it; the broker need not know.
    abandoned: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Identity {
    session: Option<SessionKey>,
    conn: Option<ConnKey>,
    /// A CONNECT without an answer leaves open which session there is.
    unsure: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) rules: Rules,
    clock: Tick,
    count: u32,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    pub(crate) sessions: BTreeMap<SessionKey, Session>,
    pub(crate) connections: BTreeMap<ConnKey, Connection>,
    clients: BTreeMap<usize, Identity>,
    /// The current time of the broker.
    pub now: Instant,
    pub(crate) arrivals: u64,
}

/// The program the broker is part of, as a client.
pub(crate) const LOCAL: usize = usize::MAX;

impl Model {
    /// A broker nobody has spoken to.
    pub fn new(rules: Rules) -> Model {
        let mut model = Model {
            rules,
            clock: 0,
            count: 0,
            messages: BTreeMap::new(),
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
            clients: BTreeMap::new(),
            now: Instant::ZERO,
            arrivals: 0,
        };
        model.sessions.insert(Model::LOCAL, Session { client: LOCAL, ..Session::default() });
        model
    }

    /// The session of the program the broker is part of.
    pub const LOCAL: SessionKey = SessionKey(0);

    /// The time, for [`cut_began`](Self::cut_began) and the like.
    pub fn tick(&mut self) -> Tick {
        self.clock += 1;
        self.clock
    }

    fn number(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    // Messages.

    /// A message that may be published later.
    pub fn message(
        &mut self,
        publisher: usize,
        topic: &str,
        qos: QoS,
        retain: bool,
        delete: bool,
    ) -> MessageId {
        let id = MessageId(self.number());
        let topic = topic.to_owned();
        let (session, events, shared) = (None, Vec::new(), 0);
        let message = Message { topic, qos, retain, delete, publisher, session, events, shared };
        self.messages.insert(id, message);
        id
    }

    /// Its payload, different from all others unless it deletes; with padding of so many bytes.
    pub fn payload(&self, id: MessageId, padding: usize) -> Vec<u8> {
        match self.messages.get(&id) {
            Some(message) if message.delete => Vec::new(),
            _ => format!("{}:{}", id.0, "x".repeat(padding)).into_bytes(),
        }
    }

    /// A PUBLISH may be at the broker, in this session. `again`: the client takes it for the same
    /// transfer at QoS 2 as an earlier one. For the broker it is a new one if the session is,
    /// of which the client need not have learnt.
    pub fn publish_began(
        &mut self,
        id: MessageId,
        session: Option<SessionKey>,
        again: bool,
    ) -> Option<Loose> {
        let now = self.tick();
        let unclear_to =
            session.and_then(|key| self.sessions.get(&key)).map_or(0, |s| s.unclear_to);
        let message = self.messages.get_mut(&id)?;
        let repeats = again && message.qos == QoS::ExactlyOnce;
        let again = repeats && message.session == session;
        message.session = session;
        // Topics of the broker itself are not for clients.
        if message.publisher != LOCAL
            && (message.topic == "$SYS" || message.topic.starts_with("$SYS/"))
        {
            return None;
        }
        match message.events.last_mut().filter(|_| again) {
            Some(event) if event.from < unclear_to => {
                message.events.push(Occurrence::begins(now));
                return None; // It may be a new one, and nothing will show whether it is.
            }
            Some(event) if event.sure => {}
            Some(event) => (event.to, event.tried) = (NEVER, now),
            None => message.events.push(Occurrence::begins(now)),
        }
        let event = message.events.len() - 1;
        // Whether the session did begin anew is not always known.
        let perhaps = repeats && !again;
        Some(if perhaps { Loose::Repetition(id, event) } else { Loose::Publication(id, event) })
    }

    /// What may have happened since it began has happened by now.
    pub fn happened(&mut self, loose: Loose) {
        let now = self.tick();
        match loose {
            Loose::Publication(id, index) => {
                if let Some(event) = self.event(id, index) {
                    (event.sure, event.to) = (true, event.to.min(now));
                }
            }
            Loose::Repetition(..) | Loose::End(_) => self.over(loose),
        }
    }

    /// What may have happened since it began will not happen any more.
    pub fn over(&mut self, loose: Loose) {
        let now = self.tick();
        match loose {
            Loose::Publication(id, index) | Loose::Repetition(id, index) => {
                if let Some(event) = self.event(id, index) {
                    event.to = event.to.min(now);
                }
            }
            Loose::End(key) => {
                if let Some(session) = self.sessions.get_mut(&key) {
                    session.subscriptions.iter_mut().for_each(|s| s.life.ended(now));
                }
            }
        }
    }

    fn event(&mut self, id: MessageId, index: usize) -> Option<&mut Occurrence> {
        self.messages.get_mut(&id)?.events.get_mut(index)
    }

    // Subscriptions.

    /// A SUBSCRIBE may be at the broker.
    pub fn subscribe_began(&mut self, key: SessionKey, filter: &str, qos: QoS) -> SubKey {
        let now = self.tick();
        self.unsubscribe_began(key, filter);
        let session = self.sessions.entry(key).or_default();
        let life = Life::begins(now);
        let filter = filter.to_owned();
        session.subscriptions.push(Subscription { filter, qos, life, taken: NEVER });
        SubKey(key, session.subscriptions.len() - 1)
    }

    /// The broker has dealt with it.
    pub fn subscribe_done(&mut self, sub: SubKey) {
        let now = self.tick();
        let roomy = self.rules.roomy;
        let Some(session) = self.sessions.get_mut(&sub.0) else { return };
        let Some((new, old)) = session.subscriptions[..=sub.1].split_last_mut() else { return };
        new.taken = now;
        if roomy {
            new.life.sure_from = now;
        }
        old.iter_mut().filter(|s| s.filter == new.filter).for_each(|s| s.life.ended(now));
    }

    /// The SUBACK says what was granted.
    pub fn granted(&mut self, sub: SubKey, granted: Option<QoS>) -> Result<(), Broken> {
        let now = self.tick();
        let roomy = self.rules.roomy;
        let Some(subscription) = self.subscription(sub) else { return Ok(()) };
        match granted {
            Some(qos) if qos == subscription.qos => {
                subscription.life.sure_from = subscription.taken;
                Ok(())
            }
            None if !roomy => {
                subscription.life.ended(now);
                Ok(())
            }
            other => broken!(
                "{:?} is granted {other:?}, not {:?}",
                subscription.filter,
                subscription.qos
            ),
        }
    }

    fn subscription(&mut self, sub: SubKey) -> Option<&mut Subscription> {
        self.sessions.get_mut(&sub.0)?.subscriptions.get_mut(sub.1)
    }

    /// An UNSUBSCRIBE may be at the broker; the time it is.
    pub fn unsubscribe_began(&mut self, key: SessionKey, filter: &str) -> Tick {
        let now = self.tick();
        self.each_of(key, filter, |life| life.ends(now));
        now
    }

    /// The broker has dealt with it. What began after it stays.
    pub fn unsubscribe_done(&mut self, key: SessionKey, filter: &str, began: Tick) {
        let now = self.tick();
        self.each_of(key, filter, |life| {
            if life.may_from < began {
                life.ended(now);
            }
        });
    }

    fn each_of(&mut self, key: SessionKey, filter: &str, mut with: impl FnMut(&mut Life)) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let same = session.subscriptions.iter_mut().filter(|s| s.filter == filter);
        same.for_each(|s| with(&mut s.life));
    }

    /// The connection a session has, both ends of which are there.
    pub(crate) fn online(&self, session: &Session) -> Option<&Connection> {
        let connection = self.connections.get(&session.conn?)?;
        (!connection.abandoned && connection.life.holds()).then_some(connection)
    }

    /// How many messages arrived so far.
    pub fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Forgets what is over and done with: everybody is connected, and nothing is missing.
    pub fn prune(&mut self) {
        let mut kept = self.retained_now();
        kept.extend(self.connections.values().filter_map(|connection| connection.will));
        self.messages.retain(|id, _| kept.contains(id));
        self.messages.values_mut().for_each(|message| message.shared = message.events.len());
        self.sessions.retain(|_, session| !session.over);
        let messages = &self.messages;
        for session in self.sessions.values_mut() {
            session.got.retain(|id, _| messages.contains_key(id));
            // The requests they answered are forgotten too.
            session.got.values_mut().for_each(|got| got.retained = 0);
            session.subscriptions.retain(|s| s.life.may_to == NEVER);
        }
        self.connections.retain(|_, connection| connection.life.holds());
    }
}
