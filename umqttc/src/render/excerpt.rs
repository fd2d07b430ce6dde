//! A script as codespan-reporting sees it: lines with their numbers. A long line is cut to a window
//! around what matters, so that a message never carries a megabyte with it.

use std::ops::Range;

use codespan_reporting::files::{Error, Files};

/// Longest line shown whole, bytes.
const LINE_MAX: usize = 160;
/// How much of a longer line is shown before the place that matters, bytes.
const WINDOW_BEFORE: usize = 60;

/// A script's text, printable, and where its lines start. Made once per file.
pub(crate) struct Text<'s> {
    source: &'s [u8],
    text: String,
    line_starts: Vec<usize>,
}

/// A place as people and editors count: all from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    /// In characters; a byte that is not UTF-8 counts as one.
    pub(crate) column: usize,
    /// In UTF-16 code units, as the language server protocol counts.
    pub(crate) utf16_column: usize,
}

impl<'s> Text<'s> {
    pub(crate) fn new(source: &'s [u8]) -> Text<'s> {
        let text = super::printable(source);
        let line_starts = codespan_reporting::files::line_starts(&text).collect();
        Text { source, text, line_starts }
    }

    /// The index of the line an offset is in.
    fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// Line and column of an offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.line_of(offset);
        self.column(line, offset)
    }

    /// The position of an offset, seen from the start of a line before it.
    fn column(&self, line: usize, offset: usize) -> Position {
        let start = self.line_starts[line].min(self.source.len());
        let before = &self.source[start..offset.clamp(start, self.source.len())];
        let mut position = Position { line: line + 1, column: 1, utf16_column: 1 };
        for chunk in before.utf8_chunks() {
            let broken = chunk.invalid().len();
            position.column += chunk.valid().chars().count() + broken;
            position.utf16_column += chunk.valid().encode_utf16().count() + broken;
        }
        position
    }

    /// A line without its end.
    fn line(&self, line: usize) -> Range<usize> {
        let start = self.line_starts[line];
        let end = self.line_starts.get(line + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\r', '\n']).len()
    }
}

/// The text as one diagnostic shows it.
pub(crate) struct Excerpt<'t> {
    name: &'t str,
    text: &'t Text<'t>,
    focus: usize,
    window: Range<usize>,
}

impl<'t> Excerpt<'t> {
    /// The text around an offset.
    pub(crate) fn around(name: &'t str, text: &'t Text<'t>, offset: usize) -> Excerpt<'t> {
        let focus = text.line_of(offset.min(text.text.len()));
        let line = text.line(focus);
        let window = if line.len() <= LINE_MAX {
            line
        } else {
            let from = offset.min(line.end).saturating_sub(WINDOW_BEFORE).max(line.start);
            let to = (from + LINE_MAX).min(line.end);
            text.text.floor_char_boundary(from)..text.text.ceil_char_boundary(to)
        };
        Excerpt { name, text, focus, window }
    }

    /// The part of a span that can be pointed at: within its first line, as far as that is shown.
    /// `None` if it is not shown at all.
    pub(crate) fn visible(&self, span: Range<usize>) -> Option<Range<usize>> {
        let start = span.start.min(self.text.text.len());
        let line = self.text.line_of(start);
        let shown = self.shown(line);
        if start > shown.end && line == self.focus && shown.end < self.text.line(line).end {
            return None;
        }
        if start < shown.start {
            return None;
        }
        let start = self.text.text.floor_char_boundary(start.min(shown.end));
        let end = self.text.text.ceil_char_boundary(span.end.clamp(start, shown.end.max(start)));
        Some(start..end)
    }

    fn shown(&self, line: usize) -> Range<usize> {
        let whole = self.text.line(line);
        match line == self.focus {
            true => self.window.clone(),
            false => {
                let end = whole.end.min(whole.start + LINE_MAX);
                whole.start..self.text.text.floor_char_boundary(end)
            }
        }
    }
}

impl<'a> Files<'a> for Excerpt<'_> {
    type FileId = ();
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, (): ()) -> Result<&'a str, Error> {
        Ok(self.name)
    }

    fn source(&'a self, (): ()) -> Result<&'a str, Error> {
        Ok(&self.text.text)
    }

    fn line_index(&'a self, (): (), offset: usize) -> Result<usize, Error> {
        Ok(self.text.line_of(offset))
    }

    fn column_number(&'a self, (): (), line: usize, offset: usize) -> Result<usize, Error> {
        let last = self.text.line_starts.len() - 1;
        Ok(self.text.column(line.min(last), offset).column)
    }

    fn line_range(&'a self, (): (), line: usize) -> Result<Range<usize>, Error> {
        if line >= self.text.line_starts.len() {
            return Err(Error::LineTooLarge { given: line, max: self.text.line_starts.len() });
        }
        Ok(self.shown(line))
    }
}
