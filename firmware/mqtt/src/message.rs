//! A published message, encoded once and shared by every queue it waits in.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use umqtt_memory::{try_push, try_room_exact};

use crate::journal::MessageMark;
use crate::memory::BLOCK;
use crate::wire::{FixedHeader, MAX_REMAINING, PacketType, QoS};

/// Bytes of a packet that lie in one block of memory with what belongs to it; a longer packet has a
/// block of its own. The remaining length of a short one takes one byte.
const SHORT: usize = if cfg!(target_pointer_width = "64") { 120 } else { 40 };

/// Blocks of short messages kept for the next ones.
const SPARES: usize = if cfg!(target_pointer_width = "64") { 256 } else { 2 };

/// A topic and a payload, kept as the QoS 0 PUBLISH packet that carries them.
///
/// Cloning shares. A delivery at QoS 0 sends these very bytes; at QoS 1 or 2 it sends its own
/// header, the topic from here, its packet id, and the payload from here.
#[derive(Clone, Debug)]
pub struct Publication(Rc<Body>);

#[derive(Debug)]
struct Body {
    packet: Packet,
    /// Where in the packet the topic length is.
    header_len: u8,
    topic_len: u16,
    /// Where its bytes are counted.
    store: Option<MessagePool>,
    /// Its record.
    #[cfg_attr(not(feature = "journal"), allow(dead_code))]
    mark: MessageMark,
}

#[derive(Debug)]
enum Packet {
    Short { bytes: [u8; SHORT], len: u8 },
    Long(Box<[u8]>),
}

/// Counts the bytes of messages, each once, for as long as a queue has it. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessagePool(Rc<FreeList>);

#[derive(Default)]
struct FreeList {
    held: Cell<usize>,
    /// Blocks of short messages that are in no queue any more.
    spares: RefCell<Vec<Rc<Body>>>,
}

impl core::fmt::Debug for FreeList {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FreeList").field("held", &self.held).finish_non_exhaustive()
    }
}

impl MessagePool {
    /// Bytes of all messages.
    pub(crate) fn held(&self) -> usize {
        self.0.held.get()
    }

    /// Gives back the blocks kept for the next messages.
    pub(crate) fn clear(&self) {
        self.0.spares.take();
    }

    fn add(&self, bytes: usize) {
        self.0.held.set(self.held() + bytes);
    }

    fn subtract(&self, bytes: usize) {
        self.0.held.set(self.held() - bytes);
    }

    fn spare(&self) -> Option<Rc<Body>> {
        self.0.spares.borrow_mut().pop()
    }

    fn keep(&self, block: Rc<Body>) {
        let mut spares = self.0.spares.borrow_mut();
        if spares.len() < SPARES {
            // Without memory for the list it is one spare less.
            let _ = try_push(&mut spares, block);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(store) = &self.store {
            store.subtract(Publication::cost_of(self.packet().len()));
        }
    }
}

impl Body {
    fn packet(&self) -> &[u8] {
        match &self.packet {
            Packet::Short { bytes, len } => &bytes[..usize::from(*len)],
            Packet::Long(bytes) => bytes,
        }
    }

    /// Writes a packet that is known to be short.
    fn write(&mut self, topic: &[u8], payload: &[u8]) {
        let Packet::Short { bytes, len } = &mut self.packet else { return };
        let body = 2 + topic.len() + payload.len();
        [bytes[0], bytes[1]] = [(PacketType::Publish as u8) << 4, body as u8];
        [bytes[2], bytes[3]] = (topic.len() as u16).to_be_bytes();
        let (name, rest) = bytes[4..].split_at_mut(topic.len());
        name.copy_from_slice(topic);
        rest[..payload.len()].copy_from_slice(payload);
        (*len, self.header_len, self.topic_len) = (2 + body as u8, 2, topic.len() as u16);
    }
}

impl Publication {
    /// Encodes a message. `None` if the topic passes 65535 bytes, or the packet, with a packet id,
    /// 256 MiB.
    pub fn new(topic: &[u8], payload: &[u8]) -> Option<Publication> {
        Publication::encode(topic, payload, None)
    }

    /// The same, counted.
    pub(crate) fn counted(
        topic: &[u8],
        payload: &[u8],
        store: &MessagePool,
    ) -> Option<Publication> {
        let new = Publication::encode(topic, payload, Some(store))?;
        store.add(Publication::cost_of(new.packet().len()));
        Some(new)
    }

    fn encode(topic: &[u8], payload: &[u8], store: Option<&MessagePool>) -> Option<Publication> {
        if 4 + topic.len() + payload.len() > SHORT {
            return Publication::encode_long(topic, payload, store);
        }
        let mut block = store.and_then(MessagePool::spare).unwrap_or_else(|| {
            let packet = Packet::Short { bytes: [0; SHORT], len: 0 };
            let mark = MessageMark::default();
            Rc::new(Body { packet, header_len: 0, topic_len: 0, store: None, mark })
        });
        let body = Rc::get_mut(&mut block)?;
        body.write(topic, payload);
        body.store = store.cloned();
        Some(Publication(block))
    }

    fn encode_long(
        topic: &[u8],
        payload: &[u8],
        store: Option<&MessagePool>,
    ) -> Option<Publication> {
        let topic_len = u16::try_from(topic.len()).ok()?;
        let body = Publication::measure(topic, payload)?;
        let header = FixedHeader::emit(PacketType::Publish, 0, body)?;
        let head = header.as_bytes();
        // The small block first: the large one may take all the memory there is.
        let empty = Packet::Short { bytes: [0; SHORT], len: 0 };
        let mark = MessageMark::default();
        let mut block =
            Rc::new(Body { packet: empty, header_len: 0, topic_len: 0, store: None, mark });
        let mut packet = Vec::new();
        if !try_room_exact(&mut packet, head.len() + body) {
            return None;
        }
        packet.extend_from_slice(head);
        packet.extend_from_slice(&topic_len.to_be_bytes());
        packet.extend_from_slice(topic);
        packet.extend_from_slice(payload);
        let body = Rc::get_mut(&mut block)?;
        (body.header_len, body.topic_len) = (head.len() as u8, topic_len);
        body.packet = Packet::Long(packet.into_boxed_slice());
        body.store = store.cloned();
        Some(Publication(block))
    }

    /// Forgets a message; if no other queue has it, the next short one needs no allocation.
    pub(crate) fn release(mut self) {
        if let Some(body) = Rc::get_mut(&mut self.0)
            && matches!(body.packet, Packet::Short { .. })
            && let Some(store) = body.store.take()
        {
            store.subtract(Publication::cost_of(body.packet().len()));
            store.keep(self.0);
        }
    }

    /// Bytes of the packet that [`new`](Self::new) would make.
    pub(crate) fn len_of(topic: &[u8], payload: &[u8]) -> Option<usize> {
        let body = Publication::measure(topic, payload)?;
        Some(FixedHeader::len_for(body) + body)
    }

    /// Bytes of the block that every message has: the packet of a longer one is in another.
    pub(crate) const fn own_block() -> usize {
        size_of::<Body>() + 2 * size_of::<usize>()
    }

    /// Bytes of memory a message takes whose packet has this many.
    pub(crate) const fn cost_of(packet_len: usize) -> usize {
        let own = if packet_len > SHORT { packet_len + BLOCK } else { 0 };
        size_of::<Body>() + 2 * size_of::<usize>() + BLOCK + own
    }

    /// The bytes of the body.
    fn measure(topic: &[u8], payload: &[u8]) -> Option<usize> {
        let body = 2 + topic.len() + payload.len();
        (body <= MAX_REMAINING - 2).then_some(body) // with room for a packet id
    }

    /// The topic name.
    pub fn topic(&self) -> &[u8] {
        self.body().get(2..self.topic_end()).unwrap_or_default()
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        self.body().get(self.topic_end()..).unwrap_or_default()
    }

    /// The whole packet as delivered at QoS 0 without the retain flag.
    pub fn packet(&self) -> &[u8] {
        self.0.packet()
    }

    /// Its record in the journal.
    #[cfg(feature = "journal")]
    pub(crate) fn mark(&self) -> &MessageMark {
        &self.0.mark
    }

    /// Topic length, topic, payload: the packet without its fixed header.
    pub(crate) fn body(&self) -> &[u8] {
        self.packet().get(usize::from(self.0.header_len)..).unwrap_or_default()
    }

    /// Where in [`body`](Self::body) the payload starts.
    pub(crate) fn topic_end(&self) -> usize {
        2 + usize::from(self.0.topic_len)
    }
}

impl PartialEq for Publication {
    fn eq(&self, other: &Publication) -> bool {
        self.packet() == other.packet()
    }
}

impl Eq for Publication {}

/// A message for the local client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub(crate) publication: Publication,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
}

impl Message {
    /// The topic name.
    pub fn topic(&self) -> &[u8] {
        self.publication.topic()
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        self.publication.payload()
    }

    /// The quality of service it was delivered at: the smaller of the publisher's and the
    /// subscription's.
    pub fn qos(&self) -> QoS {
        self.qos
    }

    /// Whether it was a retained message at the time of the subscription, rather than a new one.
    pub fn retain(&self) -> bool {
        self.retain
    }

    /// The shared bytes of topic and payload, for keeping them without a copy.
    pub fn publication(&self) -> &Publication {
        &self.publication
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_for_every_header_length() {
        for len in [0, 1, 120, 125, 126, 200, 16_380, 16_384, 3_000_000] {
            let payload = alloc::vec![7; len];
            let message = Publication::new(b"a/b", &payload).unwrap();
            assert_eq!(message.topic(), b"a/b");
            assert_eq!(message.payload(), payload);
        }
        assert!(Publication::new(&[b'a'; 65_536], b"").is_none());
    }

    #[test]
    fn it_is_the_packet_of_the_specification() {
        let message = Publication::new(b"a/b", b"hi").unwrap();
        assert_eq!(message.packet(), [0x30, 7, 0, 3, b'a', b'/', b'b', b'h', b'i']);
    }
}
