//! Writing JSON texts (RFC 8259): objects and arrays of values.
//!
//! A value that is JSON by itself stands as it is; everything else is a string, with escapes where
//! they are needed and U+FFFD for what is not UTF-8. So whatever the values are, the text is JSON.
//! One that would be longer than a value may be is empty: cut, it would be none.

use super::json;
use super::store::{OutOfMemory, ValueStore};
use super::value::Value;
use crate::fuel;
use crate::number::NumberText;

impl ValueStore<'_> {
    /// An object of names and values by turns, or an array: the values' places are in the words
    /// from `from` on, and behind them is which are texts whatever they look like.
    pub(super) fn json(
        &mut self,
        is_object: bool,
        from: usize,
        count: u8,
    ) -> Result<Value, OutOfMemory> {
        let start = self.scratch_end;
        let written = self.write_list(is_object, from, count, start);
        let end = self.scratch_end;
        match written {
            Ok(true) => return Ok(Value::arena(start, end - start)),
            Ok(false) => self.count_cut(),
            Err(OutOfMemory(len)) => {
                self.scratch_end = start;
                return Err(OutOfMemory(end - start + len));
            }
        }
        self.scratch_end = start;
        Ok(Value::EMPTY)
    }

    /// False if it becomes longer than a value may be.
    fn write_list(
        &mut self,
        is_object: bool,
        from: usize,
        count: u8,
        start: usize,
    ) -> Result<bool, OutOfMemory> {
        let (open, close) = if is_object { (b"{", b"}") } else { (b"[", b"]") };
        let marks = from + usize::from(count.div_ceil(4));
        for index in 0..usize::from(count) {
            let is_name = is_object && index & 1 == 0;
            let before: &[u8] = match index {
                0 => open,
                _ if is_object && !is_name => b":",
                _ => b",",
            };
            let word = |at: usize| self.words.get(at).map_or(0, |word| u32::from_le(*word));
            let is_text = is_name || word(marks + index / 32) >> (index % 32) & 1 == 1;
            let place = word(from + index / 4) >> (8 * (index % 4)) << 24;
            let value = self.get(place);
            if !self.put_bytes(before, start)? || !self.put_value(value, is_text, start)? {
                return Ok(false);
            }
        }
        self.put_bytes(close, start)
    }

    fn put_bytes(&mut self, bytes: &[u8], start: usize) -> Result<bool, OutOfMemory> {
        let fits = self.scratch_end - start + bytes.len() <= self.limit;
        if fits {
            self.copied(bytes)?;
        }
        Ok(fits)
    }

    fn put_value(
        &mut self,
        value: Value,
        is_text: bool,
        start: usize,
    ) -> Result<bool, OutOfMemory> {
        if let Some(number) = value.as_number() {
            let quote: &[u8] = if is_text { b"\"" } else { b"" };
            self.pay(fuel::JSON_NUMBER);
            self.pay_text(value);
            let mut room = NumberText::new();
            return Ok(self.put_bytes(quote, start)?
                && self.put_bytes(number.text(&mut room), start)?
                && self.put_bytes(quote, start)?);
        }
        // It is read to see what it is, to see how long it becomes, and to be written.
        self.pay(fuel::JSON_TEXT + 3 * value.len() as i32);
        let left = self.limit - (self.scratch_end - start);
        let bare = if is_text { None } else { json::as_it_is(self.string(value)) };
        if let Some(found) = bare {
            if found.len <= left {
                let part = value.part(found.start, found.len);
                // An image may put in what is left of an earlier statement: where that was, there
                // is this text now.
                self.temporary(found.len, |source, room| {
                    let bytes = room.iter_mut().zip(source.string(part));
                    bytes.map(|(place, byte)| *place = *byte).count()
                })?;
            }
            return Ok(found.len <= left);
        }
        let mut len = 0;
        each_quoted(self.string(value), &mut |piece| len += piece.len());
        // Escapes take longer, and most of all what is not UTF-8.
        self.pay(fuel::bytes(len.saturating_sub(value.len()), fuel::READ));
        if len > left {
            return Ok(false);
        }
        self.temporary(len, |source, room| {
            let mut at = 0;
            each_quoted(source.string(value), &mut |piece| {
                if let Some(place) = room.get_mut(at..at + piece.len()) {
                    place.copy_from_slice(piece);
                }
                at += piece.len();
            });
            at
        })?;
        Ok(true)
    }
}

/// Calls `each` with the pieces of a JSON string of these bytes.
fn each_quoted(text: &[u8], each: &mut dyn FnMut(&[u8])) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    each(b"\"");
    for chunk in text.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            let short = match byte {
                b'"' | b'\\' => byte,
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0..0x20 => {
                    let low = HEX[usize::from(byte & 0xf)];
                    each(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), low]);
                    continue;
                }
                _ => {
                    each(&[byte]);
                    continue;
                }
            };
            each(&[b'\\', short]);
        }
        if !chunk.invalid().is_empty() {
            each("\u{fffd}".as_bytes());
        }
    }
    each(b"\"");
}
