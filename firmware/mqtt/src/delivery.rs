//! One message on its way to one client: a reference to it, and what its packet has besides.

use crate::message::Publication;
use crate::wire::{FixedHeader, HeaderBytes, PacketType, QoS};

/// The flag of a message sent again.
const DUP: u8 = 0b1000;

/// One message on its way to one client.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    publication: Publication,
    /// 0 at QoS 0.
    packet_id: u16,
    flags: u8,
}

impl Delivery {
    pub(crate) fn new(
        publication: Publication,
        qos: QoS,
        packet_id: u16,
        retain: bool,
    ) -> Delivery {
        Delivery { publication, packet_id, flags: (qos as u8) << 1 | u8::from(retain) }
    }

    pub(crate) fn again(mut self) -> Delivery {
        self.flags |= DUP; // [MQTT-3.3.1-1]
        self
    }

    /// 0 at QoS 0.
    pub(crate) fn packet_id(&self) -> u16 {
        self.packet_id
    }

    /// Whether it was sent before, on an earlier connection.
    pub(crate) fn is_again(&self) -> bool {
        self.flags & DUP != 0
    }

    /// Bytes on the wire.
    pub(crate) fn len(&self) -> usize {
        if self.flags == 0 {
            return self.publication.packet().len();
        }
        let remaining = self.publication.body().len() + self.id_len();
        FixedHeader::len_for(remaining) + remaining
    }

    fn id_len(&self) -> usize {
        if self.packet_id == 0 { 0 } else { 2 }
    }

    fn head(&self) -> HeaderBytes {
        let remaining = self.publication.body().len() + self.id_len();
        // A publication leaves room for the packet id, so there is a header for it.
        FixedHeader::emit(PacketType::Publish, self.flags, remaining).unwrap_or_default()
    }

    /// The next run of bytes when `sent` of them are sent; empty at the end. A header or a packet
    /// id is written to `piece`.
    pub(crate) fn outgoing<'a>(&'a self, sent: usize, piece: &'a mut Piece) -> &'a [u8] {
        if self.flags == 0 {
            return self.publication.packet().get(sent..).unwrap_or_default();
        }
        let head = self.head();
        let head = head.as_bytes();
        let body = self.publication.body();
        let (split, id_len) = (self.publication.topic_end(), self.id_len());
        let mut at = sent;
        if let Some(rest) = head.get(at..).filter(|rest| !rest.is_empty()) {
            let piece = &mut piece[..rest.len()];
            piece.copy_from_slice(rest);
            return piece;
        }
        at -= head.len();
        if at < split {
            return &body[at..split];
        }
        at -= split;
        if at < id_len {
            let rest = &self.packet_id.to_be_bytes()[at..];
            let piece = &mut piece[..rest.len()];
            piece.copy_from_slice(rest);
            return piece;
        }
        body.get(split + at - id_len..).unwrap_or_default()
    }

    /// It is sent: the message's block is kept for another if no other queue has it.
    pub(crate) fn release(self) {
        self.publication.release();
    }

    /// Calls `with` for each run of bytes, in order, until it returns false.
    pub(crate) fn pieces(&self, mut with: impl FnMut(&[u8]) -> bool) {
        if self.flags == 0 {
            with(self.publication.packet());
            return;
        }
        let (topic, payload) = self.publication.body().split_at(self.publication.topic_end());
        let id = self.packet_id.to_be_bytes();
        let _ = with(self.head().as_bytes())
            && with(topic)
            && with(&id[..self.id_len()])
            && with(payload);
    }
}

/// Room for a header or a packet id, which exists nowhere else when it is handed out.
pub(crate) type Piece = [u8; 5];
