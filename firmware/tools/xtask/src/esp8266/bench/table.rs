//! What the design sets aims for, beside what others take on the same core.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use super::report::Report;
use super::{page, perform, profile, script_task};
use crate::esp8266::DEVICE;
use crate::esp8266::build::{self, Program};
use crate::esp8266::paths::Paths;
use crate::esp8266::size::{KIB, Sizes};
use crate::esp8266::toolchain::Toolchain;

/// Where the scripts of the events are.
const SCRIPTS: &str = "firmware/device/benches/scripts";
/// A script of 4 KiB.
const LARGE: &str = "lang/benches/house.script";
/// The page with the events' counts.
const PAGE: &str = "firmware/chips/docs/esp8266.md";

/// The others, each built with the chip's own compiler at -O2, given the same events with input and
/// output stubbed.
const PEERS: [&str; 5] = ["C by hand", "Lua 5.4", "Berry", "MicroPython", "C firmware"];

/// So many functions are listed for an event.
const FUNCTIONS: usize = 8;

/// Something the design has an aim for.
struct Aim {
    what: &'static str,
    /// What is aimed at.
    aim: u64,
    /// Where it stands: more fails. The compiler decides a little of it, so this is not exact.
    most: u64,
}

/// An event and what the others take for it.
struct Case {
    script: &'static str,
    event: &'static str,
    aim: Aim,
    peers: [u64; PEERS.len()],
}

const CASES: [Case; 4] = [
    Case {
        script: "relay",
        event: "topic local switch/1/command toggle",
        aim: Aim { what: "T relay toggle", aim: 1_600, most: 2_690 },
        peers: [490, 6_393, 16_295, 18_412, 62_915],
    },
    Case {
        script: "relay",
        event: "topic local kitchen/temperature 21.5",
        aim: Aim { what: "N matches nothing", aim: 200, most: 560 },
        peers: [134, 1_800, 3_639, 2_261, 12_884],
    },
    Case {
        script: "fade",
        event: "timer 1",
        aim: Aim { what: "P PWM tick", aim: 580, most: 1_115 },
        peers: [49, 1_171, 1_543, 2_720, 34_544],
    },
    Case {
        script: "bridge",
        event: "topic local kitchen/temperature 21.5",
        aim: Aim { what: "B bridge", aim: 800, most: 1_950 },
        peers: [193, 4_896, 14_796, 12_877, 14_076],
    },
];

/// RAM the relay's script takes once it is loaded, bytes.
const LOADED: Aim = Aim { what: "RAM after load", aim: 1_000, most: 1_000 };
const LOADED_PEERS: [u64; PEERS.len()] = [124, 9_700, 4_300, 1_900, 4_300];

/// Messages of QoS 0 through the broker. No aim is set for them, and none of the others was
/// measured.
const SUBSCRIBERS: [u32; 2] = [1, 8];

/// What compiling may take, instructions and bytes of heap: the image that comes of it is not
/// counted.
const COMPILE: Aim = Aim { what: "instructions", aim: 1_600_000, most: 1_600_000 };
const COMPILE_HEAP: Aim = Aim { what: "bytes of heap", aim: 8 * KIB, most: 8 * KIB };

/// What the device takes, bytes.
const ENGINE: Aim = Aim { what: "code of VM and script engine", aim: 24 * KIB, most: u64::MAX };
/// 100 ms at 80 MHz.
const UNLOCK: Aim = Aim { what: "a password tried", aim: 8_000_000, most: 8_000_000 };
const IMAGE: Aim = Aim { what: "image in flash", aim: 512 * KIB, most: u64::MAX };
const RAM: Aim = Aim { what: "all RAM, in which 16 clients fit", aim: 48 * KIB, most: u64::MAX };

pub(super) fn run(places: &Paths, tools: &Toolchain, elf: &Path) -> Result<ExitCode> {
    let read = |path: &Path| {
        fs::read(places.root.join(path)).with_context(|| format!("cannot read {}", path.display()))
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
    let report = perform(places, elf, &tasks)?;
    let sizes = Sizes::read(&build::build(places, tools, &Program::new(DEVICE, &[]))?)?;

    let mut table = Table::default();
    table.events(&report)?;
    table.page(&String::from_utf8_lossy(&read(Path::new(PAGE))?), &report)?;
    table.broker(&report);
    table.compile(&report)?;
    table.unlock(&report)?;
    println!("\nthe device, bytes");
    for (aim, taken) in [(ENGINE, sizes.engine()), (IMAGE, sizes.image()), (RAM, sizes.ram())] {
        table.line(&aim, taken);
    }
    println!("\nwhat takes the instructions of the events that take more than is aimed at");
    for (case, taken) in CASES.iter().zip(report.events()) {
        if taken > case.aim.aim {
            let source = read(&script(case))?;
            let functions = profile::run(places, elf, &source, case.event)?;
            println!("{}", case.aim.what);
            functions.lines().take(FUNCTIONS).for_each(|line| println!("{line}"));
        }
    }
    println!("and the bytes: cargo xtask esp8266 size --largest 100");
    table.finish()
}

fn script(case: &Case) -> PathBuf {
    Path::new(SCRIPTS).join(case.script).with_extension("script")
}

/// What is printed, and what was found to have become worse, or is said wrongly.
#[derive(Default)]
struct Table {
    worse: Vec<String>,
}

impl Table {
    fn events(&mut self, report: &Report) -> Result<()> {
        print!("{:<24}{:>9}{:>9}", "instructions per event", "umqtt", "aim");
        PEERS.iter().for_each(|name| print!("{name:>13}"));
        println!();
        let events: Vec<u64> = report.events().collect();
        ensure!(events.len() == CASES.len(), "an event was not counted");
        for (case, taken) in CASES.iter().zip(events) {
            self.row(&case.aim, taken, case.peers);
        }
        let loaded = report.all("load", "ram").next().context("nothing was loaded")?;
        self.row(&LOADED, loaded, LOADED_PEERS);
        Ok(())
    }

    /// Holds the page to what was counted.
    fn page(&mut self, text: &str, report: &Report) -> Result<()> {
        let names = CASES.iter().map(|case| case.aim.what).chain([LOADED.what]);
        let counted = report.events().chain(report.all("load", "ram").take(1));
        for ((row, what), taken) in page::rows(text)?.into_iter().zip(names).zip(counted) {
            self.worse.extend(page::stale(what, row[0], taken));
        }
        Ok(())
    }

    fn row(&mut self, aim: &Aim, taken: u64, peers: [u64; PEERS.len()]) {
        print!("{:<24}{taken:>9}{:>9}", aim.what, aim.aim);
        peers.iter().for_each(|taken| print!("{taken:>13}"));
        println!();
        self.note(aim, taken);
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
        println!("\ncompiling a script of {} bytes", last("source")?);
        self.line(&COMPILE, last("instructions")?);
        self.line(&COMPILE_HEAP, last("heap")?.saturating_sub(last("image")?));
        Ok(())
    }

    fn unlock(&mut self, report: &Report) -> Result<()> {
        let taken = report.all("unlock", "instructions").next().context("nothing was unlocked")?;
        println!("\nthe console's lock, in which nothing else is done");
        self.line(&UNLOCK, taken);
        Ok(())
    }

    fn line(&mut self, aim: &Aim, taken: u64) {
        let reached = if taken <= aim.aim { "reached" } else { "not reached" };
        println!("{:<36}{taken:>9}   aim {:>9}, {reached}", aim.what, aim.aim);
        self.note(aim, taken);
    }

    fn note(&mut self, aim: &Aim, taken: u64) {
        if taken > aim.most {
            self.worse.push(format!("{} takes {taken}, it took {} at most", aim.what, aim.most));
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
    use super::{Aim, CASES, LOADED_PEERS, PAGE, Table, page};

    #[test]
    fn the_page_shows_the_same_of_the_others() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
        let rows = page::rows(&std::fs::read_to_string(root.join(PAGE)).unwrap()).unwrap();
        let peers = CASES.iter().map(|case| case.peers).chain([LOADED_PEERS]);
        let expected: Vec<[u64; 5]> = peers
            .map(|[c, lua, berry, python, firmware]| [lua, berry, python, firmware, c])
            .collect();
        let shown: Vec<&[u64]> = rows.iter().map(|row| &row[1..]).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_has_become_worse_is_named() {
        let aim = Aim { what: "it", aim: 5, most: 10 };
        let mut table = Table::default();
        table.line(&aim, 10);
        assert!(table.worse.is_empty());
        table.line(&aim, 11);
        let error = table.finish().unwrap_err().to_string();
        assert_eq!(error, "worse than before, or said wrongly: it takes 11, it took 10 at most");
    }
}
