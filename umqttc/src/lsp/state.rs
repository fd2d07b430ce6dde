//! What requests look at, and how they are refused.

use std::collections::BTreeSet;

use lsp_server::ErrorCode;

use super::documents::{Document, Documents, Kind};
use super::options::Options;
use super::positions::Encoding;
use super::uri;
use super::workspace::Workspace;

/// What requests look at.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What is open.
    pub(super) documents: Documents,
    /// The client's folders.
    pub(super) workspace: Workspace,
    /// The client's settings.
    pub(super) options: Options,
    /// What the client can do.
    pub(super) client: Client,
}

/// What a client can do, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// In what characters are counted.
    pub(super) encoding: Encoding,
    /// It takes edits for a certain version of a document.
    pub(super) takes_versions: bool,
    /// It takes snippets.
    pub(super) takes_snippets: bool,
    /// It tells of files that change, if it is asked to.
    pub(super) watches_files: bool,
}

impl State {
    /// Every script, as the client sees it.
    pub(super) fn scripts(&self) -> impl Iterator<Item = &Document> {
        let open: BTreeSet<_> =
            self.documents.iter().filter_map(|document| uri::path(&document.uri)).collect();
        let closed = self.workspace.scripts().filter(move |document| {
            uri::path(&document.uri).is_none_or(|path| !open.contains(&path))
        });
        self.documents.iter().filter(|document| document.kind == Kind::Script).chain(closed)
    }
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct RequestError {
    code: ErrorCode,
    /// Why, in a sentence.
    pub(super) message: String,
}

impl RequestError {
    /// With a code and a sentence.
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> RequestError {
        RequestError { code, message: message.into() }
    }

    /// The code's number.
    pub(super) fn code(&self) -> i32 {
        self.code as i32
    }
}
