//! The documents a client has open: their texts as the client sees them.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use gen_lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::options::Options;
use super::positions::{Encoding, LineIndex};
use super::script::{Checked, Script};
use super::{test_file, uri};

/// Most documents that are open at once; more are not looked at.
pub(super) const MAX_DOCUMENTS: usize = 256;
/// Longest text that is kept, bytes: that of a test file. A script may have less.
pub(super) const MAX_TEXT: usize = 256 << 10;

/// What a document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A script.
    Script,
    /// Tests of scripts.
    Test,
}

impl Kind {
    /// By the language a client names, and the ending of its file.
    pub(super) fn of(uri: &Uri, language: &str) -> Kind {
        match language == "umqtt-test" || uri::ending(uri) == "test" {
            true => Kind::Test,
            false => Kind::Script,
        }
    }
}

/// A text, and what was found in it. Nothing is looked for before it is asked for.
#[derive(Debug)]
pub(super) struct Document {
    /// Its name.
    pub(super) uri: Uri,
    /// What it holds.
    pub(super) kind: Kind,
    /// The client's number of this text.
    pub(super) version: i32,
    /// The text; empty if it is too long.
    pub(super) text: String,
    /// Its lines.
    pub(super) lines: LineIndex,
    /// It is longer than [`MAX_TEXT`], and no longer known.
    pub(super) is_too_long: bool,
    encoding: Encoding,
    script: OnceCell<Script>,
    checked: OnceCell<Checked>,
    tests: OnceCell<test_file::TestOutline>,
}

impl Document {
    /// A document with this text.
    pub(super) fn new(
        uri: Uri,
        kind: Kind,
        version: i32,
        text: String,
        encoding: Encoding,
    ) -> Document {
        let mut document = Document {
            uri,
            kind,
            version,
            text: String::new(),
            lines: LineIndex::new("", encoding),
            is_too_long: false,
            encoding,
            script: OnceCell::new(),
            checked: OnceCell::new(),
            tests: OnceCell::new(),
        };
        document.set_text(text);
        document
    }

    fn set_text(&mut self, text: String) {
        if text.len() > MAX_TEXT {
            return self.set_text_too_long();
        }
        self.lines = LineIndex::new(&text, self.encoding);
        (self.text, self.is_too_long) = (text, false);
        self.forget();
    }

    fn set_text_too_long(&mut self) {
        self.set_text(String::new());
        self.is_too_long = true;
    }

    /// Looks at it anew when it is asked for again.
    pub(super) fn forget(&mut self) {
        (self.script, self.checked, self.tests) = Default::default();
    }

    /// Applies a client's change. Of a text that was too long only a whole new one counts.
    fn change(&mut self, change: TextDocumentContentChangeEvent) {
        match change {
            TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                self.set_text(whole.text);
            }
            TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                if self.is_too_long {
                    return;
                }
                let start = self.lines.offset(&self.text, part.range.start);
                let end = self.lines.offset(&self.text, part.range.end).max(start);
                if self.text.len() - (end - start) + part.text.len() > MAX_TEXT {
                    return self.set_text_too_long();
                }
                self.text.replace_range(start..end, &part.text);
                self.lines.replace(&self.text, start, end, part.text.len());
                self.forget();
            }
        }
    }

    /// What is known of it as a script.
    pub(super) fn script(&self, options: &Options) -> &Script {
        self.script.get_or_init(|| Script::new(self.text.as_bytes(), &options.profile))
    }

    /// What is wrong with it.
    pub(super) fn checked(&self, options: &Options) -> &Checked {
        self.checked.get_or_init(|| match self.kind {
            Kind::Script => Checked::script(self.text.as_bytes(), options),
            Kind::Test => Checked::Test(self.tests().problems.clone()),
        })
    }

    /// What is known of it as a file of tests.
    pub(super) fn tests(&self) -> &test_file::TestOutline {
        self.tests.get_or_init(|| test_file::TestOutline::new(self.text.as_bytes()))
    }
}

/// Every open document.
#[derive(Debug, Default)]
pub(super) struct Documents {
    open: BTreeMap<String, Document>,
}

/// Why a client's message about a document is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentError {
    /// There are [`MAX_DOCUMENTS`].
    TooMany,
    /// It is not open.
    NotOpen,
    /// There is a newer text than the one this would make.
    Stale,
}

impl Documents {
    /// Opens a document, or gives one a new text.
    ///
    /// # Errors
    /// [`DocumentError::TooMany`]
    pub(super) fn open(&mut self, document: Document) -> Result<(), DocumentError> {
        let key = document.uri.as_ref().to_owned();
        if self.open.len() >= MAX_DOCUMENTS && !self.open.contains_key(&key) {
            return Err(DocumentError::TooMany);
        }
        self.open.insert(key, document);
        Ok(())
    }

    /// Applies changes, one behind the other.
    ///
    /// # Errors
    /// [`DocumentError::NotOpen`], [`DocumentError::Stale`]
    pub(super) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
    ) -> Result<(), DocumentError> {
        let document = self.open.get_mut(uri.as_ref()).ok_or(DocumentError::NotOpen)?;
        if version < document.version {
            return Err(DocumentError::Stale);
        }
        document.version = version;
        changes.into_iter().for_each(|change| document.change(change));
        Ok(())
    }

    /// Closes a document.
    pub(super) fn close(&mut self, uri: &Uri) {
        self.open.remove(uri.as_ref());
    }

    /// The document of that name, if it is open.
    pub(super) fn get(&self, uri: &Uri) -> Option<&Document> {
        self.open.get(uri.as_ref())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Document> {
        self.open.values()
    }

    /// The same, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Document> {
        self.open.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use gen_lsp_types::{Position, Range, TextDocumentContentChangePartial};
    use proptest::prelude::*;

    use super::*;

    /// The text as characters, each line with its end: the model.
    fn replaced(text: &str, range: Range, new: &str, encoding: Encoding) -> String {
        let units = |letter: char| match encoding {
            Encoding::Utf8 => letter.len_utf8(),
            Encoding::Utf16 => letter.len_utf16(),
        };
        // How many characters are before a position.
        let before = |position: Position| {
            let (mut line, mut column, mut count) = (0, 0, 0);
            let mut letters = text.chars().peekable();
            while let Some(letter) = letters.next() {
                let is_end = letter == '\n' || letter == '\r';
                let here = line == position.line as usize;
                if here && (is_end || column + units(letter) > position.character as usize) {
                    return count;
                }
                count += 1;
                column += units(letter);
                if letter == '\n' || letter == '\r' && letters.peek() != Some(&'\n') {
                    (line, column) = (line + 1, 0);
                }
            }
            count
        };
        let start = before(range.start);
        let end = before(range.end).max(start);
        let head: String = text.chars().take(start).collect();
        let tail: String = text.chars().skip(end).collect();
        format!("{head}{new}{tail}")
    }

    proptest! {
        #[test]
        fn the_text_is_the_one_of_the_model(
            first in "[a\u{fc}\u{1f4a1}\r\n]{0,20}",
            edits in prop::collection::vec(
                ((0u32..5, 0u32..8), (0u32..5, 0u32..8), "[b\u{e4}\u{1f600}\r\n]{0,4}"), 0..12),
            utf8: bool,
        ) {
            let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
            let uri = Uri("file:///a.script".into());
            let mut documents = Documents::default();
            let mut model = first.clone();
            let document = Document::new(uri.clone(), Kind::Script, 0, first, encoding);
            prop_assert_eq!(documents.open(document), Ok(()));
            let mut changes = Vec::new();
            for (a, b, text) in edits {
                let (start, end) = (a.min(b), a.max(b));
                let at = |(line, character)| Position::new(line, character);
                let range = Range::new(at(start), at(end));
                model = replaced(&model, range, &text, encoding);
                changes.push(TextDocumentContentChangePartial::new(range, None, text).into());
            }
            prop_assert_eq!(documents.change(&uri, 1, changes), Ok(()));
            let document = documents.get(&uri).expect("it is open");
            prop_assert_eq!(&document.text, &model);
            prop_assert_eq!(&document.lines, &LineIndex::new(&model, encoding));
            prop_assert_eq!(document.version, 1);
        }
    }
}
