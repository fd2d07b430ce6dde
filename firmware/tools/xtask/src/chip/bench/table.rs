//! What the design sets aims for, beside what others take on the same core.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use super::cases::{CASES, Case, LOADED};
use super::figures::{Aim, Figures};
use super::report::Report;
use super::{page, perform, profile, script_task, worst};
use crate::chip::build;
use crate::chip::cargo::Program;
use crate::chip::description::DEVICE;
use crate::chip::paths::Paths;
use crate::chip::size::Sizes;
use crate::chip::toolchain::Toolchain;

/// Where the scripts of the events are.
const SCRIPTS: &str = "firmware/device/benches/scripts";
/// A script of 4 KiB.
const LARGE: &str = "lang/benches/house.script";
/// So many functions are listed for an event.
const FUNCTIONS: usize = 8;

/// Messages of QoS 0 through the broker. No aim is set for them, and none of the others was
/// measured.
const SUBSCRIBERS: [u32; 2] = [1, 8];

pub(super) fn run(paths: &Paths, toolchain: &Toolchain, elf: &Path) -> Result<ExitCode> {
    let figures = &paths.chip.figures;
    let read = |path: &Path| {
        fs::read(paths.root.join(path)).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut tasks = Vec::new();
    for case in &CASES {
        tasks.extend([
            script_task(&read(&script(case))?),
            format!("event {}", case.event).into_bytes(),
        ]);
    }
    tasks.push(script_task(&read(Path::new(LARGE))?));
    tasks.extend(SUBSCRIBERS.map(|count| format!("publish {count}").into_bytes()));
    tasks.push(b"unlock".to_vec());
    let report = perform(paths, elf, &tasks)?;
    let sizes = Sizes::read(&build::build(paths, toolchain, &Program::new(DEVICE, &[]))?)?;

    let mut table = Table { figures, worse: Vec::new() };
    table.events(&report)?;
    table.page(&String::from_utf8_lossy(&read(Path::new(figures.page))?), &report)?;
    table.broker(&report);
    table.compile(&report)?;
    table.unlock(&report)?;
    if let Err(error) = worst::run(paths, elf, None) {
        table.worse.push(error.to_string());
    }
    println!("\nthe device, bytes");
    for (what, aim, taken) in [
        ("code of VM and script engine", figures.engine, sizes.engine()),
        ("image in flash", figures.image, sizes.image()),
        ("all RAM", figures.ram, sizes.ram()),
    ] {
        table.line(what, &Aim { aim, most: u64::MAX }, taken);
    }
    println!("\nwhat takes the instructions of the events that take more than is aimed at");
    for ((case, aim), taken) in CASES.iter().zip(&figures.events).zip(report.events()) {
        if aim.aim.is_some_and(|aim| taken > aim) {
            let source = read(&script(case))?;
            let functions = profile::run(paths, elf, &source, case.event)?;
            println!("{}", case.what);
            functions.lines().take(FUNCTIONS).for_each(|line| println!("{line}"));
        }
    }
    println!("and the bytes: cargo xtask {} size --largest 100", paths.chip.name);
    table.finish()
}

fn script(case: &Case) -> PathBuf {
    Path::new(SCRIPTS).join(case.script).with_extension("script")
}

/// What is printed, and what was found to have become worse, or is said wrongly.
struct Table<'f> {
    figures: &'f Figures,
    worse: Vec<String>,
}

impl Table<'_> {
    fn events(&mut self, report: &Report) -> Result<()> {
        let Figures { events: aims, loaded: loaded_aim, peers, .. } = self.figures;
        print!("{:<24}{:>9}", "instructions per event", "umqtt");
        if let Some(peers) = peers {
            print!("{:>9}", "aim");
            peers.names.iter().for_each(|name| print!("{name:>13}"));
        }
        println!();
        let events: Vec<u64> = report.events().collect();
        ensure!(events.len() == CASES.len(), "an event was not counted");
        for (at, taken) in events.into_iter().enumerate() {
            let others = peers.as_ref().map(|peers| peers.events[at]);
            self.row(CASES[at].what, &aims[at], taken, others);
        }
        let loaded = report.all("load", "ram").next().context("nothing was loaded")?;
        self.row(LOADED, loaded_aim, loaded, peers.as_ref().map(|peers| peers.loaded));
        Ok(())
    }

    /// Holds the page to what was counted.
    fn page(&mut self, text: &str, report: &Report) -> Result<()> {
        let names = CASES.iter().map(|case| case.what).chain([LOADED]);
        let counted = report.events().chain(report.all("load", "ram").take(1));
        for ((row, what), taken) in page::rows(text)?.into_iter().zip(names).zip(counted) {
            self.worse.extend(page::stale(what, row[0], taken));
        }
        Ok(())
    }

    fn row(&mut self, what: &str, aim: &Aim, taken: u64, others: Option<[u64; 5]>) {
        print!("{what:<24}{taken:>9}");
        if let Some(aim) = aim.aim {
            print!("{aim:>9}");
        }
        others.iter().flatten().for_each(|taken| print!("{taken:>13}"));
        println!();
        self.note(what, aim, taken);
    }

    fn broker(&self, report: &Report) {
        println!("\nbroker, a message of QoS 0 from bytes in to bytes out");
        for (count, taken) in SUBSCRIBERS.iter().zip(report.all("publish", "instructions")) {
            println!("{:<36}{taken:>9} instructions", format!("to {count}"));
        }
        if let Some(heap) = report.all("publish", "heap").last() {
            println!("{:<36}{heap:>9} bytes of heap", "a client with a subscription");
        }
    }

    fn compile(&mut self, report: &Report) -> Result<()> {
        let last = |name| report.all("compile", name).last().context("nothing was compiled");
        let Figures { compile, compile_heap, .. } = self.figures;
        println!("\ncompiling a script of {} bytes", last("source")?);
        self.line("instructions", compile, last("instructions")?);
        let heap = last("heap")?.saturating_sub(last("image")?);
        self.line("bytes of heap", compile_heap, heap);
        Ok(())
    }

    fn unlock(&mut self, report: &Report) -> Result<()> {
        let taken = report.all("unlock", "instructions").next().context("nothing was unlocked")?;
        println!("\nthe console's lock, in which nothing else is done");
        self.line("a password tried", &self.figures.unlock, taken);
        Ok(())
    }

    fn line(&mut self, what: &str, aim: &Aim, taken: u64) {
        print!("{what:<36}{taken:>9}");
        if let Some(aim) = aim.aim {
            let reached = if taken <= aim { "reached" } else { "not reached" };
            print!("   aim {aim:>9}, {reached}");
        }
        println!();
        self.note(what, aim, taken);
    }

    fn note(&mut self, what: &str, aim: &Aim, taken: u64) {
        if taken > aim.most {
            self.worse.push(format!("{what} takes {taken}, it took {} at most", aim.most));
        }
    }

    fn finish(self) -> Result<ExitCode> {
        if self.worse.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        bail!("worse than before, or said wrongly: {}", self.worse.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Aim, Table, page};
    use crate::esp8266::ESP8266;
    use crate::qemu_riscv::QEMU_RISCV;

    #[test]
    fn the_pages_show_the_same_of_the_others() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
        for figures in [&ESP8266.figures, &QEMU_RISCV.figures] {
            let page = std::fs::read_to_string(root.join(figures.page)).unwrap();
            let shown: Vec<Vec<u64>> =
                page::rows(&page).unwrap().into_iter().map(|row| row[1..].to_vec()).collect();
            let expected: Vec<Vec<u64>> = match &figures.peers {
                Some(peers) => peers
                    .events
                    .iter()
                    .chain([&peers.loaded])
                    .map(|[c, lua, berry, python, firmware]| {
                        vec![*lua, *berry, *python, *firmware, *c]
                    })
                    .collect(),
                None => vec![Vec::new(); figures.events.len() + 1],
            };
            assert_eq!(shown, expected, "{}", figures.page);
        }
    }

    #[test]
    fn what_has_become_worse_is_named() {
        let aim = Aim { aim: Some(5), most: 10 };
        let mut table = Table { figures: &ESP8266.figures, worse: Vec::new() };
        table.line("it", &aim, 10);
        assert!(table.worse.is_empty());
        table.line("it", &aim, 11);
        let error = table.finish().unwrap_err().to_string();
        assert_eq!(error, "worse than before, or said wrongly: it takes 11, it took 10 at most");
    }
}
