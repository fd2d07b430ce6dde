//! What literals in the source mean: escapes, hex values, and numbers as the device reads them.

use alloc::borrow::Cow;
use alloc::vec::Vec;

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
    let text = unescape(raw);
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

#[cfg(test)]
mod tests {
    use super::{number, unescape, unhex};

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
}
