//! What the broker says to a client.

use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{
    Ack, Connack, FixedHeader, PacketType, Publish, ReturnCode, Suback, Version, emit_ack,
};

use super::link::{Due, Op};
use super::{Client, Seen};
use crate::{Arrival, Broken, MessageId, Model, SessionKey, broken};

impl Client {
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
        let bad = |why: umqtt_mqtt::wire::Malformed| Broken(format!("{why}: {body:x?}"));
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
        let known = publish.qos == QoS::ExactlyOnce && self.knows(session, publish, model)?;
        let id = if known { None } else { model.arrived(session, conn, &arrival)? };
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => {
                // A retained message may come several times, each to be acknowledged.
                self.answer(PacketType::Puback, publish.packet_id, id.filter(|_| !publish.retain));
            }
            QoS::ExactlyOnce => {
                if !known {
                    let (topic, payload) = (publish.topic.to_vec(), publish.payload.to_vec());
                    let seen = Seen { session, since: model.tick(), topic, payload };
                    self.seen.insert(publish.packet_id, seen);
                }
                self.answer(PacketType::Pubrec, publish.packet_id, None);
            }
        }
        Ok(())
    }

    /// Whether it has a message already that comes at QoS 2. What it has may be from a session that
    /// ended without its learning of it: then the packet id says nothing.
    fn knows(
        &self,
        session: SessionKey,
        publish: &Publish<'_>,
        model: &Model,
    ) -> Result<bool, Broken> {
        let Some(seen) = self.seen.get(&publish.packet_id) else { return Ok(false) };
        let same = (publish.topic, publish.payload) == (&seen.topic[..], &seen.payload[..]);
        if seen.session != session {
            return Ok(false);
        }
        if model.is_unclear(session, seen.since) {
            return Ok(publish.dup && same);
        }
        if !publish.dup || !same {
            return broken!("packet id {} is in use", publish.packet_id);
        }
        Ok(true)
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

    pub(super) fn packet_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.wrapping_add(1).max(1);
            if self.sent.iter().all(|sent| sent.packet_id != self.next_id) {
                return self.next_id;
            }
        }
    }
}
