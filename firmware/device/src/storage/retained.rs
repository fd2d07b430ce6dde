//! Retained messages, as `save_retained` and `broker_autoretain` keep them: each in a record of its
//! own.
//!
//! So only what has changed is written, what does not fit costs nothing of the others, and after a
//! power cut each message is the old or the new one. Older versions kept them all together, in
//! pieces in two sets of which one record says which counts; such a set is still read, and taken
//! away when the messages are saved next.

use alloc::vec::Vec;
use core::ops::Bound;

use embedded_storage::nor_flash::NorFlash;
use umqtt_memory::{try_append, try_room, try_room_exact};

use super::extent::checksum;
use super::key::{Key, RETAINED_CHUNKS, RETAINED_SLOTS};
use super::map::Map;
use super::{MAX_RECORD, StorageError};

/// Messages there is room for.
pub const SLOTS: u8 = RETAINED_SLOTS;

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

/// Records looked at or written in one step: on a chip a write takes milliseconds and may have a
/// sector erased, on a disk it waits for the disk; everything else waits as long.
pub const RECORDS_PER_STEP: usize = 4;
/// Messages without a record that are passed over in one step.
const MESSAGES_PER_STEP: usize = 256;

/// The messages in the place of those saved before, a few records at a time. What changes meanwhile
/// may be saved as it was or as it is.
#[derive(Debug)]
pub(super) struct Saving {
    stage: Stage,
    /// The record that is the stage's next.
    slot: u8,
    /// The checksum of the topic in each record; 0 for a free one.
    topics: Vec<u32>,
    /// Bytes of the messages that have their place.
    bytes: usize,
    /// The topic of the new message that was looked at last.
    last: Vec<u8>,
    started: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Those that are no more go first: they make room.
    Delete,
    /// What is saved already has its place before what is new.
    Update,
    Add,
}

impl Saving {
    pub(super) fn new<F: NorFlash>(map: &mut Map<F>) -> Result<Saving, StorageError> {
        let mut topics = Vec::new();
        if !try_room_exact(&mut topics, SLOTS.into()) {
            return Err(map.no_memory());
        }
        topics.resize(SLOTS.into(), 0);
        Ok(Saving {
            stage: Stage::Delete,
            slot: 0,
            topics,
            bytes: 0,
            last: Vec::new(),
            started: false,
        })
    }

    /// The next few records; true once all is saved. `from` gives the messages from a topic on, in
    /// the order of their topics; `refused` gets the topics there is no room for.
    pub(super) fn step<'m, F: NorFlash, I: Iterator<Item = SavedMessage<'m>>>(
        &mut self,
        map: &mut Map<F>,
        from: &dyn Fn(Bound<&[u8]>) -> I,
        refused: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, StorageError> {
        let mut records = RECORDS_PER_STEP;
        while records > 0 {
            if self.stage == Stage::Add {
                return self.add(map, from, refused, records);
            }
            if self.slot == SLOTS {
                self.slot = 0;
                self.stage = if self.stage == Stage::Delete { Stage::Update } else { Stage::Add };
                continue;
            }
            let slot = self.slot;
            self.slot += 1;
            let wanted = self.stage == Stage::Delete || self.topics[usize::from(slot)] != 0;
            if wanted && map.may_have(Key::retained(slot)) {
                self.record(slot, map, from, refused)?;
                records -= 1;
            }
        }
        Ok(false)
    }

    /// Looks at a record, and does with it what the stage does.
    fn record<'m, F: NorFlash, I: Iterator<Item = SavedMessage<'m>>>(
        &mut self,
        slot: u8,
        map: &mut Map<F>,
        from: &dyn Fn(Bound<&[u8]>) -> I,
        refused: &mut dyn FnMut(&[u8]),
    ) -> Result<(), StorageError> {
        let (key, at) = (Key::retained(slot), usize::from(slot));
        let record = map.get(key)?;
        let Some(saved) = parse(&record) else {
            self.topics[at] = 0;
            return Ok(());
        };
        let now = from(Bound::Included(saved.topic)).next();
        let now = now.filter(|message| message.topic == saved.topic);
        let sum = checksum(saved.topic, &[]).max(1);
        drop(record);
        self.topics[at] = 0;
        match now {
            Some(_) if self.stage == Stage::Delete => self.topics[at] = sum,
            Some(message) if self.put(map, slot, &message)? => {}
            gone => {
                // None is better than one that is not the last.
                map.put(key, &[])?;
                if let Some(message) = gone {
                    refused(message.topic);
                }
            }
        }
        Ok(())
    }

    /// Messages that have no record yet.
    fn add<'m, F: NorFlash, I: Iterator<Item = SavedMessage<'m>>>(
        &mut self,
        map: &mut Map<F>,
        from: &dyn Fn(Bound<&[u8]>) -> I,
        refused: &mut dyn FnMut(&[u8]),
        mut records: usize,
    ) -> Result<bool, StorageError> {
        let start = if self.started { Bound::Excluded(&self.last[..]) } else { Bound::Unbounded };
        let mut last = None;
        let mut messages = from(start);
        for _ in 0..MESSAGES_PER_STEP {
            let Some(message) = messages.next() else {
                forget_sets(map)?;
                return Ok(true);
            };
            if !self.has(map, message.topic, &mut records)? {
                let free = self.topics.iter().position(|sum| *sum == 0);
                match free {
                    Some(slot) if self.put(map, slot as u8, &message)? => {
                        records = records.saturating_sub(1);
                    }
                    _ => refused(message.topic),
                }
            }
            last = Some(message.topic);
            if records == 0 {
                break;
            }
        }
        drop(messages);
        if let Some(last) = last {
            self.last.clear();
            if !try_append(&mut self.last, last) {
                return Err(map.no_memory());
            }
            self.started = true;
        }
        Ok(false)
    }

    /// Whether a topic has a record.
    fn has<F: NorFlash>(
        &self,
        map: &mut Map<F>,
        topic: &[u8],
        records: &mut usize,
    ) -> Result<bool, StorageError> {
        let sum = checksum(topic, &[]).max(1);
        for slot in (0..SLOTS).filter(|slot| self.topics[usize::from(*slot)] == sum) {
            *records = records.saturating_sub(1);
            if parse(&map.get(Key::retained(slot))?).is_some_and(|saved| saved.topic == topic) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes a message into a record; false if there is no room for it.
    fn put<F: NorFlash>(
        &mut self,
        map: &mut Map<F>,
        slot: u8,
        message: &SavedMessage<'_>,
    ) -> Result<bool, StorageError> {
        let len = message.topic.len() + message.payload.len() + HEAD;
        if !fits(len, self.bytes) || !put(map, slot, message)? {
            return Ok(false);
        }
        self.bytes += len;
        self.topics[usize::from(slot)] = checksum(message.topic, &[]).max(1);
        Ok(true)
    }
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
        return Err(map.no_memory());
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
            messages.push(message).map_err(|error| match error {
                StorageError::Memory => map.no_memory(),
                error => error,
            })?;
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
    for (set, chunk) in (0..2 * RETAINED_CHUNKS).map(|n| (n / RETAINED_CHUNKS, n % RETAINED_CHUNKS))
    {
        if !map.get(Key::chunk(set, chunk))?.is_empty() {
            map.put(Key::chunk(set, chunk), &[])?;
        }
    }
    map.put(Key::RETAINED, &[])
}

/// Reads the set of an older version that counts; nothing if there is none, or it is not whole.
fn load_set<F: NorFlash>(map: &mut Map<F>) -> Result<SavedMessages, StorageError> {
    let mut messages = SavedMessages::default();
    let Some((set, len, expected)) = manifest(map)? else { return Ok(messages) };
    for chunk in 0..RETAINED_CHUNKS {
        if !try_append(&mut messages.bytes, &map.get(Key::chunk(set, chunk))?) {
            return Err(map.no_memory());
        }
    }
    if messages.bytes.len() != len || checksum(&messages.bytes, &[]) != expected {
        messages.bytes.clear();
    }
    Ok(messages)
}
