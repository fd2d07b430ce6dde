//! Changes of a text as the protocol has them.

use std::collections::HashMap;

use gen_lsp_types::{
    Edit as ProtocolEdit, OptionalVersionedTextDocumentIdentifier, TextDocumentEdit,
    TextDocumentIdentifier, TextEdit, WorkspaceEdit,
};
use similar::{Algorithm, DiffOp, TextDiff};
use umqtt_lang::diagnostic::Edit;

use super::documents::Document;

/// The edits of a fix; `None` if one of them is no text.
pub(super) fn text_edits(document: &Document, edits: &[Edit]) -> Option<Vec<TextEdit>> {
    let edits = edits.iter().map(|edit| {
        let new_text = String::from_utf8(edit.text.clone()).ok()?;
        Some(TextEdit { range: document.lines.range(&document.text, edit.span), new_text })
    });
    edits.collect()
}

/// What makes another text of a document's, line by line, so that a cursor stays where it was.
pub(super) fn to(document: &Document, new: &str) -> Vec<TextEdit> {
    use umqtt_lang::ast::Span;
    let old = document.text.as_str();
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(old, new);
    let starts = |lines: &[&str]| -> Vec<usize> {
        let ends = lines.iter().scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        });
        std::iter::once(0).chain(ends).collect()
    };
    let (old_starts, new_starts) = (starts(diff.old_slices()), starts(diff.new_slices()));
    let at = |starts: &[usize], line: usize| starts.get(line).copied().unwrap_or_default();
    let mut edits = Vec::new();
    for op in diff.ops() {
        if let DiffOp::Equal { .. } = op {
            continue;
        }
        let (from, into) = (op.old_range(), op.new_range());
        let span = Span::new(at(&old_starts, from.start), at(&old_starts, from.end));
        let text = new.get(at(&new_starts, into.start)..at(&new_starts, into.end));
        edits.push(TextEdit {
            range: document.lines.range(old, span),
            new_text: text.unwrap_or_default().to_owned(),
        });
    }
    edits
}

/// Edits of one document. Where the client can tell, they are for this text alone, so that it
/// refuses them if it has another by then.
pub(super) fn workspace_edit(
    document: &Document,
    edits: Vec<TextEdit>,
    takes_versions: bool,
) -> WorkspaceEdit {
    if !takes_versions {
        let changes = HashMap::from([(document.uri.clone(), edits)]);
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let text_document = OptionalVersionedTextDocumentIdentifier {
        version: Some(document.version),
        text_document_identifier: TextDocumentIdentifier { uri: document.uri.clone() },
    };
    let edits = edits.into_iter().map(ProtocolEdit::from).collect();
    let change = TextDocumentEdit { text_document, edits };
    WorkspaceEdit { document_changes: Some(vec![change.into()]), ..WorkspaceEdit::default() }
}
