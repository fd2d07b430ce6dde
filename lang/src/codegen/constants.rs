//! The constants while they are being made: each text once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use umqtt_vm::decode::Source;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Constants {
    texts: Vec<u8>,
    /// Where each ends in the texts; it starts where the one before ends.
    ends: Vec<u32>,
    /// The number of a constant by a hash of its bytes; of two with the same hash, only one is found again.
    known: BTreeMap<u32, u32>,
}

impl Constants {
    /// The number of the constant with these bytes.
    pub(super) fn intern(&mut self, text: &[u8]) -> u32 {
        let hash = fnv1a(text);
        if let Some(&number) = self.known.get(&hash)
            && self.get(number as usize) == Some(text)
        {
            return number;
        }
        let number = self.len() as u32;
        self.texts.extend_from_slice(text);
        self.ends.push(self.texts.len() as u32);
        self.known.insert(hash, number);
        number
    }

    /// The constant with these bytes, as an operand.
    pub(super) fn operand(&mut self, text: &[u8]) -> Source {
        Source::Constant(self.intern(text))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Takes back all constants made since there were so many.
    pub(super) fn truncate(&mut self, len: usize) {
        if self.len() > len {
            self.ends.truncate(len);
            self.texts.truncate(self.start(len));
            self.known.retain(|_, number| (*number as usize) < len);
        }
    }

    /// The table of constants. Where texts are too long for its 16 bits, that is found when the image is written.
    pub(super) fn table(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        (0..self.len()).map(|number| {
            let start = self.start(number) as u32;
            start | (self.ends[number] - start) << 16
        })
    }

    pub(super) fn texts(&self) -> &[u8] {
        &self.texts
    }

    fn start(&self, number: usize) -> usize {
        number.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    fn get(&self, number: usize) -> Option<&[u8]> {
        self.texts.get(self.start(number)..*self.ends.get(number)? as usize)
    }
}

fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
