//! `cargo xtask`: builds, emulates, measures and packs the boards. `cargo xtask help` lists what it
//! does.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{esp8266, source};

/// Builds, emulates and measures the boards, and checks the sources.
#[derive(Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The ESP8266's core
    Esp8266(esp8266::Arguments),
    /// Checks the sources: comments within the columns, no cycles of imports
    Source,
}

fn main() -> ExitCode {
    if let Some(code) = esp8266::stand_in() {
        return code;
    }
    let done = match Arguments::parse().command {
        Command::Esp8266(arguments) => esp8266::run(arguments),
        Command::Source => source::check(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
