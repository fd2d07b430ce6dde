//! Bytes from clients, scripts and networks as text that is safe to show: on a terminal, a console,
//! in the log.
//!
//! Text stays as it is in every language. Control characters (C0, DEL, C1), those that change the
//! direction of text, non-characters, and bytes that are no UTF-8 are printed as `\xhh`: a terminal
//! obeys some of them, and others make a line look like another.

use core::fmt;

/// Prints bytes as one line: line ends and tabs are escaped too.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'b>(pub &'b [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pieces(self.0, false, &mut |piece| f.write_str(piece))
    }
}

/// Prints bytes as lines: LF, CR LF and tabs stay.
#[derive(Clone, Copy, Debug)]
pub struct PrintableLines<'b>(pub &'b [u8]);

impl fmt::Display for PrintableLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pieces(self.0, true, &mut |piece| f.write_str(piece))
    }
}

/// Gives the text to print piece by piece; with `lines`, LF, CR LF and tabs stay.
pub(crate) fn pieces(
    bytes: &[u8],
    lines: bool,
    each: &mut dyn FnMut(&str) -> fmt::Result,
) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let stays = match c {
                ' '..='~' => true,
                '\n' | '\t' => lines,
                // At the end of a chunk too: the LF of the pair is no byte that is not UTF-8.
                '\r' => lines && text.as_bytes().get(at + 1) == Some(&b'\n'),
                _ => !is_unprintable(c),
            };
            if !stays {
                each(&text[plain..at])?;
                plain = at + c.len_utf8();
                escape(&text.as_bytes()[at..plain], each)?;
            }
        }
        if plain < text.len() {
            each(&text[plain..])?;
        }
        escape(chunk.invalid(), each)?;
    }
    Ok(())
}

/// Whether a terminal may do something else than show it.
pub(crate) fn is_unprintable(c: char) -> bool {
    let nonchar = c as u32 & 0xFFFE == 0xFFFE || matches!(c, '\u{FDD0}'..='\u{FDEF}');
    c.is_control()
        || nonchar
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn escape(bytes: &[u8], each: &mut dyn FnMut(&str) -> fmt::Result) -> fmt::Result {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().try_for_each(|byte| {
        let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
        each("\\x")?;
        each(core::str::from_utf8(&digits).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn what_terminals_obey_is_escaped() {
        let shown = format!("{}", Printable(b"\x1b[2Ja\x07b\rc\x9bd\x7f\n\t"));
        assert_eq!(shown, "\\x1b[2Ja\\x07b\\x0dc\\x9bd\\x7f\\x0a\\x09");
        assert_eq!(
            format!("{}", Printable("a\u{9b}b\u{202e}".as_bytes())),
            "a\\xc2\\x9bb\\xe2\\x80\\xae"
        );
    }

    #[test]
    fn text_stays() {
        let text = "Grüße, 日本 🦀 👩‍🌾 \u{feff}";
        assert_eq!(format!("{}", Printable(text.as_bytes())), text);
        assert_eq!(format!("{}", Printable(b"\xFFe \xC3\xA9 \xC3")), "\\xffe \u{e9} \\xc3");
    }

    #[test]
    fn lines_stay_where_there_may_be_some() {
        let shown = format!("{}", PrintableLines(b"a\tb\nc\r\nd\re\r"));
        assert_eq!(shown, "a\tb\nc\r\nd\\x0de\\x0d");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_printable(bytes: alloc::vec::Vec<u8>) {
            let shown = format!("{}", Printable(&bytes));
            proptest::prop_assert!(!shown.chars().any(is_unprintable));
        }
    }
}
