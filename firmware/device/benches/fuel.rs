//! What a unit of fuel buys, for everything a script can do, at its worst: instructions, counted by
//! valgrind, and microseconds of an event that uses all its fuel. `cargo bench -p umqtt-device
//! --bench fuel`; with a word only the cases whose name has it, with `-- quick` a sample in a
//! minute, without the microseconds.
//!
//! Each case runs twice, in a process of its own, the second time with twice the fuel: so what it
//! takes to set it up is left out.
#![allow(clippy::unwrap_used, dead_code)]

use std::process::{Command, ExitCode};
use std::time::Instant;

use umqtt_vm::Profile;
use umqtt_vm::fuel::INSTRUCTIONS_PER_FUEL;

#[path = "../tests/device/world.rs"]
mod world;
#[path = "../tests/device/worst.rs"]
mod worst;

/// Fuel of the shorter run, and of that of the sample.
const FUEL: u32 = 100_000;
const QUICK_FUEL: u32 = 20_000;

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
        [run, name, fuel] if run == "run" => {
            let fuel = fuel.parse().unwrap_or(FUEL);
            let statements = worst::CASES.iter().find(|case| case.0 == name).unwrap().1;
            worst::world(statements, fuel).poll_once();
            ExitCode::SUCCESS
        }
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
