//! What scripts, compiling and the broker take on the core: instructions, counted by the emulator
//! and the same in every run, and bytes of heap.
//!
//! | file | job |
//! |---|---|
//! | `report` | what the program on the core prints |
//! | `cases` | the events that are counted |
//! | `figures` | what they and the rest may take on a core, and what others take |
//! | `table` | the events, broker and memory the design sets aims for, beside the peers |
//! | `page` | the page that shows them to people |
//! | `worst` | what a unit of fuel buys at most |
//! | `profile` | which functions the instructions of an event are in |

mod cases;
pub(crate) mod figures;
mod page;
mod profile;
mod report;
mod table;
mod worst;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::report::Report;
use super::build;
use super::cargo::Program;
use super::emulator::{Emulator, Ended};
use super::paths::Paths;
use super::toolchain::Toolchain;

/// The program on the core.
const PROGRAM: &str = "bench";
/// The emulator may take so long.
const TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Counts the events of this script; without, those the design sets aims for
    #[arg(long, value_name = "FILE", requires = "event")]
    script: Option<PathBuf>,
    /// An event: 'topic local|remote TOPIC DATA', 'timer N', 'alarm N', 'gpio_interrupt N',
    /// 'serial LINE', 'http_response BODY', mqttconnect, wificonnect, wifidisconnect. Several
    /// are given in their order, each many times: what one sets, the next finds
    #[arg(long, value_name = "EVENT", requires = "script")]
    event: Vec<String>,
    /// Lists the functions in which the instructions of each event are
    #[arg(long, requires = "event")]
    profile: bool,
    /// Counts what a unit of fuel buys in the cases whose name has this word; '' for all
    #[arg(long, value_name = "WORD", conflicts_with = "script")]
    fuel: Option<String>,
}

/// Counts what is asked for.
pub(crate) fn run(
    paths: &Paths,
    toolchain: &Toolchain,
    options: &BenchOptions,
) -> Result<ExitCode> {
    let elf = build::build(paths, toolchain, &Program::new(PROGRAM, &[]))?;
    if let Some(word) = &options.fuel {
        return worst::run(paths, &elf, Some(word));
    }
    let Some(script) = &options.script else {
        return table::run(paths, toolchain, &elf);
    };
    let source = fs::read(script).with_context(|| format!("cannot read {}", script.display()))?;
    if options.profile {
        for event in &options.event {
            println!("{event}\n{}", profile::run(paths, &elf, &source, event)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let events = options.event.iter().map(|event| format!("event {event}").into_bytes());
    let tasks = std::iter::once(script_task(&source)).chain(events).collect::<Vec<_>>();
    let report = perform(paths, &elf, &tasks)?;
    for (event, instructions) in options.event.iter().zip(report.events()) {
        println!("{instructions:>9} instructions  {event}");
    }
    print!("{report}");
    Ok(ExitCode::SUCCESS)
}

/// Makes the core do tasks; what it printed.
fn perform(paths: &Paths, elf: &Path, tasks: &[Vec<u8>]) -> Result<Report> {
    let flash = pack(paths, tasks)?;
    let ended = Emulator::new(paths.chip, elf).exact(true).flash(&flash)?.run(TIMEOUT)?;
    check(&ended)?;
    Report::parse(&ended.text())
}

/// The program's last line says why it gave up.
fn check(ended: &Ended) -> Result<()> {
    let text = ended.text();
    ensure!(ended.status == 0, "{}", text.trim().lines().last().unwrap_or("it printed nothing"));
    Ok(())
}

fn script_task(source: &[u8]) -> Vec<u8> {
    [b"script\n", source].concat()
}

/// A flash with these tasks.
fn pack(paths: &Paths, tasks: &[Vec<u8>]) -> Result<PathBuf> {
    let flash = paths.target.join("bench.flash");
    fs::write(&flash, umqtt_corpus::pack(tasks.iter().map(Vec::as_slice)))?;
    Ok(flash)
}
