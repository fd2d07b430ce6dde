//! `umqttc`: check, build, look at, format and run scripts of the umqtt language.
//!
//! Thin: the language is in `umqtt-lang`, images are in `umqtt-vm`, the device is in `umqtt-device`
//! and `umqtt-host`. Here is what a command line adds: arguments, files, colours, exit codes.
//!
//! | module | job |
//! |---|---|
//! | [`commands`] | one file per subcommand, and its arguments |
//! | [`input`] | reading scripts and images, `-` for standard input |
//! | [`frontend`] | errors and warnings of a script, in one call |
//! | [`render`] | diagnostics for people and for programs |
//! | [`remote`] | devices over the network: a client of their console |
//! | [`signing`] | keys that sign scripts |
//! | [`script_test`] | `.test` files: what scripts must do, tried in virtual time |
//! | [`mod@lsp`] | the language server: scripts in editors |
//! | [`word_help`] | what a word of the language is for |
//! | [`fixes`] | applying the changes diagnostics propose |
//! | [`terminal`] | standard output and error: colour, and a reader that goes away |
//! | [`mod@write`] | files that are either old or new, never half |
//! | [`failure`] | what makes a command give up |
//!
//! Exit codes: 0 fine; 1 the script has errors, or warnings with `--deny-warnings`, or `fmt
//! --check` would change it, or a device cannot be reached or refuses; 2 the command was used
//! wrongly or a file could not be read or written.

mod commands;
#[cfg(test)]
mod editors;
mod failure;
mod fixes;
mod frontend;
mod input;
mod lsp;
mod parameters;
mod remote;
mod render;
mod script_test;
mod signing;
mod terminal;
mod word_help;
mod write;
mod zones;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser as _};

use crate::commands::Cli;
use crate::failure::Failure;
use crate::terminal::{ColorChoice, Terminal};

/// How a command that could do its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// There was nothing to report.
    Success,
    /// There were diagnostics, or files that would change.
    Findings,
}

fn main() -> ExitCode {
    umqtt_host::report_full_files();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => return show(&message),
    };
    let mut terminal = Terminal::new(cli.color);
    let result = cli.command.run(&mut terminal);
    end(result, &mut terminal)
}

/// Prints what the command line alone asks for: help and version, or what is wrong with it.
fn show(message: &clap::Error) -> ExitCode {
    if message.use_stderr() {
        if let Some(ContextValue::String(word)) = message.get(ContextKind::InvalidSubcommand)
            && let Some(tip) = meant(word)
        {
            let _ = message.print(); // what is wrong is in the exit code too
            eprintln!("\n  tip: {tip}");
            return ExitCode::from(2);
        }
        message.exit();
    }
    let mut terminal = Terminal::new(ColorChoice::Auto);
    let text = message.render();
    let written = match terminal.out.color() {
        true => write!(terminal.out, "{}", text.ansi()),
        false => write!(terminal.out, "{text}"),
    };
    end(written.map(|()| Status::Success).map_err(Failure::Output), &mut terminal)
}

/// What a word that is no command was meant for.
fn meant(word: &str) -> Option<String> {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let commands = Cli::command();
    let mut names = commands.get_subcommands().map(clap::Command::get_name);
    if let Some(name) = names.find(|name| sorted(name) == sorted(word)) {
        return Some(format!("did you mean `umqttc {name}`?"));
    }
    let path = Path::new(word);
    let is_script = path.extension().is_some_and(|end| end == "script" || end == "umq");
    (is_script || path.is_file()).then(|| {
        let word = render::printable(word.as_bytes());
        format!("`umqttc run {word}` runs a script, `umqttc check {word}` checks it")
    })
}

/// Writes out what is still buffered. Output that cannot be written is a failure of every command.
fn end(result: Result<Status, Failure>, terminal: &mut Terminal) -> ExitCode {
    let result = result.and_then(|status| {
        terminal.out.flush().map_err(Failure::Output)?;
        Ok(status)
    });
    match result {
        Ok(Status::Success) => ExitCode::SUCCESS,
        Ok(Status::Findings) => ExitCode::from(1),
        Err(Failure::Reported) => ExitCode::from(2),
        Err(failure) => {
            terminal.report_error(&failure);
            ExitCode::from(if matches!(failure, Failure::Remote(_)) { 1 } else { 2 })
        }
    }
}
