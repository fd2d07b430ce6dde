//! The constants while they are being made: each once.

use alloc::vec::Vec;
use core::cmp::Ordering;

use umqtt_vm::image::{CONSTANT_STRING, CONSTANT_WORDS};

use crate::budget::{MemoryBudget, StepMemory};

/// A constant that is looked for.
#[derive(Clone, Copy)]
enum ConstantKey<'t> {
    Text(&'t [u8]),
    Int(i32),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Constants {
    strings: Vec<u8>,
    /// The table, as the image has it. Where strings are too long for its 16 bits, that is found
    /// when the image is written.
    table: Vec<[u32; CONSTANT_WORDS]>,
    /// The numbers of all, in the order that [`Constants::compare`] has. Those above 16 bits are
    /// not among them: that there are too many is found when the image is written.
    known: Vec<u16>,
}

impl Constants {
    /// Makes room for so many more, with strings of so many bytes together; false if there is none.
    pub(super) fn reserve(&mut self, budget: &MemoryBudget<'_>, more: usize, bytes: usize) -> bool {
        budget.grow(&mut self.table, more)
            && budget.grow(&mut self.strings, bytes)
            && budget.grow(&mut self.known, more)
    }

    /// Makes room for a text of so many bytes, in a step that may allocate `step` besides.
    pub(super) fn reserve_text(
        &mut self,
        budget: &MemoryBudget<'_>,
        bytes: usize,
        step: StepMemory,
    ) -> bool {
        budget.grow_beside(&mut self.strings, bytes, step)
    }

    /// The number of the constant with these bytes.
    pub(super) fn text(&mut self, text: &[u8]) -> u32 {
        let place = self.find(ConstantKey::Text(text));
        place.unwrap_or_else(|at| {
            let start = self.strings.len() as u32;
            self.strings.extend_from_slice(text);
            self.push(at, [CONSTANT_STRING | (text.len() as u32) << 16, start])
        })
    }

    /// The number of the constant that is this integer.
    pub(super) fn int(&mut self, value: i32) -> u32 {
        let place = self.find(ConstantKey::Int(value));
        place.unwrap_or_else(|at| self.push(at, [0, value as u32]))
    }

    /// The number of a constant, or where among the known ones it belongs.
    fn find(&self, wanted: ConstantKey<'_>) -> Result<u32, usize> {
        let place = self.known.binary_search_by(|number| self.compare(*number, wanted));
        place.map(|at| u32::from(self.known[at]))
    }

    /// Integers come first, and shorter strings before longer ones: most differ without a look at
    /// their bytes.
    fn compare(&self, number: u16, wanted: ConstantKey<'_>) -> Ordering {
        let [head, value] = self.table.get(usize::from(number)).copied().unwrap_or_default();
        match wanted {
            ConstantKey::Int(_) if head != 0 => Ordering::Greater,
            ConstantKey::Int(wanted) => (value as i32).cmp(&wanted),
            ConstantKey::Text(_) if head == 0 => Ordering::Less,
            ConstantKey::Text(wanted) => {
                let (start, len) = (value as usize, (head >> 16) as usize);
                let text = || self.strings.get(start..start + len).unwrap_or_default();
                len.cmp(&wanted.len()).then_with(|| text().cmp(wanted))
            }
        }
    }

    fn push(&mut self, at: usize, words: [u32; CONSTANT_WORDS]) -> u32 {
        let number = self.table.len();
        self.table.push(words);
        if let Ok(number) = u16::try_from(number) {
            self.known.insert(at, number);
        }
        number as u32
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes back all constants made since there were so many.
    pub(super) fn truncate(&mut self, len: usize) {
        if self.len() > len {
            let gone = self.table.drain(len..);
            let strings =
                gone.filter(|[head, _]| *head != 0).map(|[_, start]| start as usize).min();
            self.strings.truncate(strings.unwrap_or(self.strings.len()));
            self.known.retain(|number| usize::from(*number) < len);
        }
    }

    /// The table of constants.
    pub(super) fn table(&self) -> &[[u32; CONSTANT_WORDS]] {
        &self.table
    }

    pub(super) fn strings(&self) -> &[u8] {
        &self.strings
    }
}
