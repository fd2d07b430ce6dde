//! Quotes, comments, braces and other signs of other languages.

use alloc::vec;
use alloc::vec::Vec;

use super::words::Words;
use super::{Advice, braces};
use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::lint::punctuation::{QUOTES, requote};
use crate::tokens::Token;

/// What was meant, if it is one of them.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    quotes(words, at)
        .or_else(|| comment(words, at))
        .or_else(|| braces::advice(words, diagnostic))
        .or_else(|| semicolon(words, at))
        .or_else(|| half_condition(words, at))
        .or_else(|| test_brackets(words, at))
}

/// `if [ $x -eq 200 ]; then`
fn test_brackets(words: &Words<'_>, at: usize) -> Option<Advice> {
    let before = at.checked_sub(1)?;
    matches!(words.text(before), b"[" | b"[[").then(|| {
        Advice::new(
            "a condition stands between `if` and `then`, without brackets: `if $x = 1 then`",
        )
    })
}

/// `$x > 5 and < 10`
fn half_condition(words: &Words<'_>, at: usize) -> Option<Advice> {
    let operator = at.checked_sub(1)?;
    let is_logic =
        matches!(words.token(operator.checked_sub(1)?)?, Token::Logic(_)) && operator > 0;
    let is_operator = words.token(operator)?.is_operator()
        || matches!(words.text(operator), b"<" | b"!" | b"<=" | b">=");
    (is_logic && is_operator).then(|| {
        Advice::new("each side of `and` and `or` is a condition of its own: `$x > 5 and $x lt 10`")
    })
}

/// `` `T=${adc}` ``, whose name with its braces nothing sets.
pub(super) fn template(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    (diagnostic.code == Code::UndeclaredVariable).then(|| quotes(words, at))?
}

/// `'hello world'`, and what text processors make of `"`.
fn quotes(words: &Words<'_>, at: usize) -> Option<Advice> {
    // The text may have begun some words before, on the same line.
    let mut first = at;
    while let Some(before) = first.checked_sub(1).filter(|&b| words.is_on_line_of(first, b)) {
        first = before;
    }
    let (open, quote) = (first..=at).find_map(|start| {
        let text = core::str::from_utf8(words.text(start)).ok()?;
        let quote = QUOTES.iter().find(|&&quote| text.starts_with(quote))?;
        (words.token(start) == Some(Token::Word)).then_some((words.span(start)?, *quote))
    })?;
    let help = "a text stands in `\"`, and nothing else";
    let Some(edits) = requote(words.source, open.start, quote) else {
        return Some(Advice::new(help));
    };
    Some(Advice::new(help).fix("use `\"`", edits))
}

/// `// why`, `# why`, `/* why */`
fn comment(words: &Words<'_>, at: usize) -> Option<Advice> {
    let span = words.span(at)?;
    let text = words.text(at);
    let help = "a comment begins with `%` and goes on to the end of the line";
    let mark = match text {
        [b'/', b'/', ..] => 2,
        [b'#', ..] if words.token(at) == Some(Token::Hex) => 1,
        b"/" if words.source.get(span.end as usize) == Some(&b'*') => {
            return Some(Advice::new(help));
        }
        [b'<', b'!', ..] => return Some(Advice::new(help)),
        _ => return None,
    };
    let span = Span { start: span.start, end: span.start + mark };
    Some(Advice::new(help).fix("replace by `%`", vec![Edit { span, text: b"%".to_vec() }]))
}

/// `println "a";`
fn semicolon(words: &Words<'_>, at: usize) -> Option<Advice> {
    let span = words.span(at)?;
    if words.text(at) != b";" {
        return None;
    }
    let edits: Vec<Edit> = vec![Edit { span, text: Vec::new() }];
    Some(Advice::new("actions end without a sign").fix("remove the `;`", edits))
}
