//! `umqttc check`: the diagnostics of scripts.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use umqtt_lang::EmitOptions;
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_vm::Profile;

use super::{ForDevice, each_script};
use crate::failure::Failure;
use crate::input::{Input, is_stdin};
use crate::render::bounds::{self, OnDevice};
use crate::render::{self, Tally};
use crate::terminal::Terminal;
use crate::write::write_whole;
use crate::{Status, fixes, frontend};

/// Check scripts: errors, warnings, and how to mend them
#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    device: ForDevice,
    /// How to write what was found; json is one object a line
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Exit with 1 for warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// Hints, too, at what is right and could be written better
    #[arg(long)]
    pedantic: bool,
    /// What each handler takes at most, on every kind of device: steps, time, flash writes, and the
    /// script's memory
    #[arg(long)]
    bounds: bool,
    /// Apply the fixes that warnings and errors propose, then check again; a script from standard
    /// input goes mended to standard output, and what is left to say to standard error
    #[arg(long)]
    fix: bool,
    /// The scripts
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs
    Json,
}

impl Check {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let mut tally = Tally::default();
        let read = each_script(&self.files, terminal, |input, terminal| {
            self.check(input, &mut tally, terminal).map(|()| Status::Success)
        });
        if let Err(output @ Failure::Output(_)) = read {
            return Err(output);
        }
        if self.format == Format::Human && tally != Tally::default() {
            let fixable = match tally.fixable {
                // What is left after mending cannot be mended so.
                _ if self.fix => String::new(),
                0 => String::new(),
                count => format!("; --fix mends {count} of them"),
            };
            let (diagnostics_stream, _) = terminal.diagnostics_stream(self.passes_through());
            writeln!(diagnostics_stream, "{tally}{fixable}").map_err(Failure::Output)?;
        }
        match tally {
            _ if read.is_err() => read,
            Tally { errors: 1.., .. } => Ok(Status::Findings),
            Tally { warnings: 1.., .. } if self.deny_warnings => Ok(Status::Findings),
            _ => Ok(Status::Success),
        }
    }

    /// Whether standard output carries a mended script.
    fn passes_through(&self) -> bool {
        self.fix && self.files.iter().any(|path| is_stdin(path))
    }

    fn check(
        &self,
        input: &Input,
        tally: &mut Tally,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let check = |source: &[u8]| frontend::check(source, &self.device.profile, self.pedantic);
        if !self.fix {
            return self.report(input, &input.bytes, &check(&input.bytes), tally, terminal);
        }
        let fixed = fixes::fix(&input.bytes, check);
        match &input.path {
            Some(path) if fixed.applied > 0 => {
                write_whole(path, &fixed.source)
                    .map_err(|error| Failure::Write(path.clone(), error))?;
            }
            Some(_) => {}
            None => terminal.out.write_all(&fixed.source).map_err(Failure::Output)?,
        }
        if fixed.applied > 0 {
            let plural = if fixed.applied == 1 { "" } else { "es" };
            let name = render::printable(input.name.as_bytes());
            // Only said: the work is done whether anybody reads it or not.
            let _ = writeln!(terminal.err, "{name}: {} fix{plural} applied", fixed.applied);
        }
        self.report(input, &fixed.source, &fixed.diagnostics, tally, terminal)
    }

    fn report(
        &self,
        input: &Input,
        source: &[u8],
        diagnostics: &[Diagnostic],
        tally: &mut Tally,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        tally.add(diagnostics);
        let (out, color) = terminal.diagnostics_stream(self.passes_through());
        match self.format {
            Format::Human => render::human::write(out, color, &input.name, source, diagnostics),
            Format::Json => render::json::write(out, &input.name, source, diagnostics),
        }
        .map_err(Failure::Output)?;
        if self.bounds {
            self.write_bounds(input, source, terminal)?;
        }
        Ok(())
    }

    /// The bounds on every device that takes the script, the one that is meant first.
    fn write_bounds(
        &self,
        input: &Input,
        source: &[u8],
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let meant = self.device.profile;
        let others = Profile::ALL.into_iter().filter(|other| other.name != meant.name);
        let mut devices = Vec::new();
        for profile in std::iter::once(meant).chain(others) {
            let (_, program) = frontend::compile(source, &profile, EmitOptions::new().debug(true));
            let program = program.map_err(|error| Failure::Unsound(input.name.clone(), error))?;
            devices.extend(program.map(|program| OnDevice::new(profile, program)));
            if devices.is_empty() {
                // There are errors, which were told.
                return Ok(());
            }
        }
        let (out, _) = terminal.diagnostics_stream(self.passes_through());
        match self.format {
            Format::Human => bounds::write(out, &input.name, &devices),
            Format::Json => bounds::write_json(out, &input.name, &devices),
        }
        .map_err(Failure::Output)
    }
}
