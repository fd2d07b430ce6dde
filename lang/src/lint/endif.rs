//! An `endif` that is missing at the end of a handler, or one too many there (W0021). The original
//! device takes both.

use alloc::vec;
use alloc::vec::Vec;

use super::facts::ScriptFacts;
use crate::ast::{Action, ActionKind, Branch, Span, Statement};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::lexer::gap_len;

/// W0021.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for step in &facts.steps {
        if is_open(facts, step.action) {
            found.push(
                else_if(facts, step.action).unwrap_or_else(|| missing(facts, step.action.span)),
            );
        }
    }
    for step in &facts.steps {
        if let ActionKind::If { branches, otherwise: Some(_) } = &step.action.kind
            && let Some(Branch { condition, actions }) = branches.last()
        {
            let last = actions.last().map_or(condition.span, |action| action.span);
            early(facts, last.end, actions.is_empty(), found);
        }
    }
    for statement in facts.script {
        if let Statement::On(clause) = statement {
            stray(facts, clause.span, found);
        }
    }
}

/// Whether an action is an `if` that nothing in the source ends: it ends where what is in it does.
fn is_open(facts: &ScriptFacts<'_>, action: &Action) -> bool {
    let ActionKind::If { branches, otherwise } = &action.kind else { return false };
    let actions = otherwise.as_ref().or(branches.last().map(|branch| &branch.actions));
    match actions.and_then(|actions| actions.last()) {
        Some(last) => last.span.end == action.span.end,
        None => !action.span.of(facts.source).ends_with(b"endif"),
    }
}

/// `else if` with one `endif` for both: that of the inner one.
fn else_if(facts: &ScriptFacts<'_>, action: &Action) -> Option<Diagnostic> {
    let ActionKind::If { otherwise: Some(otherwise), .. } = &action.kind else { return None };
    let [inner] = otherwise.as_slice() else { return None };
    let before = facts.source.get(..inner.span.start as usize)?;
    let blanks = before.iter().rev().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
    let end = before.len() - blanks;
    if !matches!(inner.kind, ActionKind::If { .. }) || !before[..end].ends_with(b"else") {
        return None;
    }
    let both = Span { start: end as u32 - 4, end: inner.span.start + 2 };
    Some(
        Diagnostic::new(
            Code::UnbalancedEndif,
            both,
            "this `else if` opens another `if`, and one of the two has no `endif`",
        )
        .help("`elseif` needs no `endif` of its own")
        .fix("write `elseif`", vec![Edit { span: both, text: b"elseif".to_vec() }]),
    )
}

fn missing(facts: &ScriptFacts<'_>, span: Span) -> Diagnostic {
    let start = span.start as usize;
    let line = facts.source[..start].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let before = &facts.source[line..start];
    // On a line of its own, under its `if`, where that begins a line.
    let mut text = vec![if span.of(facts.source).contains(&b'\n') { b'\n' } else { b' ' }];
    if text == b"\n" {
        text.extend(before.iter().take_while(|&&byte| byte <= b' '));
    }
    text.extend_from_slice(b"endif");
    let end = Span { start: span.end, end: span.end };
    Diagnostic::new(
        Code::UnbalancedEndif,
        Span { start: span.start, end: span.start + 2 },
        "this `if` has no `endif`: it goes on to the end of the handler",
    )
    .help("write the `endif` where it is to end")
    .fix("add `endif` at the end of the handler", vec![Edit { span: end, text }])
}

/// `endif else`: behind the last action before the `else`, or behind the `then` if there is none.
fn early(facts: &ScriptFacts<'_>, end: u32, is_empty: bool, found: &mut Vec<Diagnostic>) {
    let skip = |from: usize| from + gap_len(facts.source.get(from..).unwrap_or_default());
    let mut start = skip(end as usize);
    if is_empty && facts.source[start..].starts_with(b"then") {
        start = skip(start + b"then".len());
    }
    if !facts.source[start..].starts_with(b"endif") {
        return;
    }
    let word = Span::new(start, start + b"endif".len());
    let edit = Edit { span: Span::new(start, skip(word.end as usize)), text: Vec::new() };
    found.push(
        Diagnostic::new(
            Code::UnbalancedEndif,
            word,
            "this `endif` stands before the `else` of its `if`",
        )
        .help("an `if` ends once, behind its `else`")
        .fix("remove it", vec![edit]),
    );
}

fn stray(facts: &ScriptFacts<'_>, clause: Span, found: &mut Vec<Diagnostic>) {
    let end = clause.end as usize;
    let start = end + gap_len(&facts.source[end..]);
    if !facts.source[start..].starts_with(b"endif") {
        return;
    }
    let span = Span::new(start, start + b"endif".len());
    // With the blanks before it, which may be all of its line.
    let blanks =
        facts.source[..start].iter().rev().take_while(|&&byte| byte == b' ' || byte == b'\t');
    let cut = start - blanks.count();
    let ends_line = matches!(facts.source[span.end as usize..], [] | [b'\r' | b'\n', ..]);
    let cut = match facts.source[..cut] {
        [.., b'\r', b'\n'] if ends_line => cut - 2,
        [.., b'\n'] if ends_line => cut - 1,
        _ => cut,
    };
    let edit = Edit { span: Span { start: cut.max(end) as u32, ..span }, text: Vec::new() };
    found.push(
        Diagnostic::new(Code::UnbalancedEndif, span, "`endif` without an open `if`")
            .help("it does nothing here; is an `if` missing, or a line too many?")
            .fix("remove it", vec![edit]),
    );
}
