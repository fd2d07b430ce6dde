//! One connection of a client: what was said on it, what that means to the model, and which answers
//! are due.

use std::collections::VecDeque;

use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::PacketType;

use super::Greeting;
use crate::life::Tick;
use crate::model::{Attempt, Loose, MessageId, Model, SessionKey, SubKey};

#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) greeting: Greeting,
    pub(super) will: Option<MessageId>,
    pub(super) attempt: Option<Attempt>,
    pub(super) session: Option<SessionKey>,
    pub(super) greeted: bool,
    /// What the CONNACK said of the session.
    pub(super) present: Option<bool>,
    pub(super) out: Vec<u8>,
    /// Bytes that were queued and written since the beginning.
    pub(super) queued: u64,
    pub(super) written: u64,
    pub(super) pending: VecDeque<Pending>,
    pub(super) due: VecDeque<(u64, Due)>,
    pub(super) inbox: Vec<u8>,
    pub(super) hold: bool,
    pub(super) held: Vec<(Vec<u8>, Op, Option<Due>)>,
    /// After what it has said the broker reads no more.
    pub(super) mute: bool,
    /// The same, and the broker may have read it.
    pub(super) doomed: bool,
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) op: Op,
    /// It may be at the broker, since this time.
    pub(super) begun: bool,
    pub(super) began: Tick,
    pub(super) loose: Vec<Loose>,
    pub(super) keys: Vec<SubKey>,
}

/// What bytes mean to the model.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Connect,
    Publish { message: MessageId, again: bool },
    Settle(Option<MessageId>),
    Subscribe(Vec<(&'static str, QoS)>),
    Unsubscribe(&'static str),
    Leave,
    Garbage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Connack,
    Ack(PacketType, u16),
    Suback(u16, Vec<SubKey>),
    Pingresp,
}

impl Link {
    /// The bytes of an act may be at the broker.
    pub(super) fn begin(&mut self, pending: &mut Pending, index: usize, model: &mut Model) {
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
                pending.loose.extend(model.publish_began(*message, self.session, *again))
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
                let now = model.tick();
                pending.loose = match pending.op {
                    Op::Leave => model.left_began(conn, now),
                    _ => model.cut_began(conn, now),
                };
            }
            Op::Settle(_) => {}
        }
    }

    /// The broker has dealt with an act.
    pub(super) fn finish(&mut self, pending: Pending, model: &mut Model, loose: &mut Vec<Loose>) {
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
