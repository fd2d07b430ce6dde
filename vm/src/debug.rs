//! The debug section: names of variables, and which source line a piece of code comes from.
//!
//! ```text
//! varint number of names; each a varint length and its bytes, in the order of variable numbers
//! then until the end, sorted by code offset: varint code offset step, varint zigzag line step
//! ```
//! Both steps count from the entry before, the first from code offset 0 and line 1.

use crate::isa::{read_varint, unzigzag};

/// A debug section, possibly empty, possibly nonsense: what cannot be read is simply not there.
#[derive(Clone, Copy, Debug)]
pub struct Debug<'i> {
    bytes: &'i [u8],
}

impl<'i> Debug<'i> {
    /// Takes the bytes of the section.
    pub fn new(bytes: &'i [u8]) -> Debug<'i> {
        Debug { bytes }
    }

    /// The name of a variable, with its `$`.
    pub fn variable(&self, number: u16) -> Option<&'i [u8]> {
        let mut at = 0;
        let count = read_varint(self.bytes, &mut at)?;
        if u32::from(number) >= count {
            return None;
        }
        let mut name = self.name(&mut at)?;
        for _ in 0..number {
            name = self.name(&mut at)?;
        }
        Some(name)
    }

    /// The source line (from 1) of a code offset.
    pub fn line(&self, offset: u16) -> Option<u32> {
        let mut found = None;
        for (start, line) in self.lines() {
            if start > u32::from(offset) {
                break;
            }
            found = Some(line);
        }
        found
    }

    /// The line table: code offset where a line starts, and the line (from 1).
    pub fn lines(&self) -> impl Iterator<Item = (u32, u32)> + use<'i> {
        let this = *self;
        let (mut at, mut offset, mut line) = (this.end_of_names(), 0u32, 1u32);
        core::iter::from_fn(move || {
            let at = at.as_mut()?;
            offset = offset.checked_add(read_varint(this.bytes, at)?)?;
            line = line.wrapping_add_signed(unzigzag(read_varint(this.bytes, at)?));
            Some((offset, line))
        })
    }

    fn end_of_names(&self) -> Option<usize> {
        let mut at = 0;
        for _ in 0..read_varint(self.bytes, &mut at)? {
            self.name(&mut at)?;
        }
        Some(at)
    }

    fn name(&self, at: &mut usize) -> Option<&'i [u8]> {
        let len = read_varint(self.bytes, at)? as usize;
        let start = *at;
        *at = start.checked_add(len)?;
        self.bytes.get(start..*at)
    }
}
