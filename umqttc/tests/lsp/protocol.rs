//! The life of a client, and what no client should send.

use serde_json::{Value, json};

use crate::client::{Client, framed};

const HELLO: fn() -> Value = || json!({ "processId": null, "capabilities": {} });

#[test]
fn it_leaves_as_it_should() {
    let client = Client::start(None);
    assert_eq!(client.leave(), 0);
}

#[test]
fn it_leaves_as_it_should_not() {
    let mut client = Client::start(None);
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_code(), 1);
    // Without a word, before and behind the first.
    let mut client = Client::spawn();
    client.hang_up();
    assert_eq!(client.exit_code(), 1);
    let mut client = Client::start(None);
    client.hang_up();
    assert_eq!(client.exit_code(), 1);
    // In the middle of a message.
    let mut client = Client::start(None);
    client.send_raw(b"Content-Length: 1000\r\n\r\n{");
    client.hang_up();
    assert_eq!(client.exit_code(), 1);
}

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}"))
}

#[test]
fn the_order_of_requests() {
    let mut client = Client::spawn();
    assert_eq!(code(&client.response("textDocument/hover", json!({}))), -32002);
    client.request("initialize", HELLO());
    assert_eq!(code(&client.response("initialize", HELLO())), -32600);
    assert_eq!(code(&client.response("textDocument/nonsense", json!({}))), -32601);
    assert_eq!(code(&client.response("textDocument/hover", json!({ "a": 1 }))), -32602);
    client.notify("$/nonsense", json!({ "a": 1 }));
    client.notify("textDocument/didOpen", json!([1]));
    let command = json!({ "command": "nonsense" });
    assert_eq!(code(&client.response("workspace/executeCommand", command)), -32602);
    client.request("shutdown", Value::Null);
    assert_eq!(code(&client.response("textDocument/hover", json!({}))), -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_code(), 0);
}

#[test]
fn what_is_no_message_is_answered_and_what_follows_is_served() {
    let mut client = Client::start(None);
    let too_long = format!("Content-Length: 5000000\r\n\r\n{}", "x".repeat(5_000_000));
    for (bytes, wanted) in [
        ("Content-Length: 1\r\n\r\n{".to_owned(), -32700),
        ("Content-Length: x\r\nOther: 1\r\n\r\n".to_owned(), -32700),
        ("nothing at all\r\n\r\n".to_owned(), -32700),
        ("Content-Length: 2\r\n\r\n[]".to_owned(), -32600),
        (framed(&json!({ "jsonrpc": "2.0", "id": {}, "method": "a" })), -32600),
        (too_long, -32600),
    ] {
        client.send_raw(bytes.as_bytes());
        let answer = client.wait(|message| message.get("id") == Some(&Value::Null));
        assert_eq!(code(&answer), wanted, "{answer}");
    }
    // With the id it has.
    client.send(&json!({ "jsonrpc": "2.0", "id": 1e12, "method": "a" }));
    assert_eq!(code(&client.wait(|message| message["id"] == 1e12)), -32600);
    assert_eq!(client.open("file:///a.script", "on init do println 1\n"), json!([]));
    assert_eq!(client.leave(), 0);
}

#[test]
fn what_is_cancelled_before_its_turn_is_not_done() {
    let mut client = Client::start(None);
    let text = "on init do\n    println 1\n".repeat(400);
    let uri = "file:///a.script";
    client.open(uri, &text);
    // The first keeps the server busy until all have come.
    let params = json!({ "textDocument": { "uri": uri } });
    let mut ids = Vec::new();
    let mut bytes = String::new();
    for number in 0..20 {
        let id = format!("r{number}");
        let method = "textDocument/semanticTokens/full";
        bytes +=
            &framed(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        ids.push(id);
    }
    let cancel = json!({ "id": "r19" });
    bytes += &framed(&json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": cancel }));
    client.send_raw(bytes.as_bytes());
    // Each has one answer; the last is the result, or says that it was cancelled.
    for id in &ids {
        let answer = client.wait(|message| message["id"] == *id);
        match answer.get("error") {
            Some(_) => assert_eq!((id.as_str(), code(&answer)), ("r19", -32800)),
            None => assert!(answer["result"]["data"].is_array()),
        }
    }
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_change_that_comes_too_late_is_not_taken() {
    let mut client = Client::start(None);
    let uri = "file:///a.script";
    client.open(uri, "on init do println 1\n");
    client.change(uri, 5, json!([{ "text": "on init do println $x\n" }]));
    assert_eq!(client.diagnostics(uri, 5)[0]["code"], "E0011");
    client.change(uri, 4, json!([{ "text": "" }]));
    let told = client.wait(|message| message["method"] == "window/logMessage");
    assert!(told["params"]["message"].as_str().is_some_and(|it| it.contains("too late")), "{told}");
    let symbols =
        client.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(symbols.as_array().map(Vec::len), Some(1));
    // Of a document that is not open nothing is known.
    client.change("file:///b.script", 1, json!([{ "text": "" }]));
    let params = json!({ "textDocument": { "uri": "file:///b.script" } });
    assert_eq!(client.request("textDocument/documentSymbol", params), Value::Null);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_text_that_is_too_long_and_documents_that_are_too_many() {
    let mut client = Client::start(None);
    let uri = "file:///a.script";
    let found = client.open(uri, &"% a\n".repeat(100_000));
    assert!(found[0]["message"].as_str().is_some_and(|it| it.contains("longer than")), "{found}");
    let at = json!({ "line": 0, "character": 0 });
    let part = json!([{ "range": { "start": at, "end": at }, "text": "on" }]);
    client.change(uri, 2, part);
    assert_eq!(client.diagnostics(uri, 2).as_array().map(Vec::len), Some(1));
    client.change(uri, 3, json!([{ "text": "% short again" }]));
    assert_eq!(client.diagnostics(uri, 3)[0]["code"], "W0027");
    // What the compiler does not take is told of by the compiler.
    client.change(uri, 4, json!([{ "text": "% a\n".repeat(20_000) }]));
    assert_eq!(client.diagnostics(uri, 4)[0]["code"], "E0010");
    for number in 1..256 {
        client.open(&format!("file:///{number}.script"), "on init do println 1");
    }
    let item =
        json!({ "uri": "file:///more.script", "languageId": "umqtt", "version": 1, "text": "" });
    client.notify("textDocument/didOpen", json!({ "textDocument": item }));
    let told = client.wait(|message| message["method"] == "window/showMessage");
    assert_eq!(told["params"]["message"], "more than 256 documents are open");
    assert_eq!(client.leave(), 0);
}

#[test]
fn what_the_client_chooses() {
    let script = "on timer 20 do println 1\non init do settimer 20 1\n";
    let mut params = HELLO();
    params["initializationOptions"] = json!({ "profile": "esp8266" });
    params["capabilities"] = json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } });
    let (mut client, answer) = Client::start_with(params);
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-8");
    let uri = "file:///a.script";
    assert_eq!(client.open(uri, script)[0]["code"], "E0007");
    let settings = json!({ "settings": { "umqttc": { "profile": "desktop" } } });
    client.notify("workspace/didChangeConfiguration", settings);
    assert_eq!(client.diagnostics(uri, 1), json!([]));
    let settings = json!({ "settings": { "umqttc": { "profile": "toaster" } } });
    client.notify("workspace/didChangeConfiguration", settings);
    let told = client.wait(|message| message["method"] == "window/showMessage");
    let message = told["params"]["message"].as_str().expect("a message");
    assert!(message.contains("no profile \"toaster\""), "{message}");
    assert_eq!(client.leave(), 0);
}
