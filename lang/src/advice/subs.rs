//! Constants and subs: signs that are missing or too many, and other languages' words for a call.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::Advice;
use super::words::Words;
use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::suggest::nearest;
use crate::tokens::Token;

const NO_ARGUMENTS: &str = "a sub has no brackets and no arguments, but shares all variables: `sub NAME do ...`, `call NAME`";

/// What was meant, if it is one of them.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    constant(words, at, diagnostic)
        .or_else(|| behind_constant(words, at, diagnostic))
        .or_else(|| brackets(words, at))
        .or_else(|| reserved(words, at, diagnostic))
        .or_else(|| call(words, at, diagnostic))
}

/// `const $x 5`, `const $x := 5`, `const x 5`
fn constant(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let (name, word) = (at.checked_sub(1)?, at.checked_sub(2)?);
    if words.text(word) != b"const" || !diagnostic.message.ends_with("expected `=`") {
        return None;
    }
    let mut edits = Vec::new();
    let is_bare = words.token(name) == Some(Token::Word);
    if is_bare && words.text(name).first().is_some_and(u8::is_ascii_alphabetic) {
        edits.push(insert(words.span(name)?.start, "$"));
    }
    let span = words.span(at)?;
    let behind = words.span(at + 1).filter(|_| words.token(at + 1) == Some(Token::Equal));
    match words.text(at) {
        b":" => edits.push(Edit { span: span.to(behind.unwrap_or(span)), text: b"=".to_vec() }),
        _ => edits.push(insert(span.start, "= ")),
    }
    let advice = Advice::new("`const $name = VALUE` names a value");
    let is_value = words.text(at) == b":" || words.token(at)?.starts_value();
    let is_sure = is_value && words.is_on_line_of(at, name);
    Some(if is_sure { advice.fix("write it so", edits) } else { advice })
}

/// `gpio_out PIN 1` and `gpio_out $PIM 1` where there is a `const $PIN`.
pub(super) fn named(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_due = matches!(diagnostic.code, Code::BadNumber | Code::BadTime);
    let word = diagnostic.span.of(words.source);
    let is_name =
        is_due && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(byte));
    if !is_name || word.first().is_none_or(u8::is_ascii_digit) {
        return None;
    }
    let names = constants(words).map(|(name, _)| name);
    let meant = match word.starts_with(b"$") {
        // One that there is has another value than what is due.
        true if constants(words).any(|(name, _)| name == word) => return None,
        true => nearest(word, names)?,
        false => names.into_iter().find(|name| name.strip_prefix(b"$") == Some(word))?,
    };
    let meant = core::str::from_utf8(meant).ok()?;
    let edit = Edit { span: diagnostic.span, text: meant.into() };
    Some(
        Advice::new(format!("did you mean `{meant}`?")).fix(format!("write `{meant}`"), vec![edit]),
    )
}

/// The constants of a script, with the first word of the value of each.
pub(super) fn constants<'w, 's>(
    words: &'w Words<'s>,
) -> impl Iterator<Item = (&'s [u8], &'s [u8])> + 'w {
    let is_constant =
        |at: usize| words.text(at) == b"const" && words.token(at + 2) == Some(Token::Equal);
    let all = words.iter().filter(move |(at, ..)| is_constant(*at));
    all.map(|(at, ..)| (words.text(at + 1), words.text(at + 3)))
}

/// An action behind a `const` in a handler, which that has ended.
fn behind_constant(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_action = words.token(at)?.starts_action() && words.is_first_on_line(at);
    if !is_action || diagnostic.message.contains(", expected") {
        return None;
    }
    let first = (0..at).rev().find(|&at| words.is_first_on_line(at))?;
    (words.text(first) == b"const").then(|| {
        Advice::new("a `const` stands outside of handlers: this one ended the handler it stands in; move it above")
    })
}

/// `sub show() do`, `call show(5)`
fn brackets(words: &Words<'_>, at: usize) -> Option<Advice> {
    let (name, word) = (at.checked_sub(1)?, at.checked_sub(2)?);
    let is_piece = matches!(words.text(word), b"sub" | b"call");
    if words.token(at) != Some(Token::Open) || !is_piece {
        return None;
    }
    let advice = Advice::new(NO_ARGUMENTS);
    if words.token(at + 1) != Some(Token::Close) {
        return Some(advice);
    }
    let span = Span { start: words.span(name)?.end, end: words.span(at + 1)?.end };
    Some(advice.fix("remove the brackets", vec![Edit { span, text: Vec::new() }]))
}

/// `sub on do`, `call on`
fn reserved(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let before = words.text(at.checked_sub(1)?);
    let is_name = diagnostic.message.ends_with("expected the name of a sub")
        || diagnostic.code == Code::ReservedWord && before == b"call";
    let is_reserved = is_name && words.token(at)?.is_reserved();
    let name = core::str::from_utf8(words.text(at)).ok().filter(|_| is_reserved)?;
    Some(Advice::new(format!("`{name}` is a reserved word: give the sub another name")))
}

/// `show`, `show()`, `gosub show`, `endsub`
fn call(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !words.is_action_due(at, diagnostic) {
        return None;
    }
    let (span, name) = (words.span(at)?, core::str::from_utf8(words.text(at)).ok()?);
    match name {
        "endsub" | "end_sub" | "endfunction" | "enddef" | "endproc" => {
            let edit = Edit { span, text: Vec::new() };
            return Some(
                Advice::new("a sub ends where the next statement begins")
                    .fix("remove it", vec![edit]),
            );
        }
        "gosub" | "perform" | "execute" | "invoke" => {
            let advice = Advice::new("`call NAME` does what `sub NAME do ...` says");
            let is_sure = words.is_on_line_of(at + 1, at) && is_sub(words, words.text(at + 1));
            let edit = Edit { span, text: b"call".to_vec() };
            return Some(if is_sure { advice.fix("write `call`", vec![edit]) } else { advice });
        }
        _ => {}
    }
    if !is_sub(words, words.text(at)) {
        return None;
    }
    let advice = Advice::new(format!("`call {name}` does what `sub {name}` says"));
    let end = match (words.token(at + 1), words.token(at + 2)) {
        (Some(Token::Open), Some(Token::Close)) => words.span(at + 2)?,
        (Some(Token::Open), _) => return Some(Advice::new(NO_ARGUMENTS)),
        _ => span,
    };
    let text = format!("call {name}");
    let title: String = format!("write `{text}`");
    Some(advice.fix(title, vec![Edit { span: span.to(end), text: text.into_bytes() }]))
}

/// Whether the script has a sub of that name.
fn is_sub(words: &Words<'_>, name: &[u8]) -> bool {
    let begins = |at: usize| words.text(at) == b"sub" && words.is_first_on_line(at);
    words.iter().any(|(at, ..)| begins(at) && words.text(at + 1) == name)
}

fn insert(at: u32, text: &str) -> Edit {
    Edit { span: Span { start: at, end: at }, text: text.as_bytes().to_vec() }
}
