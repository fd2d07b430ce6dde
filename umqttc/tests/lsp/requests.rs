//! Every request, and what comes of it.

use std::path::Path;

use serde_json::{Value, json};

use crate::client::{Client, uri};
use crate::text::{edited, offset, position};

const SCRIPT: &str = "\
% Switches a lamp: grün 💡
const $topic = \"lamp/command\"
config timezone Europe/Berlin

on init do
    subscribe local $topic
    setvar $on = 0
    setvar @1 = 2 * 3 + 4

on topic local $topic do
    % \"toggle\", or 0 and 1
    % from anywhere
    if $this_data = \"toggle\" then
        setvar $on = not($on)
    else
        setvar $on = $this_data
    endif
    call show

sub show do
    println \"grün 💡 \" | $on
    publish local \"lamp/status\" $on retained
    gpio_out 12 $on
    print @1
";

const OTHER: &str = "\
on init do
    subscribe local \"lamp/status\"
    publish remote lamp/command 1

on topic local \"lamp/+\" do
    println $this_data
";

/// A client with two scripts, the first of them open.
fn start() -> (Client, String, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file");
    write("other.script", OTHER);
    write("lamp.script", "on disk it is another\n");
    let mut client = Client::start(Some(dir.path()));
    let uri = uri(&dir.path().join("lamp.script"));
    client.open(&uri, SCRIPT);
    (client, uri, dir)
}

fn at(uri: &str, text: &str, before: &str) -> Value {
    let offset = text.find(before).unwrap_or_else(|| panic!("no {before:?}"));
    json!({ "textDocument": { "uri": uri }, "position": position(text, offset) })
}

/// The answer, with the temporary folder left out.
fn shown(value: &Value, dir: &Path) -> String {
    let text = serde_json::to_string_pretty(value).expect("JSON");
    text.replace(&uri(dir), "file:///dir")
}

/// Ranges as the text within them.
fn covered(value: &Value, text: &str) -> Value {
    match value {
        Value::Object(map) if map.contains_key("start") && map.contains_key("end") => {
            let covered = &text[offset(text, &map["start"])..offset(text, &map["end"])];
            let line = &map["start"]["line"];
            json!(format!("{line}: {covered}"))
        }
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), covered(value, text))).collect()
        }
        Value::Array(all) => all.iter().map(|value| covered(value, text)).collect(),
        other => other.clone(),
    }
}

#[test]
fn capabilities() {
    let (client, answer) = Client::start_with(json!({ "processId": null, "capabilities": {} }));
    let answer = answer.to_string().replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).expect("JSON"));
    assert_eq!(client.leave(), 0);
}

#[test]
fn diagnostics_and_what_mends_them() {
    let (mut client, uri, dir) = start();
    let mistakes = "on init do\r\n    println \"💡 grün\" settimer 1 2 * 3 + 4\r\n    setvar $x = on\r\n    printl 1\r\n";
    client.change(&uri, 2, json!([{ "text": mistakes }]));
    let found = client.diagnostics(&uri, 2);
    insta::assert_snapshot!("errors", shown(&covered(&found, mistakes), dir.path()));

    client.change(&uri, 3, json!([{ "text": SCRIPT }]));
    let found = client.diagnostics(&uri, 3);
    insta::assert_snapshot!("warnings", shown(&covered(&found, SCRIPT), dir.path()));
    let range = found[0]["range"].clone();
    let context = json!({ "diagnostics": found });
    let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": context });
    let actions = client.request("textDocument/codeAction", params.clone());
    insta::assert_snapshot!("actions", shown(&covered(&actions, SCRIPT), dir.path()));
    // The edits are for the version they were made of, and mend it.
    let change = &actions[0]["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"]["version"], 3);
    client.change(&uri, 4, json!([{ "text": edited(SCRIPT, &change["edits"]) }]));
    assert_eq!(client.diagnostics(&uri, 4), json!([]));
    let actions = client.request("textDocument/codeAction", params);
    assert_eq!(actions, json!([]));
    // Nothing is left of a document that is closed.
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    client.wait(|it| it["params"]["uri"] == uri && it["params"]["diagnostics"] == json!([]));
    assert_eq!(client.leave(), 0);
}

#[test]
fn fix_all_is_what_check_fix_does() {
    let mut client = Client::start(None);
    let text = "on init do\n    println a == b\n    settimer 1 2 * 3 + 4\n    printl 1\n";
    let uri = "file:///a.script";
    client.open(uri, text);
    let range = json!({ "start": position(text, 0), "end": position(text, 0) });
    let context = json!({ "diagnostics": [], "only": ["source.fixAll"] });
    let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": context });
    let actions = client.request("textDocument/codeAction", params);
    assert_eq!(actions.as_array().map(Vec::len), Some(1), "{actions}");
    let mended = edited(text, &actions[0]["edit"]["documentChanges"][0]["edits"]);
    let ran = crate::mended(text);
    assert_eq!(mended, ran);
    assert_ne!(mended, text);
    assert_eq!(client.leave(), 0);
}

#[test]
fn hover() {
    let (mut client, uri, dir) = start();
    let mut all = String::new();
    for word in [
        "const $topic",
        "$topic =",
        "timezone",
        "Europe",
        "on init",
        "init",
        "subscribe",
        "setvar @1",
        "@1",
        "topic local",
        "$this_data",
        "= \"toggle\"",
        "not(",
        "$on = $this",
        "call",
        "show\n\n",
        "lamp/status",
        "retained",
        "12",
        "\"grün",
    ] {
        let params = at(&uri, SCRIPT, word);
        let hover = client.request("textDocument/hover", params);
        all += &format!(
            "--- {word:?}\n{}\n",
            match &hover {
                Value::Null => "nothing".to_owned(),
                hover => format!(
                    "{} at {}",
                    hover["contents"]["value"].as_str().expect("a text"),
                    covered(&hover["range"], SCRIPT)
                ),
            }
        );
    }
    insta::assert_snapshot!(all.replace(&crate::client::uri(dir.path()), "file:///dir"));
    assert_eq!(client.leave(), 0);
}

#[test]
fn completion() {
    let (mut client, uri, _dir) = start();
    let mut all = String::new();
    for (number, typed) in [
        "",
        "on ",
        "on init do\n",
        "on topic local ",
        "on topic local \"",
        "on init do publish local lamp/",
        "config ",
        "config speed ",
        "config auto_connect ",
        "const $n = 5 const $t = a\non timer ",
        "on init do setvar $a = 1 setvar $",
        "sub blink do println 1 on init do call ",
        "on serial do println $th",
        "on init do println $th",
        "on clock ",
        "on clock 07:00 ",
        "on every ",
        "% on ",
        "on init do println \"a ",
    ]
    .into_iter()
    .enumerate()
    {
        let version = 2 + i32::try_from(number).expect("few");
        client.change(&uri, version, json!([{ "text": typed }]));
        let place = position(typed, typed.len());
        let params = json!({ "textDocument": { "uri": uri }, "position": place });
        let items = client.request("textDocument/completion", params);
        let shown = items.as_array().expect("items").iter().map(|item| {
            let new = item["textEdit"]["newText"].as_str().expect("a text");
            let label = item["label"].as_str().expect("a label");
            let detail = item["detail"].as_str().unwrap_or_default();
            if new == label {
                format!("{label}{detail}")
            } else {
                format!("{label} ({new}){detail}")
            }
        });
        all += &format!("--- {typed:?}\n{}\n", shown.collect::<Vec<_>>().join(", "));
    }
    insta::assert_snapshot!(all);
    let params = json!({ "textDocument": { "uri": uri }, "position": position("", 0) });
    client.change(&uri, 99, json!([{ "text": "" }]));
    let items = client.request("textDocument/completion", params);
    insta::assert_snapshot!(
        "completion_item",
        serde_json::to_string_pretty(&items[0]).expect("JSON")
    );
    assert_eq!(client.leave(), 0);
}

#[test]
fn definition_references_and_highlights() {
    let (mut client, uri, dir) = start();
    let mut all = String::new();
    for word in ["$topic\n", "$on = not", "show\n\nsub", "@1\n", "lamp/status", "init"] {
        let place = at(&uri, SCRIPT, word);
        let definition = client.request("textDocument/definition", place.clone());
        let mut params = place.clone();
        params["context"] = json!({ "includeDeclaration": false });
        let references = client.request("textDocument/references", params);
        let highlights = client.request("textDocument/documentHighlight", place);
        let lines = |value: &Value| match value.as_array() {
            None => "nothing".to_owned(),
            Some(found) => found
                .iter()
                .map(|it| {
                    let file = it["uri"].as_str().and_then(|uri| uri.rsplit('/').next());
                    let text = if file == Some("other.script") { OTHER } else { SCRIPT };
                    let range = covered(&it["range"], text);
                    let kind = it["kind"].as_i64().map(|kind| format!(" kind {kind}"));
                    format!("{} {range}{}", file.unwrap_or_default(), kind.unwrap_or_default())
                })
                .collect::<Vec<_>>()
                .join("\n  "),
        };
        all += &format!(
            "--- {word:?}\ndefinition:\n  {}\nreferences:\n  {}\nhighlights:\n  {}\n",
            lines(&definition),
            lines(&references),
            lines(&highlights)
        );
    }
    insta::assert_snapshot!(all.replace(&crate::client::uri(dir.path()), "file:///dir"));
    assert_eq!(client.leave(), 0);
}

#[test]
fn rename_and_what_it_refuses() {
    let (mut client, uri, dir) = start();
    let prepared = client.request("textDocument/prepareRename", at(&uri, SCRIPT, "$on"));
    assert_eq!(prepared["placeholder"], "$on");
    assert_eq!(
        client.request("textDocument/prepareRename", at(&uri, SCRIPT, "lamp/status")),
        Value::Null
    );
    let mut all = String::new();
    for (word, name) in [
        ("$on", "state"),
        ("$on", "$state"),
        ("$on", "topic"),
        ("$on", "this_data"),
        ("$on", "a b"),
        ("$on", ""),
        ("$on", "a+b"),
        ("$topic", "$t"),
        ("show\n\n", "blink"),
        ("show\n\n", "if"),
        ("show\n\n", "$x"),
        ("@1", "2"),
        ("@1", "@17"),
        ("@1", "name"),
        ("init", "x"),
        ("lamp/status", "x"),
        ("$on", "\u{e4}"),
        ("$on", "on"),
    ] {
        let mut params = at(&uri, SCRIPT, word);
        params["newName"] = json!(name);
        let answer = client.response("textDocument/rename", params);
        let told = match answer.get("error") {
            Some(error) => error["message"].as_str().expect("a message").to_owned(),
            None => {
                let edits = &answer["result"]["documentChanges"][0]["edits"];
                let shown = edits.as_array().expect("edits").iter().map(|edit| {
                    format!("{} -> {}", covered(&edit["range"], SCRIPT), edit["newText"])
                });
                shown.collect::<Vec<_>>().join(", ")
            }
        };
        all += &format!("{word:?} to {name:?}: {told}\n");
    }
    insta::assert_snapshot!(all.replace(&crate::client::uri(dir.path()), "file:///dir"));
    assert_eq!(client.leave(), 0);
}

#[test]
fn formatting_is_what_fmt_does() {
    let mut client = Client::start(None);
    let uri = "file:///a.script";
    for (number, text) in [
        "on init do println 1",
        "on init do\r\n  println \"grün 💡\"\r\n\r\n\r\nprint 2\r\n",
        SCRIPT,
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let version = 2 + i32::try_from(number).expect("few");
        match number {
            0 => _ = client.open(uri, text),
            _ => client.change(uri, version, json!([{ "text": text }])),
        }
        let options = json!({ "tabSize": 4, "insertSpaces": true });
        let params = json!({ "textDocument": { "uri": uri }, "options": options });
        let edits = client.request("textDocument/formatting", params);
        assert_eq!(edited(text, &edits), crate::formatted(text), "{text:?}");
    }
    client.change(uri, 9, json!([{ "text": "on init" }]));
    let params = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 4, "insertSpaces": true } });
    assert_eq!(client.request("textDocument/formatting", params), Value::Null);
    assert_eq!(client.leave(), 0);
}

#[test]
fn outline_folding_tokens_and_workspace_symbols() {
    let (mut client, uri, dir) = start();
    let document = json!({ "textDocument": { "uri": uri } });
    let symbols = client.request("textDocument/documentSymbol", document.clone());
    insta::assert_snapshot!("symbols", shown(&covered(&symbols, SCRIPT), dir.path()));
    let folds = client.request("textDocument/foldingRange", document.clone());
    insta::assert_snapshot!("folds", folds.to_string());
    let found = client.request("workspace/symbol", json!({ "query": "LAMP" }));
    insta::assert_snapshot!("workspace_symbols", shown(&found, dir.path()));
    let tokens = client.request("textDocument/semanticTokens/full", document);
    insta::assert_snapshot!("tokens", described(&tokens["data"], SCRIPT));
    assert_eq!(client.leave(), 0);
}

/// The words that tokens stand for, a line each.
fn described(data: &Value, text: &str) -> String {
    let legend = [
        "keyword", "event", "method", "function", "operator", "variable", "property", "string",
        "number", "comment", "macro",
    ];
    let data: Vec<u64> =
        data.as_array().expect("numbers").iter().map(|it| it.as_u64().expect("a number")).collect();
    let (mut line, mut start) = (0, 0);
    let mut out = String::new();
    for token in data.chunks(5) {
        line += token[0];
        start = if token[0] == 0 { start + token[1] } else { token[1] };
        let from = offset(text, &json!({ "line": line, "character": start }));
        let to = offset(text, &json!({ "line": line, "character": start + token[2] }));
        let kind = legend[usize::try_from(token[3]).expect("few")];
        out += &format!("{line}:{start} {:?} {kind} {:05b}\n", &text[from..to], token[4]);
    }
    out
}

#[test]
fn tests_are_run_and_what_fails_is_shown() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = "on gpio_interrupt 0 pullup do println \"pressed\"\n";
    let test = "use lamp.script\n\ntest \"it is pressed\"\n    start\n    pin 0 0\n    wait 50ms\n    expect println pressed\n\ntest \"it is not\"\n    start\n    wait 50ms\n    expect println \"💡\"\n";
    std::fs::write(dir.path().join("lamp.script"), script).expect("a file");
    std::fs::write(dir.path().join("lamp.test"), test).expect("a file");
    let mut client = Client::start(Some(dir.path()));
    let script_uri = uri(&dir.path().join("lamp.script"));
    let test_uri = uri(&dir.path().join("lamp.test"));
    client.open(&script_uri, script);
    assert_eq!(client.open(&test_uri, test), json!([]));
    let params = json!({ "textDocument": { "uri": test_uri } });
    let symbols = client.request("textDocument/documentSymbol", params.clone());
    insta::assert_snapshot!("test_symbols", shown(&covered(&symbols, test), dir.path()));
    let lenses = client.request("textDocument/codeLens", params);
    insta::assert_snapshot!("test_lenses", shown(&covered(&lenses, test), dir.path()));
    let params = json!({ "textDocument": { "uri": script_uri } });
    let lenses = client.request("textDocument/codeLens", params);
    assert_eq!(lenses[0]["command"]["title"], "run lamp.test");

    let run = |client: &mut Client, arguments: Value| {
        let params = json!({ "command": "umqtt.runTest", "arguments": arguments });
        let result = client.request("workspace/executeCommand", params);
        let told = client.wait(|message| message["method"] == "window/showMessage");
        (result, told["params"].clone())
    };
    let (result, told) = run(&mut client, json!([script_uri]));
    assert_eq!((&result["passed"], &result["failed"]), (&json!(1), &json!(1)));
    assert_eq!(told["message"], "lamp.test: 1 of 2 tests failed: it is not");
    let found = client.diagnostics(&test_uri, 1);
    insta::assert_snapshot!("failed", shown(&covered(&found, test), dir.path()));
    let (result, told) = run(&mut client, json!([test_uri, "it is pressed"]));
    assert_eq!((&result["passed"], &told["type"]), (&json!(1), &json!(3)));
    assert_eq!(client.diagnostics(&test_uri, 1), json!([]));
    let (_, told) = run(&mut client, json!([test_uri, "nothing"]));
    assert_eq!(told["message"], "lamp.test has no such test");
    assert_eq!(client.diagnostics(&test_uri, 1), json!([]));
    // What fails belongs to the text that was run.
    run(&mut client, json!([test_uri]));
    assert_eq!(client.diagnostics(&test_uri, 1).as_array().map(Vec::len), Some(1));
    client.change(&test_uri, 2, json!([{ "text": "test\n" }]));
    let found = client.diagnostics(&test_uri, 2);
    assert_eq!(found[0]["source"], "umqttc test");
    assert!(!found.to_string().contains("it is not"), "{found}");
    // A file that cannot be read says so.
    let missing = uri(&dir.path().join("missing.test"));
    let (_, told) = run(&mut client, json!([missing]));
    assert!(told["message"].as_str().is_some_and(|it| it.contains("cannot run")), "{told}");
    assert_eq!(client.leave(), 0);
}
