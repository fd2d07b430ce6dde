//! `cargo xtask`: builds, emulates, measures and packs the boards. `cargo xtask help` lists what it
//! does.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{esp32c3, esp8266, qemu_riscv, source};

/// Builds, emulates and measures the boards, and checks the sources.
#[derive(Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The ESP32-C3: its program and the image for its flash
    Esp32c3(esp32c3::Arguments),
    /// The ESP8266's core
    Esp8266(esp8266::Arguments),
    /// A RISC-V core like the ESP32-C3's
    QemuRiscv(qemu_riscv::Arguments),
    /// Checks the sources: comments within the columns, no cycles of imports
    Source,
}

fn main() -> ExitCode {
    if let Some(code) = esp8266::stand_in() {
        return code;
    }
    let done = match Arguments::parse().command {
        Command::Esp32c3(arguments) => esp32c3::run(arguments),
        Command::Esp8266(arguments) => esp8266::run(arguments),
        Command::QemuRiscv(arguments) => qemu_riscv::run(arguments),
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
