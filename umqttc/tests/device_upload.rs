//! Scripts that reach the running device: pushed with netcat, fetched over HTTP, as source and as
//! bytecode; and everything that is refused.
#![cfg(unix)]

mod common;

use std::fs;

use common::console::{ConsoleClient, push};
use common::device::{Device, free_port, local};
use common::http::{Server, chunked, redirect, refusal, until_close, whole};
use common::{folder, umqttc};

const FIRST: &str = "on init do publish local \"who\" \"first\" retained\n";
const SECOND: &str = "on init do publish local \"who\" \"second\" retained\n";

/// Starts an upload by `script PORT` and sends `bytes` to that port; returns what the console says
/// in the end.
fn upload(console: &mut ConsoleClient, bytes: &[u8]) -> String {
    let port = free_port();
    let reply = console.ask(&format!("script {port}"));
    assert!(reply.contains(&format!("Waiting for script upload on port {port}")), "{reply}");
    push(local(port), bytes);
    console.until("CMD>")
}

fn who(device: &Device) -> String {
    let client = device.mqtt("asker");
    client.subscribe("who");
    client.on("who")
}

#[test]
fn a_script_is_pushed_as_source_and_as_bytecode() {
    let dir = folder(&[("second.script", SECOND.as_bytes())]);
    let device = Device::start(dir.path(), Some(FIRST));
    let mut console = device.console();
    assert_eq!(who(&device), "first");

    let said = upload(&mut console, SECOND.as_bytes());
    assert!(said.contains(&format!("Script upload completed ({} Bytes)", SECOND.len())), "{said}");
    assert!(said.contains("Syntax okay"), "{said}");
    assert_eq!(who(&device), "second");

    assert!(upload(&mut console, FIRST.as_bytes()).contains("Syntax okay"));
    assert_eq!(who(&device), "first");
    assert_eq!(umqttc(dir.path(), &["build", "second.script"]).code, 0);
    let image = fs::read(dir.path().join("second.umq")).unwrap();
    let said = upload(&mut console, &image);
    let len = image.len();
    let report = format!("Script upload completed ({len} Bytes)\r\nSyntax okay\r\n");
    assert!(said.contains(&report) && !said.contains("arning"), "{said}");
    assert_eq!(who(&device), "second");
    let shown = console.ask("show script");
    assert!(shown.contains("publish_local"), "bytecode without source is disassembled: {shown}");
}

#[test]
fn what_is_refused_leaves_the_running_script() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(FIRST));
    let mut console = device.console();
    let huge = vec![b'%'; 70_000];
    let mut broken_image = b"uMQ!".to_vec();
    broken_image.extend_from_slice(&[1; 100]);
    for (bytes, why) in [
        (&b"on init do println $nosuch\n"[..], "line 1"),
        (b"on init do\n  if then", "line 2"),
        (b"", ""),
        (&huge, ""),
        (&broken_image, ""),
        (b"\xff\xfe\0\0 garbage", "line 1"),
    ] {
        let said = upload(&mut console, bytes);
        assert!(!said.contains("Syntax okay"), "{said}");
        assert!(said.to_lowercase().contains(why), "{why:?} in {said:?}");
        assert!(console.ask("show script").contains("\"first\""));
        assert_eq!(who(&device), "first");
    }
}

#[test]
fn a_script_is_fetched_over_http() {
    let server = Server::start(|path| match path {
        "/plain" => whole(SECOND.as_bytes()),
        "/chunked" => chunked(FIRST.as_bytes()),
        "/close" => until_close(SECOND.as_bytes()),
        "/moved" => redirect("/chunked"),
        "/round" => redirect("/round"),
        "/broken" => whole(b"on nothing do"),
        "/long" => whole(&vec![b'%'; 70_000]),
        "/huge" => whole(&vec![b'%'; 500_000]),
        _ => refusal(404),
    });
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(FIRST));
    let mut console = device.console();
    let mut fetch = |path: &str| {
        let reply = console.ask(&format!("script {}", server.url(path)));
        assert!(reply.contains("HTTP request to"), "{reply}");
        console.until("CMD>")
    };
    for (path, expected) in
        [("/plain", "second"), ("/chunked", "first"), ("/close", "second"), ("/moved", "first")]
    {
        let said = fetch(path);
        assert!(said.contains("HTTP script download completed"), "{path}: {said}");
        assert!(said.contains("Syntax okay"), "{path}: {said}");
        assert_eq!(who(&device), expected, "{path}");
    }
    for (path, expected) in [
        ("/missing", "HTTP script upload failed (error code 404)"),
        ("/huge", "HTTP script upload failed (script too long)"),
        ("/long", "HTTP script upload failed (script too long)"),
        ("/round", "HTTP script upload failed"),
        ("/broken", "line 1"),
    ] {
        let said = fetch(path);
        assert!(said.contains(expected) && !said.contains("Syntax okay"), "{path}: {said}");
    }
    assert_eq!(who(&device), "first");
}

#[test]
fn http_actions_of_a_script() {
    let server = Server::start(|path| match path {
        "/weather" => whole(br#"{"now":{"t":[21,22]}}"#),
        _ => refusal(404),
    });
    let dir = folder(&[]);
    let script = format!(
        "on init do subscribe local \"ask\"\n\
         on topic local \"ask\" do http_get \"{}\" | $this_data\n\
         on http_response do publish local \"answer\" $this_http_code | \" \" | $this_http_path | \" \" | json_parse(\"now.t.1\", $this_http_body)\n",
        server.url("/")
    );
    let device = Device::start(dir.path(), Some(&script));
    let client = device.mqtt("asker");
    client.subscribe("answer");
    client.publish("ask", "weather");
    assert_eq!(client.on("answer"), "200 /weather 22");
    client.publish("ask", "nothing");
    assert_eq!(client.on("answer"), "404 /nothing ");
}

#[test]
fn a_script_is_deleted() {
    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(FIRST));
    let mut console = device.console();
    assert!(console.ask("script delete").contains("Script deleted"));
    assert!(!console.ask("show script").contains("first"));
}
