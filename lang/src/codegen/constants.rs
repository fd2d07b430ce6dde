//! The constants while they are being made: each once.

use alloc::vec::Vec;

use umqtt_vm::image::{CONSTANT_TEXT, CONSTANT_WORDS};

use crate::room::Room;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Constants {
    texts: Vec<u8>,
    /// The table, as the image has it. Where texts are too long for its 16 bits, that is found when the image is written.
    table: Vec<[u32; CONSTANT_WORDS]>,
    /// The number of a text by a hash of its bytes, in the order of these; of two with the same hash, only one is found again.
    known: Vec<(u32, u32)>,
    /// The number of an integer, in the order of these.
    integers: Vec<(i32, u32)>,
}

impl Constants {
    /// Makes room for so many more, with texts of so many bytes together; false if there is none.
    pub(super) fn reserve(&mut self, room: &Room<'_>, more: usize, bytes: usize) -> bool {
        room.grow(&mut self.table, more)
            && room.grow(&mut self.texts, bytes)
            && room.grow(&mut self.known, more)
            && room.grow(&mut self.integers, more)
    }

    /// The number of the constant with these bytes.
    pub(super) fn text(&mut self, text: &[u8]) -> u32 {
        let hash = fnv1a(text);
        let place = self.known.binary_search_by_key(&hash, |(known, _)| *known);
        if let Ok(at) = place
            && let (_, number) = self.known[at]
            && self.get(number as usize) == Some(text)
        {
            return number;
        }
        let start = self.texts.len() as u32;
        self.texts.extend_from_slice(text);
        let number = self.push([CONSTANT_TEXT | (text.len() as u32) << 16, start]);
        match place {
            Ok(at) => self.known[at].1 = number,
            Err(at) => self.known.insert(at, (hash, number)),
        }
        number
    }

    /// The number of the constant that is this integer.
    pub(super) fn int(&mut self, value: i32) -> u32 {
        match self.integers.binary_search_by_key(&value, |(known, _)| *known) {
            Ok(at) => self.integers[at].1,
            Err(at) => {
                let number = self.push([0, value as u32]);
                self.integers.insert(at, (value, number));
                number
            }
        }
    }

    fn push(&mut self, words: [u32; CONSTANT_WORDS]) -> u32 {
        self.table.push(words);
        self.table.len() as u32 - 1
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes back all constants made since there were so many.
    pub(super) fn truncate(&mut self, len: usize) {
        if self.len() > len {
            let gone = self.table.drain(len..);
            let texts = gone.filter(|[head, _]| *head != 0).map(|[_, start]| start as usize).min();
            self.texts.truncate(texts.unwrap_or(self.texts.len()));
            self.known.retain(|(_, number)| (*number as usize) < len);
            self.integers.retain(|(_, number)| (*number as usize) < len);
        }
    }

    /// The table of constants.
    pub(super) fn table(&self) -> &[[u32; CONSTANT_WORDS]] {
        &self.table
    }

    pub(super) fn texts(&self) -> &[u8] {
        &self.texts
    }

    fn get(&self, number: usize) -> Option<&[u8]> {
        let [head, start] = *self.table.get(number)?;
        let start = start as usize;
        self.texts.get(start..start + (head >> 16) as usize)
    }
}

fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
