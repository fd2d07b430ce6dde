//! What is done with each message. Messages come in with [`Server::handle`] and are left for
//! [`Server::take_messages`]; diagnostics are made by [`Server::poll_diagnostics`], one document at
//! a time.

use std::collections::{BTreeMap, BTreeSet};

use gen_lsp_types::{
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, ExecuteCommandParams, InitializeParams,
    InitializeResult, LanguageKind, MessageType, PublishDiagnosticsParams, ServerInfo,
    ShowMessageParams, Uri, WorkspaceFolders,
};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::capabilities::capabilities;
use super::documents::{Document, DocumentError, Kind, MAX_DOCUMENTS};
use super::positions::Encoding;
use super::queue::{cancelled, request_id};
use super::state::{Client, RequestError, State};
use super::test_run::{MAX_JOBS, RUN_TEST, TestJob, TestResult, test_file_of};
use super::{
    code_action, code_lens, completion, diagnostics, folding, formatting, hover, outline,
    references, rename, semantic_tokens, uri,
};

/// Where the client is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    /// It has not said what it is yet.
    #[default]
    New,
    /// It works.
    Running,
    /// It has asked for the end.
    ShuttingDown,
    /// It has left.
    Ended {
        /// Having asked for the end before.
        in_order: bool,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Server {
    state: State,
    status: Status,
    /// Documents whose diagnostics are to be made.
    unchecked: BTreeSet<String>,
    /// Expectations that failed, by the document they are in.
    failed: BTreeMap<String, Vec<gen_lsp_types::Diagnostic>>,
    /// Tests that run, by the request.
    running: BTreeSet<RequestId>,
    jobs: Vec<TestJob>,
    out: Vec<Message>,
    requests: i32,
}

impl Server {
    /// Where the client is in its life.
    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// Messages for the client.
    pub(super) fn take_messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.out)
    }

    /// Tests to be run; what comes of them goes to [`Server::handle_tested`].
    pub(super) fn take_jobs(&mut self) -> Vec<TestJob> {
        std::mem::take(&mut self.jobs)
    }

    /// Takes a message of the client.
    pub(super) fn handle(&mut self, message: Message) {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                let response = match self.request(request) {
                    Ok(Some(value)) => Response::new_ok(id, value),
                    // It comes later.
                    Ok(None) => return,
                    Err(error) => Response::new_err(id, error.code(), error.message),
                };
                self.out.push(response.into());
            }
            Message::Notification(notification) => self.notification(notification),
            // Of what was asked nothing depends on the answer.
            Message::Response(_) => {}
        }
    }

    /// The answer to a request; `None` if it is given later.
    fn request(&mut self, request: Request) -> Result<Option<Value>, RequestError> {
        let refuse = |code, message: &str| Err(RequestError::new(code, message));
        match (self.status, request.method.as_str()) {
            (Status::New, "initialize") => {
                return self.initialize(params(request.params)?).map(Some);
            }
            (Status::New, _) => {
                return refuse(ErrorCode::ServerNotInitialized, "the first request is initialize");
            }
            (Status::Running, "initialize") => {
                return refuse(ErrorCode::InvalidRequest, "there was an initialize already");
            }
            (Status::Running, "shutdown") => {
                self.status = Status::ShuttingDown;
                return Ok(Some(Value::Null));
            }
            (Status::Running, _) => {}
            (Status::ShuttingDown | Status::Ended { .. }, _) => {
                return refuse(ErrorCode::InvalidRequest, "the server is shutting down");
            }
        }
        if request.method == "workspace/executeCommand" {
            return self.execute(request.id, params(request.params)?);
        }
        let looks_at_all_scripts = matches!(
            request.method.as_str(),
            "textDocument/completion"
                | "textDocument/definition"
                | "textDocument/hover"
                | "textDocument/references"
                | "workspace/symbol"
        );
        if looks_at_all_scripts {
            self.state.workspace.update(self.state.client.encoding);
        }
        let Request { method, params, .. } = request;
        let state = &self.state;
        match method.as_str() {
            "textDocument/codeAction" => answer(params, |it| code_action::code_action(state, it)),
            "textDocument/codeLens" => answer(params, |it| code_lens::code_lens(state, it)),
            "textDocument/completion" => answer(params, |it| completion::completion(state, it)),
            "textDocument/definition" => answer(params, |it| references::definition(state, it)),
            "textDocument/documentHighlight" => {
                answer(params, |it| references::highlights(state, it))
            }
            "textDocument/documentSymbol" => answer(params, |it| outline::outline(state, it)),
            "textDocument/foldingRange" => answer(params, |it| folding::folding(state, it)),
            "textDocument/formatting" => answer(params, |it| formatting::formatting(state, it)),
            "textDocument/hover" => answer(params, |it| hover::hover(state, it)),
            "textDocument/prepareRename" => answer(params, |it| rename::prepare(state, it)),
            "textDocument/references" => answer(params, |it| references::references(state, it)),
            "textDocument/rename" => value(rename::rename(state, self::params(params)?)?),
            "textDocument/semanticTokens/full" => {
                answer(params, |it| semantic_tokens::semantic_tokens(state, it))
            }
            "workspace/symbol" => answer(params, |it| outline::workspace_symbols(state, it)),
            other => {
                let message = format!("there is no request {other:?}");
                Err(RequestError::new(ErrorCode::MethodNotFound, message))
            }
        }
    }

    fn initialize(&mut self, params: InitializeParams) -> Result<Value, RequestError> {
        let client = &params.capabilities;
        let encodings = client.general.as_ref().and_then(|it| it.position_encodings.as_deref());
        let workspace = client.workspace.as_ref();
        let completion = client.text_document.as_ref().and_then(|it| it.completion.as_ref());
        self.state.client = Client {
            encoding: Encoding::negotiate(encodings),
            takes_versions: workspace
                .and_then(|it| it.workspace_edit.as_ref())
                .and_then(|it| it.document_changes)
                .unwrap_or(false),
            takes_snippets: completion
                .and_then(|it| it.completion_item.as_ref())
                .and_then(|it| it.snippet_support)
                .unwrap_or(false),
            watches_files: workspace
                .and_then(|it| it.did_change_watched_files.as_ref())
                .and_then(|it| it.dynamic_registration)
                .unwrap_or(false),
        };
        let folders = params.workspace_folders_initialize_params.workspace_folders;
        #[allow(deprecated, reason = "what older clients have in place of folders")]
        let root = params.root_uri.as_ref();
        match (folders, root) {
            (Some(WorkspaceFolders::WorkspaceFolderList(folders)), _) => {
                folders.iter().for_each(|folder| self.state.workspace.add(&folder.uri));
            }
            (_, Some(root)) => self.state.workspace.add(root),
            _ => {}
        }
        self.status = Status::Running;
        if let Some(options) = &params.initialization_options {
            self.set_options(options);
        }
        let result = InitializeResult {
            capabilities: capabilities(self.state.client.encoding),
            server_info: Some(ServerInfo {
                name: "umqttc".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        };
        Ok(value(result)?.unwrap_or_default())
    }

    /// Takes the client's settings; what is wrong with them is told.
    fn set_options(&mut self, settings: &Value) {
        if let Err(wrong) = self.state.options.set(settings) {
            self.show(MessageType::Warning, wrong);
        }
        self.state.workspace.forget();
        for document in self.state.documents.iter_mut() {
            document.forget();
            self.unchecked.insert(document.uri.as_ref().to_owned());
        }
    }

    fn execute(
        &mut self,
        id: RequestId,
        params: ExecuteCommandParams,
    ) -> Result<Option<Value>, RequestError> {
        let refuse = |code, message: &str| Err(RequestError::new(code, message));
        if params.command != RUN_TEST {
            let message = format!("there is no command {:?}", params.command);
            return refuse(ErrorCode::InvalidParams, &message);
        }
        let mut arguments = params.arguments.unwrap_or_default().into_iter();
        let uri = arguments.next().and_then(|uri| Some(Uri(uri.as_str()?.to_owned())));
        let name = arguments.next().and_then(|name| name.as_str().map(str::to_owned));
        let Some(path) = uri.and_then(|uri| test_file_of(&uri)) else {
            return refuse(ErrorCode::InvalidParams, "the file of a test or a script is missing");
        };
        if self.running.len() >= MAX_JOBS {
            return refuse(ErrorCode::RequestFailed, "other tests are running");
        }
        self.running.insert(id.clone());
        self.jobs.push(TestJob { id, path, name, profile: self.state.options.profile });
        Ok(None)
    }

    /// Takes in what came of tests.
    pub(super) fn handle_tested(&mut self, result: TestResult) {
        if self.running.remove(&result.id) {
            self.out.push(Response::new_ok(result.id, result.value).into());
            let kind = if result.passed { MessageType::Info } else { MessageType::Warning };
            self.show(kind, result.message);
        }
        let source = String::from_utf8_lossy(&result.source);
        let open = self.state.documents.iter().find(|document| {
            document.uri == result.uri || uri::path(&document.uri) == uri::path(&result.uri)
        });
        let encoding = self.state.client.encoding;
        let uri = open.map_or(&result.uri, |document| &document.uri).clone();
        let key = uri.as_ref().to_owned();
        if open.is_some_and(|document| document.text != source) {
            // It is another text by now, or was not saved.
            return;
        }
        let ran = Document::new(uri.clone(), Kind::Test, 0, source.into_owned(), encoding);
        let found: Vec<_> =
            result.problems.iter().map(|problem| diagnostics::of_test(&ran, problem)).collect();
        match open {
            Some(_) => _ = self.unchecked.insert(key.clone()),
            None => {
                let diagnostics = found.clone();
                let params = PublishDiagnosticsParams { uri, version: None, diagnostics };
                self.publish(params);
            }
        }
        match found.is_empty() || self.failed.len() > MAX_DOCUMENTS {
            true => _ = self.failed.remove(&key),
            false => _ = self.failed.insert(key, found),
        }
    }

    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match (self.status, method.as_str()) {
            (status, "exit") => {
                self.status = Status::Ended { in_order: status == Status::ShuttingDown };
            }
            (Status::Running, "initialized") => self.watch_files(),
            (Status::Running, "$/cancelRequest") => {
                if let Ok(params) = serde_json::from_value(params) {
                    let id = request_id(params);
                    if self.running.remove(&id) {
                        self.out.push(cancelled(id).into());
                    }
                }
            }
            (Status::Running, "textDocument/didOpen") => take(params, |it| self.open(it)),
            (Status::Running, "textDocument/didChange") => take(params, |it| self.change(it)),
            (Status::Running, "textDocument/didClose") => take(params, |it| self.close(it)),
            (Status::Running, "textDocument/didSave" | "workspace/didChangeWatchedFiles") => {
                self.state.workspace.changed()
            }
            (Status::Running, "workspace/didChangeConfiguration") => {
                take(params, |it: DidChangeConfigurationParams| self.set_options(&it.settings));
            }
            (Status::Running, "workspace/didChangeWorkspaceFolders") => {
                take(params, |it: DidChangeWorkspaceFoldersParams| {
                    let workspace = &mut self.state.workspace;
                    it.event.removed.iter().for_each(|folder| workspace.remove(&folder.uri));
                    it.event.added.iter().for_each(|folder| workspace.add(&folder.uri));
                });
            }
            // Others may be left out.
            _ => {}
        }
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) {
        let item = params.text_document;
        let language: &str = match &item.language_id {
            LanguageKind::Custom(language) => language,
            _ => "",
        };
        let kind = Kind::of(&item.uri, language);
        let encoding = self.state.client.encoding;
        let key = item.uri.as_ref().to_owned();
        let document = Document::new(item.uri, kind, item.version, item.text, encoding);
        match self.state.documents.open(document) {
            Ok(()) => _ = self.unchecked.insert(key),
            Err(_) => {
                let message = format!("more than {MAX_DOCUMENTS} documents are open");
                self.show(MessageType::Warning, message);
            }
        }
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let version = params.text_document.version;
        let uri = params.text_document.text_document_identifier.uri;
        match self.state.documents.change(&uri, version, params.content_changes) {
            Ok(()) => {
                self.failed.remove(uri.as_ref());
                self.unchecked.insert(uri.as_ref().to_owned());
            }
            Err(DocumentError::Stale) => {
                let message = format!("a change of {uri} to version {version} came too late");
                self.log(message);
            }
            Err(error) => self.log(format!("a change of {uri} is not taken: {error:?}")),
        }
    }

    fn close(&mut self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        self.state.documents.close(&uri);
        self.unchecked.remove(uri.as_ref());
        self.failed.remove(uri.as_ref());
        self.state.workspace.changed();
        self.publish(diagnostics::none(uri));
    }

    /// Makes the diagnostics of a document that has changed; false if there is none.
    pub(super) fn poll_diagnostics(&mut self) -> bool {
        let Some(key) = self.unchecked.pop_first() else { return false };
        if let Some(document) = self.state.documents.get(&Uri(key.clone())) {
            let tests = self.failed.get(&key).map(Vec::as_slice).unwrap_or_default();
            let params = diagnostics::publish(document, &self.state.options, tests);
            self.publish(params);
        }
        true
    }

    fn publish(&mut self, params: PublishDiagnosticsParams) {
        self.notify("textDocument/publishDiagnostics", params);
    }

    fn show(&mut self, kind: MessageType, message: String) {
        self.notify("window/showMessage", ShowMessageParams { kind, message });
    }

    fn log(&mut self, message: String) {
        let params = ShowMessageParams { kind: MessageType::Log, message };
        self.notify("window/logMessage", params);
    }

    fn notify(&mut self, method: &str, params: impl Serialize) {
        if let Ok(params) = serde_json::to_value(params) {
            self.out.push(Notification { method: method.to_owned(), params }.into());
        }
    }

    /// Asks to be told of scripts that change outside the editor.
    fn watch_files(&mut self) {
        if !self.state.client.watches_files {
            return;
        }
        self.requests += 1;
        let watchers = json!([{ "globPattern": "**/*.{script,test}" }]);
        let params = json!({ "registrations": [{
            "id": "scripts",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": watchers },
        }] });
        let id = RequestId::from(self.requests);
        let method = "client/registerCapability".to_owned();
        self.out.push(Request { id, method, params }.into());
    }
}

/// The parameters of a message.
fn params<P: DeserializeOwned>(params: Value) -> Result<P, RequestError> {
    serde_json::from_value(params)
        .map_err(|error| RequestError::new(ErrorCode::InvalidParams, error.to_string()))
}

/// Takes a notification whose parameters are right.
fn take<P: DeserializeOwned>(params: Value, act: impl FnOnce(P)) {
    if let Ok(params) = serde_json::from_value(params) {
        act(params);
    }
}

fn answer<P: DeserializeOwned, R: Serialize>(
    params: Value,
    act: impl FnOnce(P) -> R,
) -> Result<Option<Value>, RequestError> {
    value(act(self::params(params)?))
}

fn value(result: impl Serialize) -> Result<Option<Value>, RequestError> {
    serde_json::to_value(result)
        .map(Some)
        .map_err(|error| RequestError::new(ErrorCode::InternalError, error.to_string()))
}
