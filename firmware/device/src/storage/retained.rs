//! Retained messages, as `save_retained` and `broker_autoretain` keep them: each in a record of its own.
//!
//! So only what has changed is written, what does not fit costs nothing of the others, and after a power cut each message is
//! the old or the new one. Older versions kept them all together, in pieces in two sets of which one record says which
//! counts; such a set is still read, and taken away when the messages are saved next.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use umqtt_memory::{try_append, try_push, try_room, try_room_exact, try_to_vec};

use super::map::{Key, Map};
use super::{MAX_RECORD, StorageError, slots};

/// Messages there is room for.
pub const SLOTS: u8 = 127;

/// Pieces of an older version's set.
pub(super) const CHUNKS: u8 = 8;
/// Most bytes of all messages together, 3 of overhead for each.
pub const MAX_RETAINED: usize = 8000;

/// A retained message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedMessage<'m> {
    /// Its topic.
    pub topic: &'m [u8],
    /// Its payload.
    pub payload: &'m [u8],
    /// 0 to 2.
    pub qos: u8,
}

/// Retained messages as one run of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedMessages {
    bytes: Vec<u8>,
}

impl SavedMessages {
    /// Adds a message.
    ///
    /// # Errors
    /// [`StorageError::Full`] if it does not fit any more; it is left out then.
    pub fn push(&mut self, message: SavedMessage<'_>) -> Result<(), StorageError> {
        let len = message.topic.len().saturating_add(message.payload.len()).saturating_add(6);
        let topic = u16::try_from(message.topic.len());
        let payload = u16::try_from(message.payload.len());
        let (Ok(topic), Ok(payload)) = (topic, payload) else { return Err(StorageError::Full) };
        if self.bytes.len() + len > 3 * MAX_RETAINED {
            return Err(StorageError::Full);
        }
        if !try_room(&mut self.bytes, len) {
            return Err(StorageError::Memory);
        }
        self.bytes.extend_from_slice(&[message.qos.min(2), 0]);
        self.bytes.extend_from_slice(&topic.to_le_bytes());
        self.bytes.extend_from_slice(&payload.to_le_bytes());
        self.bytes.extend_from_slice(message.topic);
        self.bytes.extend_from_slice(message.payload);
        Ok(())
    }

    /// The messages, in order.
    pub fn iter(&self) -> impl Iterator<Item = SavedMessage<'_>> {
        let mut rest = &self.bytes[..];
        core::iter::from_fn(move || {
            let [qos, _, t0, t1, p0, p1, tail @ ..] = rest else { return None };
            let (topic, tail) =
                tail.split_at_checked(usize::from(u16::from_le_bytes([*t0, *t1])))?;
            let (payload, tail) =
                tail.split_at_checked(usize::from(u16::from_le_bytes([*p0, *p1])))?;
            rest = tail;
            Some(SavedMessage { topic, payload, qos: *qos })
        })
    }
}

/// Bytes of a record besides topic and payload.
const HEAD: usize = 3;

/// Saves the messages in the place of those saved before, of which those that are no more are deleted. `messages` gives
/// them in the order of their topics, as often as it is asked; `refused` is told the topics there is no room for.
pub(super) fn save<'m, F: NorFlash, I: Iterator<Item = SavedMessage<'m>>>(
    map: &mut Map<F>,
    messages: impl Fn() -> I,
    refused: &mut dyn FnMut(&[u8]),
) -> Result<(), StorageError> {
    let mut saved: Vec<(Vec<u8>, u8)> = Vec::new();
    let mut free: Vec<u8> = Vec::new();
    if !try_room_exact(&mut free, SLOTS.into()) {
        return Err(StorageError::Memory);
    }
    for slot in (0..SLOTS).rev() {
        match parse(&map.get(Key::retained(slot))?) {
            Some(message) => {
                let topic = try_to_vec(message.topic).ok_or(StorageError::Memory)?;
                try_push(&mut saved, (topic, slot)).map_err(|_| StorageError::Memory)?;
                // In order: there are few, and the library's sort is 4 KB of code.
                let mut at = saved.len() - 1;
                while at > 0 && saved[at - 1] > saved[at] {
                    saved.swap(at - 1, at);
                    at -= 1;
                }
            }
            None => free.push(slot),
        }
    }
    // Those that are no more go first: they make room.
    let mut now = messages().peekable();
    let mut kept = Vec::new();
    if !try_room_exact(&mut kept, saved.len()) {
        return Err(StorageError::Memory);
    }
    for (topic, slot) in saved {
        while now.next_if(|message| message.topic < &topic[..]).is_some() {}
        if now.peek().is_some_and(|message| message.topic == topic) {
            kept.push((topic, slot));
        } else {
            map.put(Key::retained(slot), &[])?;
            free.push(slot);
        }
    }
    drop(now);
    // What is saved already has its place before what is new.
    let (mut bytes, mut next) = (0, 0);
    let is_kept = |message: &SavedMessage<'_>, next: &mut usize| {
        let slot = kept.get(*next).filter(|(topic, _)| topic == message.topic).map(|kept| kept.1);
        *next += usize::from(slot.is_some());
        slot
    };
    for message in messages() {
        let Some(slot) = is_kept(&message, &mut next) else { continue };
        let len = message.topic.len() + message.payload.len() + HEAD;
        if fits(len, bytes) && put(map, slot, &message)? {
            bytes += len;
        } else {
            // None is better than one that is not the last.
            map.put(Key::retained(slot), &[])?;
            refused(message.topic);
        }
    }
    next = 0;
    for message in messages() {
        if is_kept(&message, &mut next).is_some() {
            continue;
        }
        let len = message.topic.len() + message.payload.len() + HEAD;
        match free.last() {
            Some(slot) if fits(len, bytes) && put(map, *slot, &message)? => {
                bytes += len;
                free.pop();
            }
            _ => refused(message.topic),
        }
    }
    forget_sets(map)
}

fn fits(len: usize, bytes: usize) -> bool {
    len <= MAX_RECORD && bytes + len <= MAX_RETAINED
}

/// Writes a message; false if the flash is full.
fn put<F: NorFlash>(
    map: &mut Map<F>,
    slot: u8,
    message: &SavedMessage<'_>,
) -> Result<bool, StorageError> {
    let mut record = Vec::new();
    if !try_room_exact(&mut record, HEAD + message.topic.len() + message.payload.len()) {
        return Err(StorageError::Memory);
    }
    record.push(message.qos.min(2));
    record.extend_from_slice(&(message.topic.len() as u16).to_le_bytes());
    record.extend_from_slice(message.topic);
    record.extend_from_slice(message.payload);
    match map.put(Key::retained(slot), &record) {
        Err(StorageError::Full) => Ok(false),
        result => result.map(|()| true),
    }
}

fn parse(record: &[u8]) -> Option<SavedMessage<'_>> {
    let [qos, t0, t1, rest @ ..] = record else { return None };
    let (topic, payload) = rest.split_at_checked(usize::from(u16::from_le_bytes([*t0, *t1])))?;
    Some(SavedMessage { topic, payload, qos: *qos })
}

/// Reads all messages.
pub(super) fn load<F: NorFlash>(map: &mut Map<F>) -> Result<SavedMessages, StorageError> {
    let mut messages = load_set(map)?;
    for slot in 0..SLOTS {
        if let Some(message) = parse(&map.get(Key::retained(slot))?) {
            messages.push(message)?;
        }
    }
    Ok(messages)
}

/// Which set counts: its number, its length and its checksum.
fn manifest<F: NorFlash>(map: &mut Map<F>) -> Result<Option<(u8, usize, u32)>, StorageError> {
    let record = map.get(Key::RETAINED)?;
    let &[set, l0, l1, c0, c1, c2, c3] = &record[..] else { return Ok(None) };
    let len = usize::from(u16::from_le_bytes([l0, l1]));
    Ok(Some((set % 2, len, u32::from_le_bytes([c0, c1, c2, c3]))))
}

/// Takes away what an older version has saved.
fn forget_sets<F: NorFlash>(map: &mut Map<F>) -> Result<(), StorageError> {
    if map.get(Key::RETAINED)?.is_empty() {
        return Ok(());
    }
    for (set, chunk) in (0..2 * CHUNKS).map(|n| (n / CHUNKS, n % CHUNKS)) {
        if !map.get(Key::chunk(set, chunk))?.is_empty() {
            map.put(Key::chunk(set, chunk), &[])?;
        }
    }
    map.put(Key::RETAINED, &[])
}

/// Reads the set of an older version that counts; nothing if there is none, or it is not whole.
fn load_set<F: NorFlash>(map: &mut Map<F>) -> Result<SavedMessages, StorageError> {
    let mut messages = SavedMessages::default();
    let Some((set, len, checksum)) = manifest(map)? else { return Ok(messages) };
    for chunk in 0..CHUNKS {
        if !try_append(&mut messages.bytes, &map.get(Key::chunk(set, chunk))?) {
            return Err(StorageError::Memory);
        }
    }
    if messages.bytes.len() != len || slots::checksum(&messages.bytes, &[]) != checksum {
        messages.bytes.clear();
    }
    Ok(messages)
}
