//! `umqttc lsp`: the language server.

use clap::Args;

use crate::Status;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Serve an editor: the language server protocol over standard input and output
///
/// Editors start it: umqttc/docs/editors.md has the lines for each. It checks scripts as they are
/// typed and knows their words, names and topics. The setting `profile` chooses the device whose
/// limits count, as --profile does elsewhere. Exit codes: 0 the editor took leave; 1 it did not.
#[derive(Args)]
pub(crate) struct Lsp {}

impl Lsp {
    pub(super) fn run(&self, _terminal: &mut Terminal) -> Result<Status, Failure> {
        match crate::lsp::serve().map_err(Failure::Output)? {
            true => Ok(Status::Success),
            false => Ok(Status::Findings),
        }
    }
}
