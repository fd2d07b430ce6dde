//! What waits to be sent on one connection.
//!
//! Two queues: control packets (CONNACK, acknowledgements, ping replies), which are short and
//! copied into one run of bytes, and deliveries, which share the message with every other
//! subscriber. Control packets go first, but never into the middle of a delivery.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::{shrink_deque, try_deque_room};

use crate::delivery::{Delivery, Piece};
use crate::journal::Gate;
use crate::queue_size::QueueSize;

/// Queue capacities kept when a queue runs empty: enough for steady traffic where memory is plenty,
/// next to nothing on a chip.
const KEEP_DELIVERIES: usize = if cfg!(target_pointer_width = "64") { 64 } else { 4 };
const KEEP_CONTROL: usize = if cfg!(target_pointer_width = "64") { 256 } else { 16 };

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    control: Vec<u8>,
    deliveries: VecDeque<Delivery>,
    /// Bytes of the first delivery that are sent. Above 0, control packets have to wait.
    front_sent: usize,
    /// Bytes of all deliveries.
    bytes: usize,
    /// Bytes of those at QoS 0.
    qos0_bytes: usize,
    /// What waits for a commit.
    gate: Gate,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.control.is_empty() && self.deliveries.is_empty()
    }

    /// Whether nothing is left to send, now or after a commit.
    pub(crate) fn is_done(&self) -> bool {
        self.is_empty() && self.gate.is_open()
    }

    /// Whether a message of `len` bytes fits; one always does in an empty queue.
    pub(crate) fn has_room(&self, len: usize, max: usize) -> bool {
        self.deliveries.is_empty() || self.bytes.saturating_add(len) <= max
    }

    /// The messages that wait.
    pub(crate) fn queued(&self) -> QueueSize {
        QueueSize { messages: self.deliveries.len(), bytes: self.bytes }
    }

    /// Bytes of the messages at QoS 0.
    pub(crate) fn qos0_bytes(&self) -> usize {
        self.qos0_bytes
    }

    /// Makes room for one more message, if there is not; false if there is no memory.
    #[inline]
    pub(crate) fn make_room(&mut self) -> bool {
        try_deque_room(&mut self.deliveries, 1)
    }

    /// Queues a message; [`make_room`](Self::make_room) has made room for it.
    pub(crate) fn push(&mut self, delivery: Delivery) {
        let len = delivery.len();
        self.bytes += len;
        if delivery.packet_id() == 0 {
            self.qos0_bytes += len;
        }
        self.deliveries.push_back(delivery);
    }

    /// Queues a message of QoS 1 or 2, until a commit if `wait`. It does not overtake one that
    /// waits.
    pub(crate) fn push_inflight(&mut self, delivery: Delivery, wait: bool) {
        if wait || self.gate.holds_deliveries() {
            self.gate.hold_delivery(delivery);
        } else {
            self.push(delivery);
        }
    }

    /// Queues control bytes until a commit.
    pub(crate) fn hold_control(&mut self, bytes: &[u8]) {
        self.gate.hold_control(bytes);
    }

    /// Sends nothing at all until a commit.
    pub(crate) fn block(&mut self) {
        self.gate.block();
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.gate.is_blocked()
    }

    /// What waits for a commit.
    pub(crate) fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// The batch is committed: lets go what waited for it.
    #[cfg(feature = "journal")]
    pub(crate) fn unseal(&mut self) {
        if self.gate.is_open() {
            return;
        }
        let mut gate = core::mem::take(&mut self.gate);
        self.control.extend(gate.committed_control());
        for delivery in gate.committed_deliveries() {
            self.push(delivery);
        }
        gate.unblock();
        self.gate = gate;
    }

    /// Drops the oldest message at QoS 0 that is not being sent; false if there is none. Those of
    /// QoS 1 and 2 it may have to look past are no more than may be in flight.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        let Some(place) = self.oldest_qos0() else { return false };
        let Some(oldest) = self.deliveries.remove(place) else { return false };
        let len = oldest.len();
        self.bytes -= len;
        self.qos0_bytes -= len;
        true
    }

    /// Whether [`drop_oldest`](Self::drop_oldest) has one to drop.
    pub(crate) fn has_droppable(&self) -> bool {
        self.oldest_qos0().is_some()
    }

    fn oldest_qos0(&self) -> Option<usize> {
        let begun = usize::from(self.front_sent > 0);
        let mut rest = self.deliveries.iter().skip(begun);
        rest.position(|delivery| delivery.packet_id() == 0).map(|place| begun + place)
    }

    /// Bytes of the heap, those of the messages not counted.
    pub(crate) fn held(&self) -> usize {
        self.control.capacity() + self.deliveries.capacity() * size_of::<Delivery>()
    }

    pub(crate) fn control(&mut self) -> &mut Vec<u8> {
        &mut self.control
    }

    /// The first packet id that was not begun to be sent, and has not been on an earlier
    /// connection; 0 if there is none.
    pub(crate) fn first_not_sent(&self) -> u16 {
        let rest = self.deliveries.iter().skip(usize::from(self.front_sent > 0));
        let mut ids = rest.filter(|delivery| !delivery.is_again()).map(Delivery::packet_id);
        ids.find(|id| *id != 0).unwrap_or_else(|| self.gate.first_packet_id())
    }

    /// Drops what need not be sent before the connection closes.
    pub(crate) fn abandon(&mut self) {
        if self.front_sent > 0 {
            self.control = Vec::new();
            self.gate.clear();
        }
        self.deliveries = VecDeque::new();
        self.gate.drop_deliveries();
        (self.front_sent, self.bytes, self.qos0_bytes) = (0, 0, 0);
    }

    /// The next run of bytes to send; empty if there is none.
    pub(crate) fn outgoing<'a>(&'a self, piece: &'a mut Piece) -> &'a [u8] {
        if self.front_sent == 0 && !self.control.is_empty() {
            return &self.control;
        }
        let Some(front) = self.deliveries.front() else { return &[] };
        front.outgoing(self.front_sent, piece)
    }

    /// Copies what is next into `buffer`, as much as fits; how much that was.
    pub(crate) fn copy(&self, buffer: &mut [u8]) -> usize {
        let mut room = Room { buffer, filled: 0 };
        let mut deliveries = self.deliveries.iter();
        if self.front_sent > 0
            && let Some(front) = deliveries.next()
        {
            let mut skip = self.front_sent;
            front.pieces(|piece| {
                let skipped = skip.min(piece.len());
                skip -= skipped;
                room.put(&piece[skipped..])
            });
        }
        if room.put(&self.control) {
            for delivery in deliveries {
                let mut fits = true;
                delivery.pieces(|piece| {
                    fits = room.put(piece);
                    fits
                });
                if !fits {
                    break;
                }
            }
        }
        room.filled
    }

    /// Takes away the next `n` bytes, in the order of `outgoing` and `copy`.
    pub(crate) fn sent(&mut self, mut n: usize) {
        while n > 0 {
            if self.front_sent == 0 && !self.control.is_empty() {
                let taken = n.min(self.control.len());
                n -= taken;
                if taken < self.control.len() {
                    self.control.drain(..taken);
                } else {
                    self.control.clear();
                    if self.control.capacity() > KEEP_CONTROL {
                        self.control = Vec::new();
                    }
                }
                continue;
            }
            let Some(front) = self.deliveries.front() else { return };
            let len = front.len();
            let rest = len - self.front_sent;
            if n < rest {
                self.front_sent += n;
                return;
            }
            n -= rest;
            self.front_sent = 0;
            self.bytes -= len;
            if front.packet_id() == 0 {
                self.qos0_bytes -= len;
            }
            if let Some(sent) = self.deliveries.pop_front() {
                sent.release();
            }
            if self.deliveries.is_empty() {
                shrink_deque(&mut self.deliveries, KEEP_DELIVERIES);
            }
        }
    }
}

struct Room<'a> {
    buffer: &'a mut [u8],
    filled: usize,
}

impl Room<'_> {
    /// Whether all of it fitted.
    fn put(&mut self, bytes: &[u8]) -> bool {
        let free = &mut self.buffer[self.filled..];
        let n = bytes.len().min(free.len());
        free[..n].copy_from_slice(&bytes[..n]);
        self.filled += n;
        n == bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Publication;
    use crate::wire::QoS;

    fn filled() -> (Outbox, Vec<u8>) {
        let message = Publication::new(b"a/b", b"hello").unwrap();
        let mut outbox = Outbox::default();
        outbox.control().extend_from_slice(&[0xd0, 0]);
        outbox.push(Delivery::new(message.clone(), QoS::AtMostOnce, 0, false));
        outbox.push(Delivery::new(message.clone(), QoS::AtLeastOnce, 0x1234, true).again());
        outbox.push(Delivery::new(message, QoS::AtMostOnce, 0, true));
        let mut wire = b"\xd0\0\x30\x0a\0\x03a/bhello".to_vec();
        wire.extend_from_slice(b"\x3b\x0c\0\x03a/b\x12\x34hello\x31\x0a\0\x03a/bhello");
        (outbox, wire)
    }

    #[test]
    fn any_step_width_gives_the_same_bytes() {
        for step in 1..=50 {
            let (mut outbox, wire) = filled();
            let (mut by_piece, mut by_copy) = (Vec::new(), Vec::new());
            while !outbox.is_empty() {
                let mut buffer = [0; 50];
                let copied = outbox.copy(&mut buffer[..step]);
                by_copy.extend_from_slice(&buffer[..copied]);
                let mut left = copied;
                while left > 0 {
                    let mut room = Piece::default();
                    let piece = outbox.outgoing(&mut room);
                    let n = piece.len().min(left);
                    by_piece.extend_from_slice(&piece[..n]);
                    outbox.sent(n);
                    left -= n;
                }
            }
            assert_eq!((&by_piece, &by_copy), (&wire, &wire), "step {step}");
            assert_eq!((outbox.bytes, outbox.front_sent), (0, 0));
        }
    }

    #[test]
    fn control_waits_for_the_end_of_a_delivery() {
        let (mut outbox, wire) = filled();
        outbox.sent(5);
        outbox.control().extend_from_slice(&[0x40, 2, 0, 1]);
        let mut buffer = [0; 64];
        let n = outbox.copy(&mut buffer);
        let wanted = [&wire[5..14], &[0x40, 2, 0, 1], &wire[14..]].concat();
        assert_eq!(&buffer[..n], wanted);
    }

    #[test]
    fn abandoning_leaves_only_whole_packets() {
        let (mut outbox, _) = filled();
        outbox.abandon();
        assert_eq!(outbox.outgoing(&mut Piece::default()), [0xd0, 0]);
        let (mut outbox, _) = filled();
        outbox.sent(3);
        outbox.control().extend_from_slice(&[0xd0, 0]);
        outbox.abandon();
        assert!(outbox.is_empty());
    }
}
