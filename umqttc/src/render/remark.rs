//! What a device's compiler says of a place in a script, as people read it: line and column are all
//! there is of the place.

use std::io::{self, Write};

use codespan_reporting::diagnostic as shown;
use codespan_reporting::term::{self, Config, termcolor};

use super::excerpt::{Excerpt, Text};
use super::printable;

/// An error or a warning at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RemarkAt<'r> {
    pub(crate) is_error: bool,
    pub(crate) code: Option<&'r str>,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: &'r str,
}

/// Writes it, with the excerpt of the source; `note` says who found it.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(
    out: &mut dyn Write,
    color: bool,
    name: &str,
    source: &[u8],
    remark: RemarkAt<'_>,
    note: &str,
) -> io::Result<()> {
    let text = Text::new(source);
    let name = printable(name.as_bytes());
    let mut buffer = if color { termcolor::Buffer::ansi() } else { termcolor::Buffer::no_color() };
    let at = offset(source, remark.line, remark.column);
    let excerpt = Excerpt::around(&name, &text, at);
    let label = excerpt.visible(at..at + word_len(source.get(at..).unwrap_or_default()));
    let severity = match remark.is_error {
        true => shown::Severity::Error,
        false => shown::Severity::Warning,
    };
    let mut diagnostic = shown::Diagnostic::<()>::new(severity)
        .with_message(printable(remark.message.as_bytes()))
        .with_labels(label.map(|at| shown::Label::primary((), at)).into_iter().collect())
        .with_notes(vec![printable(note.as_bytes())]);
    if let Some(code) = remark.code {
        diagnostic = diagnostic.with_code(printable(code.as_bytes()));
    }
    term::emit_to_write_style(&mut buffer, &Config::default(), &excerpt, &diagnostic)
        .map_err(io::Error::other)?;
    out.write_all(buffer.as_slice())
}

/// Where a line and a column are, both from 1; a place that is not there is at the end of what is.
fn offset(source: &[u8], line: usize, column: usize) -> usize {
    let mut lines = source.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.by_ref().take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    let text = lines.next().unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut left = column.saturating_sub(1);
    let mut len = 0;
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid().chars().map(char::len_utf8);
        for bytes in valid.chain(chunk.invalid().iter().map(|_| 1)) {
            if left == 0 {
                return before + len;
            }
            left -= 1;
            len += bytes;
        }
    }
    before + len
}

/// The word, or the sign, that begins there.
fn word_len(text: &[u8]) -> usize {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'_' | b'@');
    text.iter().take_while(|byte| is_word(byte)).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &[u8] = "on init\ndo println \"gr\u{fc}n\" nosuch\n".as_bytes();

    #[test]
    fn an_excerpt_for_line_and_column() {
        let remark =
            RemarkAt { is_error: true, code: None, line: 2, column: 19, message: "no such word" };
        let mut out = Vec::new();
        write(&mut out, false, "x.script", SOURCE, remark, "found by lamp.lan:7777").unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn places_that_are_not_there() {
        assert_eq!(offset(SOURCE, 1, 1), 0);
        assert_eq!(offset(SOURCE, 2, 19), SOURCE.len() - 7);
        for source in [SOURCE, b"", b"\n", b"\xff\xfe"] {
            for (line, column) in [(0, 0), (1, 1), (1, 999), (99, 1), (usize::MAX, usize::MAX)] {
                assert!(offset(source, line, column) <= source.len());
                let remark =
                    RemarkAt { is_error: false, code: Some("W1"), line, column, message: "m" };
                write(&mut Vec::new(), true, "x", source, remark, "n").unwrap();
            }
        }
    }
}
