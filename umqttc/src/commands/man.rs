//! `umqttc man`: manual pages.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};

use super::Cli;
use crate::Status;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::write::write_whole;

/// Print a manual page, e.g. `umqttc man | man -l -`, or write all of them into a folder
#[derive(Args)]
pub(crate) struct Man {
    /// Write `umqttc.1`, `umqttc-check.1`, ... into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "of")]
    dir: Option<PathBuf>,
    /// The page of this subcommand instead of the overview
    #[arg(value_name = "COMMAND")]
    of: Option<String>,
}

impl Man {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let pages = pages();
        if let Some(dir) = &self.dir {
            for page in &pages {
                let path = dir.join(format!("{}.1", name(page)));
                write_whole(&path, &render(page, &path)?)
                    .map_err(|error| Failure::Write(path, error))?;
            }
            return Ok(Status::Success);
        }
        let wanted = self.of.as_ref().map_or("umqttc".to_owned(), |of| format!("umqttc-{of}"));
        let page = pages
            .iter()
            .find(|page| name(page) == wanted)
            .ok_or_else(|| Failure::UnknownCommand(self.of.clone().unwrap_or_default()))?;
        terminal.out.write_all(&render(page, Path::new("-"))?).map_err(Failure::Output)?;
        Ok(Status::Success)
    }
}

/// The overview and a page for each subcommand.
fn pages() -> Vec<Command> {
    let mut overview = Cli::command().disable_help_subcommand(true);
    overview.build();
    let of_each: Vec<Command> = overview.get_subcommands().cloned().collect();
    [overview].into_iter().chain(of_each).collect()
}

/// `umqttc`, `umqttc-check`, ...
fn name(page: &Command) -> &str {
    page.get_display_name().unwrap_or(page.get_name())
}

fn render(page: &Command, path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(page.clone())
        .render(&mut bytes)
        .map_err(|error| Failure::Write(path.to_owned(), error))?;
    Ok(bytes)
}
