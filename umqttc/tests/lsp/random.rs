//! Random edits, and requests anywhere: the server knows the text that the client does.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::Client;
use crate::text::replaced;

/// What is typed.
const PIECES: &[&str] = &[
    "",
    "\n",
    "\r\n",
    "on init do\n",
    "on topic local \"a/b\" do\n",
    "setvar $x = ",
    "$x",
    "@1",
    "\"",
    "%",
    "grün",
    "💡",
    " ",
    "if ",
    " then\n",
    "endif\n",
    "publish local a b\n",
    "const $c = 1\n",
    "sub s do\n",
    "call s\n",
    "config speed 80\n",
    "(",
    ")",
    "-5",
    "@$c",
    "not(",
    "\u{0}",
    "\r",
    "settimer ",
    "on every 10s do\n",
    "é\u{301}",
];

/// A request at a place.
const REQUESTS: &[&str] = &[
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/documentHighlight",
    "textDocument/prepareRename",
    "textDocument/rename",
    "textDocument/codeAction",
    "textDocument/formatting",
];

#[derive(Clone, Debug)]
enum Step {
    Edit { from: (u32, u32), lines: u32, to: u32, piece: &'static str },
    Ask(&'static str, (u32, u32)),
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0u32..12, 0u32..20);
    prop_oneof![
        3 => (place(), 0u32..3, 0u32..20, prop::sample::select(PIECES))
            .prop_map(|(from, lines, to, piece)| Step::Edit { from, lines, to, piece }),
        1 => (prop::sample::select(REQUESTS), place()).prop_map(|(method, at)| Step::Ask(method, at)),
    ]
}

fn place((line, character): (u32, u32)) -> Value {
    json!({ "line": line, "character": character })
}

/// Everything that is told of a document.
fn told(client: &mut Client, uri: &str) -> Vec<Value> {
    let params = json!({ "textDocument": { "uri": uri } });
    ["textDocument/semanticTokens/full", "textDocument/documentSymbol", "textDocument/foldingRange"]
        .map(|method| client.request(method, params.clone()))
        .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_document_that_was_typed_is_one_that_was_opened(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let mut client = Client::start(None);
        let uri = "file:///typed.script";
        let mut text = String::from("on init do\n    println \"grün 💡\"\n");
        client.open(uri, &text);
        let mut version = 1;
        for step in steps {
            match step {
                Step::Edit { from, lines, to, piece } => {
                    let end = (from.0 + lines, if lines == 0 { from.1 + to } else { to });
                    let range = json!({ "start": place(from), "end": place(end) });
                    // A lone CR ends a line for the protocol, not for the model.
                    if piece == "\r" {
                        continue;
                    }
                    text = replaced(&text, &range, piece);
                    if text.replace("\r\n", "").contains('\r') {
                        text = text.replace('\r', "");
                        version += 1;
                        client.change(uri, version, json!([{ "text": text }]));
                        continue;
                    }
                    version += 1;
                    client.change(uri, version, json!([{ "range": range, "text": piece }]));
                }
                Step::Ask(method, at) => {
                    let params = json!({
                        "textDocument": { "uri": uri },
                        "position": place(at),
                        "range": { "start": place(at), "end": place(at) },
                        "context": { "diagnostics": [], "includeDeclaration": true },
                        "newName": "$other",
                        "options": { "tabSize": 4, "insertSpaces": true },
                    });
                    // An answer, whatever it is.
                    client.response(method, params);
                }
            }
        }
        let found = match version {
            1 => None,
            version => Some(client.diagnostics(uri, version)),
        };
        let other = "file:///opened.script";
        let fresh = client.open(other, &text);
        if let Some(found) = found {
            let found: Value =
                serde_json::from_str(&found.to_string().replace(uri, other)).expect("JSON");
            prop_assert_eq!(found, fresh, "{:?}", text);
        }
        prop_assert_eq!(told(&mut client, uri), told(&mut client, other), "{:?}", text);
        prop_assert_eq!(client.leave(), 0);
    }
}
