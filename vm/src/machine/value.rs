//! Values: numbers, or texts that stay where they are until somebody needs them elsewhere.

use itoa::Buffer;

/// How a value is kept: two words, so that a slice of the machine's buffer can hold them.
pub(super) type Slot = [u32; 2];

/// A number, or where a text is.
///
/// Word 0 holds the kind (4 bits), an index (12 bits) and the text's length (16 bits); word 1 the number, or the
/// offset of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value(pub(super) Slot);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    /// In the constants.
    Constant,
    /// In the arena, temporary.
    Scratch,
    /// In a variable; offset from the variable's start.
    Variable,
    /// In an argument of the event; offset from its start.
    Argument,
}

impl Value {
    pub(super) const EMPTY: Value = Value::text(Kind::Constant, 0, 0, 0);

    #[inline]
    pub(super) const fn int(value: i32) -> Value {
        Value([0, value as u32])
    }

    #[inline]
    pub(super) const fn bool(value: bool) -> Value {
        Value([0, value as u32])
    }

    #[inline]
    pub(super) const fn text(kind: Kind, index: u32, offset: usize, len: usize) -> Value {
        Value([kind as u32 | (index & 0xfff) << 4 | (len as u32) << 16, offset as u32])
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        match self.0[0] & 0xf {
            0 => Kind::Int,
            1 => Kind::Constant,
            2 => Kind::Scratch,
            3 => Kind::Variable,
            _ => Kind::Argument,
        }
    }

    #[inline]
    pub(super) fn as_int(self) -> Option<i32> {
        (self.0[0] & 0xf == 0).then_some(self.0[1] as i32)
    }

    pub(super) fn index(self) -> usize {
        (self.0[0] >> 4 & 0xfff) as usize
    }

    /// Length of a text.
    #[inline]
    pub(super) fn len(self) -> usize {
        (self.0[0] >> 16) as usize
    }

    /// Offset of a text.
    #[inline]
    pub(super) fn offset(self) -> usize {
        self.0[1] as usize
    }

    /// A part of a text; `start + len` must be within it.
    pub(super) fn part(self, start: usize, len: usize) -> Value {
        Value([self.0[0] & 0xffff | (len as u32) << 16, (self.offset() + start) as u32])
    }
}

/// A variable: a number as in [`Value`], or a text in the arena: kind [`STORED`] and length in word 0, offset and
/// capacity, 16 bits each, in word 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) capacity: usize,
}

/// The kind of a variable that holds a text.
const STORED: u32 = 5;

impl Stored {
    pub(super) const EMPTY: Stored = Stored { offset: 0, len: 0, capacity: 0 };

    #[inline]
    pub(super) fn read(slot: Slot) -> Option<Stored> {
        (slot[0] & 0xf == STORED).then_some(Stored {
            offset: (slot[1] & 0xffff) as usize,
            len: (slot[0] >> 16) as usize,
            capacity: (slot[1] >> 16) as usize,
        })
    }

    pub(super) fn slot(self) -> Slot {
        [STORED | (self.len as u32) << 16, self.offset as u32 | (self.capacity as u32) << 16]
    }
}

/// What a value's bytes are read from.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) constants: &'v [u8],
    pub(super) arguments: &'v [&'v [u8]; 4],
    pub(super) variables: &'v [Slot],
    pub(super) arena: &'v [u8],
}

impl<'v> View<'v> {
    /// The bytes of a text; a number has none here.
    #[inline]
    pub(super) fn text(&self, value: Value) -> &'v [u8] {
        let (base, start) = match value.kind() {
            Kind::Int => return b"",
            Kind::Constant => (self.constants, value.offset()),
            Kind::Scratch => (self.arena, value.offset()),
            Kind::Argument => (self.arguments[value.index() & 3], value.offset()),
            Kind::Variable => {
                let stored = self.variables.get(value.index()).copied().and_then(Stored::read);
                (self.arena, stored.unwrap_or(Stored::EMPTY).offset + value.offset())
            }
        };
        base.get(start..start + value.len()).unwrap_or_default()
    }

    /// The bytes of any value; a number's are written into `digits`.
    #[inline]
    pub(super) fn bytes<'a>(&self, value: Value, digits: &'a mut Buffer) -> &'a [u8]
    where
        'v: 'a,
    {
        match value.as_int() {
            Some(int) => digits.format(int).as_bytes(),
            None => self.text(value),
        }
    }
}

/// Reads a number like C's `atoi`: blanks, a sign, digits up to anything else; wraps at 32 bits; else 0.
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
        for (text, number) in [
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
            assert_eq!(parse_number(text.as_bytes()), number, "{text:?}");
        }
    }

    #[test]
    fn a_part_keeps_its_base() {
        let value = Value::text(Kind::Argument, 3, 10, 500).part(5, 7);
        assert_eq!(
            (value.kind(), value.index(), value.offset(), value.len()),
            (Kind::Argument, 3, 15, 7)
        );
    }
}
