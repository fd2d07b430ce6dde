//! The constants section while it is being made: each text once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use umqtt_vm::isa::{read_varint, write_varint};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Constants {
    bytes: Vec<u8>,
    /// Offset of a constant by a hash of its bytes; of two with the same hash, only one is found again.
    known: BTreeMap<u32, u32>,
}

impl Constants {
    /// The offset of a constant with these bytes.
    pub(super) fn intern(&mut self, text: &[u8]) -> u32 {
        let hash = fnv1a(text);
        if let Some(&offset) = self.known.get(&hash)
            && self.get(offset) == Some(text)
        {
            return offset;
        }
        let offset = self.bytes.len() as u32;
        let (len, count) = write_varint(text.len() as u32);
        self.bytes.extend_from_slice(&len[..count]);
        self.bytes.extend_from_slice(text);
        self.known.insert(hash, offset);
        offset
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes back all constants made since the section had this length.
    pub(super) fn truncate(&mut self, len: usize) {
        if self.bytes.len() > len {
            self.bytes.truncate(len);
            self.known.retain(|_, offset| (*offset as usize) < len);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn get(&self, offset: u32) -> Option<&[u8]> {
        let mut at = offset as usize;
        let len = read_varint(&self.bytes, &mut at)? as usize;
        self.bytes.get(at..at + len)
    }
}

fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
