//! `textDocument/codeLens`: tests that can be run.

use gen_lsp_types::{CodeLens, CodeLensParams, Command, Range};
use serde_json::json;

use super::documents::Kind;
use super::state::State;
use super::test_run::{RUN_TEST, test_file_of};

/// What can be run of a document.
pub(super) fn code_lens(state: &State, params: CodeLensParams) -> Option<Vec<CodeLens>> {
    let document = state.documents.get(&params.text_document.uri)?;
    let lens = |range: Range, title: String, arguments: Vec<serde_json::Value>| CodeLens {
        range,
        command: Some(Command {
            title,
            command: RUN_TEST.to_owned(),
            arguments: Some(arguments),
            ..Command::default()
        }),
        data: None,
    };
    let uri = json!(document.uri.as_ref());
    let mut found = Vec::new();
    match document.kind {
        Kind::Script => {
            if let Some(path) = test_file_of(&document.uri).filter(|path| path.is_file()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                found.push(lens(Range::default(), format!("run {name}"), vec![uri]));
            }
        }
        Kind::Test => {
            let tests = &document.tests().tests;
            if !tests.is_empty() {
                found.push(lens(Range::default(), "run all tests".to_owned(), vec![uri.clone()]));
            }
            for test in tests {
                let range = document.lines.range(&document.text, test.start);
                let arguments = vec![uri.clone(), json!(test.name)];
                found.push(lens(range, "run test".to_owned(), arguments));
            }
        }
    }
    Some(found)
}
