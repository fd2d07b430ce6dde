//! `textDocument/semanticTokens/full`: what each word of a script is.

use gen_lsp_types::{SemanticToken, SemanticTokens, SemanticTokensParams};
use umqtt_lang::ast::Span;
use umqtt_lang::roles::{Access, Role};
use umqtt_lang::symbols::Symbol;

use super::documents::Kind;
use super::state::State;

/// The types of words.
pub(super) const TYPES: [&str; 11] = [
    "keyword", "event", "method", "function", "operator", "variable", "property", "string",
    "number", "comment", "macro",
];
/// What else a word is, a bit each.
pub(super) const MODIFIERS: [&str; 5] =
    ["declaration", "readonly", "defaultLibrary", "modification", "static"];

const DECLARATION: u32 = 1;
const READONLY: u32 = 1 << 1;
const LIBRARY: u32 = 1 << 2;
const MODIFICATION: u32 = 1 << 3;
const STATIC: u32 = 1 << 4;

/// The words of a script.
pub(super) fn semantic_tokens(
    state: &State,
    params: SemanticTokensParams,
) -> Option<SemanticTokens> {
    let document = state.documents.get(&params.text_document.uri)?;
    if document.kind != Kind::Script {
        return None;
    }
    let script = document.script(&state.options);
    let (text, lines) = (document.text.as_str(), &document.lines);
    let mut data = Vec::new();
    let (mut last_line, mut last_start) = (0, 0);
    for word in &script.words {
        let is_constant = || {
            let name = word.span.of(text.as_bytes()).get(1..).unwrap_or_default().to_vec();
            script.symbols.entries.contains_key(&Symbol::Constant(name))
        };
        let Some((kind, modifiers)) = token(word.role, is_constant) else { continue };
        // A token is within a line.
        let (first, last) =
            (lines.line(word.span.start as usize), lines.line(word.span.end as usize));
        for line in first..=last {
            let begin = lines.start(text, line).max(word.span.start as usize);
            let end = lines.start(text, line) + lines.content(text, line).len();
            let end = end.min(word.span.end as usize);
            if begin >= end {
                continue;
            }
            let range = lines.range(text, Span::new(begin, end));
            let start = range.start;
            let delta_line = start.line - last_line;
            let from = if delta_line == 0 { last_start } else { 0 };
            data.push(SemanticToken {
                delta_line,
                delta_start: start.character - from,
                length: range.end.character - start.character,
                token_type: kind,
                token_modifiers_bitset: modifiers,
            });
            (last_line, last_start) = (start.line, start.character);
        }
    }
    Some(SemanticTokens { result_id: None, data })
}

/// Type and modifiers of a word; none of one that has no colour of its own.
fn token(role: Role, is_constant: impl Fn() -> bool) -> Option<(u32, u32)> {
    let (name, modifiers) = match role {
        Role::Keyword => ("keyword", 0),
        Role::Event => ("event", LIBRARY),
        Role::Action(_) => ("method", LIBRARY),
        Role::Function(_) => ("function", LIBRARY),
        Role::Operator => ("operator", 0),
        Role::Variable(Access::Define) => ("variable", DECLARATION | READONLY),
        Role::Variable(Access::Set) => ("variable", MODIFICATION),
        Role::Variable(Access::Use) if is_constant() => ("variable", READONLY),
        Role::Variable(Access::Use) => ("variable", 0),
        Role::Special(_) => ("variable", READONLY | LIBRARY),
        Role::Flash(Access::Set) => ("variable", STATIC | MODIFICATION),
        Role::Flash(_) => ("variable", STATIC),
        Role::Sub(Access::Define) => ("function", DECLARATION),
        Role::Sub(_) => ("function", 0),
        Role::Setting => ("property", LIBRARY),
        Role::Topic => ("macro", 0),
        Role::SettingValue | Role::Text => ("string", 0),
        Role::Number | Role::Hex | Role::Time => ("number", 0),
        Role::Comment => ("comment", 0),
        _ => return None,
    };
    let kind = TYPES.iter().position(|kind| *kind == name)?;
    Some((u32::try_from(kind).ok()?, modifiers))
}
