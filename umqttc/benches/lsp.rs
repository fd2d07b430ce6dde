//! How long `umqttc lsp` takes from a key to the diagnostics in an editor, and to what an editor
//! asks for on the way, for scripts of 4 and of 64 KB. The aim: diagnostics in less than 20 ms.

#[path = "../tests/lsp/client.rs"]
#[allow(dead_code, reason = "a part of it is for tests")]
mod client;

use std::time::{Duration, Instant};

use client::Client;
use serde_json::{Value, json};

/// Keys that are typed.
const KEYS: usize = 60;

/// A script of rooms that is about so long.
fn script(bytes: usize) -> String {
    let mut text = String::from("on init do\n    setvar $typed = 0\n    println $typed\n");
    for room in 0.. {
        let name = format!("room{}", room % 200);
        let next = format!(
            "\non topic local \"{name}/{room}/command\" do\n    if $this_data = \"toggle\" then\n        setvar ${name} = not(${name})\n    else\n        setvar ${name} = $this_data = \"on\"\n    endif\n    gpio_out {} ${name}\n    publish local \"{name}/{room}/status\" ${name} retained\n",
            room % 6 + 12
        );
        let subscription = format!("    subscribe local \"{name}/{room}/command\"\n");
        if text.len() + next.len() + subscription.len() > bytes {
            return text;
        }
        let init = text.find("    println").unwrap_or_default();
        text.insert_str(init, &subscription);
        text.push_str(&next);
    }
    text
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() - 1) * share / 100).copied().unwrap_or_default();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    println!("{what:<44} median {:6.2} ms   worst {:6.2} ms", millis(at(50)), millis(at(100)));
}

fn measure(bytes: usize) {
    let mut client = Client::start(None);
    let uri = "file:///typed.script";
    let text = script(bytes);
    println!("a script of {} bytes", text.len());
    let found = client.open(uri, &text);
    println!("{:<44} {}", "diagnostics of it", found.as_array().map_or(0, Vec::len));
    let mut version = 1;
    // A digit more, a digit less; and a letter where it makes the script wrong.
    for (what, line, character, key) in [
        ("a key, right", 1, 19, "1"),
        ("a key, wrong", 2, 4, "x"),
        ("a key at the end", 9999, 0, "%"),
    ] {
        let mut times = Vec::new();
        for number in 0..KEYS {
            let at = json!({ "line": line, "character": character });
            let behind = json!({ "line": line, "character": character + 1 });
            let (end, new) = if number % 2 == 0 { (&at, key) } else { (&behind, "") };
            version += 1;
            let began = Instant::now();
            let range = json!({ "start": at, "end": end });
            client.change(uri, version, json!([{ "range": range, "text": new }]));
            client.diagnostics(uri, version);
            times.push(began.elapsed());
        }
        report(what, times);
    }
    let document = json!({ "uri": uri });
    let place = json!({ "line": 6, "character": 4 });
    let params = |extra: Value| {
        let mut params = json!({ "textDocument": document, "position": place });
        if let (Some(params), Value::Object(extra)) = (params.as_object_mut(), extra) {
            params.extend(extra);
        }
        params
    };
    for (method, extra) in [
        ("textDocument/semanticTokens/full", json!({})),
        ("textDocument/documentSymbol", json!({})),
        ("textDocument/completion", json!({})),
        ("textDocument/hover", json!({})),
        ("textDocument/formatting", json!({ "options": { "tabSize": 4, "insertSpaces": true } })),
    ] {
        let mut times = Vec::new();
        for number in 0..KEYS {
            // A text of its own, so that nothing is known of it.
            let at = json!({ "line": 1, "character": 19 });
            let behind = json!({ "line": 1, "character": 20 });
            let (end, new) = if number % 2 == 0 { (&at, "1") } else { (&behind, "") };
            version += 1;
            client.change(
                uri,
                version,
                json!([{ "range": { "start": at, "end": end }, "text": new }]),
            );
            client.diagnostics(uri, version);
            let began = Instant::now();
            client.request(method, params(extra.clone()));
            times.push(began.elapsed());
        }
        report(method, times);
    }
    assert_eq!(client.leave(), 0, "the server leaves as it should");
}

fn main() {
    // `cargo test --benches` wants to know that it runs.
    let is_test = std::env::args().any(|argument| argument == "--test");
    if is_test {
        return measure(4 << 10);
    }
    measure(4 << 10);
    println!();
    measure(64 << 10);
}
