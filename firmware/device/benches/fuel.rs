//! What a unit of fuel buys, for everything a script can do, at its worst: instructions, counted by
//! valgrind, and microseconds of an event that uses all its fuel. `cargo bench -p umqtt-device
//! --bench fuel`; with a word only the cases whose name has it, with `-- quick` a sample in a
//! minute, without the microseconds.
//!
//! Each case runs twice, in a process of its own, the second time with twice the fuel: so what it
//! takes to set it up is left out. `-- values` counts every operation with every kind of value, as
//! `cargo xtask esp8266 bench` does on the chip's core, one process for an operation: valgrind
//! writes down what was counted after each case.
#![allow(clippy::unwrap_used, dead_code)]

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;
use std::{fs, io};

use umqtt_device::net::Duration;
use umqtt_device::sim::Simulator;
use umqtt_lang::EmitOptions;
use umqtt_testkit::fuel_cases::{FuelCase, cases_of};
use umqtt_vm::Profile;
use umqtt_vm::fuel::INSTRUCTIONS_PER_FUEL;
use umqtt_vm::isa::Op;

#[path = "../tests/device/world.rs"]
mod world;
#[path = "../tests/device/worst.rs"]
mod worst;

/// Fuel of the shorter run, and of that of the sample.
const FUEL: u32 = 100_000;
const QUICK_FUEL: u32 = 20_000;

/// Of every operation with every kind of value so many are shown.
const SHOWN: usize = 20;

/// The sample: of each kind of work that fuel is paid for, the case that has come nearest to the
/// bound.
const SAMPLE: &[&str] = &[
    "count",
    "find of a few",
    "json_parse of members",
    "retained_topic by name",
    "publish local to a topic of 4 KB",
    "publish local to many",
    "publish local retained",
    "print of nothing",
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    match &args[..] {
        [run, values, code] if run == "run" && values == "values" => {
            run_cases(Op::from_code(code.parse().unwrap()).unwrap());
            ExitCode::SUCCESS
        }
        [run, name, fuel] if run == "run" => {
            let fuel = fuel.parse().unwrap_or(FUEL);
            let statements = worst::CASES.iter().find(|case| case.0 == name).unwrap().1;
            worst::world(statements, fuel).poll_once();
            ExitCode::SUCCESS
        }
        [word] if word == "values" => measure_values(),
        [word] if word == "quick" => measure(|name| SAMPLE.contains(&name), QUICK_FUEL),
        [word] => measure(|name| name.contains(word.as_str()), FUEL),
        _ => measure(|_| true, FUEL),
    }
}

fn measure(wanted: impl Fn(&str) -> bool, fuel: u32) -> ExitCode {
    println!("{:<32} {:>12} {:>14}", "", "per fuel", "us per event");
    let mut most = 0.0f64;
    for (name, statements) in worst::CASES.iter().filter(|case| wanted(case.0)) {
        let (Some(short), Some(long)) = (count(name, fuel), count(name, 2 * fuel)) else {
            eprintln!(
                "cannot count: install valgrind, for instance with `apt-get install valgrind`"
            );
            return ExitCode::FAILURE;
        };
        let per_fuel = (long.saturating_sub(short)) as f64 / f64::from(fuel);
        let micros = if fuel == FUEL { event_micros(statements) } else { "-".into() };
        println!("{name:<32} {per_fuel:>12.1} {micros:>14}");
        most = most.max(per_fuel);
    }
    println!("most {most:.1}, bound {INSTRUCTIONS_PER_FUEL}");
    if most > f64::from(INSTRUCTIONS_PER_FUEL) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Every operation with every kind of value.
fn measure_values() -> ExitCode {
    let mut counted = Vec::new();
    for op in Op::ALL {
        let cases = cases_of(*op);
        if cases.is_empty() {
            continue;
        }
        match count_cases(*op) {
            Ok(counts) if counts.len() == cases.len() => {
                let per_fuel = |count| count as f64 / f64::from(QUICK_FUEL);
                let names = cases.into_iter().map(|case| case.name);
                counted.extend(counts.into_iter().map(per_fuel).zip(names));
            }
            wrong => {
                eprintln!("{} cannot be counted with valgrind: {wrong:?}", op.mnemonic());
                return ExitCode::FAILURE;
            }
        }
    }
    counted.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (per_fuel, name) in counted.iter().take(SHOWN) {
        println!("{per_fuel:>12.1}  {name}");
    }
    let most = counted.first().map_or(0.0, |worst| worst.0);
    println!("most of {}: {most:.1}, bound {INSTRUCTIONS_PER_FUEL}", counted.len());
    if most > f64::from(INSTRUCTIONS_PER_FUEL) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs the cases of an operation, each up to where its fuel ends.
fn run_cases(op: Op) {
    for case in cases_of(op) {
        let mut sim = prepared(&case);
        mark();
        sim.advance(Duration::from_millis(1));
        mark();
        let used = sim.engine().fuel_used();
        assert!(used >= QUICK_FUEL, "{}: it ends before its fuel does", case.name);
    }
}

fn prepared(case: &FuelCase) -> Simulator {
    let profile = Profile::DESKTOP.fuel(QUICK_FUEL);
    let image = umqtt_lang::compile(case.script.as_bytes(), &profile, EmitOptions::new()).unwrap();
    let mut sim = Simulator::new(image, &profile).unwrap();
    sim.start();
    sim
}

/// Valgrind writes down what it has counted when this ends, and begins anew.
#[inline(never)]
fn mark() {
    black_box(());
}

/// Instructions of the cases of an operation, in their order.
fn count_cases(op: Op) -> io::Result<Vec<u64>> {
    let folder = std::env::temp_dir().join(format!("umqtt-fuel-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counted = count_into(op, &folder);
    fs::remove_dir_all(&folder)?;
    counted
}

fn count_into(op: Op, folder: &Path) -> io::Result<Vec<u64>> {
    let out = folder.join("counted");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-after=fuel::mark*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["run", "values", &(op as u8).to_string()])
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let mut counts = Vec::new();
    // Two numbered files for each case: what comes before it, and the case.
    while let Ok(text) = fs::read_to_string(folder.join(format!("counted.{}", counts.len() + 1))) {
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let Some(total) = total.and_then(|total| total.trim().parse().ok()) else {
            return Err(io::Error::other("no totals"));
        };
        counts.push(total);
    }
    Ok(counts.into_iter().skip(1).step_by(2).collect())
}

/// What an event takes on this machine now.
fn event_micros(statements: &str) -> String {
    let mut world = worst::world(statements, Profile::DESKTOP.fuel);
    let start = Instant::now();
    world.poll_once();
    start.elapsed().as_micros().to_string()
}

/// Instructions of a run.
fn count(name: &str, fuel: u32) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args(["run", name, &fuel.to_string()])
        .output()
        .ok()?;
    let log = String::from_utf8(output.stderr).ok()?;
    let (_, collected) = log.split_once("Collected : ")?;
    collected.split_whitespace().next()?.parse().ok()
}
