//! What to do about more on a line than belongs there.

use super::problem::nearest;
use super::token::{COMMENTS, Token};

/// Help for a line whose step ends before the token `at`.
pub(super) fn help(line: &[Token<'_>], at: usize) -> String {
    let rest = &line[at..];
    let shown = rest.first().map(Token::shown).unwrap_or_default();
    if COMMENTS.iter().any(|begin| shown.starts_with(begin)) && !adjoins(line, at) {
        return "`%` begins a comment".to_owned();
    }
    if let Some(first) = line.iter().take(at + 1).position(|token| opens(token)) {
        let closes = |token: &Token<'_>| ["}", "]", "'"].iter().any(|e| token.shown().ends_with(e));
        let behind = line.iter().rposition(closes).map_or(line.len(), |last| last + 1);
        let text = as_it_stands(&line[first..behind.max(first + 1)]);
        let text = text.trim_matches('\'').replace('\\', "\\\\").replace('"', "\\\"");
        return format!("a text with quotes in it stands in quotes: `\"{text}\"`");
    }
    if let (Some(before), [comma, after, ..]) = (at.checked_sub(1).map(|at| &line[at]), rest)
        && comma.shown() == ","
        && adjoins(line, at)
    {
        let (before, after) = (before.shown(), after.shown());
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        return match is_number(before.trim_start_matches('-')) && is_number(&after) {
            true => format!("decimals have a point: `{before}.{after}`"),
            false => format!("a text with a comma stands in quotes: `\"{before},{after}\"`"),
        };
    }
    if let [only] = rest
        && let Some(meant) = only.word().and_then(|word| nearest(word, flags(line)))
    {
        return meant;
    }
    match adjoins(line, at) {
        true => "a text with signs or quotes in it stands in quotes as a whole".to_owned(),
        false => "each step has a line of its own; texts with blanks stand in quotes".to_owned(),
    }
}

/// Begins JSON, or a text in the quotes of other languages.
fn opens(token: &Token<'_>) -> bool {
    let shown = token.shown();
    !token.quoted && ["{", "[", "'"].iter().any(|begin| shown.starts_with(begin))
}

/// No blank stands before this token.
fn adjoins(line: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| line.get(before));
    let token = line.get(at);
    before.zip(token).is_some_and(|(before, token)| before.span.end == token.span.start)
}

/// The tokens with a blank wherever there is a gap.
fn as_it_stands(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for (at, token) in tokens.iter().enumerate() {
        if at > 0 && !adjoins(tokens, at) {
            text.push(' ');
        }
        text.push_str(&token.shown());
    }
    text
}

/// The words that may end such a line.
fn flags(line: &[Token<'_>]) -> Vec<&'static str> {
    let has = |word| line.iter().take(4).any(|token| token.word() == Some(word));
    match () {
        () if has("topic") || has("publish") => vec!["retained"],
        () if has("gpio_pinmode") => vec!["pullup"],
        () => Vec::new(),
    }
}
