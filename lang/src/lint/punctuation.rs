//! Punctuation of other languages that goes with a value here (W0024): `'text'`, typographic
//! quotes, a `;` at the end.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, each_node};
use super::quote;
use crate::ast::{ExprKind, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::tokens::of_word;

/// What people's keyboards and text processors put around texts.
pub(crate) const QUOTES: [&str; 9] =
    ["'", "`", "\u{b4}", "\u{2018}", "\u{2019}", "\u{201c}", "\u{201d}", "\u{201e}", "\u{ab}"];

/// What ends a text that one of them starts.
const CLOSING: [&str; 8] =
    ["'", "`", "\u{b4}", "\u{2018}", "\u{2019}", "\u{201c}", "\u{201d}", "\u{bb}"];

/// The edits that put `"` in the place of the marks around a text that begins with one, at `open`,
/// and ends on its line.
pub(crate) fn requote(source: &[u8], open: u32, mark: &str) -> Option<Vec<Edit>> {
    let inner = open + mark.len() as u32;
    let rest = source.get(inner as usize..)?;
    let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = core::str::from_utf8(line).ok()?;
    // The first mark that can be its end and has no letter behind it.
    let (at, close) = text.char_indices().find(|&(at, c)| {
        let behind = text[at + c.len_utf8()..].chars().next();
        let mut mark = [0; 4];
        CLOSING.contains(&&*c.encode_utf8(&mut mark)) && !behind.is_some_and(char::is_alphanumeric)
    })?;
    if text[..at].contains(['"', '\\']) {
        return None;
    }
    let end = inner + at as u32;
    Some(vec![
        Edit { span: Span { start: open, end: inner }, text: b"\"".to_vec() },
        Edit {
            span: Span { start: end, end: end + close.len_utf8() as u32 },
            text: b"\"".to_vec(),
        },
    ])
}

/// W0024.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if node.kind == ExprKind::Text {
                // The end of a text of several words is told of with its beginning.
                let last = found.last().and_then(|last| last.fix.as_ref()?.edits.last());
                if last.is_none_or(|edit| edit.span.start < node.span.start) {
                    found.extend(check_word(facts, node.span));
                }
            }
        });
    });
}

fn check_word(facts: &ScriptFacts<'_>, span: Span) -> Option<Diagnostic> {
    let word = core::str::from_utf8(span.of(facts.source)).ok()?;
    if word.starts_with('"') {
        return None;
    }
    let shown = quote(facts.source, span);
    if let Some(open) = QUOTES.iter().find(|&&open| word.starts_with(open)) {
        let inner = &word[open.len()..];
        let diagnostic = Diagnostic::new(
            Code::StrayPunctuation,
            span,
            format!("`{open}` is part of the text here"),
        )
        .help("a text stands in `\"`, and nothing else");
        let close = CLOSING.iter().find_map(|&close| inner.strip_suffix(close));
        let sure = close.filter(|text| !text.contains(['\\', '"']));
        return Some(match sure {
            Some(text) => diagnostic
                .fix("use `\"`", vec![Edit { span, text: format!("\"{text}\"").into_bytes() }]),
            None => match requote(facts.source, span.start, open) {
                Some(edits) => diagnostic.fix("use `\"`", edits),
                None => diagnostic,
            },
        });
    }
    if let Some(negated) = word.strip_prefix('!').filter(|rest| rest.starts_with(['$', '@'])) {
        let edit = Edit { span, text: format!("not({negated})").into_bytes() };
        return Some(
            Diagnostic::new(
                Code::StrayPunctuation,
                span,
                format!("the `!` makes a text of this: {shown}"),
            )
            .help(format!("the contrary is `not({negated})`"))
            .fix("use `not`", vec![edit]),
        );
    }
    let rest = word.strip_suffix(';')?;
    if rest.ends_with('\\') {
        return None;
    }
    let semicolon = Span { start: span.end - 1, end: span.end };
    // What is left may be a word that cannot be a value.
    let edit = if of_word(rest.as_bytes(), b"").is_reserved() {
        Edit { span, text: format!("\"{rest}\"").into_bytes() }
    } else {
        Edit { span: semicolon, text: Vec::new() }
    };
    Some(
        Diagnostic::new(
            Code::StrayPunctuation,
            semicolon,
            format!("the `;` is part of the value: {shown}"),
        )
        .help("actions end without a sign; a `;` that is meant stands in quotes")
        .fix("remove the `;`", vec![edit]),
    )
}
