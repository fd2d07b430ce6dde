//! Variables set as in other languages: `$y = 3`, `let x = 5`, `$c++`, `setvar $c += 2`.

use alloc::format;
use alloc::string::String;
use alloc::vec;

use super::Advice;
use super::words::Words;
use crate::ast::{Operator, Span};
use crate::diagnostic::{Diagnostic, Edit};
use crate::tokens::Token;

const HELP: &str = "`setvar` sets a variable, whose name begins with `$`";

/// In place of an action: `$y = 3`, `x = 5`, `let x = 5`, `set $q = 3`, `$c++`, `$c += 2`.
pub(super) fn in_place_of_action(words: &Words<'_>, at: usize, word: &str) -> Option<Advice> {
    let span = words.span(at)?;
    let is_equal = |at: usize| words.token(at) == Some(Token::Equal);
    if declares(word) {
        let target = name(words, at + 1)?;
        if !is_equal(at + 2) {
            return (word == "set").then(|| {
                Advice::new(
                    "`setvar` sets a variable; a setting of the device is set by a `config` line",
                )
            });
        }
        let both = span.to(words.span(at + 1)?);
        return Some(replace(HELP, both, format!("setvar {target}")));
    }
    let target = name(words, at)?;
    if is_equal(at + 1) && words.text(at + 2).starts_with(b"http_") {
        return Some(Advice::new(
            "`http_get URL` is an action; the answer comes to `on http_response do`",
        ));
    }
    if is_equal(at + 1) && !is_equal(at + 2) {
        return Some(replace(HELP, span, format!("setvar {target}")));
    }
    compound(words, at, span, &target)
}

/// Words of other languages before the name of a variable that is set.
pub(super) fn declares(word: &str) -> bool {
    matches!(
        word,
        "let"
            | "var"
            | "set"
            | "local"
            | "const"
            | "int"
            | "string"
            | "String"
            | "dim"
            | "float"
            | "bool"
            | "boolean"
            | "long"
            | "char"
            | "double"
            | "unsigned"
            | "auto"
            | "static"
            | "export"
            | "global"
            | "my"
    )
}

/// Behind `setvar`: `setvar $x 4`, `setvar $c++`, `setvar $c += 2`, `setvar $x =+ 1`.
pub(super) fn behind_setvar(
    words: &Words<'_>,
    at: usize,
    diagnostic: &Diagnostic,
) -> Option<Advice> {
    let sets = |back: usize| at.checked_sub(back).and_then(|at| words.token(at));
    if diagnostic.message.ends_with("expected `=`") && sets(2) == Some(Token::SetVar) {
        // `setvar $x: 4`
        if words.text(at - 1).ends_with(b":") {
            let end = words.span(at - 1)?.end;
            let span = Span { start: end - 1, end };
            return Some(replace("`setvar $name = VALUE` sets a variable", span, " =".into()));
        }
        if let Some(advice) = hyphen(words, at) {
            return Some(advice);
        }
        let target = name(words, at - 1)?;
        let whole = words.span(at - 2)?.to(words.span(at - 1)?);
        if let Some(advice) = compound(words, at - 1, whole, &target) {
            return Some(advice);
        }
        // `setvar $x := 4`, `setvar $x: 4`
        let colon = matches!(words.text(at), b":" | b"->" | b"<-");
        let span = words.span(at)?;
        if colon {
            let behind = words.span(at + 1).filter(|_| words.token(at + 1) == Some(Token::Equal));
            let help = "`setvar $name = VALUE` sets a variable";
            return Some(replace(help, behind.map_or(span, |behind| span.to(behind)), "=".into()));
        }
        let start = span.start;
        let is_value = words.token(at)?.starts_value() && words.is_on_line_of(at, at - 1);
        let edit = Edit { span: Span { start, end: start }, text: b"= ".to_vec() };
        return is_value.then(|| {
            Advice::new("`setvar $name = VALUE` sets a variable").fix("add `=`", vec![edit])
        });
    }
    signed(words, at, diagnostic)
}

/// `setvar $my-name = 1`
fn hyphen(words: &Words<'_>, at: usize) -> Option<Advice> {
    let (before, sign, behind) = (words.span(at - 1)?, words.span(at)?, words.span(at + 1)?);
    let is_glued = before.end == sign.start && sign.end == behind.start;
    let text = core::str::from_utf8(before.to(behind).of(words.source)).ok()?;
    let is_name = words.token(at) == Some(Token::Minus)
        && words.token(at + 1) == Some(Token::Word)
        && words.text(at + 1).first().is_some_and(u8::is_ascii_alphabetic);
    (is_glued && is_name).then(|| {
        let meant = text.replace('-', "_");
        Advice::new(format!("a `-` is no part of a name, which can be `{meant}`"))
    })
}

/// `setvar $x =+ 1`, `setvar $x = +1`
fn signed(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let sign = match words.token(at)? {
        Token::Sign(Operator::Add) => "+",
        Token::Minus => "-",
        _ => return None,
    };
    let equal = at.checked_sub(1).filter(|&at| words.token(at) == Some(Token::Equal))?;
    if !diagnostic.message.ends_with("expected a value") {
        return None;
    }
    let (span, is_stuck) = (words.span(at)?, words.span(equal)?.end == words.span(at)?.start);
    let behind = words.span(at + 1).filter(|behind| behind.start == span.end);
    if is_stuck && behind.is_none() {
        let target = name(words, equal.checked_sub(1)?)?;
        let value = core::str::from_utf8(words.text(at + 1)).ok()?;
        let what = if sign == "+" { "add" } else { "subtract" };
        let number = if sign == "+" { value.into() } else { format!("\"-{value}\"") };
        return Some(Advice::new(format!(
            "to {what}: `setvar {target} = {target} {sign} {value}`; to set it to {sign}{value}: \
             `setvar {target} = {number}`"
        )));
    }
    (sign == "+").then(|| replace("a number has no `+`", span, String::new()))
}

/// `$c++`, `$c += 2`; `whole` begins the text to replace, and the name is its end.
fn compound(words: &Words<'_>, at: usize, whole: Span, target: &str) -> Option<Advice> {
    let (first, second) = (words.span(at + 1)?, words.span(at + 2)?);
    if first.end != second.start {
        return None;
    }
    let sign = match words.token(at + 1)? {
        Token::Sign(Operator::Add) => "+",
        Token::Sign(Operator::Mul) => "*",
        Token::Sign(Operator::Join) => "|",
        Token::Minus => "-",
        Token::Word => match words.text(at + 1) {
            b"/" => "div",
            b"." => "|",
            _ => return None,
        },
        _ => return None,
    };
    let step = words.text(at + 1) == words.text(at + 2) && matches!(sign, "+" | "-");
    if !step && words.token(at + 2) != Some(Token::Equal) {
        return None;
    }
    let text = format!("setvar {target} = {target} {sign}{}", if step { " 1" } else { "" });
    let goes_on = if step { "" } else { " ..." };
    let help = format!("`{text}{goes_on}` computes with a variable and sets it");
    Some(replace(help, whole.to(second), text))
}

/// The name that a variable has here.
fn name(words: &Words<'_>, at: usize) -> Option<String> {
    let word = core::str::from_utf8(words.text(at)).ok()?;
    let bare = word.strip_prefix('$').unwrap_or(word);
    let is_name = !bare.is_empty()
        && bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !bare.starts_with(|c: char| c.is_ascii_digit());
    match words.token(at)? {
        Token::Variable(None) | Token::Word if is_name => Some(format!("${bare}")),
        Token::Flash => Some(word.into()),
        _ => None,
    }
}

fn replace(help: impl Into<String>, span: Span, text: String) -> Advice {
    let title = match text.is_empty() {
        true => "remove it",
        false if text.trim() == "=" => "replace by `=`",
        false => "use `setvar`",
    };
    Advice::new(help).fix(title, vec![Edit { span, text: text.into_bytes() }])
}
