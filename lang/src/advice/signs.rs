//! Quotes, comments, braces and other signs of other languages.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::Advice;
use super::words::Words;
use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Edit};
use crate::lint::punctuation::{CLOSING, QUOTES};
use crate::tokens::Token;

/// What was meant, if it is one of them.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    quotes(words, at)
        .or_else(|| comment(words, at))
        .or_else(|| brace(words, at, diagnostic))
        .or_else(|| semicolon(words, at))
}

/// `'hello world'`, and what text processors make of `"`.
fn quotes(words: &Words<'_>, at: usize) -> Option<Advice> {
    // The text may have begun some words before, on the same line.
    let mut start = at;
    let (open, quote) = loop {
        let text = core::str::from_utf8(words.text(start)).ok()?;
        if words.token(start) == Some(Token::Word)
            && let Some(quote) = QUOTES.iter().find(|&&quote| text.starts_with(quote))
        {
            break (words.span(start)?, *quote);
        }
        let before = start.checked_sub(1)?;
        if !words.is_on_line_of(start, before) {
            return None;
        }
        start = before;
    };
    let help = "a text stands in `\"`, and nothing else";
    let inner = open.start + quote.len() as u32;
    let line = Span { start: inner, end: words.line_end(inner) };
    let Ok(text) = core::str::from_utf8(line.of(words.source)) else {
        return Some(Advice::new(help));
    };
    // The first mark that can be its end and has no letter behind it.
    let close = text.char_indices().find(|&(at, c)| {
        let behind = text[at + c.len_utf8()..].chars().next();
        let mut mark = [0; 4];
        CLOSING.contains(&&*c.encode_utf8(&mut mark)) && !behind.is_some_and(char::is_alphanumeric)
    });
    let Some((at, mark)) = close else { return Some(Advice::new(help)) };
    if text[..at].contains(['"', '\\']) {
        return Some(Advice::new(help));
    }
    let end = inner + at as u32;
    let edits = vec![
        Edit { span: Span { start: open.start, end: inner }, text: b"\"".to_vec() },
        Edit { span: Span { start: end, end: end + mark.len_utf8() as u32 }, text: b"\"".to_vec() },
    ];
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

/// `{` and `}`
fn brace(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let help = "there are no braces: `if ... then` goes to `endif`, `while ... do` to `done`, and a handler to the next `on`";
    let span = words.span(at)?;
    let replaced = |text: &[u8]| vec![Edit { span, text: text.to_vec() }];
    match words.text(at) {
        b"{" => {
            let opened = at.checked_sub(1).and_then(|before| words.token(before));
            let advice = Advice::new(help);
            Some(match opened {
                Some(Token::Do | Token::Then | Token::Else) => {
                    advice.fix("remove it", replaced(b""))
                }
                _ if diagnostic.message.ends_with("`do`") => {
                    advice.fix("replace by `do`", replaced(b"do"))
                }
                _ if diagnostic.message.ends_with("`then`") => {
                    advice.fix("replace by `then`", replaced(b"then"))
                }
                _ => advice,
            })
        }
        b"}" => Some(match words.closer(at) {
            Some(closer) => {
                Advice::new(help).fix(format!("replace by `{closer}`"), replaced(closer.as_bytes()))
            }
            None => Advice::new(help).fix("remove it", replaced(b"")),
        }),
        text if text.ends_with(b"{") || text.ends_with(b"}") => Some(Advice::new(help)),
        _ => None,
    }
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
