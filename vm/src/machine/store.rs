//! The machine's memory: variables, stack, and the arena that holds texts.
//!
//! The arena has the variables' texts at its start, garbage between them, then the temporaries of the running
//! statement, then nothing. Temporaries end with the statement. When the room ends, the texts are moved together,
//! which happens only then and takes time in proportion to what is kept.

use itoa::Buffer;

use super::value::{Slot, Stored, Value, View, digits, kind, parse_number};
use crate::isa::{PUSH, source};
use crate::{Trap, Warnings};

/// So many bytes of arena are needed and not there. The instruction is done again once there is room, so nothing that cannot be
/// done twice may come before.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoRoom(pub(super) usize);

pub(super) struct Store<'m> {
    /// The words of the image.
    pub(super) words: &'m [u32],
    /// The next word.
    pub(super) at: usize,
    /// Where the code starts.
    pub(super) code: usize,
    /// Where the table of constants starts.
    pub(super) table: usize,
    pub(super) texts: &'m [u8],
    /// The variables, then the stack.
    pub(super) slots: &'m mut [Slot],
    pub(super) variables: usize,
    /// Where the next value is pushed.
    pub(super) top: usize,
    pub(super) arena: &'m mut [u8],
    /// Where the variables' texts end.
    pub(super) texts_end: usize,
    /// Where the temporaries end.
    pub(super) scratch_end: usize,
    pub(super) arguments: &'m [&'m [u8]; 4],
    /// Longest value.
    pub(super) limit: usize,
    /// Whether more arena can be had by stopping and going on.
    pub(super) growable: bool,
    /// How much room was missing at last.
    pub(super) wanted: usize,
    pub(super) warnings: &'m mut Warnings,
}

impl Store<'_> {
    #[inline(always)]
    pub(super) fn view(&self) -> View<'_> {
        View { texts: self.texts, arguments: self.arguments, arena: self.arena }
    }

    /// The bytes of a text; a number has none here.
    #[inline(never)]
    pub(super) fn text(&self, value: Value) -> &[u8] {
        self.view().text(value)
    }

    /// The bytes of any value; a number's are written into `room`.
    #[inline(always)]
    pub(super) fn bytes<'a>(&'a self, value: Value, room: &'a mut Buffer) -> &'a [u8] {
        match value.as_int() {
            None => self.text(value),
            Some(int) => digits(int, room),
        }
    }

    /// The operand a source byte means.
    #[inline(never)]
    pub(super) fn value(&mut self, byte: u8) -> Value {
        self.fetch(byte)
    }

    /// The operand a source byte means, as a number.
    #[inline(never)]
    pub(super) fn number(&mut self, byte: u8) -> i32 {
        let value = self.fetch(byte);
        self.to_number(value)
    }

    #[inline(always)]
    pub(super) fn to_number(&self, value: Value) -> i32 {
        match value.as_int() {
            Some(int) => int,
            None => self.parse(value),
        }
    }

    // Out of line: scripts compute with numbers and compare texts.
    #[inline(never)]
    fn parse(&self, value: Value) -> i32 {
        parse_number(self.view().text(value))
    }

    #[inline(always)]
    fn fetch(&mut self, byte: u8) -> Value {
        if byte >= source::CONSTANT {
            self.constant((byte - source::CONSTANT).into())
        } else if byte >= source::VARIABLE {
            self.variable((byte - source::VARIABLE).into())
        } else if byte >= source::INT {
            Value::int(i32::from(byte) - i32::from(source::INT) + source::INT_MIN)
        } else if byte == source::POP {
            self.pop()
        } else if byte < source::WIDE_INT {
            self.argument(u32::from(byte) - u32::from(source::ARGUMENT))
        } else {
            self.wide(byte)
        }
    }

    #[inline(never)]
    fn wide(&mut self, byte: u8) -> Value {
        let extension = self.word();
        match byte {
            source::WIDE_INT => Value::int(extension as i32),
            source::WIDE_VARIABLE => self.variable(extension as usize),
            _ => self.constant(extension as usize),
        }
    }

    /// The next word of code. The verifier has seen to it that there is one.
    #[inline(always)]
    pub(super) fn word(&mut self) -> u32 {
        let word = self.words.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        u32::from_le(word)
    }

    #[inline(always)]
    fn constant(&self, number: usize) -> Value {
        let entry = self.words.get(self.table + number).copied().unwrap_or(0);
        Value::constant(u32::from_le(entry))
    }

    #[inline(always)]
    fn variable(&self, number: usize) -> Value {
        Value(self.slots.get(number).copied().unwrap_or(Value::EMPTY.0))
    }

    #[inline(always)]
    fn argument(&mut self, index: u32) -> Value {
        let len = self.arguments[index as usize & 3].len();
        if len > self.limit {
            self.count_cut();
        }
        Value::argument(index, len.min(self.limit))
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Value {
        self.top = self.top.wrapping_sub(1);
        self.variable(self.top)
    }

    /// The verifier has seen to it that there is room.
    #[inline(always)]
    pub(super) fn push(&mut self, value: Value) {
        if let Some(slot) = self.slots.get_mut(self.top) {
            *slot = value.0;
            self.top += 1;
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn count_cut(&mut self) {
        self.warnings.values_cut = self.warnings.values_cut.wrapping_add(1);
        self.warn_here();
    }

    #[cold]
    #[inline(never)]
    pub(super) fn count_division(&mut self) {
        self.warnings.divisions_by_zero = self.warnings.divisions_by_zero.wrapping_add(1);
        self.warn_here();
    }

    /// Where in the code the running instruction is: its line is that of the word before the next.
    pub(super) fn offset(&self) -> u16 {
        self.at.saturating_sub(self.code + 1) as u16
    }

    fn warn_here(&mut self) {
        self.warnings.last_at = self.offset();
    }

    #[inline(always)]
    pub(super) fn equal(&self, a: Value, b: Value) -> bool {
        if a.is_int() && b.is_int() {
            a.0[1] == b.0[1]
        } else if !a.is_int() && !b.is_int() {
            // Texts of other lengths differ without a look at them.
            a.len() == b.len() && self.same_text(a, b)
        } else {
            self.equal_mixed(a, b)
        }
    }

    #[inline(never)]
    fn same_text(&self, a: Value, b: Value) -> bool {
        self.text(a) == self.text(b)
    }

    #[inline(never)]
    fn equal_mixed(&self, a: Value, b: Value) -> bool {
        let (mut a_digits, mut b_digits) = (Buffer::new(), Buffer::new());
        self.bytes(a, &mut a_digits) == self.bytes(b, &mut b_digits)
    }

    /// Forgets the temporaries: a statement has ended.
    #[inline(always)]
    pub(super) fn end_statement(&mut self) {
        self.scratch_end = self.texts_end;
    }

    /// Puts a number where it belongs.
    #[inline(always)]
    pub(super) fn put_int(&mut self, destination: u8, value: i32) {
        if destination == PUSH {
            self.push(Value::int(value));
        } else {
            if let Some(slot) = self.slots.get_mut(usize::from(destination)) {
                *slot = Value::int(value).0;
            }
            self.end_statement();
        }
    }

    /// Puts a value where it belongs.
    #[inline(never)]
    pub(super) fn put(&mut self, destination: u8, value: Value) -> Result<(), NoRoom> {
        if destination == PUSH {
            self.push(value);
            Ok(())
        } else {
            self.set_variable(destination.into(), value)
        }
    }

    /// Sets a variable and ends the statement.
    #[inline(never)]
    pub(super) fn set_variable(&mut self, number: usize, value: Value) -> Result<(), NoRoom> {
        let slot = match value.as_int() {
            Some(_) => value.0,
            None => self.store_text(number, value)?,
        };
        if let Some(place) = self.slots.get_mut(number) {
            *place = slot;
        }
        self.end_statement();
        Ok(())
    }

    #[inline(always)]
    fn store_text(&mut self, number: usize, value: Value) -> Result<Slot, NoRoom> {
        let len = value.len();
        let old = self.variable(number).stored();
        if len <= old.capacity {
            self.copy(value, old.offset);
            return Ok(Stored { len, ..old }.slot());
        }
        let value = if self.texts_end + len > self.arena.len() {
            self.replace_text(number, value)?
        } else {
            value
        };
        let offset = self.texts_end;
        self.copy(value, offset);
        // Room to grow a little, where there is any.
        let capacity = ((len + 3) & !3).min(self.arena.len() - offset);
        self.texts_end = offset + capacity;
        Ok(Stored { offset, len, capacity }.slot())
    }

    /// Makes room for a variable's new text at the end of the texts; where the new text is then.
    #[cold]
    #[inline(never)]
    fn replace_text(&mut self, number: usize, value: Value) -> Result<Value, NoRoom> {
        let len = value.len();
        if self.kept(number) + len > self.arena.len() {
            return Err(NoRoom(len));
        }
        // A part of the variable's own text would have fitted its capacity, so the old text is not needed any more.
        // The new one is told if it moves: there is a slot more than the stack needs.
        self.slots[number] = Value::EMPTY.0;
        self.push(value);
        self.compact();
        Ok(self.pop())
    }

    /// Bytes the texts of all variables but one take when moved together.
    fn kept(&self, except: usize) -> usize {
        let variables = self.slots[..self.variables].iter().enumerate();
        let others = variables.filter(|(number, _)| *number != except);
        others.map(|(_, slot)| Value(*slot).stored().len).sum()
    }

    /// Moves the variables' texts together at the start of the arena, and the temporaries behind them; values on the
    /// stack are told.
    fn compact(&mut self) {
        let (mut end, mut behind) = (0, 0);
        let (variables, rest) = self.slots.split_at_mut(self.variables);
        let stack = &mut rest[..self.top - self.variables];
        // The next text by offset; those without capacity have no place.
        while let Some((stored, slot)) = variables
            .iter_mut()
            .map(|slot| (Value(*slot).stored(), slot))
            .filter(|(stored, _)| stored.offset >= behind && stored.capacity > 0)
            .min_by_key(|(stored, _)| stored.offset)
        {
            behind = stored.offset + 1;
            let Stored { offset, len, capacity } = stored;
            self.arena.copy_within(offset..offset + len, end);
            moved(stack, offset..offset + capacity, offset - end);
            *slot = match len {
                0 => Value::EMPTY.0,
                _ => Stored { offset: end, len, capacity: len }.slot(),
            };
            end += len;
        }
        let scratch = self.texts_end..self.scratch_end;
        let down = self.texts_end - end;
        // Values told above lie below the end by now.
        moved(stack, scratch.start..usize::MAX, down);
        self.arena.copy_within(scratch, end);
        self.texts_end = end;
        self.scratch_end -= down;
    }

    /// Does something that may lack room; if it does, makes room and does it again.
    #[inline(always)]
    pub(super) fn with_room(
        &mut self,
        mut act: impl FnMut(&mut Self) -> Result<(), NoRoom>,
    ) -> Result<(), Trap> {
        let (at, top) = (self.at, self.top);
        loop {
            let before = self.scratch_end;
            let Err(NoRoom(len)) = act(self) else { return Ok(()) };
            let made = self.scratch_end - before;
            (self.at, self.top, self.scratch_end) = (at, top, before);
            self.make_room(made + len)?;
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&mut self, len: usize) -> Result<(), Trap> {
        self.compact();
        self.wanted = len;
        if self.scratch_end + len <= self.arena.len() { Ok(()) } else { Err(Trap::OutOfMemory) }
    }

    /// Copies a text to a place in the arena. It fits: the caller has seen to that.
    #[inline(never)]
    pub(super) fn copy(&mut self, value: Value, to: usize) {
        let (offset, len) = (value.offset(), value.len());
        let from = match value.kind() {
            kind::ARENA => {
                if offset != to && offset.max(to) + len <= self.arena.len() {
                    self.arena.copy_within(offset..offset + len, to);
                }
                return;
            }
            kind::CONSTANT => self.texts,
            _ => self.arguments[value.index() & 3],
        };
        if let (Some(from), Some(to)) =
            (from.get(offset..offset + len), self.arena.get_mut(to..to + len))
        {
            to.copy_from_slice(from);
        }
    }

    /// Makes a temporary of what `write` puts into at most `most` bytes of room; it returns how many.
    pub(super) fn temporary(
        &mut self,
        most: usize,
        write: impl FnOnce(View<'_>, &mut [u8]) -> usize,
    ) -> Result<Value, NoRoom> {
        let start = self.scratch_end;
        if start + most > self.arena.len() {
            return Err(NoRoom(most));
        }
        let (arena, free) = self.arena.split_at_mut(start);
        let view = View { texts: self.texts, arguments: self.arguments, arena };
        let len = write(view, &mut free[..most]).min(most);
        self.scratch_end = start + len;
        Ok(Value::arena(start, len))
    }

    /// The value as a text, written out if it is a number.
    #[inline(never)]
    pub(super) fn as_text(&mut self, value: Value) -> Result<Value, NoRoom> {
        match value.as_int() {
            None => Ok(value),
            Some(int) => self.copied(digits(int, &mut Buffer::new())),
        }
    }

    /// A temporary that holds a copy of some bytes.
    #[inline(never)]
    pub(super) fn copied(&mut self, bytes: &[u8]) -> Result<Value, NoRoom> {
        self.temporary(bytes.len(), |_, room| {
            room.copy_from_slice(bytes);
            bytes.len()
        })
    }
}

/// Tells values whose texts lie in a part of the arena that it moves down.
fn moved(stack: &mut [Slot], part: core::ops::Range<usize>, down: usize) {
    for slot in stack {
        let value = Value(*slot);
        if value.kind() == kind::ARENA && part.contains(&value.offset()) {
            *slot = Value::arena(value.offset() - down, value.len()).0;
        }
    }
}
