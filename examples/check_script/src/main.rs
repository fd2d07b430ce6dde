//! The compiler in a program of your own: what it finds in a script, and where.
//!
//! Run it: `cargo run -p check_script -- scripts/relay.script`. Exits with 1 if the script has
//! errors.

use std::error::Error;
use std::process::ExitCode;

use umqtt_lang::diagnostic::position;
use umqtt_lang::lint::NoConfig;
use umqtt_lang::umqtt_vm::Profile;
use umqtt_lang::{Analysis, EmitOptions};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: check_script FILE")?;
    let source = std::fs::read(&path)?;
    let analysis = Analysis::new(&source, &Profile::ESP8266, EmitOptions::default());

    // With a table of settings of your own the linter checks `config` lines too.
    let warnings = analysis.warnings(&NoConfig);
    for found in analysis.errors().iter().chain(&warnings) {
        let (line, column) = position(&source, found.span.start as usize);
        println!("{path}:{line}:{column}: {} {}", found.code, found.message);
        if let Some(help) = &found.help {
            println!("  help: {help}");
        }
        if let Some(fix) = &found.fix {
            println!("  fix: {}", fix.title);
        }
    }
    match analysis.image() {
        Some(image) => println!("{} bytes of source, {} of bytecode", source.len(), image.len()),
        None => return Ok(ExitCode::FAILURE),
    }
    Ok(ExitCode::SUCCESS)
}
