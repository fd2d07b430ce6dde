//! Bytes to lexemes: where words, strings and punctuation begin and end, and nothing about what
//! they mean. A handful of byte rules, so that the generated machine stays small on the chip;
//! keywords are distinguished in `tokens`.

use core::ops::Range;

use logos::Logos;

/// What a piece of source looks like. White space and comments stand between them. Every byte of
/// any source belongs to one of them.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(utf8 = false)]
#[logos(skip r"(?-u:[\x00-\x20])+")]
#[logos(skip(r"%(?-u:[^\n])*", allow_greedy = true))]
pub enum Lexeme {
    /// `"..."`, over as many lines as it takes; `\` takes the next byte literally.
    #[regex(r#""((?-u:[^"\\])|\\(?-u:[\x00-\xff]))*""#)]
    String,
    /// A string that the source ends in.
    #[regex(r#""((?-u:[^"\\])|\\(?-u:[\x00-\xff]))*\\?"#, allow_greedy = true)]
    Unclosed,
    /// Everything between white space and punctuation; `\` takes the next byte literally.
    #[regex(r#"((?-u:[^\x00-\x20%"\\|+\-*=>(),])|\\(?-u:[\x00-\xff]))+\\?"#, allow_greedy = true)]
    #[token("\\")]
    Word,
    /// One of `| + - * = > ( ) ,`
    #[regex(r"[|+\-*=>(),]")]
    Punctuation,
}

/// The lexemes of a text with their places, for what is written in the words of the language and is
/// no script.
pub fn lexemes(source: &[u8]) -> impl Iterator<Item = (Lexeme, Range<usize>)> {
    // Every byte belongs to a lexeme, so there are no errors.
    Lexeme::lexer(source).spanned().filter_map(|(lexeme, span)| Some((lexeme.ok()?, span)))
}

/// Whether a byte ends a word before it.
pub(crate) fn is_word_end(byte: u8) -> bool {
    matches!(
        byte,
        0..=b' ' | b'%' | b'"' | b'|' | b'+' | b'-' | b'*' | b'=' | b'>' | b'(' | b')' | b','
    )
}

/// The first byte behind white space and comments; `None` at the end.
pub(crate) fn next_byte(rest: &[u8]) -> Option<u8> {
    rest.get(gap_len(rest)).copied()
}

/// How many bytes the raw word of a `config` line takes: up to white space or a comment.
pub(crate) fn raw_word_len(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        match byte {
            0..=b' ' | b'%' => break,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at.min(rest.len())
}

/// How many bytes of white space and comments come first.
pub(crate) fn gap_len(source: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        match byte {
            b'%' => {
                let line = &source[at..];
                at += line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len());
            }
            0..=b' ' => at += 1,
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use logos::Logos;

    use super::{Lexeme, gap_len, next_byte, raw_word_len};

    fn lexemes(source: &[u8]) -> Vec<(Lexeme, &[u8])> {
        Lexeme::lexer(source)
            .spanned()
            .map(|(lexeme, span)| (lexeme.expect("every byte belongs to a lexeme"), &source[span]))
            .collect()
    }

    #[test]
    fn words_strings_and_punctuation() {
        use Lexeme::{Punctuation, String, Unclosed, Word};
        assert_eq!(
            lexemes(b"a\\ b\"c%\\\"\nd\"e|$x%f\"\r\n(\xff\x00\\%-2 \"g\\"),
            [
                (Word, &b"a\\ b"[..]),
                (String, b"\"c%\\\"\nd\""),
                (Word, b"e"),
                (Punctuation, b"|"),
                (Word, b"$x"),
                (Punctuation, b"("),
                (Word, b"\xff"),
                (Word, b"\\%"),
                (Punctuation, b"-"),
                (Word, b"2"),
                (Unclosed, b"\"g\\"),
            ]
        );
        assert_eq!(lexemes(b"a\\"), [(Word, &b"a\\"[..])]);
        assert_eq!(lexemes(b"\\"), [(Word, &b"\\"[..])]);
        assert_eq!(lexemes(b"%\"(\n%"), []);
    }

    #[test]
    fn every_byte_is_known() {
        for byte in 0..=255 {
            lexemes(&[byte]);
            lexemes(&[b'\\', byte]);
            lexemes(&[b'"', byte]);
        }
    }

    #[test]
    fn what_stands_between() {
        assert_eq!(gap_len(b" % a ( \r\n\t(x"), 10);
        assert_eq!(gap_len(b"% to the end"), 12);
        assert_eq!(next_byte(b" % )\n("), Some(b'('));
        assert_eq!(next_byte(b"  % ("), None);
        assert_eq!(raw_word_len(b"a-b\\ \\%c=% d"), 9);
        assert_eq!(raw_word_len(b"a\\"), 2);
    }
}
