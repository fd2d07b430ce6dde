//! Bytes from a client: cut into packets, and each packet to where it is handled.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use umqtt_memory::try_room_exact;

use super::{Broker, ConnId};
use crate::connection::Phase;
use crate::inbox::{Inbox, NoMemory};
use crate::inflight::INFLIGHT_BYTES;
use crate::wire::{
    Ack, FixedHeader, Malformed, PacketType, Publish, QoS, Suback, Subscribe, Unsubscribe, Version,
    emit_ack, emit_bare,
};
use crate::{Hooks, Instant};

/// Bytes of a packet that is begun, and of answers, that there is always room for.
const ALWAYS: usize = 64;

/// What a client did that closes its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProtocolError {
    /// It is no MQTT, or not at this point.
    Malformed,
    /// A packet or a topic over the limit.
    TooLarge,
    /// It began a packet for which there is no memory.
    NoMemory,
    /// Answers over the limit wait for it.
    Unread,
    /// QoS 2 messages over the limit wait for their release.
    Unreleased,
}

impl From<Malformed> for ProtocolError {
    fn from(_: Malformed) -> ProtocolError {
        ProtocolError::Malformed
    }
}

impl From<NoMemory> for ProtocolError {
    fn from(_: NoMemory) -> ProtocolError {
        ProtocolError::NoMemory
    }
}

/// Why the rest of what came is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The client has left, or was refused.
    Left,
    /// A message of QoS 1 or 2 waits for room: see [`Broker::receive_or_hold`].
    Held,
}

/// What a connection may send.
struct Expected {
    version: Version,
    /// CONNECT, which comes first, and once ([MQTT-3.1.0-1], [MQTT-3.1.0-2]).
    connect: bool,
    max_packet: usize,
}

impl Expected {
    /// Reads a header and refuses what need not be waited for: a packet that is too large, or out
    /// of place.
    fn header(&self, bytes: &[u8]) -> Result<Option<FixedHeader>, ProtocolError> {
        let Some(header) = FixedHeader::parse(bytes, self.version)? else { return Ok(None) };
        if (header.kind == PacketType::Connect) != self.connect {
            return Err(ProtocolError::Malformed);
        }
        if header.total() > self.max_packet {
            return Err(ProtocolError::TooLarge);
        }
        Ok(Some(header))
    }
}

impl Broker {
    /// Bytes came from a client, cut in any way; what they mean does not depend on how. Of an
    /// unfinished packet the start is kept. An unknown id, or one that is being closed, is ignored.
    ///
    /// Between two calls for a connection take what is [`outgoing`](Self::outgoing):
    /// see [`max_control_bytes`](crate::Limits::max_control_bytes).
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Instant, hooks: &mut dyn Hooks) {
        self.may_hold = false;
        self.take(conn, bytes, now, hooks);
    }

    /// As [`receive`](Self::receive), but holds a message of QoS 1 or 2 back where the queue of a
    /// subscriber that is connected has no room for it: neither acknowledges nor drops it. Returns
    /// how many bytes it has taken. Give it the rest again when [`is_holding`](Self::is_holding) is
    /// false, and now and then; what comes of this client meanwhile goes behind that rest.
    ///
    /// It holds for half a second since the queue was full, and then not again before that queue is
    /// half empty; and for all that have sent nothing for a second together no longer. So however
    /// many take nothing, they hold up nobody for long.
    pub fn receive_or_hold(
        &mut self,
        conn: ConnId,
        bytes: &[u8],
        now: Instant,
        hooks: &mut dyn Hooks,
    ) -> usize {
        self.may_hold = true;
        self.take(conn, bytes, now, hooks)
    }

    /// Whether a message was held back last, and no queue that it waits for has moved since.
    pub fn is_holding(&self) -> bool {
        self.holding
    }

    fn take(&mut self, conn: ConnId, bytes: &[u8], now: Instant, hooks: &mut dyn Hooks) -> usize {
        let all = bytes.len();
        let Some(slot) = self.slot(conn) else { return all };
        let Some(connection) = self.connection(slot) else { return all };
        if bytes.is_empty() || connection.phase == Phase::Closing {
            return all;
        }
        let partial = core::mem::take(&mut connection.inbox);
        self.allow_scans(now);
        let taken = match self.take_packets(slot, partial, bytes, now, hooks) {
            Ok(left) => all - left,
            Err(fault) => {
                self.fail(slot, fault, now);
                all
            }
        };
        self.stats.bytes_received += taken as u64;
        taken
    }

    /// Takes whole packets, and keeps the start of the last; how many bytes are left.
    fn take_packets(
        &mut self,
        slot: u32,
        partial: Vec<u8>,
        mut bytes: &[u8],
        now: Instant,
        hooks: &mut dyn Hooks,
    ) -> Result<usize, ProtocolError> {
        let mut inbox = Inbox::new(partial);
        let (mut whole, mut held) = (false, false);
        let mut expected = self.expected(slot)?;
        let mut before = (inbox.begun(), bytes);
        while let Some((header, packet)) = inbox.next(&mut bytes, |bytes| expected.header(bytes))? {
            match self.packet(slot, &header, packet, now, hooks)? {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(Stop::Left) => return Ok(0),
                ControlFlow::Break(Stop::Held) => {
                    inbox.put_back(before.0);
                    bytes = before.1;
                    held = true;
                    break;
                }
            }
            before = (0, bytes);
            if expected.connect {
                expected = self.expected(slot)?;
            }
            whole = true;
        }
        let connection = self.connection(slot).ok_or(ProtocolError::Malformed)?;
        connection.inbox = inbox.into_partial();
        let begun = connection.inbox.len();
        connection.stalled_in &= !whole;
        if whole {
            connection.touch(now); // a packet counts, not its pieces ([MQTT-3.1.2-24])
        }
        self.recount(slot);
        let too_much = !held && begun > self.share().max(ALWAYS);
        if too_much { Err(ProtocolError::NoMemory) } else { Ok(bytes.len()) }
    }

    /// What a connection may send next.
    fn expected(&mut self, slot: u32) -> Result<Expected, ProtocolError> {
        let max_packet = self.limits.max_packet;
        let connection = self.connection(slot).ok_or(ProtocolError::Malformed)?;
        let connect = connection.phase == Phase::AwaitingConnect;
        Ok(Expected { version: connection.version, connect, max_packet })
    }

    /// Handles one whole packet.
    fn packet(
        &mut self,
        slot: u32,
        header: &FixedHeader,
        packet: &[u8],
        now: Instant,
        hooks: &mut dyn Hooks,
    ) -> Result<ControlFlow<Stop>, ProtocolError> {
        let body = packet.get(header.len..).ok_or(ProtocolError::Malformed)?;
        self.journal.begin_packet();
        match header.kind {
            PacketType::Connect => return self.connect(slot, body, now, hooks),
            PacketType::Publish => {
                return self.handle_publish(slot, &Publish::parse(header, body)?, now);
            }
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => {
                self.handle_ack(slot, header.kind, Ack::parse(body)?.packet_id)?;
            }
            PacketType::Subscribe => self.handle_subscribe(slot, body)?,
            PacketType::Unsubscribe => self.unsubscribes(slot, &Unsubscribe::parse(body)?)?,
            PacketType::Pingreq if body.is_empty() => {
                self.stats.pings += 1;
                self.reply(slot, &emit_bare(PacketType::Pingresp))?;
            }
            PacketType::Disconnect if body.is_empty() => {
                self.leave(slot, now);
                return Ok(ControlFlow::Break(Stop::Left));
            }
            // Either with a body it must not have, or only a server sends it.
            PacketType::Pingreq
            | PacketType::Disconnect
            | PacketType::Connack
            | PacketType::Suback
            | PacketType::Unsuback
            | PacketType::Pingresp => return Err(ProtocolError::Malformed),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Queues an answer; a client that lets too many of them wait is at fault.
    fn reply(&mut self, slot: u32, bytes: &[u8]) -> Result<(), ProtocolError> {
        let max = self.limits.max_control_bytes;
        let connection = self.connection(slot).ok_or(ProtocolError::Malformed)?;
        let held = connection.outbox.gate().control_len();
        let before = connection.outbox.control().len() + held;
        if held > 0 || self.journal.must_wait() {
            self.hold_control(slot, bytes);
        } else if !self.send_control(slot, bytes) {
            return Err(ProtocolError::NoMemory);
        }
        let unread = before + bytes.len() > max || before > self.memory_left().max(ALWAYS);
        if unread { Err(ProtocolError::Unread) } else { Ok(()) }
    }

    fn handle_publish(
        &mut self,
        slot: u32,
        publish: &Publish<'_>,
        now: Instant,
    ) -> Result<ControlFlow<Stop>, ProtocolError> {
        if publish.topic.len() > self.limits.max_topic {
            return Err(ProtocolError::TooLarge);
        }
        if publish.qos > QoS::AtMostOnce {
            self.check_journal()?;
        }
        let (mut new, mut answer) = (true, None);
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => answer = Some(PacketType::Puback),
            QoS::ExactlyOnce => {
                let max = self.limits.max_unreleased;
                if !self.may_allocate(INFLIGHT_BYTES + 2 * 2 * max.min(64)) {
                    return Err(ProtocolError::NoMemory);
                }
                let (key, session) = self.session_of(slot).ok_or(ProtocolError::Malformed)?;
                new = session
                    .inflight()
                    .record_received(publish.packet_id, max)
                    .ok_or(ProtocolError::Unreleased)?;
                answer = Some(PacketType::Pubrec);
                self.recount_session(key);
            }
        }
        if new {
            let source = match self.connections.get(slot).map(|connection| connection.phase) {
                Some(Phase::Live(key)) => Some(key),
                _ => None,
            };
            if self.may_hold && publish.qos > QoS::AtMostOnce && self.holds(publish, source, now) {
                if publish.qos == QoS::ExactlyOnce
                    && let Some((_, session)) = self.session_of(slot)
                {
                    session.inflight().release(publish.packet_id);
                }
                return Ok(ControlFlow::Break(Stop::Held));
            }
            self.publish_from_client(
                publish.topic,
                publish.payload,
                (publish.qos, publish.retain),
                source,
            );
        }
        if let Some(kind) = answer {
            self.reply(slot, &emit_ack(kind, publish.packet_id))?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether what a client asks to be kept may wait to be written.
    fn check_journal(&self) -> Result<(), ProtocolError> {
        if self.journal.is_full() { Err(ProtocolError::NoMemory) } else { Ok(()) }
    }

    /// Queues an answer until what it says is committed.
    fn hold_control(&mut self, slot: u32, bytes: &[u8]) {
        if let Some(connection) = self.connection(slot) {
            connection.outbox.hold_control(bytes);
        }
        self.note_gate(slot);
    }

    /// Remembers that a connection holds something back, if it does.
    pub(super) fn note_gate(&mut self, slot: u32) {
        if let Some(connection) = self.connections.get_mut(slot) {
            self.journal.note_gate(slot, connection.outbox.gate());
        }
    }

    /// An answer to a message sent to the client, or the release of one received from it.
    fn handle_ack(
        &mut self,
        slot: u32,
        kind: PacketType,
        packet_id: u16,
    ) -> Result<(), ProtocolError> {
        if kind == PacketType::Pubrel {
            self.check_journal()?;
        }
        let (key, session) = self.session_of(slot).ok_or(ProtocolError::Malformed)?;
        let known = session.inflight_if_any().is_some_and(|inflight| match kind {
            PacketType::Puback => inflight.acknowledged(packet_id),
            PacketType::Pubrec => inflight.received(packet_id),
            PacketType::Pubrel => inflight.release(packet_id),
            _ => inflight.completed(packet_id),
        });
        let backlog = session.has_backlog();
        self.stats.unknown_acks += u64::from(!known);
        match kind {
            // Also for one that is not known: after a lost session that lets the client end its
            // transfer.
            PacketType::Pubrec => self.reply(slot, &emit_ack(PacketType::Pubrel, packet_id))?,
            PacketType::Pubrel => self.reply(slot, &emit_ack(PacketType::Pubcomp, packet_id))?,
            _ if backlog => self.pump(key),
            _ => {}
        }
        self.note_moved(key);
        Ok(())
    }

    fn handle_subscribe(&mut self, slot: u32, body: &[u8]) -> Result<(), ProtocolError> {
        let (version, bridge) =
            self.connection(slot).map_or((Version::V311, false), |c| (c.version, c.bridge));
        let subscribe = Subscribe::parse(body, version)?;
        self.check_journal()?;
        let (key, _) = self.session_of(slot).ok_or(ProtocolError::Malformed)?;
        let mut codes = Vec::new();
        let mut suback = Vec::new();
        let count = subscribe.filters().count();
        if !try_room_exact(&mut codes, count) || !try_room_exact(&mut suback, count + 7) {
            return Err(ProtocolError::NoMemory);
        }
        for (filter, wanted) in subscribe.filters() {
            codes.push(match self.add_subscription(key, filter, wanted) {
                Ok(granted) => {
                    if bridge {
                        self.mark_bridge(key, filter);
                    }
                    granted as u8
                }
                Err(_) => Suback::FAILURE,
            });
        }
        Suback::emit(subscribe.packet_id, &codes, &mut suback);
        self.reply(slot, &suback)?;
        self.pump(key);
        Ok(())
    }

    fn unsubscribes(
        &mut self,
        slot: u32,
        unsubscribe: &Unsubscribe<'_>,
    ) -> Result<(), ProtocolError> {
        self.check_journal()?;
        let (key, _) = self.session_of(slot).ok_or(ProtocolError::Malformed)?;
        for filter in unsubscribe.filters() {
            self.remove_subscription(key, filter);
        }
        self.reply(slot, &emit_ack(PacketType::Unsuback, unsubscribe.packet_id))
    }
}
