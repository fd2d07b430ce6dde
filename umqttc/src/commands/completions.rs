//! `umqttc completions`: what a shell needs to complete our arguments.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use crate::Status;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Print completions for a shell, e.g. `umqttc completions bash > /etc/bash_completion.d/umqttc`
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "umqttc", &mut script);
        terminal.out.write_all(&script).map_err(Failure::Output)?;
        Ok(Status::Success)
    }
}
