//! Escapes of other languages in texts (W0030): `\n` is the letter n.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, each_node, each_value, unbracketed};
use crate::ast::{Action, ActionKind, ActionWord, EventPattern, Expr, ExprKind, Operator, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};

/// W0030.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for clause in &facts.handlers {
        if let EventPattern::Topic { filter, .. } = &clause.event {
            texts(facts, filter, None, found);
        }
    }
    for step in &facts.steps {
        each_value(step.action, &mut |expr| texts(facts, expr, Some(step.action), found));
    }
}

fn texts(
    facts: &ScriptFacts<'_>,
    expr: &Expr,
    action: Option<&Action>,
    found: &mut Vec<Diagnostic>,
) {
    let mut computed: Vec<Span> = Vec::new();
    each_node(expr, &mut |node| match &node.kind {
        ExprKind::Chain(chain) if chain.rest.iter().any(|l| l.operator != Operator::Join) => {
            computed.push(chain.first.span);
            computed.extend(chain.rest.iter().map(|link| link.operand.span));
        }
        ExprKind::Text => {
            let Ok(raw) = core::str::from_utf8(node.span.of(facts.source)) else { return };
            let Some((first, pieces)) = pieces(raw) else { return };
            let mut joined = joined(&pieces);
            let diagnostic = Diagnostic::new(
                Code::LetterEscape,
                node.span,
                format!(
                    "`{first}` is the letter `{}` in a text: a `\\` takes what follows as it is",
                    &first[1..2]
                ),
            );
            if let Some(fixed) = action.and_then(|action| line(facts, action, node, &pieces)) {
                found.push(
                    diagnostic
                        .help("`println` ends the line; `#0a` is the byte, joined by `|`")
                        .fix("print a line", fixed),
                );
                return;
            }
            let diagnostic =
                diagnostic.help(format!("bytes are written in hex and joined by `|`: `{joined}`"));
            if computed.contains(&node.span) && pieces.len() > 1 {
                joined = format!("({joined})");
            }
            found.push(diagnostic.fix(
                "write the byte in hex",
                Vec::from([Edit { span: node.span, text: joined.into_bytes() }]),
            ));
        }
        _ => {}
    });
}

/// `print "text\n"`, `println "text\n"`: the edits that make a line of it, which `println` ends.
fn line(
    facts: &ScriptFacts<'_>,
    action: &Action,
    node: &Expr,
    pieces: &[Piece<'_>],
) -> Option<Vec<Edit>> {
    let ActionKind::Unary { word, value } = &action.kind else { return None };
    let value = unbracketed(value);
    // The text is all of the value, or its end.
    let is_last = match &value.kind {
        ExprKind::Chain(chain) => {
            chain.rest.iter().all(|link| link.operator == Operator::Join)
                && chain.rest.last().is_some_and(|link| link.operand.span == node.span)
        }
        _ => value.span == node.span,
    };
    let [Piece::Text(text), Piece::Bytes(end)] = pieces else { return None };
    if !is_last || !matches!(end.as_str(), "0a" | "0d0a") {
        return None;
    }
    let text = Edit { span: node.span, text: format!("\"{text}\"").into_bytes() };
    match word {
        ActionWord::Println => Some(Vec::from([text])),
        ActionWord::Print => {
            let start = action.span.start;
            let print = Span { start, end: start + "print".len() as u32 };
            (print.of(facts.source) == b"print")
                .then(|| Vec::from([Edit { span: print, text: b"println".to_vec() }, text]))
        }
        _ => None,
    }
}

/// A part of a text.
enum Piece<'s> {
    /// As it stands in the source, without quotes.
    Text(&'s str),
    /// Bytes that were meant, as hex digits.
    Bytes(String),
}

/// Cuts a text, as it stands in the source, at its escapes; the first of them, as it is written.
/// `None` if there are none.
fn pieces(raw: &str) -> Option<(&str, Vec<Piece<'_>>)> {
    let inner = raw.strip_prefix('"').map_or(raw, |text| text.strip_suffix('"').unwrap_or(text));
    let (mut pieces, mut first) = (Vec::new(), None);
    let (mut at, mut start) = (0, 0);
    while let Some(found) = inner[at..].find('\\') {
        let escape = at + found;
        let Some((len, hex)) = escaped(&inner[escape..]) else {
            // What follows may be one of several bytes.
            at = escape + 1 + inner[escape + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        if start < escape {
            pieces.push(Piece::Text(&inner[start..escape]));
        }
        match pieces.last_mut() {
            Some(Piece::Bytes(bytes)) => bytes.push_str(&hex),
            _ => pieces.push(Piece::Bytes(hex)),
        }
        at = escape + len;
        start = at;
        first = first.or(Some(&inner[escape..at]));
    }
    if start < inner.len() {
        pieces.push(Piece::Text(&inner[start..]));
    }
    first.map(|first| (first, pieces))
}

/// The escape a text begins with: its length, and its byte as hex digits.
fn escaped(text: &str) -> Option<(usize, String)> {
    Some(match text.as_bytes() {
        [_, b'n', ..] => (2, "0a".into()),
        [_, b'r', ..] => (2, "0d".into()),
        [_, b't', ..] => (2, "09".into()),
        [_, b'0', rest @ ..] if !rest.first().is_some_and(u8::is_ascii_digit) => (2, "00".into()),
        [_, b'x', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
            (4, text[2..4].to_ascii_lowercase())
        }
        _ => return None,
    })
}

/// The expression that joins the pieces.
fn joined(pieces: &[Piece<'_>]) -> String {
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        let bar = if at == 0 { "" } else { " | " };
        out.push_str(&match piece {
            Piece::Text(text) => format!("{bar}\"{text}\""),
            Piece::Bytes(hex) => format!("{bar}#{hex}"),
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{joined, pieces};

    #[test]
    fn texts_are_cut_at_escapes_of_other_languages() {
        for (text, expected) in [
            (r#""a\nb""#, Some(r##""a" | #0a | "b""##)),
            (r#""\r\n""#, Some("#0d0a")),
            (r#""\t\x41\0""#, Some("#094100")),
            (r"a\n", Some(r##""a" | #0a"##)),
            (r#""a \"b\" \\n""#, None),
            (r#""a\ b""#, None),
            ("\"\\\u{fc}n\"", None),
            (r#""\012""#, None),
            (r"\", None),
            ("\"\\", None),
        ] {
            assert_eq!(pieces(text).map(|(_, it)| joined(&it)).as_deref(), expected, "{text}");
        }
    }
}
