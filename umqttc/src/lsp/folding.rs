//! `textDocument/foldingRange`: handlers, blocks, comments of several lines, tests.

use gen_lsp_types::{FoldingRange, FoldingRangeKind, FoldingRangeParams};
use umqtt_lang::roles::Role;

use super::documents::{Document, Kind};
use super::outline::statements;
use super::state::State;

/// What can be folded.
pub(super) fn folding(state: &State, params: FoldingRangeParams) -> Option<Vec<FoldingRange>> {
    let document = state.documents.get(&params.text_document.uri)?;
    let mut found = Vec::new();
    if document.kind == Kind::Test {
        for test in &document.tests().tests {
            push(document, test.span.start, test.span.end, None, &mut found);
        }
        return Some(found);
    }
    for statement in statements(document, &state.options) {
        push(document, statement.span.start, statement.span.end, None, &mut found);
    }
    let mut open: Vec<u32> = Vec::new();
    let mut comments: Option<(u32, u32)> = None;
    for word in &document.script(&state.options).words {
        let text = word.span.of(document.text.as_bytes());
        match (word.role, text) {
            (Role::Keyword, b"if" | b"while") => open.push(word.span.start),
            (Role::Keyword, b"endif" | b"done") => {
                if let Some(start) = open.pop() {
                    push(document, start, word.span.end, None, &mut found);
                }
            }
            // What is still open ends with its handler.
            (Role::Keyword, b"on" | b"sub") => open.clear(),
            _ => {}
        }
        let line = |offset: u32| document.lines.line(offset as usize);
        comments = match (word.role, comments) {
            (Role::Comment, Some((start, end))) if line(word.span.start) == line(end) + 1 => {
                Some((start, word.span.end))
            }
            (role, before) => {
                if let Some((start, end)) = before {
                    push(document, start, end, Some(FoldingRangeKind::Comment), &mut found);
                }
                (role == Role::Comment).then_some((word.span.start, word.span.end))
            }
        };
    }
    if let Some((start, end)) = comments {
        push(document, start, end, Some(FoldingRangeKind::Comment), &mut found);
    }
    found.sort_by_key(|range| (range.start_line, std::cmp::Reverse(range.end_line)));
    Some(found)
}

/// Adds what goes over several lines.
fn push(
    document: &Document,
    start: u32,
    end: u32,
    kind: Option<FoldingRangeKind>,
    found: &mut Vec<FoldingRange>,
) {
    let line =
        |offset: u32| u32::try_from(document.lines.line(offset as usize)).unwrap_or(u32::MAX);
    let (start_line, end_line) = (line(start), line(end));
    if start_line < end_line {
        found.push(FoldingRange { start_line, end_line, kind, ..FoldingRange::default() });
    }
}
