//! `textDocument/documentSymbol` and `workspace/symbol`: handlers, subs, constants, tests.

use gen_lsp_types::{
    BaseSymbolInformation, DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Location,
    SymbolKind, WorkspaceSymbol, WorkspaceSymbolParams, WorkspaceSymbolResponse,
};
use umqtt_lang::ast::Span;
use umqtt_lang::roles::Role;

use super::documents::{Document, Kind};
use super::options::Options;
use super::state::State;

/// Longest name, bytes.
const MAX_NAME: usize = 80;
/// Most symbols of a workspace that are told at once.
const MAX_SYMBOLS: usize = 1000;

/// A statement of a script, right or not.
pub(super) struct StatementOutline {
    /// `on timer 1`, `sub blink`, `$name`
    pub(super) name: String,
    /// A handler, a sub, a constant or a setting.
    pub(super) kind: SymbolKind,
    /// All of it.
    pub(super) span: Span,
    /// What it is about.
    pub(super) head: Span,
}

/// The statements of a script.
pub(super) fn statements(document: &Document, options: &Options) -> Vec<StatementOutline> {
    let source = document.text.as_bytes();
    let words = &document.script(options).words;
    let starts_statement = |at: usize| {
        words.get(at).is_some_and(|word| {
            word.role == Role::Keyword
                && matches!(word.span.of(source), b"on" | b"config" | b"const" | b"sub")
        })
    };
    let starts: Vec<usize> = (0..words.len()).filter(|at| starts_statement(*at)).collect();
    let mut found = Vec::new();
    for (number, &at) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(words.len());
        let Some(statement) = words.get(at..end) else { continue };
        let code: Vec<_> = statement.iter().filter(|word| word.role != Role::Comment).collect();
        let (Some(first), Some(last)) = (code.first(), code.last()) else { continue };
        let text = |span: Span| String::from_utf8_lossy(span.of(source)).into_owned();
        let keyword = first.span.of(source);
        let head: Vec<_> = code
            .iter()
            .skip(1)
            .take_while(|word| match keyword {
                b"on" | b"sub" => word.span.of(source) != b"do",
                b"config" => matches!(word.role, Role::Setting),
                _ => matches!(word.role, Role::Variable(_)),
            })
            .map(|word| word.span)
            .collect();
        let (kind, prefix) = match keyword {
            b"on" => (SymbolKind::Event, "on"),
            b"sub" => (SymbolKind::Function, "sub"),
            b"config" => (SymbolKind::Property, "config"),
            _ => (SymbolKind::Constant, "const"),
        };
        let head_span = match (head.first(), head.last()) {
            (Some(first), Some(last)) => first.to(*last),
            _ => first.span,
        };
        let shown: Vec<String> = std::iter::once(prefix.to_owned())
            .chain(head.iter().take(if keyword == b"const" { 1 } else { 16 }).map(|at| text(*at)))
            .collect();
        let head_span = match (keyword, head.first()) {
            (b"const", Some(first)) => *first,
            _ => head_span,
        };
        let mut name = shown.join(" ").replace(['\n', '\r'], " ");
        name.truncate(name.floor_char_boundary(MAX_NAME));
        let span = first.span.to(last.span);
        found.push(StatementOutline { name, kind, span, head: head_span });
    }
    found
}

/// The outline of a document.
pub(super) fn outline(
    state: &State,
    params: DocumentSymbolParams,
) -> Option<DocumentSymbolResponse> {
    let document = state.documents.get(&params.text_document.uri)?;
    let range = |span| document.lines.range(&document.text, span);
    let symbol = |name: &str, kind, span, head| DocumentSymbol {
        // Editors refuse an empty one.
        name: if name.is_empty() { "-".to_owned() } else { name.to_owned() },
        kind,
        range: range(span),
        selection_range: range(head),
        ..EMPTY
    };
    let found: Vec<DocumentSymbol> = match document.kind {
        Kind::Script => statements(document, &state.options)
            .iter()
            .map(|it| symbol(&it.name, it.kind, it.span, it.head))
            .collect(),
        Kind::Test => {
            let outline = document.tests();
            let scripts = outline.scripts.iter();
            let scripts = scripts.map(|(path, at)| symbol(path, SymbolKind::Module, *at, *at));
            let tests = outline.tests.iter();
            let tests = tests.map(|it| symbol(&it.name, SymbolKind::Method, it.span, it.start));
            scripts.chain(tests).collect()
        }
    };
    Some(found.into())
}

#[allow(deprecated, reason = "the protocol's type has a field that is")]
const EMPTY: DocumentSymbol = DocumentSymbol {
    name: String::new(),
    detail: None,
    kind: SymbolKind::Event,
    tags: None,
    deprecated: None,
    range: gen_lsp_types::Range::new(
        gen_lsp_types::Position::new(0, 0),
        gen_lsp_types::Position::new(0, 0),
    ),
    selection_range: gen_lsp_types::Range::new(
        gen_lsp_types::Position::new(0, 0),
        gen_lsp_types::Position::new(0, 0),
    ),
    children: None,
};

/// The statements of all scripts in whose names a text is.
pub(super) fn workspace_symbols(
    state: &State,
    params: WorkspaceSymbolParams,
) -> Option<WorkspaceSymbolResponse> {
    let query = params.query.to_lowercase();
    let mut found = Vec::new();
    for document in state.scripts() {
        let file = document.uri.as_ref().rsplit('/').next().unwrap_or_default().to_owned();
        for it in statements(document, &state.options) {
            if it.kind == SymbolKind::Property || !it.name.to_lowercase().contains(&query) {
                continue;
            }
            let range = document.lines.range(&document.text, it.span);
            found.push(WorkspaceSymbol {
                location: Location::new(document.uri.clone(), range).into(),
                data: None,
                base_symbol_information: BaseSymbolInformation {
                    name: it.name,
                    kind: it.kind,
                    tags: None,
                    container_name: Some(file.clone()),
                },
            });
            if found.len() >= MAX_SYMBOLS {
                return Some(found.into());
            }
        }
    }
    Some(found.into())
}
