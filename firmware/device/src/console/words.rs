//! A line to words, and a value to the word a user would type for it.
//!
//! Blanks part words. `%hh` is a byte in hex, `\` takes the next byte as it is. A word that begins
//! with `"` runs to the next `"` and may hold blanks; what follows is a new word. A quote inside a
//! word is an ordinary byte. Of a comment, `#` and a blank, not all words need be there.

use alloc::vec::Vec;
use core::fmt;

use umqtt_memory::try_room_exact;

use crate::printable::is_unprintable;

/// Most words of a line.
pub const MAX_WORDS: usize = 16;

/// Why a line cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordsError {
    /// A word begins with a quote and does not end with one.
    OpenQuote,
    /// More than [`MAX_WORDS`].
    TooMany,
    /// There is no memory for them.
    Memory,
}

impl fmt::Display for WordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WordsError::OpenQuote => "the closing quote is missing",
            WordsError::TooMany => "too many words",
            WordsError::Memory => "not enough memory for this line",
        })
    }
}

impl core::error::Error for WordsError {}

/// The words of a line, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    bytes: Vec<u8>,
    ends: heapless::Vec<u16, MAX_WORDS>,
    comment: Option<usize>,
}

impl Words {
    /// Takes a line apart.
    ///
    /// # Errors
    /// [`WordsError`].
    pub fn split(line: &[u8]) -> Result<Words, WordsError> {
        let mut words = Words::default();
        // Decoded they are not longer.
        if !try_room_exact(&mut words.bytes, line.len()) {
            return Err(WordsError::Memory);
        }
        let mut rest = line;
        while let [first, tail @ ..] = rest {
            if is_blank(*first) {
                rest = tail;
                continue;
            }
            let quoted = *first == b'"';
            if *first == b'#' && tail.first().is_some_and(|next| is_blank(*next)) {
                words.comment.get_or_insert(words.ends.len());
            }
            match words.add(if quoted { tail } else { rest }, quoted) {
                Ok(tail) => rest = tail,
                Err(_) if words.comment.is_some() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(words)
    }

    /// How many words are in front of a comment, if there may be one.
    pub fn before_comment(&self) -> Option<usize> {
        self.comment
    }

    fn add<'l>(&mut self, rest: &'l [u8], quoted: bool) -> Result<&'l [u8], WordsError> {
        let rest = self.word(rest, quoted)?;
        let end = u16::try_from(self.bytes.len()).map_err(|_| WordsError::TooMany)?;
        self.ends.push(end).map_err(|_| WordsError::TooMany)?;
        Ok(rest)
    }

    /// The words, in order.
    pub fn as_slices(&self) -> heapless::Vec<&[u8], MAX_WORDS> {
        let mut start = 0;
        self.ends
            .iter()
            .map(|end| {
                let word = &self.bytes[start..usize::from(*end)];
                start = usize::from(*end);
                word
            })
            .collect()
    }

    /// Decodes one word and returns what follows it.
    fn word<'l>(&mut self, mut rest: &'l [u8], quoted: bool) -> Result<&'l [u8], WordsError> {
        loop {
            rest = match rest {
                [] if quoted => return Err(WordsError::OpenQuote),
                [b'"', tail @ ..] if quoted => return Ok(tail),
                [] => return Ok(rest),
                [blank, ..] if !quoted && is_blank(*blank) => return Ok(rest),
                [b'\\', byte, tail @ ..] => {
                    self.bytes.push(*byte);
                    tail
                }
                [b'%', high, low, tail @ ..] if is_hex(*high) && is_hex(*low) => {
                    self.bytes.push(hex(*high) << 4 | hex(*low));
                    tail
                }
                [byte, tail @ ..] => {
                    self.bytes.push(*byte);
                    tail
                }
            };
        }
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}

/// Prints a value as the word a user would type for it: [`Words::split`] gives the value again.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'v>(pub &'v [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = self.0.is_empty() || self.0[0] == b'"' || self.0.contains(&b' ');
        let mark = if quote { "\"" } else { "" };
        f.write_str(mark)?;
        let mut at = 0;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                let rest = &self.0[at + 1..];
                let hex_follows = matches!(rest, [a, b, ..] if is_hex(*a) && is_hex(*b));
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '"' if quote => f.write_str("\\\"")?,
                    '%' if hex_follows => f.write_str("\\%")?,
                    c if is_unprintable(c) => {
                        write_bytes(f, "%", &self.0[at..at + c.len_utf8()])?;
                    }
                    c => write!(f, "{c}")?,
                }
                at += c.len_utf8();
            }
            write_bytes(f, "%", chunk.invalid())?;
            at += chunk.invalid().len();
        }
        f.write_str(mark)
    }
}

fn write_bytes(f: &mut fmt::Formatter<'_>, mark: &str, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{mark}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn split(line: &str) -> Vec<Vec<u8>> {
        let words = Words::split(line.as_bytes()).unwrap();
        words.as_slices().iter().map(|word| word.to_vec()).collect()
    }

    #[test]
    fn blanks_part_words() {
        assert_eq!(split("  set\tssid  Home "), [&b"set"[..], b"ssid", b"Home"]);
        assert_eq!(split(" \t "), [b""; 0]);
    }

    #[test]
    fn hex_and_backslash() {
        assert_eq!(split("my%20net %zz %4 %"), [&b"my net"[..], b"%zz", b"%4", b"%"]);
        assert_eq!(split(r"a\ b \\ \%20 \"), [&b"a b"[..], b"\\", b"%20", b"\\"]);
    }

    #[test]
    fn quotes_only_count_at_the_start_of_a_word() {
        assert_eq!(split(r#"x {"a":1} "b c" "d\"e""#), [&b"x"[..], br#"{"a":1}"#, b"b c", b"d\"e"]);
        assert_eq!(split(r#""" "a"b"#), [&b""[..], b"a", b"b"]);
        assert_eq!(Words::split(b"print \"oops"), Err(WordsError::OpenQuote));
    }

    #[test]
    fn too_many_words_are_refused() {
        assert!(Words::split(&b"a ".repeat(MAX_WORDS)).is_ok());
        assert_eq!(Words::split(&b"a ".repeat(MAX_WORDS + 1)), Err(WordsError::TooMany));
    }

    #[test]
    fn shows_what_is_no_text() {
        assert_eq!(format!("{}", Quoted(b"my net\r")), "\"my net%0d\"");
        assert_eq!(format!("{}", Quoted(b"100%20")), "100\\%20");
    }

    proptest::proptest! {
        #[test]
        fn quoted_values_come_back(value: Vec<u8>) {
            let line = format!("set x {}", Quoted(&value));
            let words = Words::split(line.as_bytes()).unwrap();
            proptest::prop_assert_eq!(&words.as_slices()[..], &[&b"set"[..], b"x", &value]);
        }

        #[test]
        fn quoted_words_of_tricky_bytes_come_back(value in "[%\\\\\" a4\t]{0,12}") {
            let line = format!("{} x", Quoted(value.as_bytes()));
            let words = Words::split(line.as_bytes()).unwrap();
            proptest::prop_assert_eq!(&words.as_slices()[..], &[value.as_bytes(), &b"x"[..]]);
        }
    }
}
