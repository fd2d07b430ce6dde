//! Mistakes people make because other languages are different, and misspelt words.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::expected::Expected;
use super::quote::shown;
use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Edit};
use crate::suggest::nearest;
use crate::token_stream::{ParserState, SpannedToken, TokenStream};
use crate::tokens::{Token, functions, is_function, keywords};

/// What was probably meant, and how to write that.
pub(super) struct Hint {
    help: String,
    fix: Option<(String, Vec<Edit>)>,
}

impl Hint {
    fn new(help: impl Into<String>) -> Hint {
        Hint { help: help.into(), fix: None }
    }

    fn fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Hint {
        self.fix = Some((title.into(), edits));
        self
    }

    /// Adds it to a diagnostic.
    pub(super) fn add_to(self, diagnostic: Diagnostic) -> Diagnostic {
        let diagnostic = diagnostic.help(self.help);
        match self.fix {
            Some((title, edits)) => diagnostic.fix(title, edits),
            None => diagnostic,
        }
    }
}

/// What was probably meant by the word at `at`, if that is clear.
pub(super) fn hint(
    at: SpannedToken,
    expected: &Expected<'_>,
    tokens: &TokenStream<'_>,
) -> Option<Hint> {
    let source = tokens.source();
    let before = tokens.before_last;
    let foreign = foreign_operator(at, source);
    if let Some((operator, span)) = foreign.filter(|_| expected.operator() || expected.value()) {
        let hint = Hint::new(format!("this operator is written `{operator}`"));
        // Which operator `&` is meant to be, only the writer knows.
        if span.of(source) == b"&" {
            return Some(hint);
        }
        let edit = Edit { span, text: padded(operator, span, source) };
        return Some(hint.fix(format!("replace by `{operator}`"), vec![edit]));
    }
    if at.token == Token::Minus && expected.value() {
        return Some(negative(at, source));
    }
    if tokens.state == ParserState::ConfigEnd {
        return Some(Hint::new("a value of several words stands in quotes"));
    }
    if let Some(before) = before.filter(|_| expected.operator()) {
        return behind_value(at, before, source).or_else(|| misspelt(at, expected, source));
    }
    if tokens.state == ParserState::Start && at.token.starts_action() {
        return Some(Hint::new("actions stand in a handler: `on init do ...`"));
    }
    misspelt(at, expected, source)
}

/// Behind a complete value.
fn behind_value(at: SpannedToken, before: SpannedToken, source: &[u8]) -> Option<Hint> {
    let previous = before.span.of(source);
    let name = shown(previous);
    if at.token == Token::Open {
        let help = match similar(previous, functions().map(|(name, _)| name)) {
            Some(meant) => format!("`{name}` is not a function; did you mean `{meant}`?"),
            None => format!("`{name}` is not a function"),
        };
        return Some(Hint::new(help));
    }
    if is_function(previous) && before.token == Token::Word {
        return Some(Hint::new(format!("a function takes its values in brackets: `{name}(...)`")));
    }
    if before.token.starts_action() {
        return Some(Hint::new(format!(
            "`{name}` was read as a value here: is a value missing before it?"
        )));
    }
    let joins = matches!(at.token, Token::Comma | Token::String | Token::Variable(_));
    joins.then(|| Hint::new("`|` joins values"))
}

/// A word that is nearly a keyword that could stand there.
fn misspelt(at: SpannedToken, expected: &Expected<'_>, source: &[u8]) -> Option<Hint> {
    if at.token != Token::Word {
        return None;
    }
    let candidates =
        keywords().filter(|(_, token)| expected.wants(token.terminal())).map(|(word, _)| word);
    let word = at.span.of(source);
    let meant = similar(word, candidates)?;
    let hint = Hint::new(format!("did you mean `{meant}`?"));
    // Short words are near to too many others to be replaced without asking.
    let is_same = word.eq_ignore_ascii_case(meant.as_bytes());
    if word.len() < SURE && !is_same || word.len() > meant.len() + 2 {
        return Some(hint);
    }
    let edit = Edit { span: at.span, text: meant.into() };
    Some(hint.fix(format!("replace by `{meant}`"), vec![edit]))
}

/// The word for an operator of other languages that ends or starts at `at`, and what it replaces.
fn foreign_operator(at: SpannedToken, source: &[u8]) -> Option<(&'static str, Span)> {
    let both = Span { start: at.span.start.saturating_sub(1), end: at.span.end };
    match both.of(source) {
        b"==" => return Some(("=", both)),
        b">=" => return Some(("gte", both)),
        b"||" => return Some(("or", both)),
        _ => {}
    }
    if at.token != Token::Word {
        return None;
    }
    let behind = source.get(at.span.end as usize).copied();
    let with_next = Span { start: at.span.start, end: at.span.end + 1 };
    Some(match (at.span.of(source), behind) {
        (b"<", Some(b'=')) => ("lte", with_next),
        (b"<", Some(b'>')) | (b"!", Some(b'=')) => ("neq", with_next),
        (b"<", _) => ("lt", at.span),
        (b"/", _) => ("div", at.span),
        (b"&&", _) => ("and", at.span),
        (b"&" | b"." | b"..", _) => ("|", at.span),
        (b"eq" | b"is" | b"equals" | b"===", _) => ("=", at.span),
        (b"ne" | b"isnt" | b"differs" | b"!==", _) => ("neq", at.span),
        (b"gt", _) => (">", at.span),
        (b"ge" | b"geq", _) => ("gte", at.span),
        (b"le" | b"leq", _) => ("lte", at.span),
        (b"str_ge", _) => ("str_gte", at.span),
        _ => return None,
    })
}

/// An operator with the blanks it needs to be a word of its own.
fn padded(operator: &str, span: Span, source: &[u8]) -> Vec<u8> {
    let is_blank = |at: Option<&u8>| at.is_none_or(|&byte| byte <= b' ');
    let mut text = Vec::new();
    if !is_blank((span.start as usize).checked_sub(1).and_then(|at| source.get(at))) {
        text.push(b' ');
    }
    text.extend_from_slice(operator.as_bytes());
    if !is_blank(source.get(span.end as usize)) {
        text.push(b' ');
    }
    text
}

/// `setvar $x = - 5`
fn negative(at: SpannedToken, source: &[u8]) -> Hint {
    let behind = &source[at.span.end as usize..];
    let blanks = behind.iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
    let digits = behind[blanks..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return Hint::new("a text that is punctuation is written in quotes: `\"-\"`");
    }
    let number = shown(&behind[blanks..blanks + digits]);
    let span = Span { start: at.span.end, end: at.span.end + blanks as u32 };
    Hint::new(format!("the sign stands right before the number: `-{number}`"))
        .fix("remove the blank", vec![Edit { span, text: Vec::new() }])
}

/// The one of `words` a misspelt one is near to, or that it starts with: `substring`.
fn similar(word: &[u8], words: impl Iterator<Item = &'static str> + Clone) -> Option<&'static str> {
    let longer = |known: &&str| known.len() >= SURE - 1 && word.starts_with(known.as_bytes());
    nearest(word, words.clone().map(str::as_bytes))
        .and_then(|near| core::str::from_utf8(near).ok())
        .or_else(|| words.filter(longer).max_by_key(|known| known.len()))
}

/// From this length on, a word that is near a keyword is surely meant to be it.
const SURE: usize = 4;

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn near_words() {
        let words = || ["if", "print", "println", "publish", "setvar", "endif"].into_iter();
        assert_eq!(similar(b"publsih", words()), Some("publish"));
        assert_eq!(similar(b"endfi", words()), Some("endif"));
        assert_eq!(similar(b"If", words()), Some("if"));
        assert_eq!(similar(b"setvariable", words()), Some("setvar"));
        assert_eq!(similar(b"print_this", words()), Some("print"));
        assert_eq!(similar(b"println_this", words()), Some("println"));
        assert_eq!(similar(b"x", words()), None);
        assert_eq!(similar(b"temperature", words()), None);
        assert_eq!(similar(&[b'p'; 4000], words()), None);
    }
}
