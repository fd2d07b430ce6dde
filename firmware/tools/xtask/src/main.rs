//! `cargo xtask`: builds, emulates, measures and packs the boards. `cargo xtask help` lists what it does.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::esp8266;

/// Builds, emulates and measures the boards.
#[derive(Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    board: Board,
}

#[derive(Subcommand)]
enum Board {
    /// The ESP8266's core
    Esp8266(esp8266::Arguments),
}

fn main() -> ExitCode {
    if let Some(code) = esp8266::stand_in() {
        return code;
    }
    let Board::Esp8266(arguments) = Arguments::parse().board;
    match esp8266::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
