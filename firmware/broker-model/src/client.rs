//! A client on the level of bytes: it does as told, tells the model, and complains of every answer that is not due.
//!
//! It holds to the rules itself: packet ids, acknowledgements in order, repetition after a broken connection, QoS 2 messages
//! known by their ids. What it did counts as begun once its bytes are [`wrote`](Client::wrote), and as done once an answer to it
//! or to something later is there; who knows better says [`took`](Client::took).

use std::collections::{BTreeSet, VecDeque};

use umqtt_broker::QoS;
use umqtt_broker::wire::{
    Ack, Connack, Connect, FixedHeader, PacketType, Publish, ReturnCode, Suback, Subscribe,
    Unsubscribe, Version, Will, emit_ack, emit_bare,
};

use crate::life::Tick;
use crate::model::{Attempt, ConnKey, Loose, MessageId, Model, SessionKey, SubKey};
use crate::{Arrival, Broken, broken};

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
    /// Ids of QoS 2 messages it has and that are not released.
    seen: BTreeSet<u16>,
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

#[derive(Debug, Default)]
struct Link {
    greeting: Greeting,
    will: Option<MessageId>,
    attempt: Option<Attempt>,
    session: Option<SessionKey>,
    greeted: bool,
    /// What the CONNACK said of the session.
    present: Option<bool>,
    out: Vec<u8>,
    /// Bytes that were queued and written since the beginning.
    queued: u64,
    written: u64,
    pending: VecDeque<Pending>,
    due: VecDeque<(u64, Due)>,
    inbox: Vec<u8>,
    hold: bool,
    held: Vec<(Vec<u8>, Op, Option<Due>)>,
    /// After what it has said the broker reads no more.
    mute: bool,
    /// The same, and the broker may have read it.
    doomed: bool,
}

#[derive(Debug)]
struct Pending {
    start: u64,
    end: u64,
    op: Op,
    /// It may be at the broker, since this time.
    begun: bool,
    began: Tick,
    loose: Vec<Loose>,
    keys: Vec<SubKey>,
}

/// What bytes mean to the model.
#[derive(Clone, Debug)]
enum Op {
    Connect,
    Publish { message: MessageId, again: bool },
    Settle(Option<MessageId>),
    Subscribe(Vec<(&'static str, QoS)>),
    Unsubscribe(&'static str),
    Leave,
    Garbage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Due {
    Connack,
    Ack(PacketType, u16),
    Suback(u16, Vec<SubKey>),
    Pingresp,
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
            seen: BTreeSet::new(),
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
        let now = model.time();
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
        let Some(link) = self.link.take() else { return };
        for pending in link.pending.into_iter().filter(|pending| pending.begun) {
            self.loose.extend(pending.loose);
        }
        if let Some(attempt) = link.attempt {
            model.abandoned(attempt.conn);
        }
    }

    /// Like [`lost`](Self::lost), where the model is told by somebody who does know.
    pub fn forget_link(&mut self) {
        self.link = None;
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

    /// Bytes came from the broker.
    ///
    /// # Errors
    /// They are not what has to come.
    pub fn receive(&mut self, bytes: &[u8], model: &mut Model) -> Result<(), Broken> {
        let Some(link) = &mut self.link else { return Ok(()) };
        link.inbox.extend_from_slice(bytes);
        let mut inbox = std::mem::take(&mut link.inbox);
        loop {
            let header = match FixedHeader::parse(&inbox, Version::V311) {
                Ok(Some(header)) if inbox.len() >= header.total() => header,
                Ok(_) => break,
                Err(why) => return broken!("client {}: {why}: {inbox:x?}", self.index),
            };
            let rest = inbox.split_off(header.total());
            let body = &inbox[header.len..];
            let handled = self.packet(&header, body, model);
            handled.map_err(|why| {
                Broken(format!("client {}: {:?}: {why}", self.index, header.kind))
            })?;
            inbox = rest;
        }
        if let Some(link) = &mut self.link {
            link.inbox = inbox;
        }
        Ok(())
    }

    fn packet(
        &mut self,
        header: &FixedHeader,
        body: &[u8],
        model: &mut Model,
    ) -> Result<(), Broken> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if !link.greeted && header.kind != PacketType::Connack {
            return broken!("before CONNACK");
        }
        let bad = |why: umqtt_broker::wire::Malformed| Broken(format!("{why}: {body:x?}"));
        match header.kind {
            PacketType::Connack => self.greeted(&Connack::parse(header, body).map_err(bad)?, model),
            PacketType::Publish => {
                let publish = Publish::parse(header, body).map_err(bad)?;
                self.message(&publish, model)
            }
            PacketType::Suback => {
                let suback = Suback::parse(body).map_err(bad)?;
                let Some((end, Due::Suback(id, keys))) = link.due.pop_front() else {
                    return broken!("not due");
                };
                self.took_up_to(end, model);
                if id != suback.packet_id || keys.len() != suback.granted().count() {
                    return broken!("{suback:?} answers {id}, {} filters", keys.len());
                }
                let mut granted = keys.into_iter().zip(suback.granted());
                granted.try_for_each(|(key, qos)| model.granted(key, qos))
            }
            PacketType::Pingresp => self.due(Due::Pingresp, model),
            PacketType::Pubrel => {
                let id = Ack::parse(body).map_err(bad)?.packet_id;
                self.seen.remove(&id);
                self.answer(PacketType::Pubcomp, id, None);
                Ok(())
            }
            kind @ (PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubcomp
            | PacketType::Unsuback) => {
                let id = Ack::parse(body).map_err(bad)?.packet_id;
                self.due(Due::Ack(kind, id), model)?;
                let Some(at) = self.sent.iter().position(|sent| sent.packet_id == id) else {
                    return Ok(());
                };
                match kind {
                    PacketType::Pubrec => {
                        self.sent[at].received = true;
                        self.answer(PacketType::Pubrel, id, None);
                    }
                    PacketType::Unsuback => {}
                    _ => drop(self.sent.remove(at)),
                }
                Ok(())
            }
            _ => broken!("a broker does not send it"),
        }
    }

    /// An answer that has to be the next one.
    fn due(&mut self, answer: Due, model: &mut Model) -> Result<(), Broken> {
        let next = self.link.as_mut().and_then(|link| link.due.pop_front());
        match next {
            Some((end, next)) if next == answer => {
                self.took_up_to(end, model);
                Ok(())
            }
            other => broken!("due is {other:?}, not {answer:?}"),
        }
    }

    fn greeted(&mut self, connack: &Connack, model: &mut Model) -> Result<(), Broken> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let (Some(attempt), false) = (link.attempt.clone(), link.greeted) else {
            return broken!("not due");
        };
        let old = link.greeting.old;
        let code =
            if attempt.refused { ReturnCode::ServerUnavailable } else { ReturnCode::Accepted };
        let present = if old { Some(false) } else { attempt.present };
        if connack.code != code || present.is_some_and(|present| present != connack.session_present)
        {
            return broken!("{connack:?}, but {code:?} and session present {present:?} are due");
        }
        // MQTT 3.1 does not tell: to be used only where there is no doubt.
        let present = if old { attempt.present.unwrap_or(false) } else { connack.session_present };
        (link.greeted, link.present) = (true, Some(present));
        self.due(Due::Connack, model)?;
        if attempt.refused {
            return Ok(());
        }
        if !present {
            self.seen.clear();
            self.sent.retain(|sent| sent.fresh);
        }
        self.repeat(model);
        Ok(())
    }

    /// Sends again what an earlier connection left unfinished.
    fn repeat(&mut self, model: &Model) {
        let again = self.sent.iter().filter(|sent| !sent.fresh);
        let again: Vec<_> =
            again.map(|s| (s.message, s.packet_id, s.padding, s.received)).collect();
        self.sent.iter_mut().for_each(|sent| sent.fresh = true);
        for (message, packet_id, padding, received) in again {
            if received {
                self.answer(PacketType::Pubrel, packet_id, None);
            } else {
                self.send_message(model, message, packet_id, padding, true);
            }
        }
    }

    fn message(&mut self, publish: &Publish<'_>, model: &mut Model) -> Result<(), Broken> {
        let conn = self.conn();
        let Some(session) = self.link.as_ref().and_then(|link| link.session) else {
            return broken!("without a session");
        };
        let arrival = Arrival {
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
        };
        let known = publish.qos == QoS::ExactlyOnce && self.seen.contains(&publish.packet_id);
        if known && !publish.dup {
            return broken!("packet id {} is in use", publish.packet_id);
        }
        let id = if known { None } else { model.arrived(session, conn, &arrival)? };
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => {
                // A retained message may come several times, each to be acknowledged.
                self.answer(PacketType::Puback, publish.packet_id, id.filter(|_| !publish.retain));
            }
            QoS::ExactlyOnce => {
                self.seen.insert(publish.packet_id);
                self.answer(PacketType::Pubrec, publish.packet_id, None);
            }
        }
        Ok(())
    }

    /// Sends an acknowledgement, now or later.
    fn answer(&mut self, kind: PacketType, packet_id: u16, settles: Option<MessageId>) {
        let bytes = emit_ack(kind, packet_id);
        let op = Op::Settle(settles);
        let due = (kind == PacketType::Pubrel).then_some(Due::Ack(PacketType::Pubcomp, packet_id));
        match &mut self.link {
            Some(link) if link.hold => link.held.push((bytes.to_vec(), op, due)),
            _ => self.say(&bytes, op, due),
        }
    }

    fn packet_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.wrapping_add(1).max(1);
            if self.sent.iter().all(|sent| sent.packet_id != self.next_id) {
                return self.next_id;
            }
        }
    }
}

impl Link {
    /// The bytes of an act may be at the broker.
    fn begin(&mut self, pending: &mut Pending, index: usize, model: &mut Model) {
        if self.doomed {
            return;
        }
        match &pending.op {
            Op::Connect => {
                let attempt = model.connect_began(index, self.greeting.clean, self.will);
                self.doomed = attempt.refused;
                self.session = model.session_of(index);
                self.attempt = Some(attempt);
            }
            Op::Publish { message, again } => {
                pending.loose.extend(model.publish_began(*message, *again))
            }
            Op::Subscribe(filters) => {
                let Some(session) = self.session else { return };
                let began = filters
                    .iter()
                    .map(|(filter, qos)| model.subscribe_began(session, filter, *qos));
                pending.keys = began.collect();
                let due = self.due.iter_mut().find(|(end, _)| *end == pending.end);
                if let Some((_, Due::Suback(_, keys))) = due {
                    keys.clone_from(&pending.keys);
                }
            }
            Op::Unsubscribe(filter) => {
                if let Some(session) = self.session {
                    pending.began = model.unsubscribe_began(session, filter);
                }
            }
            Op::Leave | Op::Garbage => {
                self.doomed = true;
                let Some(conn) = self.attempt.as_ref().map(|attempt| attempt.conn) else { return };
                let now = model.time();
                pending.loose = match pending.op {
                    Op::Leave => model.left_began(conn, now),
                    _ => model.cut_began(conn, now),
                };
            }
            Op::Settle(_) => {}
        }
    }

    /// The broker has dealt with an act.
    fn finish(&mut self, pending: Pending, model: &mut Model, loose: &mut Vec<Loose>) {
        match pending.op {
            Op::Connect => {
                let Some(attempt) = &self.attempt else { return };
                loose.drain(..).for_each(|end| model.over(end));
                model.connect_done(attempt, self.present);
            }
            Op::Settle(Some(id)) => {
                if let Some(session) = self.session {
                    model.settled(session, id);
                }
            }
            Op::Subscribe(_) => pending.keys.into_iter().for_each(|key| model.subscribe_done(key)),
            Op::Unsubscribe(filter) => {
                if let Some(session) = self.session {
                    model.unsubscribe_done(session, filter, pending.began);
                }
            }
            Op::Publish { .. } | Op::Leave | Op::Garbage => {
                pending.loose.into_iter().for_each(|end| model.happened(end));
            }
            Op::Settle(None) => {}
        }
    }
}
