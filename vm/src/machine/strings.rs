//! The language's functions on strings.

use core::cmp::Ordering;

use super::json;
use super::store::{OutOfMemory, ValueStore};
use super::unescape::unescape;
use super::value::Value;
use crate::fuel;
use crate::number::{Number, NumberText};

impl ValueStore<'_> {
    /// Joins the values whose places are in the words from `from` on.
    #[inline(never)]
    pub(super) fn join(&mut self, from: usize, count: u8) -> Result<Value, OutOfMemory> {
        let start = self.scratch_end;
        let (mut places, mut next) = (0, from);
        for index in 0..count {
            if index & 3 == 0 {
                places = self.words.get(next).map_or(0, |word| u32::from_le(*word));
                next += 1;
            }
            let value = self.get(places << 24);
            places >>= 8;
            if let Err(OutOfMemory(len)) = self.append(start, value) {
                let made = self.scratch_end - start;
                self.scratch_end = start;
                return Err(OutOfMemory(made + len));
            }
        }
        Ok(Value::arena(start, self.scratch_end - start))
    }

    /// Adds to the string that starts at `start` and ends with the statement's strings.
    #[inline(always)]
    fn append(&mut self, start: usize, value: Value) -> Result<(), OutOfMemory> {
        if value.is_number() {
            return self.append_number(start, value);
        }
        let end = self.scratch_end;
        let room = self.limit - (end - start);
        let mut len = value.len();
        if len > room {
            self.count_cut();
            len = room;
        }
        if end + len > self.arena.len() {
            return Err(OutOfMemory(len));
        }
        self.copy(value.part(0, len), end);
        self.scratch_end = end + len;
        Ok(())
    }

    #[inline(never)]
    fn append_number(&mut self, start: usize, value: Value) -> Result<(), OutOfMemory> {
        let Some(number) = value.as_number() else { return Ok(()) };
        self.pay_text(value);
        let mut room = NumberText::new();
        let digits = number.text(&mut room);
        let len = digits.len().min(self.limit - (self.scratch_end - start));
        if len < digits.len() {
            self.count_cut();
        }
        self.copied(&digits[..len]).map(|_| ())
    }

    /// How two values compare as bytes.
    #[inline(never)]
    pub(super) fn order(&mut self, a: Value, b: Value) -> Ordering {
        self.pay_comparison(a.len().min(b.len()));
        self.pay(fuel::TEXT);
        self.pay_text(a);
        self.pay_text(b);
        let (mut a_digits, mut b_digits) = (NumberText::new(), NumberText::new());
        self.bytes(a, &mut a_digits).cmp(self.bytes(b, &mut b_digits))
    }

    /// A negative start counts from the end; a negative length means to the end.
    #[inline(never)]
    pub(super) fn substr(
        &mut self,
        string: Value,
        start: i32,
        len: i32,
    ) -> Result<Value, OutOfMemory> {
        self.pay(3 * fuel::TEXT);
        let string = self.as_string(string)?;
        let whole = string.len();
        let from_end = || whole.saturating_sub(start.unsigned_abs() as usize);
        let start = usize::try_from(start).unwrap_or_else(|_| from_end()).min(whole);
        let rest = whole - start;
        Ok(string.part(start, usize::try_from(len).unwrap_or(rest).min(rest)))
    }

    #[inline(never)]
    pub(super) fn byte_val(&mut self, string: Value, index: i32) -> Result<Value, OutOfMemory> {
        self.pay(fuel::TEXT);
        let string = self.as_string(string)?;
        let byte = usize::try_from(index).ok().and_then(|at| self.string(string).get(at).copied());
        Ok(byte.map_or(Value::EMPTY, |byte| Value::int(byte.into())))
    }

    #[inline(never)]
    pub(super) fn csvstr(
        &mut self,
        string: Value,
        index: i32,
        separator: Value,
    ) -> Result<Value, OutOfMemory> {
        self.pay(4 * fuel::TEXT);
        let string = self.as_string(string)?;
        let separator = self.as_string(separator)?;
        let (Ok(index), Some(&separator)) =
            (usize::try_from(index), self.string(separator).first())
        else {
            return Ok(Value::EMPTY);
        };
        let mut start = 0;
        for (at, field) in self.string(string).split(|&byte| byte == separator).enumerate() {
            if at == index {
                return Ok(string.part(start, field.len()));
            }
            start += field.len() + 1;
        }
        Ok(Value::EMPTY)
    }

    #[inline(never)]
    pub(super) fn len(&mut self, value: Value) -> usize {
        self.pay(fuel::TEXT);
        let Some(int) = value.as_int() else { return value.len() };
        self.pay_text(value);
        Number::int(int).text_len()
    }

    #[inline(never)]
    pub(super) fn find(&mut self, string: Value, sought: Value) -> i32 {
        self.pay(2 * fuel::TEXT);
        self.pay_text(string);
        self.pay_text(sought);
        let (mut a, mut b) = (NumberText::new(), NumberText::new());
        let (string, sought) = (self.bytes(string, &mut a), self.bytes(sought, &mut b));
        // Bytes looked at: each place, and what agrees there with the beginning of what is sought.
        let (mut looked, most) = (0, (self.fuel.max(0) as usize).saturating_mul(fuel::READ));
        let mut at = None;
        let mut places = string.windows(sought.len().max(1)).enumerate();
        if sought.is_empty() {
            at = Some(0);
        }
        while at.is_none() && looked <= most {
            let Some((start, here)) = places.next() else { break };
            looked += 1;
            // Most differ in their first byte.
            if here.first() == sought.first() {
                let same = here.iter().zip(sought).take_while(|(a, b)| a == b).count();
                looked += same;
                at = (same == sought.len()).then_some(start);
            }
        }
        self.pay(fuel::bytes(looked, fuel::READ));
        at.map_or(-1, |at| at as i32)
    }

    /// A copy with each byte passed through `keep`.
    #[inline(never)]
    pub(super) fn map(
        &mut self,
        string: Value,
        keep: fn(u8) -> Option<u8>,
    ) -> Result<Value, OutOfMemory> {
        if string.is_number() {
            return Ok(string);
        }
        self.temporary(string.len(), |source, room| {
            let kept = source.string(string).iter().filter_map(|&byte| keep(byte));
            room.iter_mut().zip(kept).map(|(place, byte)| *place = byte).count()
        })
    }

    #[inline(never)]
    pub(super) fn json_len(&mut self, path: Value, string: Value) -> Result<Value, OutOfMemory> {
        self.pay(fuel::JSON);
        let path = self.as_string(path)?;
        let string = self.as_string(string)?;
        let count = json::count(self.string(path), self.string(string));
        Ok(count.map_or(Value::EMPTY, |count| Value::int(count as i32)))
    }

    #[inline(never)]
    pub(super) fn json_parse(&mut self, path: Value, string: Value) -> Result<Value, OutOfMemory> {
        self.pay(fuel::JSON);
        let path = self.as_string(path)?;
        // A bare number is JSON too.
        let string = self.as_string(string)?;
        let Some(found) = json::lookup(self.string(path), self.string(string)) else {
            return Ok(Value::EMPTY);
        };
        let place = string.part(found.start, found.len);
        if !found.escaped {
            return Ok(place);
        }
        self.temporary(found.len, |source, room| unescape(source.string(place), room))
    }
}
