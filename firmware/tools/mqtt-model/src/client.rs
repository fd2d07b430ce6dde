//! A client on the level of bytes: it does as told, tells the model, and complains of every answer
//! that is not due.
//!
//! It holds to the rules itself: packet ids, acknowledgements in order, repetition after a broken
//! connection, QoS 2 messages known by their ids. What it did counts as begun once its bytes are
//! [`wrote`](Client::wrote), and as done once an answer to it or to something later is there; who
//! knows better says [`took`](Client::took).

mod link;
mod receive;

use std::collections::BTreeMap;

use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{
    Connect, PacketType, Publish, Subscribe, Unsubscribe, Version, Will, emit_bare,
};

use crate::life::Tick;
use crate::model::{ConnKey, Loose, MessageId, Model, SessionKey};
use link::{Due, Link, Op, Pending};

/// How a client connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// Clean session.
    pub clean: bool,
    /// MQTT 3.1.
    pub old: bool,
    /// Seconds; 0 for none.
    pub keep_alive: u16,
    /// Topic, quality of service, to be retained.
    pub will: Option<(&'static str, QoS, bool)>,
}

/// See the module.
#[derive(Debug)]
pub struct Client {
    index: usize,
    /// QoS 2 messages it may have on their way.
    max_unreleased: usize,
    link: Option<Link>,
    /// Messages it has published and that are not acknowledged, in order.
    sent: Vec<Sent>,
    /// QoS 2 messages it has and that are not released, by their ids.
    seen: BTreeMap<u16, Seen>,
    next_id: u16,
    last: Greeting,
    /// What an earlier connection left open.
    loose: Vec<Loose>,
}

#[derive(Debug)]
struct Sent {
    packet_id: u16,
    message: MessageId,
    padding: usize,
    /// PUBREC is there.
    received: bool,
    /// On the connection there is.
    fresh: bool,
}

#[derive(Debug)]
struct Seen {
    session: SessionKey,
    since: Tick,
    topic: Vec<u8>,
    payload: Vec<u8>,
}

impl Client {
    /// A client that has no connection yet. Its name goes by its index.
    pub fn new(index: usize, max_unreleased: usize) -> Client {
        let last = Greeting { clean: index == 0, ..Greeting::default() };
        Client {
            index,
            max_unreleased,
            link: None,
            sent: Vec::new(),
            seen: BTreeMap::new(),
            next_id: 0,
            last,
            loose: Vec::new(),
        }
    }

    /// How it connected last.
    pub fn last_greeting(&self) -> Greeting {
        self.last
    }

    /// Whether it has a connection.
    pub fn is_linked(&self) -> bool {
        self.link.is_some()
    }

    /// Whether it has a connection on which it may speak.
    pub fn can_speak(&self) -> bool {
        self.link.as_ref().is_some_and(|link| !link.mute)
    }

    /// Whether the broker has accepted it.
    pub fn is_greeted(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.greeted)
    }

    /// Whether all its requests are answered, and all its messages acknowledged.
    pub fn is_content(&self) -> bool {
        self.sent.is_empty()
            && self.link.as_ref().is_none_or(|link| link.out.is_empty() && link.due.is_empty())
    }

    /// Whether the broker is to close the connection.
    pub fn is_doomed(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.doomed)
    }

    /// Whether the broker has a packet of it whose end has not come.
    pub fn is_amid_packet(&self) -> bool {
        let amid = |link: &Link| {
            link.pending.iter().any(|p| p.start < link.written && link.written < p.end)
        };
        self.link.as_ref().is_some_and(amid)
    }

    /// Its connection, once CONNECT may be at the broker.
    pub fn conn(&self) -> Option<ConnKey> {
        Some(self.link.as_ref()?.attempt.as_ref()?.conn)
    }

    // What it is told to do.

    /// Has a new connection, and sends CONNECT on it. What it knew of an old one is forgotten.
    pub fn connect(&mut self, model: &mut Model, greeting: Greeting) {
        self.last = greeting;
        let will = greeting
            .will
            .map(|(topic, qos, retain)| model.message(self.index, topic, qos, retain, false));
        let payload = will.map(|id| model.payload(id, 0)).unwrap_or_default();
        let id = format!("client-{}", self.index);
        let connect = Connect {
            version: if greeting.old { Version::V31 } else { Version::V311 },
            bridge: false,
            client_id: &id,
            clean_session: greeting.clean,
            keep_alive: greeting.keep_alive,
            will: greeting.will.map(|(topic, qos, retain)| Will {
                topic: topic.as_bytes(),
                payload: &payload,
                qos,
                retain,
            }),
            user: None,
            password: None,
        };
        let mut bytes = Vec::new();
        connect.emit(&mut bytes);
        self.sent.iter_mut().for_each(|sent| sent.fresh = false);
        self.link = Some(Link { greeting, will, ..Link::default() });
        self.say(&bytes, Op::Connect, Some(Due::Connack));
    }

    /// Publishes, if it may have one more message on its way.
    pub fn publish(
        &mut self,
        model: &mut Model,
        topic: &str,
        qos: QoS,
        retain: bool,
        delete: bool,
        padding: usize,
    ) {
        let at_qos_2 = |sent: &&Sent| {
            model.messages.get(&sent.message).is_some_and(|m| m.qos == QoS::ExactlyOnce)
        };
        if qos == QoS::ExactlyOnce
            && self.sent.iter().filter(at_qos_2).count() >= self.max_unreleased
        {
            return;
        }
        let message = model.message(self.index, topic, qos, retain, delete && retain);
        let mut packet_id = 0;
        if qos != QoS::AtMostOnce {
            packet_id = self.packet_id();
            self.sent.push(Sent { packet_id, message, padding, received: false, fresh: true });
        }
        self.send_message(model, message, packet_id, padding, false);
    }

    fn send_message(
        &mut self,
        model: &Model,
        message: MessageId,
        packet_id: u16,
        padding: usize,
        again: bool,
    ) {
        let Some(content) = model.messages.get(&message) else { return };
        let payload = model.payload(message, padding);
        let publish = Publish {
            topic: content.topic.as_bytes(),
            payload: &payload,
            qos: content.qos,
            retain: content.retain,
            dup: again,
            packet_id,
        };
        let mut bytes = Vec::new();
        publish.emit(&mut bytes);
        let due = match content.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => Some(Due::Ack(PacketType::Puback, packet_id)),
            QoS::ExactlyOnce => Some(Due::Ack(PacketType::Pubrec, packet_id)),
        };
        self.say(&bytes, Op::Publish { message, again }, due);
    }

    /// Subscribes to all of these in one packet.
    pub fn subscribe(&mut self, filters: &[(&'static str, QoS)]) {
        let packet_id = self.packet_id();
        let list: Vec<_> = filters.iter().map(|(filter, qos)| (filter.as_bytes(), *qos)).collect();
        let mut bytes = Vec::new();
        Subscribe::emit(packet_id, &list, &mut bytes);
        self.say(&bytes, Op::Subscribe(filters.to_vec()), Some(Due::Suback(packet_id, Vec::new())));
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, filter: &'static str) {
        let packet_id = self.packet_id();
        let mut bytes = Vec::new();
        Unsubscribe::emit(packet_id, &[filter.as_bytes()], &mut bytes);
        self.say(&bytes, Op::Unsubscribe(filter), Some(Due::Ack(PacketType::Unsuback, packet_id)));
    }

    /// Sends PINGREQ.
    pub fn ping(&mut self) {
        self.say(&emit_bare(PacketType::Pingreq), Op::Settle(None), Some(Due::Pingresp));
    }

    /// Sends DISCONNECT.
    pub fn leave(&mut self) {
        self.say(&emit_bare(PacketType::Disconnect), Op::Leave, None);
        self.mute();
    }

    /// Sends the first byte of a packet of a type that does not exist.
    pub fn garbage(&mut self) {
        self.say(&[0xf0], Op::Garbage, None);
        self.mute();
    }

    fn mute(&mut self) {
        if let Some(link) = &mut self.link {
            link.mute = true;
        }
    }

    /// Withholds its acknowledgements from now on, or gives those it has withheld.
    pub fn hold(&mut self, hold: bool) {
        let Some(link) = &mut self.link else { return };
        link.hold = hold;
        if !hold {
            for (bytes, op, due) in std::mem::take(&mut link.held) {
                self.say(&bytes, op, due);
            }
        }
    }

    /// Has no connection any more, and does not know what of its last words arrived.
    pub fn lost(&mut self, model: &mut Model) {
        let now = model.tick();
        let Some(link) = &self.link else { return };
        let (attempt, greeted) = (link.attempt.clone(), link.greeted);
        self.abandon(model);
        match attempt {
            Some(attempt) if greeted => self.loose.extend(model.cut_began(attempt.conn, now)),
            Some(attempt) => self.loose.extend(model.connect_unknown(&attempt)),
            None => {}
        }
    }

    /// Lets go of the connection without the broker's learning of it.
    pub fn abandon(&mut self, model: &mut Model) {
        let Some(link) = self.take_link() else { return };
        for pending in link.pending.into_iter().filter(|pending| pending.begun) {
            self.loose.extend(pending.loose);
        }
        if let Some(attempt) = link.attempt {
            model.abandoned(attempt.conn);
        }
    }

    /// Like [`lost`](Self::lost), where the model is told by somebody who does know.
    pub fn forget_link(&mut self) {
        self.take_link();
    }

    fn take_link(&mut self) -> Option<Link> {
        let link = self.link.take()?;
        // What belongs to a clean session ends with its connection ([MQTT-3.1.2-6]), unless it was
        // refused.
        if link.greeting.clean && link.attempt.as_ref().is_some_and(|attempt| !attempt.refused) {
            self.sent.clear();
            self.seen.clear();
        }
        Some(link)
    }

    // Its bytes.

    fn say(&mut self, bytes: &[u8], op: Op, due: Option<Due>) {
        let Some(link) = self.link.as_mut().filter(|link| !link.mute) else { return };
        link.out.extend_from_slice(bytes);
        let (start, end) = (link.queued, link.queued + bytes.len() as u64);
        link.queued = end;
        let (loose, keys) = (Vec::new(), Vec::new());
        link.pending.push_back(Pending { start, end, op, begun: false, began: 0, loose, keys });
        link.due.extend(due.map(|due| (end, due)));
    }

    /// What it has to say.
    pub fn outgoing(&self) -> &[u8] {
        self.link.as_ref().map_or(&[], |link| &link.out)
    }

    /// The first bytes of that may be at the broker from now on.
    pub fn wrote(&mut self, n: usize, model: &mut Model) {
        let Some(link) = &mut self.link else { return };
        link.out.drain(..n);
        link.written += n as u64;
        let (written, index) = (link.written, self.index);
        let mut pending = std::mem::take(&mut link.pending);
        for next in pending.iter_mut().filter(|next| next.end <= written && !next.begun) {
            next.begun = true;
            link.begin(next, index, model);
        }
        link.pending = pending;
    }

    /// The broker has dealt with all that was written.
    pub fn took(&mut self, model: &mut Model) {
        if let Some(link) = &self.link {
            self.took_up_to(link.written, model);
        }
    }

    fn took_up_to(&mut self, end: u64, model: &mut Model) {
        let Some(link) = &mut self.link else { return };
        while let Some(pending) = link.pending.pop_front_if(|pending| pending.end <= end) {
            link.finish(pending, model, &mut self.loose);
        }
    }
}
