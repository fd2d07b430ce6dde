//! The machine's memory: variables, and the arena that holds their texts and the temporaries.
//!
//! The arena has the variables' texts at its start, garbage between them, then the temporaries of the running
//! statement, then nothing. Temporaries end with the statement. When the room ends, the texts are moved together,
//! which happens only then and takes time in proportion to what is kept.

use itoa::Buffer;

use super::value::{Kind, Slot, Stored, Value, View, parse_number};
use crate::Trap;

pub(super) struct Store<'m> {
    pub(super) variables: &'m mut [Slot],
    pub(super) stack: &'m mut [Slot],
    pub(super) depth: usize,
    pub(super) arena: &'m mut [u8],
    /// Where the variables' texts end.
    pub(super) texts_end: usize,
    /// Where the temporaries end.
    pub(super) scratch_end: usize,
    pub(super) constants: &'m [u8],
    pub(super) arguments: &'m [&'m [u8]; 4],
    /// Longest value.
    pub(super) limit: usize,
}

impl Store<'_> {
    #[inline]
    pub(super) fn view(&self) -> View<'_> {
        View {
            constants: self.constants,
            arguments: self.arguments,
            variables: self.variables,
            arena: self.arena,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) -> Result<(), Trap> {
        *self.stack.get_mut(self.depth).ok_or(Trap::Corrupt)? = value.0;
        self.depth += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Result<Value, Trap> {
        self.depth = self.depth.wrapping_sub(1);
        self.stack.get(self.depth).map(|slot| Value(*slot)).ok_or(Trap::Corrupt)
    }

    #[inline]
    pub(super) fn number(&self, value: Value) -> i32 {
        match value.as_int() {
            Some(int) => int,
            None => self.parse(value),
        }
    }

    /// Any number that does not read as 0.
    #[inline]
    pub(super) fn truth(&self, value: Value) -> bool {
        self.number(value) != 0
    }

    #[inline]
    pub(super) fn equal(&self, a: Value, b: Value) -> bool {
        match (a.as_int(), b.as_int()) {
            (Some(a), Some(b)) => a == b,
            // Texts of other lengths differ without a look at them.
            (None, None) => a.len() == b.len() && self.view().text(a) == self.view().text(b),
            _ => self.equal_mixed(a, b),
        }
    }

    // The rare ways, out of line: scripts compute with numbers and compare texts.
    #[inline(never)]
    fn parse(&self, value: Value) -> i32 {
        parse_number(self.view().text(value))
    }

    #[inline(never)]
    fn equal_mixed(&self, a: Value, b: Value) -> bool {
        let (mut a_digits, mut b_digits) = (Buffer::new(), Buffer::new());
        let view = self.view();
        view.bytes(a, &mut a_digits) == view.bytes(b, &mut b_digits)
    }

    /// Forgets the temporaries: a statement has ended.
    #[inline]
    pub(super) fn end_statement(&mut self) {
        self.depth = 0;
        self.scratch_end = self.texts_end;
    }

    #[inline]
    pub(super) fn variable(&self, number: usize) -> Result<Value, Trap> {
        let slot = *self.variables.get(number).ok_or(Trap::Corrupt)?;
        Ok(match Stored::read(slot) {
            None => Value(slot),
            Some(stored) => Value::text(Kind::Variable, number as u32, 0, stored.len),
        })
    }

    /// Sets a variable and ends the statement.
    pub(super) fn set_variable(&mut self, number: usize, value: Value) -> Result<(), Trap> {
        let old = *self.variables.get(number).ok_or(Trap::Corrupt)?;
        let slot = match value.as_int() {
            Some(_) => value.0,
            None => {
                let old = Stored::read(old).unwrap_or(Stored::EMPTY);
                self.store_text(number, old, value)?.slot()
            }
        };
        self.variables[number] = slot;
        self.end_statement();
        Ok(())
    }

    fn store_text(&mut self, number: usize, old: Stored, value: Value) -> Result<Stored, Trap> {
        let len = value.len();
        if len <= old.capacity {
            self.copy(value, old.offset);
            return Ok(Stored { len, ..old });
        }
        if self.texts_end + len > self.arena.len() {
            if self.kept(number) + len > self.arena.len() {
                return Err(Trap::OutOfMemory);
            }
            // A value out of the variable's own text would have fitted its capacity, so the old text
            // is not needed any more. The value may stand in the way of nothing: it moves down only.
            self.variables[number] = Stored::EMPTY.slot();
            self.compact();
        }
        let offset = self.texts_end;
        self.copy(value, offset);
        // Room to grow a little, where there is any.
        let capacity = len.next_multiple_of(4).min(self.arena.len() - offset);
        self.texts_end = offset + capacity;
        Ok(Stored { offset, len, capacity })
    }

    /// Bytes the texts of all variables but one take when moved together.
    fn kept(&self, except: usize) -> usize {
        let texts = self.variables.iter().enumerate().filter(|(number, _)| *number != except);
        texts.filter_map(|(_, slot)| Stored::read(*slot)).map(|stored| stored.len).sum()
    }

    /// Moves the variables' texts together at the start of the arena.
    fn compact(&mut self) {
        let mut end = 0;
        let mut behind = 0;
        // The next text by offset; those without capacity have no place.
        while let Some((number, stored)) = self
            .variables
            .iter()
            .enumerate()
            .filter_map(|(number, slot)| Some((number, Stored::read(*slot)?)))
            .filter(|(_, stored)| stored.offset >= behind && stored.capacity > 0)
            .min_by_key(|(_, stored)| stored.offset)
        {
            behind = stored.offset + 1;
            let Stored { offset, len, .. } = stored;
            self.arena.copy_within(offset..offset + len, end);
            self.variables[number] = match len {
                0 => Stored::EMPTY,
                _ => Stored { offset: end, len, capacity: len },
            }
            .slot();
            end += len;
        }
        self.texts_end = end;
    }

    /// Makes sure `len` bytes fit behind the temporaries, moving everything down if that helps.
    #[inline]
    pub(super) fn reserve(&mut self, len: usize) -> Result<(), Trap> {
        if self.scratch_end + len <= self.arena.len() { Ok(()) } else { self.make_room(len) }
    }

    #[cold]
    fn make_room(&mut self, len: usize) -> Result<(), Trap> {
        let scratch = self.texts_end..self.scratch_end;
        self.compact();
        let moved = scratch.start - self.texts_end;
        self.arena.copy_within(scratch, self.texts_end);
        self.scratch_end -= moved;
        for slot in &mut self.stack[..self.depth] {
            let value = Value(*slot);
            if value.kind() == Kind::Scratch {
                *slot = Value::text(Kind::Scratch, 0, value.offset() - moved, value.len()).0;
            }
        }
        if self.scratch_end + len <= self.arena.len() { Ok(()) } else { Err(Trap::OutOfMemory) }
    }

    /// Copies a text to a place in the arena. Both fit: the caller has seen to that.
    pub(super) fn copy(&mut self, value: Value, to: usize) {
        let (offset, len) = (value.offset(), value.len());
        let from = match value.kind() {
            Kind::Scratch => offset,
            Kind::Variable => {
                let slot = self.variables.get(value.index()).copied();
                slot.and_then(Stored::read).unwrap_or(Stored::EMPTY).offset + offset
            }
            Kind::Constant | Kind::Argument | Kind::Int => {
                let base = match value.kind() {
                    Kind::Constant => self.constants,
                    _ => self.arguments[value.index() & 3],
                };
                let text = base.get(offset..offset + len).unwrap_or_default();
                if let Some(place) = self.arena.get_mut(to..to + text.len()) {
                    place.copy_from_slice(text);
                }
                return;
            }
        };
        if from != to && from + len <= self.arena.len() && to + len <= self.arena.len() {
            self.arena.copy_within(from..from + len, to);
        }
    }

    /// Makes a temporary of what `write` puts into at most `most` bytes of room; it returns how many.
    pub(super) fn temporary(
        &mut self,
        most: usize,
        write: impl FnOnce(View<'_>, &mut [u8]) -> usize,
    ) -> Result<Value, Trap> {
        self.reserve(most)?;
        let start = self.scratch_end;
        let (used, free) = self.arena.split_at_mut(start);
        let view = View {
            constants: self.constants,
            arguments: self.arguments,
            variables: self.variables,
            arena: used,
        };
        let room = free.get_mut(..most).ok_or(Trap::Corrupt)?;
        let len = write(view, room).min(most);
        self.scratch_end = start + len;
        Ok(Value::text(Kind::Scratch, 0, start, len))
    }

    /// The value as a text, written out if it is a number.
    pub(super) fn as_text(&mut self, value: Value) -> Result<Value, Trap> {
        match value.as_int() {
            None => Ok(value),
            Some(int) => self.copied(Buffer::new().format(int).as_bytes()),
        }
    }

    /// A temporary that holds a copy of some bytes.
    pub(super) fn copied(&mut self, bytes: &[u8]) -> Result<Value, Trap> {
        self.temporary(bytes.len(), |_, room| {
            room.copy_from_slice(bytes);
            bytes.len()
        })
    }
}
