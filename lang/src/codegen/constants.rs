//! The constants while they are being made: each once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use umqtt_vm::image::{CONSTANT_TEXT, CONSTANT_WORDS};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Constants {
    texts: Vec<u8>,
    /// The table, as the image has it. Where texts are too long for its 16 bits, that is found when the image is written.
    table: Vec<[u32; CONSTANT_WORDS]>,
    /// The number of a text by a hash of its bytes; of two with the same hash, only one is found again.
    known: BTreeMap<u32, u32>,
    /// The number of an integer.
    integers: BTreeMap<i32, u32>,
}

impl Constants {
    /// The number of the constant with these bytes.
    pub(super) fn text(&mut self, text: &[u8]) -> u32 {
        let hash = fnv1a(text);
        if let Some(&number) = self.known.get(&hash)
            && self.get(number as usize) == Some(text)
        {
            return number;
        }
        let start = self.texts.len() as u32;
        self.texts.extend_from_slice(text);
        let number = self.push([CONSTANT_TEXT | (text.len() as u32) << 16, start]);
        self.known.insert(hash, number);
        number
    }

    /// The number of the constant that is this integer.
    pub(super) fn int(&mut self, value: i32) -> u32 {
        if let Some(&number) = self.integers.get(&value) {
            return number;
        }
        let number = self.push([0, value as u32]);
        self.integers.insert(value, number);
        number
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
            self.known.retain(|_, number| (*number as usize) < len);
            self.integers.retain(|_, number| (*number as usize) < len);
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
