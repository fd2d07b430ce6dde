//! The language's functions on texts.

use super::json;
use super::store::{NoRoom, Store};
use super::value::{Value, digits};
use crate::isa::source;

impl Store<'_> {
    /// Joins the values whose sources follow; `pops` of them are the topmost on the stack.
    #[inline(never)]
    pub(super) fn join(&mut self, count: u8, pops: u8) -> Result<Value, NoRoom> {
        let listed = self.at;
        self.at += usize::from(count.div_ceil(4));
        let top = self.top - usize::from(pops);
        let mut popped = top;
        let start = self.scratch_end;
        let mut sources = 0;
        for index in 0..count {
            if index & 3 == 0 {
                let word = self.words.get(listed + usize::from(index / 4)).copied().unwrap_or(0);
                sources = u32::from_le(word);
            }
            let byte = sources as u8;
            sources >>= 8;
            let value = if byte == source::POP {
                popped += 1;
                Value(self.slots.get(popped - 1).copied().unwrap_or(Value::EMPTY.0))
            } else {
                self.value(byte)
            };
            self.append(start, value)?;
        }
        self.top = top;
        Ok(Value::arena(start, self.scratch_end - start))
    }

    /// Adds to the text that starts at `start` and ends with the temporaries.
    #[inline(always)]
    fn append(&mut self, start: usize, value: Value) -> Result<(), NoRoom> {
        if let Some(int) = value.as_int() {
            return self.append_int(start, int);
        }
        let room = self.limit - (self.scratch_end - start);
        let mut len = value.len();
        if len > room {
            self.count_cut();
            len = room;
        }
        let end = self.scratch_end + len;
        if end > self.arena.len() {
            return Err(NoRoom(len));
        }
        self.copy(value.part(0, len), self.scratch_end);
        self.scratch_end = end;
        Ok(())
    }

    #[inline(never)]
    fn append_int(&mut self, start: usize, value: i32) -> Result<(), NoRoom> {
        let mut room = itoa::Buffer::new();
        let digits = digits(value, &mut room);
        let len = digits.len().min(self.limit - (self.scratch_end - start));
        if len < digits.len() {
            self.count_cut();
        }
        self.copied(&digits[..len]).map(|_| ())
    }

    /// A negative start counts from the end; a negative length means to the end.
    #[inline(never)]
    pub(super) fn substr(&mut self, text: Value, start: i32, len: i32) -> Result<Value, NoRoom> {
        let text = self.as_text(text)?;
        let whole = text.len();
        let from_end = || whole.saturating_sub(start.unsigned_abs() as usize);
        let start = usize::try_from(start).unwrap_or_else(|_| from_end()).min(whole);
        let rest = whole - start;
        Ok(text.part(start, usize::try_from(len).unwrap_or(rest).min(rest)))
    }

    #[inline(never)]
    pub(super) fn byte_val(&mut self, text: Value, index: i32) -> Result<Value, NoRoom> {
        let text = self.as_text(text)?;
        let byte = usize::try_from(index).ok().and_then(|at| self.text(text).get(at).copied());
        Ok(byte.map_or(Value::EMPTY, |byte| Value::int(byte.into())))
    }

    #[inline(never)]
    pub(super) fn csvstr(
        &mut self,
        text: Value,
        index: i32,
        separator: Value,
    ) -> Result<Value, NoRoom> {
        let text = self.as_text(text)?;
        let separator = self.as_text(separator)?;
        let (Ok(index), Some(&separator)) = (usize::try_from(index), self.text(separator).first())
        else {
            return Ok(Value::EMPTY);
        };
        let mut start = 0;
        for (at, field) in self.text(text).split(|&byte| byte == separator).enumerate() {
            if at == index {
                return Ok(text.part(start, field.len()));
            }
            start += field.len() + 1;
        }
        Ok(Value::EMPTY)
    }

    #[inline(never)]
    pub(super) fn len(&self, value: Value) -> usize {
        self.bytes(value, &mut itoa::Buffer::new()).len()
    }

    #[inline(never)]
    pub(super) fn find(&self, text: Value, sought: Value) -> i32 {
        let (mut a, mut b) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (text, sought) = (self.bytes(text, &mut a), self.bytes(sought, &mut b));
        let at = match sought.len() {
            0 => Some(0),
            len => text.windows(len).position(|window| window == sought),
        };
        at.map_or(-1, |at| at as i32)
    }

    /// A copy with each byte passed through `keep`.
    #[inline(never)]
    pub(super) fn map(&mut self, text: Value, keep: fn(u8) -> Option<u8>) -> Result<Value, NoRoom> {
        if text.is_int() {
            return Ok(text);
        }
        self.temporary(text.len(), |view, room| {
            let kept = view.text(text).iter().filter_map(|&byte| keep(byte));
            room.iter_mut().zip(kept).map(|(place, byte)| *place = byte).count()
        })
    }

    #[inline(never)]
    pub(super) fn json_parse(&mut self, path: Value, text: Value) -> Result<Value, NoRoom> {
        let path = self.as_text(path)?;
        // A bare number is a JSON text too.
        let text = self.as_text(text)?;
        let Some(found) = json::lookup(self.text(path), self.text(text)) else {
            return Ok(Value::EMPTY);
        };
        let place = text.part(found.start, found.len);
        if !found.escaped {
            return Ok(place);
        }
        self.temporary(found.len, |view, room| json::unescape(view.text(place), room))
    }
}
