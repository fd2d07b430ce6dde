//! `textDocument/formatting`: what `umqttc fmt` makes of a script.

use gen_lsp_types::{DocumentFormattingParams, TextEdit};

use super::documents::Kind;
use super::edits;
use super::state::State;
use crate::frontend;

/// The changes; none for a script with errors, which has no layout.
pub(super) fn formatting(state: &State, params: DocumentFormattingParams) -> Option<Vec<TextEdit>> {
    let document = state.documents.get(&params.text_document.uri)?;
    if document.kind != Kind::Script || document.is_too_long {
        return None;
    }
    let formatted = frontend::format(document.text.as_bytes()).ok()?;
    let formatted = String::from_utf8(formatted).ok()?;
    Some(edits::to(document, &formatted))
}
