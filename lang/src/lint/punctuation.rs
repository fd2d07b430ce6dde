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
pub(crate) const CLOSING: [&str; 8] =
    ["'", "`", "\u{b4}", "\u{2018}", "\u{2019}", "\u{201c}", "\u{201d}", "\u{bb}"];

/// W0024.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if node.kind == ExprKind::Text {
                found.extend(check_word(facts, node.span));
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
            None => diagnostic,
        });
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
