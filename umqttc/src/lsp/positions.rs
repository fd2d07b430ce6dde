//! Offsets in a text, and lines with characters as the protocol counts them.

use gen_lsp_types::{Position, PositionEncodingKind, Range};
use umqtt_lang::ast::Span;

/// In what characters of a line are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, which every client knows.
    #[default]
    Utf16,
}

impl Encoding {
    /// The best of those a client knows.
    pub(super) fn negotiate(known: Option<&[PositionEncodingKind]>) -> Encoding {
        match known.is_some_and(|known| known.contains(&PositionEncodingKind::UTF8)) {
            true => Encoding::Utf8,
            false => Encoding::Utf16,
        }
    }

    /// Its name in the protocol.
    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// How many units a piece of a line has.
    pub(super) fn len(self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// Where the lines of a text start. A line ends with LF, CR LF or CR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineIndex {
    encoding: Encoding,
    starts: Vec<usize>,
}

impl LineIndex {
    /// The lines of a text.
    pub(super) fn new(text: &str, encoding: Encoding) -> LineIndex {
        let starts = std::iter::once(0).chain(line_starts(text, 1..text.len() + 1)).collect();
        LineIndex { encoding, starts }
    }

    /// Follows a change: what was from `start` to `end` has become so many bytes of `text`. The
    /// rest of it is not looked at, for an editor may send thousands of changes at once.
    pub(super) fn replace(&mut self, text: &str, start: usize, end: usize, bytes: usize) {
        // Whether a line starts at `start` depends on what stands there, too.
        let from = self.starts.partition_point(|&line| line < start.max(1));
        let behind = self.starts.partition_point(|&line| line <= end).max(from);
        for line in self.starts.iter_mut().skip(behind) {
            *line = *line - end + start + bytes;
        }
        self.starts.splice(from..behind, line_starts(text, start.max(1)..start + bytes + 1));
    }

    /// How many lines there are, at least one.
    pub(super) fn lines(&self) -> usize {
        self.starts.len()
    }

    /// The line an offset is in, from 0.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// Where a line begins; the end of the text for one behind the last.
    pub(super) fn start(&self, text: &str, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(text.len())
    }

    /// A line without its end.
    pub(super) fn content<'t>(&self, text: &'t str, line: usize) -> &'t str {
        let (start, end) = (self.start(text, line), self.start(text, line + 1));
        text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n'])
    }

    /// The position of an offset; of one within a character, of that.
    pub(super) fn position(&self, text: &str, offset: usize) -> Position {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let line = self.line(offset);
        let start = self.start(text, line);
        let before = text.get(start..offset).unwrap_or_default();
        Position::new(number(line), number(self.encoding.len(before)))
    }

    /// The range of a span.
    pub(super) fn range(&self, text: &str, span: Span) -> Range {
        // To behind a character that a span ends in.
        let end = text.ceil_char_boundary((span.end as usize).min(text.len()));
        Range::new(self.position(text, span.start as usize), self.position(text, end))
    }

    /// The offset of a position; of one behind the end of its line, of that end, and of one within
    /// a character, of that.
    pub(super) fn offset(&self, text: &str, position: Position) -> usize {
        let line = position.line as usize;
        if line >= self.lines() {
            return text.len();
        }
        let content = self.content(text, line);
        let wanted = position.character as usize;
        let mut units = 0;
        let mut offset = content.len();
        for (at, character) in content.char_indices() {
            let len = match self.encoding {
                Encoding::Utf8 => character.len_utf8(),
                Encoding::Utf16 => character.len_utf16(),
            };
            if units + len > wanted {
                offset = at;
                break;
            }
            units += len;
        }
        self.start(text, line) + offset
    }
}

/// Those of these offsets, from 1, at which a line starts.
fn line_starts(text: &str, offsets: std::ops::Range<usize>) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    offsets.filter(|&offset| match bytes.get(offset - 1) {
        Some(b'\n') => true,
        Some(b'\r') => bytes.get(offset) != Some(&b'\n'),
        _ => false,
    })
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn emoji_umlauts_and_line_ends() {
        let text = "on\r\n\u{fc} \u{1f4a1}x\rlast\n";
        for (encoding, x) in [(Encoding::Utf16, 4), (Encoding::Utf8, 7)] {
            let index = LineIndex::new(text, encoding);
            let at = text.find('x').unwrap();
            assert_eq!(index.lines(), 4);
            assert_eq!(index.position(text, at), Position::new(1, x));
            assert_eq!(index.offset(text, Position::new(1, x)), at);
            // Behind the end of the line, and within the emoji.
            assert_eq!(index.offset(text, Position::new(1, 99)), at + 1);
            assert_eq!(
                index.offset(text, Position::new(1, x - 1)),
                text.find('\u{1f4a1}').unwrap()
            );
            assert_eq!(index.offset(text, Position::new(0, 99)), 2);
            assert_eq!(index.offset(text, Position::new(3, 0)), text.len());
            assert_eq!(index.offset(text, Position::new(u32::MAX, u32::MAX)), text.len());
        }
    }

    proptest! {
        #[test]
        fn an_offset_is_that_of_its_position(text in "[a\u{fc}\u{1f4a1}\r\n]{0,30}", utf8: bool) {
            let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
            let index = LineIndex::new(&text, encoding);
            for (offset, _) in text.char_indices() {
                // Between CR and LF there is no position.
                if text[..offset].ends_with('\r') && text[offset..].starts_with('\n') {
                    continue;
                }
                prop_assert_eq!(index.offset(&text, index.position(&text, offset)), offset);
            }
        }
    }
}
