//! Words that were meant as a text, and as they are shown.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Edit};

/// Help for a word that is a text in quotes only.
pub(super) fn meant_as_text(diagnostic: Diagnostic, source: &[u8], span: Span) -> Diagnostic {
    let word = shown(span.of(source));
    diagnostic
        .help(format!("put quotes around it if it is meant as text: `\"{word}\"`"))
        .fix("quote it", quote(source, span))
}

/// The edits that put quotes around a word.
pub(crate) fn quote(source: &[u8], span: Span) -> Vec<Edit> {
    let mut text = Vec::with_capacity(span.of(source).len() + 2);
    text.push(b'"');
    text.extend_from_slice(span.of(source));
    text.push(b'"');
    vec![Edit { span, text }]
}

/// A piece of source as a message shows it: one line, not too long, no control characters.
pub(crate) fn shown(raw: &[u8]) -> String {
    const MOST: usize = 32;
    let line = raw.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or_default();
    let cut = &line[..line.len().min(MOST)];
    let mut text: String = String::from_utf8_lossy(cut)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if cut.len() < raw.len() {
        text.push_str("...");
    }
    text
}
