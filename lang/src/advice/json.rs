//! JSON written as in other languages: `{"t":1}` without quotes around it, or with quotes in it
//! that end the text.

use alloc::format;
use alloc::string::String;
use alloc::vec;

use super::Advice;
use super::words::Words;
use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Edit};

/// What was meant, if the line holds such a text before or around this place.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    let mut first = at;
    while let Some(before) = first.checked_sub(1).filter(|&b| words.is_on_line_of(first, b)) {
        first = before;
    }
    let start = words.span((first..=at).find(|&at| opens(words, at))?)?.start;
    let line = Span { start, end: words.line_end(start) };
    let text = core::str::from_utf8(line.of(words.source)).ok()?;
    let close = text.rfind('}')?;
    let is_quoted = text.starts_with(['"', '\'']);
    let len = close + 1 + usize::from(is_quoted && text[close + 1..].starts_with(['"', '\'']));
    let inner = text[..len].trim_matches(['"', '\'']);
    let looks_so = inner.starts_with('{') && inner.contains(':') && !inner.contains('\\');
    let span = Span { start, end: start + len as u32 };
    if !looks_so || diagnostic.span.start > span.end {
        return None;
    }
    let written = written(inner);
    let edit = Edit { span, text: written.clone().into_bytes() };
    let help = format!("a quote within a text is written `\\\"`: `{written}`");
    Some(Advice::new(help).fix("write it so", vec![edit]))
}

/// `{` or `"{` where a value begins.
fn opens(words: &Words<'_>, at: usize) -> bool {
    let text = words.text(at);
    text == b"{" || text == b"\"{\"" || text == b"\"{\\\"" || text.starts_with(b"'{")
}

/// The text with its quotes escaped, and variables outside of them joined.
fn written(json: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = json;
    let mut is_inside = false;
    while let Some(c) = rest.chars().next() {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let len = rest.bytes().skip(1).take_while(is_name).count();
        match c {
            '"' => {
                is_inside = !is_inside;
                out.push_str("\\\"");
            }
            '$' if !is_inside && len > 0 => {
                out.push_str(&format!("\" | {} | \"", &rest[..=len]));
                rest = &rest[1 + len..];
                continue;
            }
            _ => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn quotes_are_escaped_and_variables_joined() {
        assert_eq!(written("{\"t\":1}"), r#""{\"t\":1}""#);
        assert_eq!(written("{\"t\":$adc}"), r#""{\"t\":" | $adc | "}""#);
        assert_eq!(written("{\"\u{fc}\":\"$x\"}"), "\"{\\\"\u{fc}\\\":\\\"$x\\\"}\"");
    }
}
