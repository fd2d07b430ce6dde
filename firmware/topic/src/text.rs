//! The UTF-8 strings of MQTT (3.1.1 section 1.5.3): topics, client ids and user names.

use crate::is_printable;

/// Why a byte string is not an MQTT string.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// Holds U+0000 ([MQTT-1.5.3-2]).
    Nul,
    /// Not UTF-8, or an encoded surrogate ([MQTT-1.5.3-1]).
    NotUtf8,
    /// Holds a control character (U+0001 to U+001F, U+007F to U+009F) or a non-character (U+FDD0 to
    /// U+FDEF and the last two of each plane). A sender should not, and a receiver may close the
    /// connection: libmosquitto and with it most clients do, so that one such topic would cut off
    /// all its subscribers.
    Disallowed,
}

impl core::fmt::Display for TextError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            TextError::Nul => "the text holds a NUL byte",
            TextError::NotUtf8 => "the text is not UTF-8",
            TextError::Disallowed => "the text holds a control character or a non-character",
        })
    }
}

impl core::error::Error for TextError {}

/// Checks a string: UTF-8 without the characters that MQTT advises against. U+FEFF, which some call
/// a byte order mark, is a character like any other ([MQTT-1.5.3-3]).
///
/// # Errors
/// The first [`TextError`] that applies.
pub fn check_text(bytes: &[u8]) -> Result<&str, TextError> {
    if is_printable(bytes)
        && let Ok(text) = core::str::from_utf8(bytes)
    {
        return Ok(text); // nearly all
    }
    if bytes.contains(&0) {
        return Err(TextError::Nul);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| TextError::NotUtf8)?;
    if text.chars().all(is_allowed) { Ok(text) } else { Err(TextError::Disallowed) }
}

/// Whether a character may be part of an MQTT string.
pub const fn is_allowed(c: char) -> bool {
    let c = c as u32;
    let control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    let non_character = (c >= 0xfdd0 && c <= 0xfdef) || c & 0xfffe == 0xfffe;
    !control && !non_character
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_allowed_but_those_of_section_1_5_3() {
        let refused: std::vec::Vec<u32> = (0..=0x10_ffff)
            .filter_map(char::from_u32)
            .filter(|c| !is_allowed(*c))
            .map(u32::from)
            .collect();
        let mut expected: std::vec::Vec<u32> =
            (0..0x20).chain(0x7f..0xa0).chain(0xfdd0..0xfdf0).collect();
        expected.extend((0..=16).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]));
        assert_eq!(refused, expected);
        assert_eq!(expected.len(), 32 + 33 + 32 + 34);
    }

    #[test]
    fn texts() {
        assert_eq!(check_text(b""), Ok(""));
        for good in ["a b", "\u{feff}a", "\u{1f600}", "\u{a0}", "\u{fdcf}\u{fdf0}", "\u{fffd}", "~"]
        {
            assert_eq!(check_text(good.as_bytes()), Ok(good));
        }
        assert_eq!(check_text(b"\x01\0"), Err(TextError::Nul));
        assert_eq!(check_text(b"\xed\xa0\x80"), Err(TextError::NotUtf8));
        assert_eq!(check_text(b"\xc0\x80"), Err(TextError::NotUtf8));
        assert_eq!(check_text(b"a\x7f"), Err(TextError::Disallowed));
        assert_eq!(check_text("\u{1fffe}".as_bytes()), Err(TextError::Disallowed));
    }
}
