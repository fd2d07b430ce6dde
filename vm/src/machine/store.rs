//! The machine's memory: variables, arguments, temporaries, and the arena that holds strings.
//!
//! The arena has the variables' strings at its start, garbage between them, then the strings made
//! by the running statement, then nothing. Those end with the statement. When the room ends, the
//! strings are moved together, which happens only then and takes time in proportion to what is
//! kept.

use super::MachineState;
use super::dispatch::constant;
use super::memory::Slot;
use super::value::{Stored, StringSource, Value, kind};
use crate::isa::CONSTANT;
use crate::number::{Number, NumberText, TooLarge, parse_number};
use crate::program::ProgramInfo;
use crate::{Event, TrapCode, fuel};

/// So many bytes of arena are needed and not there. The instruction is done again once there is
/// room, so nothing that cannot be done twice may come before.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutOfMemory(pub(super) usize);

/// What runs, with all it needs.
pub(super) struct ValueStore<'m> {
    /// The image, as words; none once there is no fuel left, so that the next instruction is not
    /// found.
    pub(super) words: &'m [u32],
    /// What is left of it. One instruction pays no more than a quarter of what it can hold, and it
    /// is stopped when it is below 0: it cannot wrap.
    pub(super) fuel: i32,
    /// Where the last of it was spent, as `at`.
    pub(super) stopped_at: usize,
    /// The arguments, the temporaries, the variables, and one more.
    pub(super) slots: &'m mut [Slot],
    /// Where in the words the constants start.
    pub(super) constants: usize,
    /// The slot of variable 0.
    pub(super) first_variable: usize,
    /// Where the variables' strings end.
    pub(super) strings_end: usize,
    /// Where the strings of the running statement end.
    pub(super) scratch_end: usize,
    /// Behind the word the running instruction begins with.
    pub(super) at: usize,
    pub(super) arena: &'m mut [u8],
    /// Longest value.
    pub(super) limit: usize,
    pub(super) info: &'m ProgramInfo,
    /// The image.
    pub(super) bytes: &'m [u8],
    pub(super) event: &'m Event<'m>,
    /// What stays when the handler has ended.
    pub(super) state: &'m mut MachineState,
}

impl ValueStore<'_> {
    /// Where in the code the running instruction is: its line is that of the word before the next.
    pub(super) fn offset(&self) -> u16 {
        self.at.saturating_sub(self.info.code + 1) as u16
    }

    /// Lets no further instruction be found.
    #[cold]
    #[inline(never)]
    pub(super) fn stop(&mut self) {
        if !self.words.is_empty() {
            (self.words, self.stopped_at) = (&[], self.at);
        }
        self.fuel = -1;
    }

    /// Why there is no such instruction.
    #[cold]
    #[inline(never)]
    pub(super) fn corrupt(&mut self) -> TrapCode {
        if self.fuel >= 0 {
            return TrapCode::Corrupt;
        }
        self.at = self.stopped_at;
        TrapCode::OutOfFuel
    }

    #[inline(always)]
    pub(super) fn source(&self) -> StringSource<'_> {
        StringSource {
            bytes: self.bytes,
            strings: self.info.strings,
            event: self.event,
            arena: self.arena,
        }
    }

    /// The bytes of a string; a number has none here.
    #[inline(never)]
    pub(super) fn string(&self, value: Value) -> &[u8] {
        self.source().string(value)
    }

    /// The bytes of any value; a number's are written into `room`.
    #[inline(always)]
    pub(super) fn bytes<'a>(&'a self, value: Value, room: &'a mut NumberText) -> &'a [u8] {
        if !value.is_number() {
            return self.string(value);
        }
        match value.as_int() {
            Some(int) => room.int(int),
            None => decimal_text(value, room),
        }
    }

    /// The value at the place that the uppermost byte of a word means: there its upper half is told
    /// by the sign. The verifier has seen to it that there is one.
    #[inline(always)]
    pub(super) fn get(&self, word: u32) -> Value {
        let place = (word >> 24) as usize;
        if (word as i32) < 0 {
            self.constant(place - usize::from(CONSTANT))
        } else {
            self.slot(place)
        }
    }

    #[inline(always)]
    pub(super) fn slot(&self, index: usize) -> Value {
        Value(self.slots.get(index).copied().unwrap_or(Value::EMPTY.0))
    }

    #[inline(always)]
    pub(super) fn constant(&self, number: usize) -> Value {
        constant(self.words, self.constants, number)
    }

    /// The value as a number.
    #[inline(always)]
    pub(super) fn number(&mut self, value: Value) -> Number {
        match value.as_int() {
            Some(int) => Number::int(int),
            None => self.parse(value),
        }
    }

    // Out of line: scripts compute with integers and compare strings.
    #[inline(never)]
    fn parse(&mut self, value: Value) -> Number {
        if let Some(number) = value.as_number() {
            return number;
        }
        self.pay_read(value);
        match Number::parse(self.source().string(value)) {
            Ok(number) => {
                if number.scale() > 0 {
                    self.pay_decimal();
                }
                number
            }
            Err(TooLarge(number)) => {
                self.pay_decimal();
                self.count_large();
                number
            }
        }
    }

    /// Whether the value is a number other than 0.
    #[inline(always)]
    pub(super) fn truth(&mut self, value: Value) -> bool {
        match value.as_int() {
            Some(int) => int != 0,
            None => self.parsed_truth(value),
        }
    }

    #[inline(never)]
    fn parsed_truth(&mut self, value: Value) -> bool {
        // No decimal is 0.
        if value.is_number() {
            return true;
        }
        !self.parse(value).is_zero()
    }

    /// The value as a whole number: what is behind the point is cut.
    #[inline(always)]
    pub(super) fn int(&mut self, value: Value) -> i32 {
        match value.as_int() {
            Some(int) => int,
            None => self.parse_int(value),
        }
    }

    #[inline(never)]
    fn parse_int(&mut self, value: Value) -> i32 {
        if let Some(number) = value.as_number() {
            self.pay(fuel::QUOTIENT);
            return number.cut();
        }
        self.pay_read(value);
        parse_number(self.source().string(value))
    }

    /// What was computed; where it is too large, the greatest or least number.
    #[inline(never)]
    pub(super) fn in_range(&mut self, computed: Result<Number, TooLarge>) -> Number {
        computed.unwrap_or_else(|TooLarge(number)| {
            self.count_large();
            number
        })
    }

    #[cold]
    #[inline(never)]
    fn count_large(&mut self) {
        let at = self.offset();
        let warnings = &mut self.state.warnings;
        warnings.decimals_too_large = warnings.decimals_too_large.wrapping_add(1);
        warnings.last_at = at;
    }

    #[cold]
    #[inline(never)]
    pub(super) fn count_cut(&mut self) {
        let at = self.offset();
        let warnings = &mut self.state.warnings;
        warnings.values_cut = warnings.values_cut.wrapping_add(1);
        warnings.last_at = at;
    }

    #[cold]
    #[inline(never)]
    pub(super) fn count_division(&mut self) {
        let at = self.offset();
        let warnings = &mut self.state.warnings;
        warnings.divisions_by_zero = warnings.divisions_by_zero.wrapping_add(1);
        warnings.last_at = at;
    }

    #[inline(always)]
    pub(super) fn equal(&mut self, a: Value, b: Value) -> bool {
        if a.is_int() || b.is_int() {
            if a.is_int() && b.is_int() { a.0[1] == b.0[1] } else { self.equal_mixed(a, b) }
        } else {
            // Strings of other lengths differ without a look at them.
            a.len() == b.len() && self.same_string(a, b)
        }
    }

    #[inline(never)]
    fn same_string(&mut self, a: Value, b: Value) -> bool {
        if (a.kind() | b.kind()) & kind::DECIMAL != 0 {
            return self.equal_mixed(a, b);
        }
        self.pay_comparison(a.len());
        self.source().string(a) == self.source().string(b)
    }

    #[inline(never)]
    fn equal_mixed(&mut self, a: Value, b: Value) -> bool {
        self.pay(fuel::TEXT);
        // Each number has a text of its own: none is written to compare two.
        if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
            return a == b;
        }
        let (number, text) = if a.is_number() { (a, b) } else { (b, a) };
        if !NumberText::LENGTHS.contains(&text.len()) {
            return false;
        }
        self.pay_text(number);
        self.bytes(number, &mut NumberText::new()) == self.string(text)
    }

    /// Forgets the statement's strings: it has ended.
    #[inline(always)]
    pub(super) fn end_statement(&mut self) {
        self.scratch_end = self.strings_end;
    }

    /// Puts a number where it belongs.
    #[inline(always)]
    pub(super) fn put_int(&mut self, place: u8, value: i32) {
        let index = usize::from(place);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Value::int(value).0;
        }
        if index >= self.first_variable {
            self.end_statement();
        }
    }

    /// Puts a number where it belongs that may have decimals.
    #[inline(never)]
    pub(super) fn put_number(&mut self, place: u8, number: Number) {
        let index = usize::from(place);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Value::number(number).0;
        }
        if index >= self.first_variable {
            self.end_statement();
        }
    }

    /// Puts a value where it belongs.
    #[inline(never)]
    pub(super) fn put(&mut self, place: u8, value: Value) -> Result<(), OutOfMemory> {
        let index = usize::from(place);
        if index >= self.first_variable && !value.is_number() {
            return self.set_variable(index, value);
        }
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = value.0;
        }
        if index >= self.first_variable {
            self.end_statement();
        }
        Ok(())
    }

    /// Sets the variable in a slot and ends the statement.
    #[inline(never)]
    pub(super) fn set_variable(&mut self, index: usize, value: Value) -> Result<(), OutOfMemory> {
        let slot = if value.is_number() { value.0 } else { self.store_string(index, value)? };
        if let Some(place) = self.slots.get_mut(index) {
            *place = slot;
        }
        self.end_statement();
        Ok(())
    }

    #[inline(always)]
    fn store_string(&mut self, index: usize, value: Value) -> Result<Slot, OutOfMemory> {
        let len = value.len();
        let old = self.slot(index).stored();
        self.pay_copy(len);
        if len <= old.capacity {
            self.copy(value, old.offset);
            return Ok(Stored { len, ..old }.slot());
        }
        let value = if self.strings_end + len > self.arena.len() {
            self.replace_string(index, value)?
        } else {
            value
        };
        let offset = self.strings_end;
        self.copy(value, offset);
        // Room to grow a little, where there is any.
        let capacity = ((len + 3) & !3).min(self.arena.len() - offset);
        self.strings_end = offset + capacity;
        Ok(Stored { offset, len, capacity }.slot())
    }

    /// Keeps a value in the variable in a slot, in the midst of a statement; whether it is another
    /// than the one before. A variable that was never set holds none: set to an empty text, it has
    /// one in the arena.
    #[inline(never)]
    pub(super) fn keep(&mut self, index: usize, value: Value) -> Result<bool, OutOfMemory> {
        let old = self.slot(index);
        if old.kind() != kind::CONSTANT && self.equal(old, value) {
            return Ok(false);
        }
        let slot = if value.is_number() { value.0 } else { self.keep_string(old.stored(), value)? };
        if let Some(place) = self.slots.get_mut(index) {
            *place = slot;
        }
        Ok(true)
    }

    /// As `store_string`, but the strings of the statement stay: they make place.
    fn keep_string(&mut self, old: Stored, value: Value) -> Result<Slot, OutOfMemory> {
        let len = value.len();
        self.pay_copy(len);
        if len <= old.capacity {
            self.copy(value, old.offset);
            return Ok(Stored { len, ..old }.slot());
        }
        let (start, end) = (self.strings_end, self.scratch_end);
        let capacity = (len + 3) & !3;
        if end + capacity > self.arena.len() {
            return Err(OutOfMemory(capacity));
        }
        self.pay(fuel::bytes(end - start, fuel::COPIED));
        self.arena.copy_within(start..end, start + capacity);
        let up = |value: Value| {
            let is_moved = value.kind() == kind::ARENA && (start..end).contains(&value.offset());
            is_moved.then(|| Value::arena(value.offset() + capacity, value.len()))
        };
        for slot in self.slots.iter_mut().take(self.first_variable) {
            *slot = up(Value(*slot)).map_or(*slot, |value| value.0);
        }
        self.copy(up(value).unwrap_or(value), start);
        (self.strings_end, self.scratch_end) = (start + capacity, end + capacity);
        Ok(Stored { offset: start, len, capacity }.slot())
    }

    /// Makes room for a variable's new string at the end of the strings; where the new string is
    /// then.
    #[cold]
    #[inline(never)]
    fn replace_string(&mut self, index: usize, value: Value) -> Result<Value, OutOfMemory> {
        let len = value.len();
        self.pay(self.info.variables as i32);
        if self.kept(index) + len > self.arena.len() {
            return Err(OutOfMemory(len));
        }
        // A part of the variable's own string would have fitted its capacity, so the old string is
        // not needed any more. The new one is told if it moves: there is a slot more than values
        // have places.
        let spare = self.first_variable + self.info.variables;
        for (index, value) in [(index, Value::EMPTY), (spare, value)] {
            if let Some(slot) = self.slots.get_mut(index) {
                *slot = value.0;
            }
        }
        self.compact();
        Ok(self.slot(spare))
    }

    fn strings(&self) -> impl Iterator<Item = Stored> {
        let variables = self.slots.iter().skip(self.first_variable).take(self.info.variables);
        variables.map(|slot| Value(*slot).stored()).filter(|stored| stored.capacity > 0)
    }

    /// Bytes the strings of all variables but one take when moved together.
    fn kept(&self, except: usize) -> usize {
        let variables = self.slots.iter().enumerate().skip(self.first_variable);
        let others = variables.take(self.info.variables).filter(|(index, _)| *index != except);
        others.map(|(_, slot)| Value(*slot).stored().len).sum()
    }

    /// Bytes of room there would be if the strings were moved together.
    pub(super) fn free_when_compact(&self) -> usize {
        let scratch = self.scratch_end - self.strings_end;
        self.arena.len() - self.kept(usize::MAX) - scratch
    }

    /// Moves the variables' strings together at the start of the arena, and the statement's behind
    /// them; values in temporaries are told.
    fn compact(&mut self) {
        let (mut end, mut behind) = (0, 0);
        // Each string is looked for among all variables.
        let strings = 1 + self.strings().count();
        self.pay((strings * self.slots.len()) as i32);
        self.pay(fuel::bytes(self.scratch_end, fuel::COPIED));
        let (others, variables) = self.slots.split_at_mut(self.first_variable);
        let (variables, spare) = variables.split_at_mut(self.info.variables);
        // The next string by offset; those without capacity have no place.
        while let Some((stored, slot)) = variables
            .iter_mut()
            .map(|slot| (Value(*slot).stored(), slot))
            .filter(|(stored, _)| stored.offset >= behind && stored.capacity > 0)
            .min_by_key(|(stored, _)| stored.offset)
        {
            behind = stored.offset + 1;
            let Stored { offset, len, capacity } = stored;
            self.arena.copy_within(offset..offset + len, end);
            moved(others, offset..offset + capacity, offset - end);
            moved(spare, offset..offset + capacity, offset - end);
            *slot = match len {
                // Not what a variable is before it is set.
                0 => Value::arena(0, 0).0,
                _ => Stored { offset: end, len, capacity: len }.slot(),
            };
            end += len;
        }
        let scratch = self.strings_end..self.scratch_end;
        let down = self.strings_end - end;
        // Values told above lie below the end by now.
        moved(others, scratch.start..usize::MAX, down);
        moved(spare, scratch.start..usize::MAX, down);
        self.arena.copy_within(scratch, end);
        self.strings_end = end;
        self.scratch_end -= down;
    }

    /// Sees to it that so many bytes find room behind the statement's strings.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&mut self, len: usize) -> Result<(), TrapCode> {
        self.compact();
        let fits = self.scratch_end + len <= self.arena.len();
        if fits { Ok(()) } else { Err(TrapCode::OutOfMemory) }
    }

    /// Copies a string to a place in the arena. It fits: the caller has seen to that.
    #[inline(never)]
    pub(super) fn copy(&mut self, value: Value, to: usize) {
        let (offset, len) = (value.offset(), value.len());
        if value.kind() == kind::ARENA {
            if offset != to && offset.max(to) + len <= self.arena.len() {
                self.arena.copy_within(offset..offset + len, to);
            }
            return;
        }
        let source = StringSource {
            bytes: self.bytes,
            strings: self.info.strings,
            event: self.event,
            arena: &[],
        };
        let from = source.string(value);
        if let Some(to) = self.arena.get_mut(to..to + from.len()) {
            to.copy_from_slice(from);
        }
    }

    /// Makes a string of the statement of what `write` puts into at most `most` bytes of room; it
    /// returns how many.
    pub(super) fn temporary(
        &mut self,
        most: usize,
        write: impl FnOnce(StringSource<'_>, &mut [u8]) -> usize,
    ) -> Result<Value, OutOfMemory> {
        let start = self.scratch_end;
        if start + most > self.arena.len() {
            return Err(OutOfMemory(most));
        }
        let (arena, free) = self.arena.split_at_mut(start);
        let source = StringSource {
            bytes: self.bytes,
            strings: self.info.strings,
            event: self.event,
            arena,
        };
        let len = write(source, &mut free[..most]).min(most);
        self.scratch_end = start + len;
        Ok(Value::arena(start, len))
    }

    /// The value as a string, written out if it is a number.
    #[inline(never)]
    pub(super) fn as_string(&mut self, value: Value) -> Result<Value, OutOfMemory> {
        match value.as_number() {
            None => Ok(value),
            Some(number) => {
                self.pay_number_text(value);
                self.copied(number.text(&mut NumberText::new()))
            }
        }
    }

    /// A string of the statement that holds a copy of some bytes.
    #[inline(never)]
    pub(super) fn copied(&mut self, bytes: &[u8]) -> Result<Value, OutOfMemory> {
        self.temporary(bytes.len(), |_, room| {
            room.copy_from_slice(bytes);
            bytes.len()
        })
    }
}

/// The text of a decimal; nothing for another value.
#[cold]
#[inline(never)]
fn decimal_text(value: Value, room: &mut NumberText) -> &[u8] {
    value.as_number().map_or(b"", |number| number.text(room))
}

/// Tells values whose strings lie in a part of the arena that it moves down. Some are left over
/// from earlier statements and mean nothing any more; whatever becomes of those.
fn moved(values: &mut [Slot], part: core::ops::Range<usize>, down: usize) {
    for slot in values {
        let value = Value(*slot);
        if value.kind() == kind::ARENA && part.contains(&value.offset()) {
            *slot = Value::arena(value.offset() - down, value.len()).0;
        }
    }
}
