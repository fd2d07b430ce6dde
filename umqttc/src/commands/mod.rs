//! The subcommands, one file each.

mod backup;
mod build;
mod check;
mod completions;
mod console;
mod diff;
mod dis;
mod explain;
mod find;
mod fmt;
mod keygen;
mod lsp;
mod man;
mod migrate;
mod pull;
mod push;
mod restore;
mod run;
mod sign;
mod status;
mod test;
mod trace;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use umqtt_vm::Profile;

use crate::Status;
use crate::failure::Failure;
use crate::input::Input;
use crate::terminal::{ColorChoice, Terminal};

/// Check, test, build, format and run event/action scripts for MQTT devices
///
/// A FILE given as `-` is standard input. Exit codes: 0 fine; 1 errors in a script, or warnings
/// with --deny-warnings, or a file that `fmt --check` would change, or a device that cannot be
/// reached or refuses; 2 wrong usage or a file that cannot be read or written.
#[derive(Parser)]
#[command(name = "umqttc", version, max_term_width = 100, subcommand_required = true)]
pub(crate) struct Cli {
    /// When to colour messages
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Check(check::Check),
    Explain(explain::Explain),
    Build(build::Build),
    Dis(dis::Dis),
    Fmt(fmt::Fmt),
    Migrate(migrate::Migrate),
    Test(test::Test),
    Run(run::Run),
    Trace(trace::Trace),
    Keygen(keygen::Keygen),
    Sign(sign::Sign),
    Push(push::Push),
    Pull(pull::Pull),
    Diff(diff::Diff),
    Status(status::DeviceStatus),
    Console(console::Console),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Find(find::Find),
    Lsp(lsp::Lsp),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// Whatever kept it from doing its work.
    pub(crate) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        match self {
            Command::Check(check) => check.run(terminal),
            Command::Explain(explain) => explain.run(terminal),
            Command::Build(build) => build.run(terminal),
            Command::Dis(dis) => dis.run(terminal),
            Command::Fmt(fmt) => fmt.run(terminal),
            Command::Migrate(migrate) => migrate.run(terminal),
            Command::Test(test) => test.run(terminal),
            Command::Run(run) => run.run(terminal),
            Command::Trace(trace) => trace.run(terminal),
            Command::Keygen(keygen) => keygen.run(terminal),
            Command::Sign(sign) => sign.run(terminal),
            Command::Push(push) => push.run(terminal),
            Command::Pull(pull) => pull.run(terminal),
            Command::Diff(diff) => diff.run(terminal),
            Command::Status(status) => status.run(terminal),
            Command::Console(console) => console.run(terminal),
            Command::Backup(backup) => backup.run(terminal),
            Command::Restore(restore) => restore.run(terminal),
            Command::Find(find) => find.run(terminal),
            Command::Lsp(lsp) => lsp.run(terminal),
            Command::Completions(completions) => completions.run(terminal),
            Command::Man(man) => man.run(terminal),
        }
    }
}

/// Does something with each script, and tells whether there was something to find in one. A script
/// that cannot be read does not keep the others from it.
///
/// # Errors
/// Standard output cannot be written, or a script could not be read, which was reported.
fn each_script(
    files: &[PathBuf],
    terminal: &mut Terminal,
    mut act: impl FnMut(&Input, &mut Terminal) -> Result<Status, Failure>,
) -> Result<Status, Failure> {
    let mut status = Status::Success;
    let mut unreadable = false;
    for path in files {
        match Input::script(path).and_then(|input| act(&input, terminal)) {
            Ok(Status::Success) => {}
            Ok(Status::Findings) => status = Status::Findings,
            Err(output @ Failure::Output(_)) => return Err(output),
            Err(failure) => {
                terminal.report_error(&failure);
                unreadable = true;
            }
        }
    }
    if unreadable { Err(Failure::Reported) } else { Ok(status) }
}

/// The kind of device a script is meant for.
#[derive(Args)]
pub(crate) struct ForDevice {
    /// The device whose limits count
    #[arg(
        long,
        value_name = "DEVICE",
        default_value = Profile::DESKTOP.name,
        value_parser = PossibleValuesParser::new(Profile::ALL.map(|profile| profile.name))
            .try_map(|name| Profile::by_name(&name).ok_or("unknown device"))
    )]
    pub(crate) profile: Profile,
}
