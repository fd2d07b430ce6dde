//! Blocks in braces: `if $x = 1 { ... } else { ... }`.

use alloc::vec::Vec;

use super::Advice;
use super::words::Words;
use crate::diagnostic::{Diagnostic, Edit};
use crate::tokens::Token;

const HELP: &str = "there are no braces: `if ... then` goes to `endif`, `while ... do` to `done`, and a handler to the next `on`";

/// What was meant, if it is a brace; the fix takes all braces of the handler away.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    let text = words.text(at);
    if is_brace(words, at) {
        let handler = handler(words, at);
        let advice = Advice::new(HELP);
        return Some(match begins(words, handler) {
            true => advice.fix("write it so", edits(words, handler)),
            false => advice,
        });
    }
    let is_part = text.ends_with(b"{") || text.ends_with(b"}");
    (is_part && !text.starts_with(b"$") && text.len() < 12).then(|| Advice::new(HELP))
}

/// Leaves one of the diagnostics about the braces of each handler, the first.
pub(super) fn merge(words: &Words<'_>, errors: &mut Vec<Diagnostic>) {
    let mut told: Option<usize> = None;
    errors.retain(|diagnostic| {
        let Some(at) = words.at(diagnostic.span).filter(|&at| is_brace(words, at)) else {
            return true;
        };
        let handler = handler(words, at);
        diagnostic.help.as_deref() != Some(HELP) || told.replace(handler) != Some(handler)
    });
}

/// A brace that is not one of a JSON text.
fn is_brace(words: &Words<'_>, at: usize) -> bool {
    let is_text = |at: usize| words.token(at) == Some(Token::String);
    let touch = |first: usize| {
        words.span(first).map(|span| span.end) == words.span(first + 1).map(|span| span.start)
    };
    match words.text(at) {
        b"{" => !(is_text(at + 1) && touch(at)),
        b"}" | b"};" => !at.checked_sub(1).is_some_and(|before| is_text(before) && touch(before)),
        _ => false,
    }
}

/// Where the handler begins that a word belongs to.
fn handler(words: &Words<'_>, at: usize) -> usize {
    (0..at).rev().find(|&at| begins(words, at)).unwrap_or(0)
}

fn begins(words: &Words<'_>, at: usize) -> bool {
    words.token(at) == Some(Token::On)
        && words.token(at + 1).is_some_and(|token| token.starts_event())
}

/// The edits that put words in the place of the braces of a handler.
fn edits(words: &Words<'_>, handler: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    // What closes the blocks that are open; nothing for the handler itself.
    let mut open: Vec<&str> = Vec::new();
    // What opens and closes the block of the last `if`, `while` or `on`, until its body begins.
    let mut next = ("", "");
    let mut at = handler;
    while let Some(token) = words.token(at)
        && (at == handler || !begins(words, at))
    {
        let Some(span) = words.span(at) else { break };
        match token {
            Token::If | Token::ElseIf => next = ("then", "endif"),
            Token::While => next = ("do", "done"),
            Token::On => next = ("do", ""),
            Token::Else => next = ("", "endif"),
            Token::Then | Token::Do => next.0 = "",
            Token::Word if is_brace(words, at) && words.text(at) == b"{" => {
                let mut span = span;
                if next.0.is_empty() && words.source[..span.start as usize].ends_with(b" ") {
                    span.start -= 1;
                }
                edits.push(Edit { span, text: next.0.into() });
                open.push(next.1);
                next = ("", "");
            }
            Token::Word if is_brace(words, at) => {
                let closer = open.pop().unwrap_or_default();
                let goes_on = matches!(words.token(at + 1), Some(Token::Else | Token::ElseIf));
                let is_else_if = words.token(at + 1) == Some(Token::Else)
                    && words.token(at + 2) == Some(Token::If)
                    && words.is_on_line_of(at + 2, at + 1);
                if is_else_if && let Some(end) = words.span(at + 2) {
                    edits.push(Edit { span: span.to(end), text: b"elseif".to_vec() });
                    next = ("then", "endif");
                    at += 2;
                } else {
                    let text = if goes_on { "" } else { closer };
                    let mut span = span;
                    if goes_on && words.source.get(span.end as usize) == Some(&b' ') {
                        span.end += 1;
                    }
                    edits.push(Edit { span, text: text.into() });
                }
            }
            _ => {}
        }
        at += 1;
    }
    edits
}
