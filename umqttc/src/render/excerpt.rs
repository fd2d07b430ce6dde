//! A script as codespan-reporting sees it: lines with their numbers. A long line is cut to a window around what
//! matters, so that a message never carries a megabyte with it.

use std::ops::Range;

use codespan_reporting::files::{Error, Files};

/// Longest line shown whole, bytes.
const LINE_MAX: usize = 160;
/// How much of a longer line is shown before the place that matters, bytes.
const WINDOW_BEFORE: usize = 60;

/// A script's text, printable, and where its lines start. Made once per file.
pub(crate) struct Text {
    text: String,
    line_starts: Vec<usize>,
}

impl Text {
    pub(crate) fn new(source: &[u8]) -> Text {
        let text = super::printable(source);
        let line_starts = codespan_reporting::files::line_starts(&text).collect();
        Text { text, line_starts }
    }

    /// The index of the line an offset is in.
    fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// Line and column of an offset, both from 1; columns count bytes.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_of(offset);
        (line + 1, offset.min(self.text.len()) - self.line_starts[line] + 1)
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
    text: &'t Text,
    focus: usize,
    window: Range<usize>,
}

impl<'t> Excerpt<'t> {
    /// The text around an offset.
    pub(crate) fn around(name: &'t str, text: &'t Text, offset: usize) -> Excerpt<'t> {
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

    /// The part of a span that can be pointed at: within its first line, as far as that is shown. `None` if it
    /// is not shown at all.
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
        let start = self.text.line_starts.get(line).copied().unwrap_or(offset);
        Ok(offset.saturating_sub(start) + 1)
    }

    fn line_range(&'a self, (): (), line: usize) -> Result<Range<usize>, Error> {
        if line >= self.text.line_starts.len() {
            return Err(Error::LineTooLarge { given: line, max: self.text.line_starts.len() });
        }
        Ok(self.shown(line))
    }
}
