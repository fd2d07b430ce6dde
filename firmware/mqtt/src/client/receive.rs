//! What the server sends.

use umqtt_topic::TopicError;

use umqtt_memory::reserve;

use super::requests::ENTRIES;
use super::requests::{Request, Stage};
use super::skip::Skip;
use super::{CONNECT_TIMEOUT, Client, ClientEvent, Reason, State};
use crate::Instant;
use crate::inbox::Inbox;
use crate::inflight::RESERVED_ID;
use crate::message::Publication;
use crate::wire::{
    Ack, Connack, FixedHeader, Malformed, PacketType, Publish, QoS, ReturnCode, Suback, Version,
    emit_ack,
};

/// Bytes of answers that may wait to be sent; a server that makes it more does not read them.
const MAX_CONTROL: usize = 16 * 1024;

/// QoS 2 messages received and not yet released, at two bytes each. How many there may be is for
/// the server to choose; most choose 10 to 100.
const MAX_UNRELEASED: usize = 512;

/// The server did something that ends the connection.
struct ProtocolError;

impl From<Malformed> for ProtocolError {
    fn from(_: Malformed) -> ProtocolError {
        ProtocolError
    }
}

impl Client {
    /// Bytes came from the server, cut in any way; returns how many it is done with. When
    /// [`max_event_bytes`](super::ClientOptions::max_event_bytes) of events wait these are not all:
    /// take events with [`poll_event`](Client::poll_event), and give it the rest again, before
    /// anything else that comes (backpressure).
    #[must_use = "what it is not done with is to be given again"]
    pub fn receive(&mut self, bytes: &[u8], now: Instant) -> usize {
        if !matches!(self.state, State::AwaitingConnack | State::Connected) || bytes.is_empty() {
            return bytes.len();
        }
        if self.state == State::Connected && self.ping_out {
            // Any sign of life will do.
            let asked = self.timer.map_or(now, |at| at.saturating_sub(self.ping_timeout()));
            self.plan_ping(asked);
        }
        let mut rest = bytes;
        if self.take_packets(&mut rest, now).is_err() {
            self.fail(Reason::Protocol, true, now);
        }
        match self.state {
            State::AwaitingConnack | State::Connected => bytes.len() - rest.len(),
            // Nobody waits for what else there is.
            _ => bytes.len(),
        }
    }

    fn take_packets(&mut self, bytes: &mut &[u8], now: Instant) -> Result<(), ProtocolError> {
        loop {
            if let Some(skip) = &mut self.skip {
                if !skip.pass(bytes) {
                    return Ok(());
                }
                self.skipped()?;
            }
            let Some(header) = self.take_small_packets(bytes, now)? else { return Ok(()) };
            self.skip = Some(Skip::new(&header));
        }
    }

    /// Takes packets up to the end of the bytes, up to where enough events wait, or up to behind
    /// the header of a message that is too large.
    fn take_small_packets(
        &mut self,
        bytes: &mut &[u8],
        now: Instant,
    ) -> Result<Option<FixedHeader>, ProtocolError> {
        let mut inbox = Inbox::new(core::mem::take(&mut self.partial));
        let (version, max_packet) = (self.options.version, self.options.max_packet);
        while !self.is_full() {
            let connected = self.state == State::Connected;
            let next = inbox.next(bytes, |bytes| match FixedHeader::parse(bytes, version) {
                Ok(Some(header)) if header.total() > max_packet => Err(Some(header)),
                Ok(found) => Ok(found),
                Err(_) => Err(None),
            });
            match next {
                Ok(Some((header, packet))) => {
                    self.packet(&header, packet.get(header.len..).ok_or(ProtocolError)?, now)?;
                    if !matches!(self.state, State::AwaitingConnack | State::Connected) {
                        return Ok(None);
                    }
                }
                Ok(None) => break,
                Err(Some(header)) if connected && header.kind == PacketType::Publish => {
                    // If its header came in pieces, these are the partial packet; else it is what
                    // comes next.
                    if inbox.into_partial().is_empty() {
                        *bytes = bytes.get(header.len..).unwrap_or_default();
                    }
                    return Ok(Some(header));
                }
                Err(_) => return Err(ProtocolError),
            }
        }
        self.partial = inbox.into_partial();
        Ok(None)
    }

    /// A message that was too large has gone by.
    fn skipped(&mut self) -> Result<(), ProtocolError> {
        let Some(skip) = self.skip.take() else { return Ok(()) };
        self.pass_over(&skip, ClientEvent::TooLarge(skip.total))
    }

    /// Drops a message, and acknowledges it, for it would come again.
    fn pass_over(&mut self, skip: &Skip, why: ClientEvent) -> Result<(), ProtocolError> {
        self.dropped += 1;
        self.report(why);
        match skip.answer() {
            (QoS::AtMostOnce, _) => Ok(()),
            (QoS::AtLeastOnce, Some(id)) => self.answer(PacketType::Puback, id),
            (QoS::ExactlyOnce, Some(id)) => self.answer(PacketType::Pubrec, id),
            (_, None) => Err(ProtocolError),
        }
    }

    fn packet(
        &mut self,
        header: &FixedHeader,
        body: &[u8],
        now: Instant,
    ) -> Result<(), ProtocolError> {
        if (self.state == State::AwaitingConnack) != (header.kind == PacketType::Connack) {
            return Err(ProtocolError);
        }
        match header.kind {
            PacketType::Connack => self.greeted(Connack::parse(header, body)?, now),
            PacketType::Publish => match Publish::parse(header, body) {
                // Whoever published it to the server is not to keep this client from all other
                // messages.
                Err(Malformed::Topic(TopicError::Disallowed)) => {
                    let mut skip = Skip::new(header);
                    skip.pass(&mut &*body);
                    self.pass_over(&skip, ClientEvent::BadTopic)?;
                }
                publish => self.handle_publish(&publish?)?,
            },
            PacketType::Puback => {
                self.inflight.acknowledged(Ack::parse(body)?.packet_id);
            }
            PacketType::Pubrec => {
                let id = Ack::parse(body)?.packet_id;
                self.inflight.received(id);
                self.answer(PacketType::Pubrel, id)?;
            }
            PacketType::Pubrel => {
                let id = Ack::parse(body)?.packet_id;
                self.inflight.release(id);
                self.answer(PacketType::Pubcomp, id)?;
            }
            PacketType::Pubcomp => {
                self.inflight.completed(Ack::parse(body)?.packet_id);
            }
            PacketType::Suback => self.subscribed(&Suback::parse(body)?)?,
            PacketType::Unsuback => match (self.request.take(), Ack::parse(body)?.packet_id) {
                (Some(Request::Unsubscribe), RESERVED_ID) => self.ask(),
                _ => return Err(ProtocolError),
            },
            PacketType::Pingresp if body.is_empty() => {}
            _ => return Err(ProtocolError),
        }
        if self.state == State::Connected {
            self.pump();
        }
        Ok(())
    }

    fn greeted(&mut self, connack: Connack, now: Instant) {
        if connack.code != ReturnCode::Accepted {
            self.report(ClientEvent::Refused(connack.code));
            return self.fail(Reason::Protocol, true, now);
        }
        self.state = State::Connected;
        self.backoff.reset();
        self.plan_ping(self.timer.map_or(now, |at| at.saturating_sub(CONNECT_TIMEOUT)));
        let session_present = connack.session_present && !self.options.clean_session;
        self.report(ClientEvent::Connected { session_present });
        for wanted in &mut self.subscriptions {
            if !session_present || wanted.stage == Stage::Asked {
                wanted.stage = Stage::New;
            }
        }
        // An MQTT 3.1 server cannot say that it remembers: it may, so what it sent is not forgotten
        // here.
        let may_remember = self.options.version == Version::V31 && !self.options.clean_session;
        if !session_present && !may_remember {
            self.inflight.forget_received();
            self.pending_unsubscribes.clear();
        }
        self.inflight.resend(&mut self.outbox);
        self.ask();
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) -> Result<(), ProtocolError> {
        let (qos, id) = (publish.qos, publish.packet_id);
        let message = reserve(Publication::own_block() + ENTRIES)
            .then(|| Publication::new(publish.topic, publish.payload))
            .flatten();
        let Some(message) = message else {
            self.drop_for_want_of_room();
            // One that has to be acknowledged comes again on the next connection.
            return if qos == QoS::AtMostOnce { Ok(()) } else { Err(ProtocolError) };
        };
        match qos {
            QoS::AtMostOnce => {
                self.report_message(&message, qos, publish.retain);
                Ok(())
            }
            QoS::AtLeastOnce => {
                if !self.report_message(&message, qos, publish.retain) {
                    self.no_room()?;
                }
                self.answer(PacketType::Puback, id)
            }
            QoS::ExactlyOnce => {
                // The same. To fail here would not help: the server would send as many again.
                let Some(new) = self.inflight.record_received(id, MAX_UNRELEASED) else {
                    self.drop_for_want_of_room();
                    return Ok(());
                };
                if new && !self.report_message(&message, qos, publish.retain) {
                    self.no_room().inspect_err(|_| {
                        self.inflight.release(id);
                    })?;
                }
                self.answer(PacketType::Pubrec, id)
            }
        }
    }

    /// A message of QoS 1 or 2 does not fit. A server that keeps the session sends it again, on a
    /// new connection ([MQTT-4.8.0-2]); else it is lost, and acknowledged for the sake of the next
    /// ([MQTT-4.5.0-2]).
    fn no_room(&self) -> Result<(), ProtocolError> {
        if self.options.clean_session { Ok(()) } else { Err(ProtocolError) }
    }

    fn subscribed(&mut self, suback: &Suback<'_>) -> Result<(), ProtocolError> {
        let (Some(Request::Subscribe(filters)), RESERVED_ID) =
            (self.request.take(), suback.packet_id)
        else {
            return Err(ProtocolError);
        };
        if suback.granted().count() != filters.len() {
            return Err(ProtocolError);
        }
        for (filter, granted) in filters.into_iter().zip(suback.granted()) {
            let wanted = self.subscriptions.iter_mut().find(|wanted| wanted.filter == filter);
            if let Some(wanted) = wanted.filter(|wanted| wanted.stage == Stage::Asked) {
                wanted.stage = Stage::Answered;
            }
            self.report(ClientEvent::Subscribed { filter, granted });
        }
        self.ask();
        Ok(())
    }

    fn answer(&mut self, kind: PacketType, packet_id: u16) -> Result<(), ProtocolError> {
        let control = self.outbox.control();
        control.extend_from_slice(&emit_ack(kind, packet_id));
        if control.len() > MAX_CONTROL { Err(ProtocolError) } else { Ok(()) }
    }
}
