//! Values: numbers, or strings that stay where they are until they are needed elsewhere.

use super::memory::Slot;
use crate::Event;
use crate::number::Number;

/// A number, or where a string is.
///
/// Word 0 is 0 for an integer; else it holds the kind (4 bits), which argument or how many digits
/// of a decimal are behind its point (4 bits), and the length of the string or of the decimal's
/// text (the upper 16 bits). Word 1 is the integer, the decimal's mantissa, or the string's offset
/// in its lower 16 bits. A string in a variable has its capacity in the upper ones; elsewhere they
/// mean nothing, so a variable is read by copying its slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value(pub(super) Slot);

/// The kinds of strings, by where their bytes are, and that of decimals. A number has none of the
/// bits that are set in those of strings.
pub(super) mod kind {
    /// In the image's strings.
    pub(crate) const CONSTANT: u32 = crate::image::CONSTANT_STRING;
    /// In the arena.
    pub(crate) const ARENA: u32 = 2;
    /// In an argument of the event.
    pub(crate) const ARGUMENT: u32 = 3;
    /// No string, but a decimal.
    pub(crate) const DECIMAL: u32 = 4;
    /// The bits set in a kind of strings.
    pub(crate) const STRINGS: u32 = 3;
}

impl Value {
    pub(super) const EMPTY: Value = Value([kind::CONSTANT, 0]);

    #[inline(always)]
    pub(super) const fn int(value: i32) -> Value {
        Value([0, value as u32])
    }

    pub(super) fn number(number: Number) -> Value {
        match number.as_int() {
            Some(integer) => Value::int(integer),
            None => {
                let head = kind::DECIMAL | u32::from(number.scale()) << 4;
                let len = number.text_len() as u32;
                Value([head | len << 16, number.mantissa() as u32])
            }
        }
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

    /// Whether it is an integer or a decimal.
    #[inline(always)]
    pub(super) fn is_number(self) -> bool {
        self.0[0] & kind::STRINGS == 0
    }

    #[inline(always)]
    pub(super) fn as_number(self) -> Option<Number> {
        self.is_number().then(|| Number::from_parts(self.0[1] as i32, self.index() as u32))
    }

    /// Both, if both are integers: most are, so that is asked at once.
    #[inline(always)]
    pub(super) fn both_ints(a: Value, b: Value) -> Option<(i32, i32)> {
        (a.0[0] | b.0[0] == 0).then_some((a.0[1] as i32, b.0[1] as i32))
    }

    /// One of [`kind`], or 0 for an integer.
    #[inline(always)]
    pub(super) fn kind(self) -> u32 {
        self.0[0] & 0xf
    }

    /// Which argument, or how many digits of a decimal are behind its point.
    #[inline(always)]
    pub(super) fn index(self) -> usize {
        (self.0[0] >> 4 & 0xf) as usize
    }

    /// Length of a string, or of a decimal's text.
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn numbers_keep_their_parts() {
        for number in [Number::int(0), Number::int(-7), Number::from_parts(-215, 1)] {
            let value = Value::number(number);
            assert!(value.is_number() && value.stored().capacity == 0);
            assert_eq!(value.as_number(), Some(number));
            assert_eq!(value.as_int(), number.as_int());
        }
        assert_eq!(Value::number(Number::from_parts(-215, 1)).len(), 5);
        assert!(!Value::argument(3, 5).is_number() && !Value::EMPTY.is_number());
    }
}
