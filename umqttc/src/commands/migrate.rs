//! `umqttc migrate`: scripts for older devices, written as one would now.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use similar::TextDiff;
use umqtt_lang::diagnostic::{Code, Severity};

use super::{ForDevice, each_script};
use crate::failure::Failure;
use crate::input::Input;
use crate::terminal::Terminal;
use crate::write::write_whole;
use crate::{Status, fixes, frontend, render};

/// Show how scripts for older devices are written now; `--write` writes them so
///
/// A timer that arms itself again becomes `on every`, a variable that never changes a `const`, and
/// tenths that are made of a number's digits are computed: what the script does stays the same, but
/// that `on every` does not drift, and that tenths are right below zero.
#[derive(Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    device: ForDevice,
    /// Write the changes; a script from standard input goes rewritten to standard output
    #[arg(long)]
    write: bool,
    /// The scripts
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// What is rewritten.
const REWRITTEN: [Code; 3] = [Code::TimerAsPeriod, Code::VariableAsConstant, Code::DigitsPicked];

impl Migrate {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        each_script(&self.files, terminal, |input, terminal| self.migrate(input, terminal))
    }

    /// A script with errors is shown them, and stays as it is.
    fn migrate(&self, input: &Input, terminal: &mut Terminal) -> Result<Status, Failure> {
        let mut found = frontend::check(&input.bytes, &self.device.profile, false);
        found.retain(|found| found.severity() == Severity::Error);
        if !found.is_empty() {
            let color = terminal.err.color();
            render::human::write(&mut terminal.err, color, &input.name, &input.bytes, &found)
                .map_err(Failure::Output)?;
            return Ok(Status::Findings);
        }
        let migrated = fixes::fix(&input.bytes, |source| {
            let mut found = frontend::check(source, &self.device.profile, true);
            found.retain(|found| {
                found.severity() == Severity::Error || REWRITTEN.contains(&found.code)
            });
            found
        });
        if self.write && input.path.is_none() {
            terminal.out.write_all(&migrated.source).map_err(Failure::Output)?;
            return Ok(Status::Success);
        }
        let name = render::printable(input.name.as_bytes());
        if migrated.applied == 0 {
            writeln!(terminal.out, "{name}: nothing to rewrite").map_err(Failure::Output)?;
            return Ok(Status::Success);
        }
        let [before, now] = [&input.bytes, &migrated.source].map(|text| render::printable(text));
        let diff = TextDiff::from_lines(&before, &now);
        let diff = diff.unified_diff().header(&name, &name).to_string();
        terminal.out.write_all(diff.as_bytes()).map_err(Failure::Output)?;
        if let Some(path) = input.path.as_ref().filter(|_| self.write) {
            write_whole(path, &migrated.source)
                .map_err(|error| Failure::Write(path.clone(), error))?;
        }
        Ok(Status::Success)
    }
}
