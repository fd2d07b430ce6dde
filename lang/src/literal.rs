//! What literals in the source mean: escapes, hex values, numbers as the device reads them,
//! durations and times of day.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use umqtt_vm::schedule::{Milliseconds, second_of_day};

/// The bytes of a string (with its quotes) or of a bare word: `\x` is x. Borrows where nothing is
/// escaped.
pub fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    let inner = match raw {
        [b'"', inner @ .., b'"'] => inner,
        [b'"', inner @ ..] => inner,
        _ => raw,
    };
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

/// The bytes of `#0d0a`; `None` unless an even number of hex digits, at least two, follows the `#`.
pub fn unhex(raw: &[u8]) -> Option<Vec<u8>> {
    let digits = raw.strip_prefix(b"#")?;
    if digits.is_empty() || digits.len() % 2 != 0 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    for pair in digits.chunks_exact(2) {
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(bytes)
}

/// What a word or string reads as where the grammar wants a small number: optional sign and digits,
/// between blanks. Saturates at the ends of `i32`, so that a range check finds it. `None` for
/// anything else: a device would read 7 in `07:00`, and nobody means alarm 7 by that.
pub fn number(raw: &[u8]) -> Option<i32> {
    // Nearly all are a few bare digits.
    let mut value = 0;
    if let 1..=9 = raw.len() {
        for byte in raw {
            if !byte.is_ascii_digit() {
                return quoted_number(raw);
            }
            value = value * 10 + i32::from(byte - b'0');
        }
        return Some(value);
    }
    quoted_number(raw)
}

#[inline(never)]
fn quoted_number(raw: &[u8]) -> Option<i32> {
    number_of(&unescape(raw))
}

/// The same of a text that stands for itself.
pub fn number_of(text: &[u8]) -> Option<i32> {
    let text = text.trim_ascii();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits
        .iter()
        .fold(0i32, |value, byte| value.saturating_mul(10).saturating_add(i32::from(byte - b'0')));
    Some(if negative { -magnitude } else { magnitude })
}

/// A duration in milliseconds: digits, perhaps decimals, and a unit in one word. `None` if it is
/// none, 0 or more than `most`.
pub fn duration(word: &[u8], most: u32) -> Option<u32> {
    let digits = word.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'.')).count();
    let (number, name) = word.split_at(digits);
    let (unit, _) = Milliseconds::UNITS.iter().find(|(_, unit)| unit.as_bytes() == name)?;
    let mut parts = number.splitn(2, |byte| *byte == b'.');
    let (whole, decimals) = (parts.next()?, parts.next());
    let is_number =
        |part: &[u8]| (1..=9).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    if !is_number(whole) || !decimals.is_none_or(is_number) {
        return None;
    }
    let digit = |byte: &u8| u64::from(byte - b'0');
    let whole = whole.iter().fold(0, |number, byte| number * 10 + digit(byte));
    let mut millis = whole * u64::from(*unit);
    let mut share = u64::from(*unit);
    for byte in decimals.unwrap_or_default() {
        // A part of a millisecond is none.
        if digit(byte) * share % 10 != 0 {
            return None;
        }
        millis += digit(byte) * share / 10;
        share /= 10;
    }
    u32::try_from(millis).ok().filter(|millis| (1..=most).contains(millis))
}

/// The second of the day of `hh:mm` or `hh:mm:ss`; `None` for anything else, 24:00 as well.
pub fn time_of_day(word: &[u8]) -> Option<u32> {
    second_of_day(word).filter(|second| word.contains(&b':') && *second < 86_400)
}

#[cfg(test)]
mod tests {
    use super::{duration, number, unescape, unhex};

    #[test]
    fn escapes() {
        assert_eq!(*unescape(br#""say \"hi\"""#), *br#"say "hi""#);
        assert_eq!(*unescape(br"A\ String"), *b"A String");
        assert_eq!(*unescape(br"a\\b\"), *br"a\b");
        assert_eq!(*unescape(b"\"\""), *b"");
        assert_eq!(*unescape(b"\""), *b"");
    }

    #[test]
    fn hex() {
        assert_eq!(unhex(b"#0D0a").as_deref(), Some(&b"\x0d\x0a"[..]));
        for wrong in [&b"#"[..], b"#0", b"#0g", b"#+1", b"0d", b""] {
            assert_eq!(unhex(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("1", Some(1)),
            ("\"1\"", Some(1)),
            ("\" -12 \"", Some(-12)),
            ("\" -12x\"", None),
            ("07:00", None),
            ("5s", None),
            ("+7", Some(7)),
            ("007", Some(7)),
            ("99999999999", Some(i32::MAX)),
            ("-99999999999", Some(-i32::MAX)),
            ("x1", None),
            ("-", None),
            ("--1", None),
            ("", None),
            ("\"\"", None),
        ] {
            assert_eq!(number(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let read = |text: &str| duration(text.as_bytes(), 24 * 3_600_000);
        for (text, millis) in [
            ("1ms", 1),
            ("10s", 10_000),
            ("1.5h", 5_400_000),
            ("0.25s", 250),
            ("24h", 24 * 3_600_000),
            ("90m", 5_400_000),
            ("0.5m", 30_000),
        ] {
            assert_eq!(read(text), Some(millis), "{text}");
        }
        for text in [
            "",
            "s",
            "10",
            "0s",
            "0.1ms",
            "0.0001s",
            "25h",
            "1d",
            "1.s",
            ".5s",
            "1.2.3s",
            "10 s",
            "99999999999h",
            "-1s",
            "10S",
            "é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
