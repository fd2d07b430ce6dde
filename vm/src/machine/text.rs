//! The language's functions on texts.
//!
//! Making room may move temporaries, but only those on the stack are told. So room is reserved while the operands are
//! still on the stack, by the caller where a function takes values.

use super::json;
use super::store::Store;
use super::value::{Kind, Value};
use crate::Trap;

/// Longest text of a number, bytes.
pub(super) const INT_DIGITS: usize = 11;

impl Store<'_> {
    /// Joins the topmost `count` values; true if the result was cut at the limit.
    pub(super) fn join(&mut self, count: usize) -> Result<bool, Trap> {
        let first = self.depth.checked_sub(count).ok_or(Trap::Corrupt)?;
        let length = |slot: &[u32; 2]| {
            let value = Value(*slot);
            if value.as_int().is_some() { INT_DIGITS } else { value.len() }
        };
        let most: usize = self.stack[first..self.depth].iter().map(length).sum();
        self.reserve(most.min(self.limit))?;
        let (start, mut cut) = (self.scratch_end, false);
        let mut end = start;
        for at in first..self.depth {
            let value = Value(self.stack[at]);
            let room = self.limit - (end - start);
            match value.as_int() {
                Some(int) => {
                    let mut digits = itoa::Buffer::new();
                    let digits = digits.format(int).as_bytes();
                    let len = digits.len().min(room);
                    cut |= len < digits.len();
                    if let Some(place) = self.arena.get_mut(end..end + len) {
                        place.copy_from_slice(&digits[..len]);
                    }
                    end += len;
                }
                None => {
                    let len = value.len().min(room);
                    cut |= len < value.len();
                    self.copy(value.part(0, len), end);
                    end += len;
                }
            }
        }
        self.scratch_end = end;
        self.depth = first;
        self.push(Value::text(Kind::Scratch, 0, start, end - start))?;
        Ok(cut)
    }

    /// A negative start counts from the end; a negative length means to the end.
    pub(super) fn substr(&mut self, text: Value, start: i32, len: i32) -> Result<Value, Trap> {
        let text = self.as_text(text)?;
        let whole = text.len();
        let from_end = || whole.saturating_sub(start.unsigned_abs() as usize);
        let start = usize::try_from(start).unwrap_or_else(|_| from_end()).min(whole);
        let rest = whole - start;
        Ok(text.part(start, usize::try_from(len).unwrap_or(rest).min(rest)))
    }

    pub(super) fn byte_val(&mut self, text: Value, index: i32) -> Result<Value, Trap> {
        let text = self.as_text(text)?;
        let byte =
            usize::try_from(index).ok().and_then(|at| self.view().text(text).get(at).copied());
        Ok(byte.map_or(Value::EMPTY, |byte| Value::int(byte.into())))
    }

    pub(super) fn csvstr(
        &mut self,
        text: Value,
        index: i32,
        separator: Value,
    ) -> Result<Value, Trap> {
        let text = self.as_text(text)?;
        let separator = self.as_text(separator)?;
        let view = self.view();
        let (Ok(index), Some(&separator)) = (usize::try_from(index), view.text(separator).first())
        else {
            return Ok(Value::EMPTY);
        };
        let mut start = 0;
        for (at, field) in view.text(text).split(|&byte| byte == separator).enumerate() {
            if at == index {
                return Ok(text.part(start, field.len()));
            }
            start += field.len() + 1;
        }
        Ok(Value::EMPTY)
    }

    pub(super) fn find(&mut self, text: Value, sought: Value) -> Value {
        let view = self.view();
        let (mut a, mut b) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (text, sought) = (view.bytes(text, &mut a), view.bytes(sought, &mut b));
        let at = match sought.len() {
            0 => Some(0),
            len => text.windows(len).position(|window| window == sought),
        };
        Value::int(at.map_or(-1, |at| at as i32))
    }

    /// A copy with each byte passed through `keep`.
    pub(super) fn map(
        &mut self,
        text: Value,
        keep: impl Fn(u8) -> Option<u8>,
    ) -> Result<Value, Trap> {
        if text.as_int().is_some() {
            return Ok(text);
        }
        // Moving things together may move the text: it is on the stack while that can happen.
        self.push(text)?;
        self.reserve(text.len())?;
        let text = self.pop()?;
        self.temporary(text.len(), |view, room| {
            let kept = view.text(text).iter().filter_map(|&byte| keep(byte));
            room.iter_mut().zip(kept).map(|(place, byte)| *place = byte).count()
        })
    }

    /// The caller has reserved room for both as digits.
    pub(super) fn json_parse(&mut self, path: Value, text: Value) -> Result<Value, Trap> {
        let path = self.as_text(path)?;
        // A bare number is a JSON text too.
        let text = self.as_text(text)?;
        let view = self.view();
        let Some(found) = json::lookup(view.text(path), view.text(text)) else {
            return Ok(Value::EMPTY);
        };
        let place = text.part(found.start, found.len);
        if !found.escaped {
            return Ok(place);
        }
        self.push(place)?;
        self.reserve(found.len)?;
        let place = self.pop()?;
        self.temporary(found.len, |view, room| json::unescape(view.text(place), room))
    }
}
