//! Messages of QoS 1 and 2 between the broker and one client, in both directions (section 4.3), and
//! what waits to be sent.

mod message;
mod packet_ids;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::try_deque_room;

use crate::Instant;
use crate::delivery::Delivery;
use crate::delivery_options::DeliveryOptions;
#[cfg(feature = "journal")]
use crate::delivery_options::Origin;
use crate::journal::{EntryMark, SessionLog};
use crate::memory::BLOCK;
use crate::message::Publication;
use crate::outbox::Outbox;
use crate::queue_size::QueueSize;
use crate::wire::{PacketType, QoS, emit_ack};
pub(crate) use message::QueueKind;
use message::{InflightMessage, Stage, Waiting};
use packet_ids::PacketIds;
pub(crate) use packet_ids::RESERVED_ID;

/// How long publishers wait for a client whose queue is full, in [`HOLD_UNIT`].
const HOLD: u16 = 8;
/// Milliseconds in which that is counted: a two-byte count of them lasts an hour.
const HOLD_UNIT: u32 = 64;

/// Bytes of what a session needs for its first message of QoS 1 or 2.
pub(crate) const INFLIGHT_BYTES: usize = size_of::<Inflight>() + 16;

/// The state of QoS 1 and 2 transfers in both directions (section 4.3).
#[derive(Debug, Default)]
pub(crate) struct Inflight {
    /// Sent and not finished ([MQTT-4.6.0-1], [MQTT-4.6.0-4]): first those released, in the order
    /// of their PUBRECs, then the rest, in the order of sending.
    unacked: VecDeque<InflightMessage>,
    /// Waiting for a place in flight.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Messages of QoS 0 that came while the client is offline, oldest first.
    qos0_queue: VecDeque<Publication>,
    qos0_bytes: usize,
    packet_ids: PacketIds,
    /// See [`not_sent_from`](Self::not_sent_from).
    not_sent: u16,
    /// Since when publishers wait for it, in [`HOLD_UNIT`]; 0 if none has since it was half empty.
    full_since: u16,
    /// Packet ids of QoS 2 messages received and not yet released; sorted.
    unreleased: Vec<u16>,
    /// Where changes are noted.
    log: SessionLog,
}

impl Inflight {
    pub(crate) fn new(log: SessionLog) -> Inflight {
        Inflight { log, ..Inflight::default() }
    }

    /// Whether a publisher is to wait for room: for a while, and then not before [`end_hold`].
    ///
    /// [`end_hold`]: Self::end_hold
    pub(crate) fn may_hold(&mut self, now: Instant) -> bool {
        let now = ((now.as_millis() as u32 / HOLD_UNIT) as u16).max(1);
        if !self.was_full() {
            self.full_since = now;
        }
        now.wrapping_sub(self.full_since) <= HOLD
    }

    /// Whether a publisher waits for room here, or has waited and it is not half empty yet.
    pub(crate) fn was_full(&self) -> bool {
        self.full_since > 0
    }

    /// There is room again: the next time it is full, publishers wait for it anew.
    pub(crate) fn end_hold(&mut self) {
        self.full_since = 0;
    }

    /// Messages that the next connection has to queue at once.
    pub(crate) fn entries(&self) -> usize {
        self.unacked.len() + self.qos0_queue.len()
    }

    /// Makes room for one more message; false if there is no memory.
    pub(crate) fn make_room(&mut self, kind: QueueKind) -> bool {
        match kind {
            QueueKind::Inflight => try_deque_room(&mut self.unacked, 1),
            QueueKind::Waiting => try_deque_room(&mut self.waiting, 1),
            QueueKind::Qos0 => try_deque_room(&mut self.qos0_queue, 1),
        }
    }

    /// Whether messages wait for an acknowledgement of earlier ones.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Bytes of the messages that wait or are not acknowledged, as if no other queue had them too.
    pub(crate) fn cost_of_messages(&self) -> usize {
        let unacked = self.unacked.iter().filter_map(|message| message.stage.publication());
        let waiting = self.waiting.iter().map(|waiting| &waiting.publication);
        let all = unacked.chain(waiting).chain(&self.qos0_queue);
        all.map(|publication| Publication::cost_of(publication.packet().len())).sum()
    }

    pub(crate) fn held(&self) -> usize {
        size_of::<Inflight>()
            + 5 * BLOCK
            + self.unacked.capacity() * size_of::<InflightMessage>()
            + self.waiting.capacity() * size_of::<Waiting>()
            + self.qos0_queue.capacity() * size_of::<Publication>()
            + self.unreleased.capacity() * size_of::<u16>()
    }

    pub(crate) fn may_send(&self, max_inflight: usize) -> bool {
        // There have to be packet ids left to tell them apart.
        self.unacked.len() < max_inflight.min(usize::from(RESERVED_ID) - 2)
    }

    /// Puts a message of QoS 1 or 2 in flight.
    pub(crate) fn send(
        &mut self,
        publication: Publication,
        how: DeliveryOptions,
        outbox: &mut Outbox,
    ) {
        let packet_id = self.next_id();
        let mark = self.log.queued(&publication, how.qos, how.origin.retain(), packet_id);
        self.put_in_flight(publication, how, (packet_id, mark), outbox);
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))] // a chip has less room than time
    fn put_in_flight(
        &mut self,
        publication: Publication,
        how: DeliveryOptions,
        (packet_id, mark): (u16, EntryMark),
        outbox: &mut Outbox,
    ) {
        // After a restart the client has to know it by the same packet id, or it would take it
        // twice.
        let wait = how.qos == QoS::ExactlyOnce && self.log.is_on();
        let delivery = Delivery::new(publication.clone(), how.qos, packet_id, how.origin.retain());
        outbox.push_inflight(delivery, wait);
        let stage = match how.qos {
            QoS::ExactlyOnce => Stage::Pubrec(publication),
            _ => Stage::Puback(publication),
        };
        self.unacked.push_back(InflightMessage { packet_id, origin: how.origin, stage, mark });
    }

    /// Lets a message wait; false if `max` bytes would be passed.
    pub(crate) fn wait(
        &mut self,
        publication: Publication,
        how: DeliveryOptions,
        max: usize,
    ) -> bool {
        let bytes = self.waiting_bytes.saturating_add(publication.packet().len());
        if !self.waiting.is_empty() && bytes > max {
            return false;
        }
        self.waiting_bytes = bytes;
        let mark = self.log.queued(&publication, how.qos, how.origin.retain(), 0);
        self.waiting.push_back(Waiting { publication, qos: how.qos, origin: how.origin, mark });
        true
    }

    /// All that waits.
    pub(crate) fn queued(&self) -> QueueSize {
        let waiting = QueueSize { messages: self.waiting.len(), bytes: self.waiting_bytes };
        waiting.plus(self.qos0())
    }

    /// What waits of QoS 0.
    pub(crate) fn qos0(&self) -> QueueSize {
        QueueSize { messages: self.qos0_queue.len(), bytes: self.qos0_bytes }
    }

    /// Keeps a message of QoS 0 until the client is back.
    pub(crate) fn push_qos0(&mut self, publication: Publication) {
        self.qos0_bytes += publication.packet().len();
        self.qos0_queue.push_back(publication);
    }

    /// Drops the oldest message of QoS 0; false if there is none.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.qos0_queue.pop_front() else { return false };
        self.qos0_bytes -= oldest.packet().len();
        true
    }

    /// Puts in flight what has waited, as far as there is room.
    pub(crate) fn pump(&mut self, outbox: &mut Outbox, max_inflight: usize, max_bytes: usize) {
        while let Some(next) = self.waiting.front()
            && self.may_send(max_inflight)
            && outbox.has_room(next.publication.packet().len(), max_bytes)
            && try_deque_room(&mut self.unacked, 1)
            && outbox.make_room()
        {
            let Some(next) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= next.publication.packet().len();
            let Waiting { publication, qos, origin, mark } = next;
            let how = DeliveryOptions { qos, origin };
            let packet_id = self.next_id();
            let mark = self.log.sent(mark, &publication, qos, origin.retain(), packet_id);
            self.put_in_flight(publication, how, (packet_id, mark), outbox);
        }
        if self.waiting.is_empty() {
            self.waiting.shrink_to(0);
        }
    }

    /// The connection broke before it began to send this packet id for the first time, or any after
    /// it; 0 for none.
    pub(crate) fn not_sent_from(&mut self, packet_id: u16) {
        self.not_sent = packet_id;
    }

    /// Retransmits what a broken connection left unfinished, in its order ([MQTT-4.4.0-1]): PUBLISH
    /// with DUP, or PUBREL. Sends for the first time what it never began to send; then what came at
    /// QoS 0 meanwhile. There is no other retransmission: while a connection is up, TCP retries.
    pub(crate) fn resend(&mut self, outbox: &mut Outbox) {
        let mut again = true;
        for sent in &self.unacked {
            let (publication, qos) = match &sent.stage {
                Stage::Puback(publication) => (publication, QoS::AtLeastOnce),
                Stage::Pubrec(publication) => (publication, QoS::ExactlyOnce),
                Stage::Pubcomp => {
                    let release = emit_ack(PacketType::Pubrel, sent.packet_id);
                    outbox.control().extend_from_slice(&release);
                    continue;
                }
            };
            again &= sent.packet_id != self.not_sent;
            let delivery =
                Delivery::new(publication.clone(), qos, sent.packet_id, sent.origin.retain());
            outbox.push(if again { delivery.again() } else { delivery });
        }
        self.not_sent = 0;
        for publication in core::mem::take(&mut self.qos0_queue) {
            outbox.push(Delivery::new(publication, QoS::AtMostOnce, 0, false));
        }
        self.qos0_bytes = 0;
    }

    /// What came by groups and may go to others now that the client will not come back for it, in
    /// its order: what it has not acknowledged of QoS 1, and what was never sent.
    pub(crate) fn orphans(&self) -> impl Iterator<Item = (&Publication, QoS, u16)> {
        let sent = self.unacked.iter().filter_map(|sent| match &sent.stage {
            Stage::Puback(message) => Some((message, QoS::AtLeastOnce, sent.origin.group())),
            _ => None,
        });
        let waiting = self.waiting.iter();
        let waiting = waiting.map(|next| (&next.publication, next.qos, next.origin.group()));
        sent.chain(waiting).filter(|(.., group)| *group > 0)
    }

    /// Messages that the client has not acknowledged or was never sent.
    pub(crate) fn unfinished(&self) -> usize {
        self.unacked.len() + self.waiting.len()
    }

    /// PUBACK came. One that answers nothing is ignored, and the answer is false.
    pub(crate) fn acknowledged(&mut self, packet_id: u16) -> bool {
        self.finish(packet_id, |stage| matches!(stage, Stage::Puback(_)))
    }

    /// PUBREC came, perhaps once more; false if no message waits for it. It is answered by PUBREL
    /// all the same.
    pub(crate) fn received(&mut self, packet_id: u16) -> bool {
        let wanted = |sent: &InflightMessage| sent.packet_id == packet_id;
        let Some(place) = self.unacked.iter().position(wanted) else { return false };
        match self.unacked.get(place).map(|sent| &sent.stage) {
            Some(Stage::Pubcomp) => return true,
            Some(Stage::Pubrec(_)) => {}
            _ => return false,
        }
        let done = |sent: &&InflightMessage| matches!(sent.stage, Stage::Pubcomp);
        let released = self.unacked.iter().take(place).take_while(done).count();
        if released < place
            && let Some(early) = self.unacked.remove(place)
        {
            self.unacked.insert(released, early);
        }
        if let Some(sent) = self.unacked.get_mut(released)
            && let Stage::Pubrec(publication) = core::mem::replace(&mut sent.stage, Stage::Pubcomp)
        {
            let mark = core::mem::take(&mut sent.mark);
            sent.mark = self.log.released(mark, &publication, packet_id);
            publication.release();
        }
        true
    }

    /// PUBCOMP came. One that answers nothing is ignored, and the answer is false.
    pub(crate) fn completed(&mut self, packet_id: u16) -> bool {
        self.finish(packet_id, |stage| matches!(stage, Stage::Pubcomp))
    }

    fn finish(&mut self, packet_id: u16, fits: impl Fn(&Stage) -> bool) -> bool {
        let done = |sent: &InflightMessage| sent.packet_id == packet_id && fits(&sent.stage);
        let found = match self.unacked.iter().position(done) {
            Some(0) => self.unacked.pop_front(), // mostly
            place => place.and_then(|place| self.unacked.remove(place)),
        };
        let Some(done) = found else { return false };
        if let Stage::Puback(publication) = done.stage {
            self.log.done(&done.mark, Some(&publication));
            publication.release();
        } else {
            self.log.done(&done.mark, None);
        }
        true
    }

    /// A QoS 2 message came: whether it is a new one. `None` if `max` are unreleased already.
    pub(crate) fn record_received(&mut self, packet_id: u16, max: usize) -> Option<bool> {
        match self.unreleased.binary_search(&packet_id) {
            Ok(_) => Some(false),
            Err(_) if self.unreleased.len() >= max => None,
            Err(place) => {
                self.unreleased.insert(place, packet_id);
                self.log.received(packet_id);
                Some(true)
            }
        }
    }

    /// PUBREL came: its packet id may stand for a new message from now on. False if it stood for
    /// none.
    pub(crate) fn release(&mut self, packet_id: u16) -> bool {
        let place = self.unreleased.binary_search(&packet_id);
        place.is_ok_and(|place| {
            self.unreleased.remove(place);
            self.log.received_gone(packet_id);
            true
        })
    }

    /// The session is over: its messages are no longer needed.
    pub(crate) fn abandon(&self) {
        let unacked = self.unacked.iter().filter_map(|sent| sent.stage.publication());
        unacked.for_each(|publication| self.log.abandoned(publication));
        self.waiting.iter().for_each(|waiting| self.log.abandoned(&waiting.publication));
    }

    /// Puts back a queued message after a restart, behind those that were put back before; one
    /// without a packet id waits, one without a message is released.
    #[cfg(feature = "journal")]
    pub(crate) fn put_back(
        &mut self,
        publication: Option<Publication>,
        qos: QoS,
        retain: bool,
        packet_id: u16,
        mark: EntryMark,
    ) {
        let stage = match (publication, qos) {
            (Some(publication), qos) if packet_id == 0 => {
                self.waiting_bytes += publication.packet().len();
                self.waiting.push_back(Waiting {
                    publication,
                    qos,
                    origin: Origin::of(retain),
                    mark,
                });
                return;
            }
            (Some(publication), QoS::ExactlyOnce) => Stage::Pubrec(publication),
            (Some(publication), _) => Stage::Puback(publication),
            (None, _) => Stage::Pubcomp,
        };
        self.packet_ids.last = packet_id;
        self.unacked.push_back(InflightMessage {
            packet_id,
            origin: Origin::of(retain),
            stage,
            mark,
        });
    }

    /// Calls `with` for each message that waits or is in flight, in their order; without the
    /// message if that is released.
    #[cfg(feature = "journal")]
    pub(crate) fn each_queued(
        &self,
        mut with: impl FnMut(&EntryMark, Option<&Publication>, (QoS, bool), u16),
    ) {
        for InflightMessage { packet_id, origin, stage, mark } in &self.unacked {
            match stage {
                Stage::Puback(publication) => {
                    with(mark, Some(publication), (QoS::AtLeastOnce, origin.retain()), *packet_id);
                }
                Stage::Pubrec(publication) => {
                    with(mark, Some(publication), (QoS::ExactlyOnce, origin.retain()), *packet_id);
                }
                Stage::Pubcomp => with(mark, None, (QoS::ExactlyOnce, false), *packet_id),
            }
        }
        for Waiting { publication, qos, origin, mark } in &self.waiting {
            with(mark, Some(publication), (*qos, origin.retain()), 0);
        }
    }

    /// The packet ids of messages of QoS 2 that were received and not released.
    #[cfg(feature = "journal")]
    pub(crate) fn unreleased(&self) -> &[u16] {
        &self.unreleased
    }

    /// Puts back the packet ids of messages of QoS 2 that were received and not released; sorted.
    #[cfg(feature = "journal")]
    pub(crate) fn put_back_received(&mut self, packet_ids: Vec<u16>) {
        self.unreleased = packet_ids;
    }

    /// The other end has forgotten what it sent.
    #[cfg(feature = "client")]
    pub(crate) fn forget_received(&mut self) {
        self.unreleased = Vec::new();
    }

    #[inline]
    fn next_id(&mut self) -> u16 {
        self.packet_ids.next(|| self.unacked.iter().map(|sent| sent.packet_id))
    }
}

#[cfg(test)]
mod tests;
