//! Diagnostics as programs read them: one JSON object a line.
//!
//! ```json
//! {"file":"a.script","code":"W0001","severity":"warning","message":"...",
//!  "span":{"start":{"offset":8,"line":2,"column":3,"utf16_column":3},"end":{...}},
//!  "related":[{"message":"...","span":{...}}],"help":"..." or null,
//!  "fix":{"title":"...","edits":[{"span":{...},"text":"..."}]} or null}
//! ```
//! Offsets count bytes from 0; lines and columns count from 1: `column` in characters,
//! `utf16_column` in UTF-16 code units, one more than the `character` of the language server
//! protocol. The `text` of an edit is what to put in place of the span; the rare one that is not
//! UTF-8 has `bytes`, an array of numbers, instead.

use std::io::{self, Write};

use serde::Serialize;
use umqtt_lang::ast::Span;
use umqtt_lang::diagnostic::{Diagnostic, Edit, Severity};

use super::excerpt::{Position, Text};

/// Writes the diagnostics of one script.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(
    out: &mut dyn Write,
    name: &str,
    source: &[u8],
    diagnostics: &[Diagnostic],
) -> io::Result<()> {
    let text = Text::new(source);
    for found in diagnostics {
        serde_json::to_writer(&mut *out, &Line::new(name, &text, found))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Line<'d> {
    file: &'d str,
    code: &'static str,
    severity: &'static str,
    message: &'d str,
    span: Range,
    related: Vec<Related<'d>>,
    help: Option<&'d str>,
    fix: Option<Change<'d>>,
}

#[derive(Serialize)]
struct Range {
    start: SourceLocation,
    end: SourceLocation,
}

#[derive(Serialize)]
struct SourceLocation {
    offset: u32,
    line: usize,
    column: usize,
    utf16_column: usize,
}

#[derive(Serialize)]
struct Related<'d> {
    message: &'d str,
    span: Range,
}

#[derive(Serialize)]
struct Change<'d> {
    title: &'d str,
    edits: Vec<Replacement<'d>>,
}

#[derive(Serialize)]
struct Replacement<'d> {
    span: Range,
    #[serde(flatten)]
    with: With<'d>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum With<'d> {
    Text(&'d str),
    Bytes(&'d [u8]),
}

impl<'d> Line<'d> {
    fn new(file: &'d str, text: &Text<'_>, found: &'d Diagnostic) -> Line<'d> {
        let related = found.related.iter();
        Line {
            file,
            code: found.code.as_str(),
            severity: match found.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: &found.message,
            span: Range::new(text, found.span),
            related: related
                .map(|(span, message)| Related { message, span: Range::new(text, *span) })
                .collect(),
            help: found.help.as_deref(),
            fix: found.fix.as_ref().map(|fix| Change {
                title: &fix.title,
                edits: fix.edits.iter().map(|edit| Replacement::new(text, edit)).collect(),
            }),
        }
    }
}

impl<'d> Replacement<'d> {
    fn new(text: &Text<'_>, edit: &'d Edit) -> Replacement<'d> {
        let with = match std::str::from_utf8(&edit.text) {
            Ok(text) => With::Text(text),
            Err(_) => With::Bytes(&edit.text),
        };
        Replacement { span: Range::new(text, edit.span), with }
    }
}

impl Range {
    fn new(text: &Text<'_>, span: Span) -> Range {
        let place = |offset: u32| {
            let Position { line, column, utf16_column } = text.position(offset as usize);
            SourceLocation { offset, line, column, utf16_column }
        };
        Range { start: place(span.start), end: place(span.end) }
    }
}

#[cfg(test)]
mod tests {
    use umqtt_lang::diagnostic::Code;

    use super::*;

    #[test]
    fn one_object_a_line() {
        let edits = vec![
            Edit { span: Span::new(0, 0), text: b"(".to_vec() },
            Edit { span: Span::new(9, 10), text: b"\xff".to_vec() },
        ];
        let found = Diagnostic::new(Code::Grouping, Span::new(8, 10), "groups \"right\"")
            .related(Span::new(0, 2), "here")
            .fix("add brackets", edits);
        let plain = Diagnostic::new(Code::BadHex, Span::new(3, 7), "bad").help("mend it");
        let mut out = Vec::new();
        write(&mut out, "a.script", "on \u{1f4a1}it\ndo \u{fc}".as_bytes(), &[found, plain])
            .unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
