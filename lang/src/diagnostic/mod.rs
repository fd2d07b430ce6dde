//! The diagnostics of a script: one type for the terminal, JSON and the editor.

mod codes;
mod explain;

use alloc::string::String;
use alloc::vec::Vec;

pub use codes::Code;
pub use explain::explain;

use crate::ast::Span;

/// Whether diagnostics say more than what is wrong and where: what was meant, how to mend it, what
/// else matters. A chip has no flash to spare for that.
pub const HINTS: bool = cfg!(not(target_os = "none"));

/// What a text of several lines is told of that is there where another seems to be wrong.
pub(crate) const LONG_TEXT: &str = "this string goes over several lines: does it end too late?";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The script compiles, but probably does not do what was intended.
    Warning,
    /// The script does not compile.
    Error,
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Where.
    pub span: Span,
    /// What, in one sentence without a full stop.
    pub message: String,
    /// Other places that matter, each with a few words.
    pub related: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
    /// A change that mends it.
    pub fix: Option<Fix>,
}

/// A change of the source that can be applied without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: `add brackets`.
    pub title: String,
    /// The edits, in the order of their spans, not overlapping.
    pub edits: Vec<Edit>,
}

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What to replace; empty to insert.
    pub span: Span,
    /// With what.
    pub text: Vec<u8>,
}

impl Diagnostic {
    /// A diagnostic with a code, a place and a message.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            span,
            message: message.into(),
            related: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Diagnostic {
        self.related.push((span, words.into()));
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds a change that mends it.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Diagnostic {
        self.fix = Some(Fix { title: title.into(), edits });
        self
    }

    /// Adds help, a fix or related places where there are [`HINTS`].
    #[must_use]
    pub(crate) fn hinted(self, add: impl FnOnce(Diagnostic) -> Diagnostic) -> Diagnostic {
        if HINTS { add(self) } else { self }
    }

    /// Moves all it points at: what it was found in starts so far into the script. What was found
    /// elsewhere has been moved back before, perhaps to before the start.
    pub(crate) fn move_by(&mut self, bytes: u32) {
        let edits = self.fix.iter_mut().flat_map(|fix| &mut fix.edits).map(|edit| &mut edit.span);
        let related = self.related.iter_mut().map(|(span, _)| span);
        for span in related.chain(edits).chain([&mut self.span]) {
            span.start = span.start.wrapping_add(bytes);
            span.end = span.end.wrapping_add(bytes);
        }
    }

    /// Error or warning, by its code.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Line and column, both from 1, of an offset. Columns count characters; a byte that is not UTF-8
/// counts as one.
pub fn position(source: &[u8], offset: usize) -> (u32, u32) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let characters = before[start..]
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum::<usize>();
    (line, characters as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn columns_count_characters() {
        let source = "on init do\n\tprint \"gr\u{fc}n \u{1f4a1}\" $x".as_bytes();
        assert_eq!(position(source, 0), (1, 1));
        assert_eq!(position(source, source.len() - 2), (2, 17));
        assert_eq!(position(b"\xff\xfe\xe2\x82x", 4), (1, 5));
        assert_eq!(position(b"a\n", 99), (2, 1));
    }
}
