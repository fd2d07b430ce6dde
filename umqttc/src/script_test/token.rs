//! A test file as lines of tokens, by the lexer of the language.

use std::borrow::Cow;
use std::ops::Range;

use umqtt_lang::ast::Span;
use umqtt_lang::lexer::{Lexeme, lexemes};
use umqtt_lang::literal::{unescape, unhex};

use super::problem::Problem;

/// What begins a comment elsewhere.
pub(super) const COMMENTS: [&str; 5] = ["#", "//", "--", ";", "/*"];

/// A word, a string or a sign.
#[derive(Clone, Debug)]
pub(super) struct Token<'s> {
    raw: &'s [u8],
    pub(super) span: Span,
    /// In quotes.
    pub(super) quoted: bool,
}

impl<'s> Token<'s> {
    /// The word as it stands there, if it is a bare one.
    pub(super) fn word(&self) -> Option<&'s str> {
        if self.quoted { None } else { std::str::from_utf8(self.raw).ok() }
    }

    /// As it stands there, to be quoted in a message.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(self.raw).into_owned()
    }

    /// What it means as a value: a text without its quotes and escapes, the bytes of `#0d0a`.
    pub(super) fn value(&self) -> Cow<'s, [u8]> {
        match unhex(self.raw) {
            Some(bytes) if !self.quoted => Cow::Owned(bytes),
            _ => unescape(self.raw),
        }
    }

    /// One of the signs that are always a token of their own.
    pub(super) fn is_sign(&self) -> bool {
        !self.quoted && matches!(self.raw, b"=" | b"|" | b">" | b"(" | b")" | b",")
    }
}

/// The lines that hold anything. A string that is never closed is a problem.
///
/// What stands side by side without a blank is one token, so that topics, dates and negative
/// numbers need no quotes; `=` is always one of its own.
pub(super) fn lines<'s>(source: &'s [u8], problems: &mut Vec<Problem>) -> Vec<Vec<Token<'s>>> {
    let mut lines: Vec<Vec<Token<'s>>> = Vec::new();
    let mut end = 0;
    for (lexeme, Range { start, end: behind }) in lexemes(source) {
        let span = Span::new(start, behind);
        let quoted = matches!(lexeme, Lexeme::String | Lexeme::Unclosed);
        if lexeme == Lexeme::Unclosed {
            let problem = Problem::new(span, "this string is never closed");
            problems.push(problem.help("a `\"` ends it; `\\\"` is a quote within it"));
        }
        let token = Token { raw: &source[start..behind], span, quoted };
        let gap = &source[end..start];
        match lines.last_mut() {
            Some(line) if !gap.contains(&b'\n') => match line.last_mut() {
                Some(last) if gap.is_empty() && joins(last, &token) => {
                    last.raw = &source[last.span.start as usize..behind];
                    last.span.end = span.end;
                }
                _ => line.push(token),
            },
            _ => lines.push(vec![token]),
        }
        end = behind;
    }
    lines
}

fn joins(left: &Token<'_>, right: &Token<'_>) -> bool {
    !left.quoted && !right.quoted && !left.is_sign() && !right.is_sign()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<Vec<String>> {
        let mut problems = Vec::new();
        let lines = lines(source.as_bytes(), &mut problems);
        assert!(problems.is_empty());
        lines.iter().map(|line| line.iter().map(Token::shown).collect()).collect()
    }

    #[test]
    fn lines_and_what_needs_no_quotes() {
        assert_eq!(
            words("use a.script % x\n\n  topic local a/+/b-1 -5\r\nexpect $x=1\n\"a\nb\" c"),
            [
                vec!["use", "a.script"],
                vec!["topic", "local", "a/+/b-1", "-5"],
                vec!["expect", "$x", "=", "1"],
                vec!["\"a\nb\"", "c"],
            ]
        );
    }

    #[test]
    fn a_string_without_an_end() {
        let mut problems = Vec::new();
        lines(b"serial \"a\nexpect", &mut problems);
        assert_eq!(problems.len(), 1);
    }
}
