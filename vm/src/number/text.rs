//! Numbers as text, and text as numbers.

use super::{DIGITS, Number, TooLarge, fit, power};

/// Longest text of a number: a sign, the ten digits of an integer, the point, nine digits.
const LONGEST: usize = 1 + 10 + 1 + DIGITS as usize;
/// With so many digits no number can become one again by more of them, and each that is left out
/// is far behind those that can be kept.
const ENOUGH: u64 = 100_000_000_000_000_000;

/// Room for the text of a number.
pub struct NumberText {
    /// Not even cleared before there is something to write.
    text: Option<[u8; LONGEST]>,
}

impl NumberText {
    /// How long the texts of numbers are, bytes.
    pub(crate) const LENGTHS: core::ops::RangeInclusive<usize> = 1..=LONGEST;

    /// Empty.
    #[inline(always)]
    #[expect(clippy::new_without_default)] // never wanted
    pub fn new() -> NumberText {
        NumberText { text: None }
    }

    /// The text of an integer; one digit is not even written.
    #[inline]
    pub(crate) fn int(&mut self, integer: i32) -> &[u8] {
        const DIGITS: &[u8; 10] = b"0123456789";
        match DIGITS.get(integer as u32 as usize..) {
            Some([digit, ..]) => core::slice::from_ref(digit),
            _ => Number::int(integer).write(0, self),
        }
    }
}

impl Number {
    /// Reads a text as a number: blanks, a sign, digits, a point with digits behind it, up to
    /// anything else; else 0. Digits before the point alone are an integer and wrap.
    ///
    /// # Errors
    /// [`TooLarge`] for a text with digits behind the point.
    // A text without decimals is read where it is asked for: most are.
    #[inline(always)]
    pub fn parse(text: &[u8]) -> Result<Number, TooLarge> {
        let (negative, digits) = sign(text);
        let (value, rest) = integer(digits);
        match rest {
            [b'.', b'0'..=b'9', ..] => Number::parse_decimal(negative, digits),
            _ => Ok(Number::int(signed(negative, value))),
        }
    }

    #[inline(never)]
    fn parse_decimal(negative: bool, digits: &[u8]) -> Result<Number, TooLarge> {
        let (mut magnitude, mut scale, mut behind) = (0u64, 0, false);
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                if magnitude < ENOUGH && scale < 2 * DIGITS {
                    magnitude = magnitude * 10 + u64::from(digit);
                    scale += u32::from(behind);
                }
            } else if *byte == b'.' && !behind {
                behind = true;
            } else {
                break;
            }
        }
        fit(negative, magnitude, scale, DIGITS)
    }

    /// Its text: without zeros behind the last digit behind the point.
    pub fn text(self, room: &mut NumberText) -> &[u8] {
        match self.as_int() {
            Some(integer) => room.int(integer),
            None => self.write(self.scale, room),
        }
    }

    /// Its text with exactly so many digits behind the point, 9 at most; rounded where it has
    /// more.
    pub fn fixed(self, decimals: u8, room: &mut NumberText) -> &[u8] {
        let decimals = decimals.min(super::DECIMAL_DIGITS);
        self.round(decimals).write(decimals.into(), room)
    }

    /// How long its text is, bytes.
    pub fn text_len(self) -> usize {
        let magnitude = self.mantissa.unsigned_abs();
        let mut digits = self.scale + 1;
        while digits <= DIGITS && power(digits) as u32 <= magnitude {
            digits += 1;
        }
        let point = self.scale > 0;
        usize::from(self.mantissa < 0) + digits as usize + usize::from(point)
    }

    /// Its text with so many digits behind the point, which are no less than it has.
    #[inline(never)]
    fn write(self, decimals: u32, room: &mut NumberText) -> &[u8] {
        let text = room.text.insert([b'0'; LONGEST]);
        let mut free = text.len();
        let mut put = |byte| {
            free = free.saturating_sub(1);
            if let Some(place) = text.get_mut(free) {
                *place = byte;
            }
        };
        let mut rest = self.mantissa.unsigned_abs();
        for behind in (0..decimals).rev() {
            let mut last = 0;
            if behind < self.scale {
                (rest, last) = split_last(rest);
            }
            put(b'0' + last);
        }
        if decimals > 0 {
            put(b'.');
        }
        loop {
            let last;
            (rest, last) = split_last(rest);
            put(b'0' + last);
            if rest == 0 {
                break;
            }
        }
        // What was rounded to 0 has no sign.
        if self.mantissa < 0 {
            put(b'-');
        }
        text.get(free..).unwrap_or_default()
    }
}

/// A number without its last digit, and that digit. The ESP8266 neither divides nor has the upper
/// half of a product: a division takes some hundred instructions there, and this takes fifteen.
#[inline(always)]
pub(super) fn split_last(number: u32) -> (u32, u8) {
    // Four fifths, 0.110011001100... in binary, and an eighth of that: a tenth, or one less.
    let mut tenth = (number >> 1) + (number >> 2);
    tenth += tenth >> 4;
    tenth += tenth >> 8;
    tenth += tenth >> 16;
    tenth >>= 3;
    let last = number - tenth * 10;
    if last < 10 { (tenth, last as u8) } else { (tenth + 1, (last - 10) as u8) }
}

/// Reads a number like C's `atoi`: blanks, a sign, digits up to anything else; wraps at 32 bits;
/// else 0. It is what [`Number::parse`] reads, cut at the point.
pub fn parse_number(bytes: &[u8]) -> i32 {
    let (negative, digits) = sign(bytes);
    signed(negative, integer(digits).0)
}

/// Whether a number is negative, and its digits.
#[inline(always)]
fn sign(text: &[u8]) -> (bool, &[u8]) {
    let mut text = text;
    while let [b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', rest @ ..] = text {
        text = rest;
    }
    match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    }
}

/// The digits a text begins with, as an integer that wraps, and what follows.
#[inline(always)]
fn integer(digits: &[u8]) -> (i32, &[u8]) {
    let (mut value, mut rest) = (0i32, digits);
    while let [byte @ b'0'..=b'9', behind @ ..] = rest {
        value = value.wrapping_mul(10).wrapping_add(i32::from(byte - b'0'));
        rest = behind;
    }
    (value, rest)
}

#[inline(always)]
fn signed(negative: bool, value: i32) -> i32 {
    if negative { value.wrapping_neg() } else { value }
}
