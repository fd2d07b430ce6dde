//! What is wrong with a test file, or with what a script did.

use umqtt_lang::ast::Span;

/// A place in a test file and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where.
    pub(crate) span: Span,
    /// What, in one sentence without a full stop.
    pub(crate) message: String,
    /// What to know about it, or to do.
    pub(crate) notes: Vec<String>,
}

impl Problem {
    /// A problem at a place.
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), notes: Vec::new() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn help(self, help: impl AsRef<str>) -> Problem {
        self.note(format!("help: {}", help.as_ref()))
    }

    /// Adds a note.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Problem {
        self.notes.push(note.into());
        self
    }
}

/// The one of `known` that a misspelt word was probably meant to be, as help: `did you mean ...?`
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let known = known.into_iter().map(str::as_bytes);
    let found = umqtt_lang::suggest::nearest(word.as_bytes(), known)?;
    Some(format!("did you mean `{}`?", String::from_utf8_lossy(found)))
}
