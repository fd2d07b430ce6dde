//! `textDocument/codeAction`: what mends a diagnostic, and all that can be mended.

use gen_lsp_types::{CodeAction, CodeActionKind, CodeActionParams, CodeActionResponse};

use super::diagnostics;
use super::documents::{Document, Kind};
use super::edits;
use super::script::Checked;
use super::state::State;
use crate::{fixes, frontend};

/// Mends all that can be.
pub(super) const FIX_ALL: CodeActionKind = CodeActionKind::SourceFixAll;

/// The actions for a range.
pub(super) fn code_action(
    state: &State,
    params: CodeActionParams,
) -> Option<Vec<CodeActionResponse>> {
    let document = state.documents.get(&params.text_document.uri)?;
    if document.kind != Kind::Script || document.is_too_long {
        return Some(Vec::new());
    }
    let Checked::Script(found) = document.checked(&state.options) else { return None };
    // `source` stands for `source.fixAll`.
    let wants = |kind: &CodeActionKind| {
        let is_within = |only: &CodeActionKind| {
            let (kind, only) = (kind.to_string(), only.to_string());
            only.is_empty() || kind == only || kind.starts_with(&format!("{only}."))
        };
        params.context.only.as_ref().is_none_or(|only| only.iter().any(is_within))
    };
    let mut actions = Vec::new();
    let (text, lines) = (&document.text, &document.lines);
    let from = lines.offset(text, params.range.start);
    let to = lines.offset(text, params.range.end);
    if wants(&CodeActionKind::QuickFix) {
        for found in found {
            let touches = found.span.start as usize <= to && from <= found.span.end as usize;
            let Some(fix) = found.fix.as_ref().filter(|_| touches) else { continue };
            let Some(edits) = edits::text_edits(document, &fix.edits) else { continue };
            actions.push(CodeAction {
                title: fix.title.clone(),
                kind: Some(CodeActionKind::QuickFix),
                diagnostics: Some(vec![diagnostics::of_script(document, found)]),
                is_preferred: Some(true),
                edit: Some(edits::workspace_edit(document, edits, state.client.takes_versions)),
                ..CodeAction::default()
            });
        }
    }
    if wants(&FIX_ALL) && found.iter().any(|found| found.fix.is_some()) {
        actions.extend(fix_all(state, document));
    }
    Some(actions.into_iter().map(CodeActionResponse::from).collect())
}

/// What `umqttc check --fix` makes of it.
fn fix_all(state: &State, document: &Document) -> Option<CodeAction> {
    let check =
        |source: &[u8]| frontend::check(source, &state.options.profile, state.options.pedantic);
    let fixed = fixes::fix(document.text.as_bytes(), check);
    let new = String::from_utf8(fixed.source).ok().filter(|new| *new != document.text)?;
    let edits = edits::to(document, &new);
    let plural = if fixed.applied == 1 { "" } else { "es" };
    Some(CodeAction {
        title: format!("apply {} fix{plural}", fixed.applied),
        kind: Some(FIX_ALL),
        edit: Some(edits::workspace_edit(document, edits, state.client.takes_versions)),
        ..CodeAction::default()
    })
}
