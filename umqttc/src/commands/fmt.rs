//! `umqttc fmt`: one layout for all scripts.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::each_script;
use crate::failure::Failure;
use crate::input::Input;
use crate::terminal::Terminal;
use crate::write::write_whole;
use crate::{Status, frontend, render};

/// Format scripts in place; standard input goes formatted to standard output
#[derive(Args)]
pub(crate) struct Fmt {
    /// Change nothing; name the files that would change and exit with 1
    #[arg(long)]
    check: bool,
    /// The scripts
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Fmt {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        each_script(&self.files, terminal, |input, terminal| self.format(input, terminal))
    }

    fn format(&self, input: &Input, terminal: &mut Terminal) -> Result<Status, Failure> {
        let formatted = match frontend::format(&input.bytes) {
            Ok(formatted) => formatted,
            Err(diagnostics) => {
                let color = terminal.err.color();
                render::human::write(
                    &mut terminal.err,
                    color,
                    &input.name,
                    &input.bytes,
                    &diagnostics,
                )
                .map_err(Failure::Output)?;
                return Ok(Status::Findings);
            }
        };
        let changed = formatted != input.bytes;
        if self.check {
            if !changed {
                return Ok(Status::Success);
            }
            let name = render::printable(input.name.as_bytes());
            writeln!(terminal.out, "{name}: would change").map_err(Failure::Output)?;
            return Ok(Status::Findings);
        }
        match &input.path {
            None => terminal.out.write_all(&formatted).map_err(Failure::Output)?,
            Some(path) if changed => write_whole(path, &formatted)
                .map_err(|error| Failure::Write(path.clone(), error))?,
            Some(_) => {}
        }
        Ok(Status::Success)
    }
}
