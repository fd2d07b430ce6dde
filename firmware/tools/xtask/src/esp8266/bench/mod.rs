//! What scripts, compiling and the broker take on the core: instructions, counted by the emulator
//! and the same in every run, and bytes of heap.
//!
//! | file | job |
//! |---|---|
//! | `report` | what the program on the core prints |
//! | `table` | the events, broker and memory the design sets aims for, beside the peers |
//! | `page` | the page that shows them to people |
//! | `profile` | which functions the instructions of an event are in |

mod page;
mod profile;
mod report;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::report::Report;
use super::build::{self, Program};
use super::emulator::{Emulator, Ended};
use super::paths::Paths;
use super::toolchain::Toolchain;

/// The program on the core.
const PROGRAM: &str = "bench";
/// The emulator may take so long.
const TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Args)]
pub(crate) struct Options {
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
}

/// Counts what is asked for.
pub(crate) fn run(places: &Paths, tools: &Toolchain, options: &Options) -> Result<ExitCode> {
    let elf = build::build(places, tools, &Program::new(PROGRAM, &[]))?;
    let Some(script) = &options.script else {
        return table::run(places, tools, &elf);
    };
    let source = fs::read(script).with_context(|| format!("cannot read {}", script.display()))?;
    if options.profile {
        for event in &options.event {
            println!("{event}\n{}", profile::run(places, &elf, &source, event)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let events = options.event.iter().map(|event| format!("event {event}").into_bytes());
    let tasks = std::iter::once(script_task(&source)).chain(events).collect::<Vec<_>>();
    let report = perform(places, &elf, &tasks)?;
    for (event, instructions) in options.event.iter().zip(report.events()) {
        println!("{instructions:>9} instructions  {event}");
    }
    print!("{report}");
    Ok(ExitCode::SUCCESS)
}

/// Makes the core do tasks; what it printed.
fn perform(places: &Paths, elf: &Path, tasks: &[Vec<u8>]) -> Result<Report> {
    let flash = pack(places, tasks)?;
    let ended = Emulator::new(elf).exact(true).flash(&flash)?.run(TIMEOUT)?;
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
fn pack(places: &Paths, tasks: &[Vec<u8>]) -> Result<PathBuf> {
    let flash = places.target.join("bench.flash");
    fs::write(&flash, umqtt_corpus::pack(tasks.iter().map(Vec::as_slice)))?;
    Ok(flash)
}
