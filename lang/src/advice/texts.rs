//! Texts and values joined as in other languages: `f"T={x}"`, `"a" . "b"`, `$a.$b`, `"a" & $b`.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::Advice;
use super::calls::part_of;
use super::words::Words;
use crate::ast::{Operator, Span, Special};
use crate::diagnostic::{Code, Diagnostic, Edit, LONG_TEXT};
use crate::lint::embedded::{Piece, joined, split};
use crate::tokens::Token;

const HELP: &str = "`|` joins texts and values";

/// What was meant where an operator is due, if it is one of them.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    ampersand(words, at, diagnostic).or_else(|| {
        let before = at.checked_sub(1)?;
        let (first, second) = (words.span(before)?, words.span(at)?);
        let is_stuck = first.end == second.start && words.token(at) == Some(Token::String);
        let word = is_stuck.then(|| core::str::from_utf8(words.text(before)).ok())??;
        match words.token(before)? {
            Token::Word => prefixed(words, word, first.to(second)),
            // `$a."b"`
            Token::Variable(_) => {
                let name = word.strip_suffix('.')?;
                let span = Span { start: first.start + name.len() as u32, end: second.start };
                Some(replace(span, " | "))
            }
            _ => None,
        }
    })
}

/// `"a" & $b`: beside a text it can only be that.
fn ampersand(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_text = |at: Option<usize>| at.and_then(|at| words.token(at)) == Some(Token::String);
    let is_due = words.text(at) == b"&" && diagnostic.message.contains("an operator");
    let joins = is_due && (is_text(at.checked_sub(1)) || is_text(Some(at + 1)));
    joins.then(|| words.span(at).map(|span| replace(span, "|")))?
}

/// `println hello world`, where nothing else is known of the second word.
pub(super) fn bare_words(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    let first = at.checked_sub(1).filter(|&first| words.is_on_line_of(at, first))?;
    let action = words.token(first.checked_sub(1)?)?;
    let is_printed = matches!(action, Token::UnaryAction(_)) && diagnostic.help.is_none();
    if !is_printed || !diagnostic.message.contains("an operator") {
        return None;
    }
    let mut last = at;
    while words.token(last + 1).is_some() && words.is_on_line_of(last + 1, last) {
        last += 1;
    }
    let is_plain = |at: usize| {
        let word = core::str::from_utf8(words.text(at)).unwrap_or_default();
        words.token(at) == Some(Token::Word)
            && word.starts_with(char::is_alphabetic)
            && word.chars().all(|c| c.is_alphanumeric() || ".:;!?_-".contains(c))
    };
    if !(first..=last).all(is_plain) {
        return None;
    }
    let whole = words.span(first)?.to(words.span(last)?);
    let text = core::str::from_utf8(whole.of(words.source)).ok()?;
    Some(
        Advice::new(format!("a text with blanks stands in quotes: `\"{text}\"`"))
            .fix("quote it", crate::parse::quote(words.source, whole)),
    )
}

/// `f"T={x}"`, `r"a"`; `whole` is the word and the string.
fn prefixed(words: &Words<'_>, word: &str, whole: Span) -> Option<Advice> {
    if !matches!(word, "f" | "F" | "r" | "b" | "u" | "rf" | "fr" | "$" | "L") {
        return None;
    }
    let string = Span { start: whole.start + word.len() as u32, end: whole.end };
    let raw = core::str::from_utf8(string.of(words.source)).ok()?;
    let known = known(words);
    let is_known = |name: &str| {
        Special::from_keyword(name).is_some()
            || known.contains(name.trim_start_matches('$').as_bytes())
    };
    let pieces = split(raw.trim_matches('"'), &is_known, word.contains(['f', 'F', '$']));
    let text = pieces.map_or_else(|| raw.into(), |pieces| joined(&pieces));
    let help: alloc::string::String = match text == raw {
        true => "no letter stands before the quotes of a text".into(),
        false => format!("nothing is put in the place of variables in a text; {HELP}: `{text}`"),
    };
    let edit = Edit { span: whole, text: text.into_bytes() };
    let title = if help.contains('|') { "join them" } else { "remove the letter" };
    Some(Advice::new(help).fix(title, vec![edit]))
}

/// `$a.$b`, `$x/power`, `${adc}`: names with more in them than a name, of which nothing is set.
pub(super) fn stuck(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    if diagnostic.code != Code::UndeclaredVariable {
        return None;
    }
    let at = words.at(diagnostic.span)?;
    let name = core::str::from_utf8(words.text(at)).ok()?;
    let known = known(words);
    let is_known = |name: &str| {
        Special::from_keyword(name).is_some()
            || known.contains(name.trim_start_matches('$').as_bytes())
    };
    let mut pieces = split(name, &is_known, false).filter(|_| !name.contains('\\'))?;
    // A dot between two values was meant to join them.
    let is_dot = |piece: &Piece<'_>| matches!(piece, Piece::Text("."));
    let last = pieces.len() - 1;
    let mut index = 0;
    pieces.retain(|piece| {
        index += 1;
        !is_dot(piece) || index == 1 || index == last + 1
    });
    if let [Piece::Variable(variable), Piece::Text(text)] = &pieces[..]
        && text.starts_with('.')
        && text[1..].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        let advice = Advice::new(part_of(variable, &text[1..]));
        let is_json = advice.help.contains("a JSON text");
        if !matches!(&**variable, "$this_data" | "$this_http_body") || !is_json {
            return Some(advice);
        }
        let call = format!("json_parse(\"{}\", {variable})", &text[1..]);
        let edit = Edit { span: diagnostic.span, text: call.into_bytes() };
        return Some(advice.fix("use `json_parse`", vec![edit]));
    }
    if let [Piece::Variable(_), Piece::Text(";")] = &pieces[..] {
        let end = diagnostic.span.end;
        let edit = Edit { span: Span { start: end - 1, end }, text: Vec::new() };
        return Some(Advice::new("actions end without a sign").fix("remove the `;`", vec![edit]));
    }
    if let [Piece::Variable(first), Piece::Text(rest), ..] = &pieces[..]
        && let Some(divisor) = rest.strip_prefix('/')
    {
        let divisor = match &pieces[2..] {
            [] if !divisor.is_empty() && divisor.bytes().all(|b| b.is_ascii_digit()) => {
                Some(divisor)
            }
            [Piece::Variable(name)] if divisor.is_empty() => Some(&**name),
            _ => None,
        };
        if let Some(divisor) = divisor {
            let text = format!("{first} div {divisor}");
            let edit = Edit { span: diagnostic.span, text: text.clone().into_bytes() };
            return Some(
                Advice::new(format!("`div` divides: `{text}`")).fix("use `div`", vec![edit]),
            );
        }
    }
    let text = joined(&pieces);
    let joins = |at: Option<usize>| {
        at.and_then(|at| words.token(at))
            .is_none_or(|token| !token.is_operator() || token == Token::Sign(Operator::Join))
    };
    let text = match joins(at.checked_sub(1)) && joins(Some(at + 1)) {
        true => text,
        // What is set is no expression.
        false if at.checked_sub(1).and_then(|at| words.token(at)) == Some(Token::SetVar) => {
            return None;
        }
        false if pieces.len() > 1 => format!("({text})"),
        false => text,
    };
    let edit = Edit { span: diagnostic.span, text: text.clone().into_bytes() };
    let help = match pieces.len() {
        1 => format!("a variable is written `{text}`, without braces"),
        _ => format!("{HELP}: `{text}`"),
    };
    Some(Advice::new(help).fix("join them", vec![edit]))
}

/// The variables that the script sets, without their `$`, also by `x = 5`.
fn known<'s>(words: &Words<'s>) -> BTreeSet<&'s [u8]> {
    let sets = |at: usize| words.token(at) == Some(Token::SetVar);
    let assigns = |at: usize| {
        words.token(at + 2) == Some(Token::Equal)
            && (words.is_first_on_line(at + 1) || words.token(at) == Some(Token::Word))
    };
    let names = words.iter().filter(|&(at, _, _)| sets(at) || assigns(at));
    names
        .map(|(at, _, _)| {
            let name = words.text(at + 1);
            name.strip_prefix(b"$").unwrap_or(name)
        })
        .collect()
}

/// Shows the text of several lines that ends on the line of an error: its end may have been
/// forgotten, and what should begin the next text has ended it.
pub(super) fn several_lines(words: &Words<'_>, diagnostic: &mut Diagnostic) {
    let Some(mut at) = words.at(diagnostic.span).filter(|_| diagnostic.related.is_empty()) else {
        return;
    };
    while let Some(before) = at.checked_sub(1).filter(|&before| words.is_on_line_of(at, before)) {
        at = before;
        let text = words.text(at);
        if words.token(at) == Some(Token::String) && text.contains(&b'\n') {
            let first = text.iter().position(|&byte| byte == b'\n').unwrap_or(text.len());
            let Some(Span { start, .. }) = words.span(at) else { return };
            let end = start + text[..first].trim_ascii_end().len() as u32;
            diagnostic.related.push((Span { start, end }, LONG_TEXT.into()));
            return;
        }
    }
}

fn replace(span: Span, text: &str) -> Advice {
    Advice::new(HELP).fix("replace by `|`", vec![Edit { span, text: text.into() }])
}
