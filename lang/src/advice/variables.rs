//! Variables that nothing sets, in a script that has other errors.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::words::Words;
use crate::codegen::undeclared;
use crate::diagnostic::Diagnostic;
use crate::parse::MAX_DIAGNOSTICS;
use crate::suggest::nearest;
use crate::tokens::Token;

/// Adds an E0011 for each variable that is used and that nothing sets, however broken the line is
/// that would.
pub(super) fn check(words: &Words<'_>, errors: &mut Vec<Diagnostic>) {
    let mut set: BTreeSet<&[u8]> = BTreeSet::new();
    // Those that were meant by words without a `$`.
    let mut bare: BTreeSet<&[u8]> = BTreeSet::new();
    for (at, token, _) in words.iter() {
        match token {
            Token::Variable(None) if sets(words, at) => {
                let name = words.text(at);
                set.insert(name.strip_suffix(b":").unwrap_or(name));
            }
            Token::Word if sets(words, at) => drop(bare.insert(words.text(at))),
            _ => {}
        }
    }
    let mut diagnostic: BTreeSet<&[u8]> = BTreeSet::new();
    for (at, token, span) in words.iter() {
        if token != Token::Variable(None) || errors.len() >= MAX_DIAGNOSTICS {
            continue;
        }
        let name = words.text(at);
        // `$x.length()`, `$x."a"`: what follows is told of.
        let is_called = matches!(words.token(at + 1), Some(Token::Open | Token::String))
            && words.span(at + 1).is_some_and(|next| next.start == span.end);
        // What looks like a template or JSON is told of with all of it.
        let is_part = name.iter().any(|byte| b"{}`".contains(byte))
            && errors
                .iter()
                .any(|told| words.line_end(told.span.start) == words.line_end(span.start));
        let is_known = is_part
            || set.contains(name.strip_suffix(b":").unwrap_or(name))
            || bare.contains(name.get(1..).unwrap_or_default())
            || errors.iter().any(|diagnostic| diagnostic.span == span);
        if is_known || is_called || !diagnostic.insert(name) {
            continue;
        }
        let near = nearest(name, set.iter().copied());
        errors.push(undeclared(name, span, near));
    }
}

/// Whether a variable is set where it stands, or was meant to be.
fn sets(words: &Words<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).filter(|&before| words.is_on_line_of(at, before));
    let token = |at: Option<usize>| at.and_then(|at| words.token(at));
    let in_brackets = token(before) == Some(Token::Open)
        && token(before.and_then(|at| at.checked_sub(1))) == Some(Token::SetVar);
    let is_constant = before.is_some_and(|before| words.text(before) == b"const");
    if token(before) == Some(Token::SetVar) || in_brackets || is_constant {
        return true;
    }
    let begins = words.is_first_on_line(at)
        || before.is_some_and(|before| {
            words.token(before) == Some(Token::Word) && words.is_first_on_line(before)
                || words.token(before) == Some(Token::Comma)
        });
    let assigns = match (words.token(at + 1), words.token(at + 2)) {
        (Some(Token::Equal), _) => true,
        (Some(first), Some(second)) => {
            first.is_operator()
                && matches!(second, Token::Equal | Token::Minus | Token::Sign(_))
                && words.span(at + 1).map(|span| span.end) == words.span(at + 2).map(|s| s.start)
        }
        _ => false,
    };
    begins && assigns
}
