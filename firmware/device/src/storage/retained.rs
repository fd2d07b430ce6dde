//! Retained messages, as `save_retained` keeps them.
//!
//! They are more than one record of the map may hold, so they are cut into pieces. Two sets of pieces take turns, and
//! one record, written last, says which set counts and what its checksum is.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;

use super::map::{Key, Map};
use super::{StorageError, slots};

/// Pieces of a set.
pub(super) const CHUNKS: u8 = 8;
/// Bytes of a piece: four of them fill a sector.
const CHUNK_LEN: usize = 1000;

/// Most bytes of all messages together, 6 of overhead for each.
pub const MAX_RETAINED: usize = CHUNKS as usize * CHUNK_LEN;

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
        if self.bytes.len() + len > MAX_RETAINED {
            return Err(StorageError::Full);
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

/// Which set counts: its number, its length and its checksum.
fn manifest<F: NorFlash>(map: &mut Map<F>) -> Result<Option<(u8, usize, u32)>, StorageError> {
    let record = map.get(Key::RETAINED)?;
    let &[set, l0, l1, c0, c1, c2, c3] = &record[..] else { return Ok(None) };
    let len = usize::from(u16::from_le_bytes([l0, l1]));
    Ok(Some((set % 2, len, u32::from_le_bytes([c0, c1, c2, c3]))))
}

/// Writes a set beside the one that counts, and makes it count. The same messages again cost no write.
pub(super) fn save<F: NorFlash>(
    map: &mut Map<F>,
    messages: &SavedMessages,
) -> Result<(), StorageError> {
    if load(map)? == *messages {
        return Ok(());
    }
    let old = manifest(map)?.map_or(1, |(set, ..)| set);
    let set = 1 - old;
    let bytes = &messages.bytes;
    for chunk in 0..CHUNKS {
        let start = bytes.len().min(usize::from(chunk) * CHUNK_LEN);
        let end = bytes.len().min(start + CHUNK_LEN);
        map.put(Key::chunk(set, chunk), &bytes[start..end])?;
    }
    let len = u16::try_from(bytes.len()).map_err(|_| StorageError::Full)?;
    let mut record = Vec::from([set]);
    record.extend_from_slice(&len.to_le_bytes());
    record.extend_from_slice(&slots::checksum(bytes, &[]).to_le_bytes());
    map.put(Key::RETAINED, &record)?;
    for chunk in 0..CHUNKS {
        map.put(Key::chunk(old, chunk), &[])?;
    }
    Ok(())
}

/// Reads the set that counts; nothing if it is not whole.
pub(super) fn load<F: NorFlash>(map: &mut Map<F>) -> Result<SavedMessages, StorageError> {
    let mut messages = SavedMessages::default();
    let Some((set, len, checksum)) = manifest(map)? else { return Ok(messages) };
    for chunk in 0..CHUNKS {
        messages.bytes.extend(map.get(Key::chunk(set, chunk))?);
    }
    if messages.bytes.len() != len || slots::checksum(&messages.bytes, &[]) != checksum {
        messages.bytes.clear();
    }
    Ok(messages)
}
