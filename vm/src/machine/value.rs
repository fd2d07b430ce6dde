//! Values: numbers, or strings that stay where they are until they are needed elsewhere.

use itoa::Buffer;

use super::memory::Slot;
use crate::Event;

/// A number, or where a string is.
///
/// Word 0 is 0 for a number; else it holds the kind (4 bits), which argument (4 bits) and the
/// string's length (the upper 16 bits). Word 1 is the number, or the string's offset in its lower
/// 16 bits. A string in a variable has its capacity in the upper ones; elsewhere they mean nothing,
/// so a variable is read by copying its slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value(pub(super) Slot);

/// The kinds of strings, by where their bytes are.
pub(super) mod kind {
    /// In the image's strings.
    pub(crate) const CONSTANT: u32 = crate::image::CONSTANT_STRING;
    /// In the arena.
    pub(crate) const ARENA: u32 = 2;
    /// In an argument of the event.
    pub(crate) const ARGUMENT: u32 = 3;
}

impl Value {
    pub(super) const EMPTY: Value = Value([kind::CONSTANT, 0]);

    #[inline(always)]
    pub(super) const fn int(value: i32) -> Value {
        Value([0, value as u32])
    }

    /// A string in the arena.
    #[inline(always)]
    pub(super) const fn arena(offset: usize, len: usize) -> Value {
        Value([kind::ARENA | (len as u32) << 16, offset as u32])
    }

    /// The beginning of an argument of the event.
    #[inline(always)]
    pub(super) const fn argument(index: u32, len: usize) -> Value {
        Value([kind::ARGUMENT | index << 4 | (len as u32) << 16, 0])
    }

    #[inline(always)]
    pub(super) fn is_int(self) -> bool {
        self.0[0] == 0
    }

    #[inline(always)]
    pub(super) fn as_int(self) -> Option<i32> {
        self.is_int().then_some(self.0[1] as i32)
    }

    /// One of [`kind`], or 0 for a number.
    #[inline(always)]
    pub(super) fn kind(self) -> u32 {
        self.0[0] & 0xf
    }

    /// Which argument.
    #[inline(always)]
    pub(super) fn index(self) -> usize {
        (self.0[0] >> 4 & 0xf) as usize
    }

    /// Length of a string.
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        (self.0[0] >> 16) as usize
    }

    /// Offset of a string.
    #[inline(always)]
    pub(super) fn offset(self) -> usize {
        (self.0[1] & 0xffff) as usize
    }

    /// A part of a string; `start + len` must be within it.
    pub(super) fn part(self, start: usize, len: usize) -> Value {
        Value([self.0[0] & 0xffff | (len as u32) << 16, (self.offset() + start) as u32])
    }

    /// The string in the arena that a variable's slot holds.
    #[inline(always)]
    pub(super) fn stored(self) -> Stored {
        match self.kind() {
            kind::ARENA => Stored {
                offset: self.offset(),
                len: self.len(),
                capacity: (self.0[1] >> 16) as usize,
            },
            _ => Stored { offset: 0, len: 0, capacity: 0 },
        }
    }
}

/// A variable's string in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) capacity: usize,
}

impl Stored {
    pub(super) fn slot(self) -> Slot {
        let [head, offset] = Value::arena(self.offset, self.len).0;
        [head, offset | (self.capacity as u32) << 16]
    }
}

/// What strings are read from.
#[derive(Clone, Copy)]
pub(super) struct StringSource<'v> {
    /// The image.
    pub(super) bytes: &'v [u8],
    /// Where in it the strings start.
    pub(super) strings: usize,
    pub(super) event: &'v Event<'v>,
    pub(super) arena: &'v [u8],
}

impl<'v> StringSource<'v> {
    /// The bytes of a string; a number has none here.
    #[inline(always)]
    pub(super) fn string(&self, value: Value) -> &'v [u8] {
        let mut start = value.offset();
        let base = match value.kind() {
            kind::CONSTANT => {
                start += self.strings;
                self.bytes
            }
            kind::ARENA => self.arena,
            kind::ARGUMENT => self.event.argument(value.index()),
            _ => b"",
        };
        base.get(start..start + value.len()).unwrap_or_default()
    }
}

/// The bytes of a number, written into `digits` where there is more than one.
#[inline]
pub(super) fn digits(number: i32, digits: &mut Buffer) -> &[u8] {
    const DIGITS: &[u8; 10] = b"0123456789";
    match DIGITS.get(number as u32 as usize..) {
        Some([digit, ..]) => core::slice::from_ref(digit),
        _ => digits.format(number).as_bytes(),
    }
}

/// Reads a number like C's `atoi`: blanks, a sign, digits up to anything else; wraps at 32 bits;
/// else 0.
pub fn parse_number(bytes: &[u8]) -> i32 {
    let mut bytes = bytes;
    while let [b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', rest @ ..] = bytes {
        bytes = rest;
    }
    let negative = bytes.first() == Some(&b'-');
    if let [b'-' | b'+', rest @ ..] = bytes {
        bytes = rest;
    }
    let mut number = 0i32;
    for digit in bytes.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|&digit| digit < 10) {
        number = number.wrapping_mul(10).wrapping_add(digit.into());
    }
    if negative { number.wrapping_neg() } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_like_atoi() {
        for (string, number) in [
            ("", 0),
            ("12", 12),
            ("  -12abc", -12),
            ("+7", 7),
            ("- 7", 0),
            ("on", 0),
            ("007", 7),
            ("2147483648", i32::MIN),
            ("-2147483648", i32::MIN),
            ("4294967297", 1),
            ("\t\n5", 5),
        ] {
            assert_eq!(parse_number(string.as_bytes()), number, "{string:?}");
        }
    }

    #[test]
    fn a_part_keeps_its_base() {
        let value = Value::argument(3, 500).part(10, 490).part(5, 7);
        assert_eq!(
            (value.kind(), value.index(), value.offset(), value.len()),
            (kind::ARGUMENT, 3, 15, 7)
        );
    }

    #[test]
    fn a_variable_is_read_by_copying_its_slot() {
        let stored = Stored { offset: 40_000, len: 300, capacity: 65_000 };
        let value = Value(stored.slot());
        assert_eq!((value.stored(), value.offset(), value.len()), (stored, 40_000, 300));
    }

    #[test]
    fn digits_of_numbers() {
        for number in [0, 7, 9, 10, -1, i32::MIN, i32::MAX] {
            let mut buffer = Buffer::new();
            assert_eq!(digits(number, &mut buffer), std::format!("{number}").as_bytes());
        }
    }
}
