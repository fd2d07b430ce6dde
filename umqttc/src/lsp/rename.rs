//! `textDocument/rename`: another name for a variable, a constant or a sub, another slot for a
//! flash variable.

use gen_lsp_types::{
    PrepareRenameParams, PrepareRenamePlaceholder, PrepareRenameResult, RenameParams, TextEdit,
    WorkspaceEdit,
};
use lsp_server::ErrorCode;
use umqtt_lang::symbols::renamed;

use super::edits;
use super::references::{Target, target};
use super::state::{RequestError, State};

/// Whether there is something to rename, and what it is called now.
pub(super) fn prepare(state: &State, params: PrepareRenameParams) -> Option<PrepareRenameResult> {
    let place = params.text_document_position_params;
    let document = state.documents.get(&place.text_document.uri)?;
    let offset = document.lines.offset(&document.text, place.position);
    let (Target::Symbol(_), span) = target(state, document, offset)? else { return None };
    let placeholder = String::from_utf8_lossy(span.of(document.text.as_bytes())).into_owned();
    let range = document.lines.range(&document.text, span);
    Some(PrepareRenamePlaceholder { range, placeholder }.into())
}

/// Gives a name another one, everywhere in its script.
///
/// # Errors
/// There is nothing to rename, or the new name is none or taken.
pub(super) fn rename(state: &State, params: RenameParams) -> Result<WorkspaceEdit, RequestError> {
    let place = params.text_document_position_params;
    let refuse = |message: &str| RequestError::new(ErrorCode::RequestFailed, message);
    let Some(document) = state.documents.get(&place.text_document.uri) else {
        return Err(refuse("this document is not open"));
    };
    let offset = document.lines.offset(&document.text, place.position);
    let Some((Target::Symbol(symbol), _)) = target(state, document, offset) else {
        return Err(refuse("there is no name here that can be changed"));
    };
    let symbols = &document.script(&state.options).symbols;
    let new = renamed(symbols, &symbol, &params.new_name, &state.options.profile)
        .map_err(|error| refuse(&error.to_string()))?;
    let new = String::from_utf8(new).map_err(|_| refuse("this is no name"))?;
    let edits = symbols.places(&symbol).iter().map(|place| TextEdit {
        range: document.lines.range(&document.text, place.span),
        new_text: new.clone(),
    });
    Ok(edits::workspace_edit(document, edits.collect(), state.client.takes_versions))
}
