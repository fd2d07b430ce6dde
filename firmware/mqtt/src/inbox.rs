//! Bytes in any pieces become packets.
//!
//! Only the start of an unfinished packet is ever copied; what arrives whole is handed on from
//! where it is.

use alloc::vec::Vec;

use umqtt_memory::{try_room_exact, try_to_vec};

use crate::wire::FixedHeader;

/// There is no memory for the start of a packet.
#[derive(Debug)]
pub(crate) struct NoMemory;

impl From<NoMemory> for Option<FixedHeader> {
    fn from(_: NoMemory) -> Option<FixedHeader> {
        None
    }
}

/// The start of an unfinished packet, and what it becomes.
#[derive(Debug)]
pub(crate) struct Inbox {
    partial: Vec<u8>,
    /// `partial` was whole, and has been handed out.
    spent: bool,
}

impl Inbox {
    /// Goes on with what [`into_partial`](Self::into_partial) left.
    pub(crate) fn new(partial: Vec<u8>) -> Inbox {
        Inbox { partial, spent: false }
    }

    /// The next whole packet, header and all bytes, taking what it needs from `bytes`; `None` once
    /// all bytes are used up. `header` reads a header and may refuse it.
    pub(crate) fn next<'a, 'b: 'a, E: From<NoMemory>>(
        &'a mut self,
        bytes: &mut &'b [u8],
        mut header: impl FnMut(&[u8]) -> Result<Option<FixedHeader>, E>,
    ) -> Result<Option<(FixedHeader, &'a [u8])>, E> {
        if self.spent {
            self.partial = Vec::new();
            self.spent = false;
        }
        while !self.partial.is_empty() {
            // Looked at before more is asked for: it may be whole, or beyond repair, as it is.
            let found = header(&self.partial)?;
            if let Some(found) = found.filter(|found| self.partial.len() == found.total()) {
                self.spent = true;
                return Ok(Some((found, &self.partial)));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            let wanted = found.map_or(self.partial.len() + 1, |found| found.total());
            let missing = wanted.saturating_sub(self.partial.len());
            let (part, rest) = bytes.split_at(missing.min(bytes.len()));
            if !append(&mut self.partial, part, wanted) {
                return Err(E::from(NoMemory));
            }
            *bytes = rest;
        }
        if let Some(found) = header(bytes)?
            && let Some((packet, rest)) = bytes.split_at_checked(found.total())
        {
            *bytes = rest;
            return Ok(Some((found, packet)));
        }
        self.partial = try_to_vec(core::mem::take(bytes)).ok_or(NoMemory)?;
        Ok(None)
    }

    /// Bytes of a packet that is begun.
    pub(crate) fn begun(&self) -> usize {
        if self.spent { 0 } else { self.partial.len() }
    }

    /// The packet that was handed out last is not taken: what was [`begun`](Self::begun) before it
    /// stays, and its caller has the rest again.
    pub(crate) fn put_back(&mut self, begun: usize) {
        self.partial.truncate(begun);
        self.spent = false;
    }

    /// What is left when there is no next packet.
    pub(crate) fn into_partial(self) -> Vec<u8> {
        if self.spent { Vec::new() } else { self.partial }
    }
}

/// Appends to a packet of `wanted` bytes in the end. Room is made for what came, doubling, but
/// never for more than the packet: a header that promises much costs nothing yet.
fn append(partial: &mut Vec<u8>, part: &[u8], wanted: usize) -> bool {
    let len = partial.len() + part.len();
    if len > partial.capacity() {
        let capacity = (partial.capacity() * 2).clamp(len, wanted.max(len));
        if !try_room_exact(partial, capacity - partial.len()) {
            return false;
        }
    }
    partial.extend_from_slice(part);
    true
}
