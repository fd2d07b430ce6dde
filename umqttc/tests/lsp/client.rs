//! A client of `umqttc lsp`, as an editor is one: a real process, messages over its streams.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long an answer may take on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A running server.
pub(crate) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// What came while something else was waited for.
    others: Vec<Value>,
    next: i32,
}

impl Client {
    /// Starts a server that was told nothing yet.
    pub(crate) fn spawn() -> Client {
        let mut child = Command::new(env!("CARGO_BIN_EXE_umqttc"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().expect("is piped"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Client { child, input, messages, others: Vec::new(), next: 0 }
    }

    /// Starts a server for a folder, and says hello.
    pub(crate) fn start(folder: Option<&Path>) -> Client {
        let mut params = json!({ "processId": null, "capabilities": {
            "workspace": { "workspaceEdit": { "documentChanges": true } }
        } });
        if let Some(folder) = folder {
            params["workspaceFolders"] = json!([{ "uri": uri(folder), "name": "scripts" }]);
        }
        Client::start_with(params).0
    }

    /// Starts a server with these parameters; and its answer.
    pub(crate) fn start_with(params: Value) -> (Client, Value) {
        let mut client = Client::spawn();
        let answer = client.request("initialize", params);
        client.notify("initialized", json!({}));
        (client, answer)
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("is open");
        // A server that has ended is noticed by what it does not answer.
        let _ = input.write_all(bytes).and_then(|()| input.flush());
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_raw(framed(message).as_bytes());
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request; its id.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> i32 {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Sends a request; the whole answer.
    pub(crate) fn response(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// Sends a request; its result.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let answer = self.response(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The answer to a request.
    pub(crate) fn answer(&mut self, id: i32) -> Value {
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    /// The next message that is wanted, perhaps one that has come already.
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.others.iter().position(&wanted) {
            return self.others.remove(at);
        }
        let end = Instant::now() + TIMEOUT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) if wanted(&message) => return message,
                Ok(message) => self.others.push(message),
                Err(RecvTimeoutError::Timeout) => panic!("no answer: {:?}", self.others),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server has ended with {:?}: {:?}", self.child.wait(), self.others)
                }
            }
        }
    }

    /// Opens a document; its diagnostics.
    pub(crate) fn open(&mut self, uri: &str, text: &str) -> Value {
        let language = if uri.ends_with(".test") { "umqtt-test" } else { "umqtt" };
        let item = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": item }));
        self.diagnostics(uri, 1)
    }

    /// Sends changes of a document.
    pub(crate) fn change(&mut self, uri: &str, version: i32, changes: Value) {
        let params = json!({
            "textDocument": { "uri": uri, "version": version },
            "contentChanges": changes,
        });
        self.notify("textDocument/didChange", params);
    }

    /// The diagnostics of a version of a document; those of versions before are passed over.
    pub(crate) fn diagnostics(&mut self, uri: &str, version: i32) -> Value {
        let is_it = |message: &Value| {
            let params = &message["params"];
            message["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == version
        };
        self.wait(is_it)["params"]["diagnostics"].clone()
    }

    /// Takes leave as it should be; the exit code.
    pub(crate) fn leave(mut self) -> i32 {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        self.exit_code()
    }

    /// Closes the server's input.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }

    /// Waits for the server to end.
    pub(crate) fn exit_code(mut self) -> i32 {
        let end = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("can be waited for") {
                return status.code().expect("was not killed");
            }
            assert!(Instant::now() < end, "the server does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A message with its header.
pub(crate) fn framed(message: &Value) -> String {
    let text = message.to_string();
    format!("Content-Length: {}\r\n\r\n{text}", text.len())
}

/// The URI of a file.
pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn read(output: &mut BufReader<impl std::io::Read>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().expect("a number"),
            Some(_) => {}
            None => break,
        }
    }
    let mut bytes = vec![0; length];
    output.read_exact(&mut bytes).ok()?;
    Some(serde_json::from_slice(&bytes).expect("JSON"))
}
