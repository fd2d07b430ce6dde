//! What a unit of fuel buys, for everything a script can do, at its worst: instructions, counted by valgrind, and microseconds of an event
//! that uses all its fuel. `cargo bench -p umqtt-device --bench fuel`; with a word only the cases whose name has it.
//!
//! Each case runs twice, in a process of its own, the second time with twice the fuel: so what it takes to set it up is left out.
#![allow(clippy::unwrap_used, dead_code)]

use std::process::{Command, ExitCode};
use std::time::Instant;

use umqtt_vm::Profile;
use umqtt_vm::fuel::INSTRUCTIONS_PER_FUEL;

#[path = "../tests/device/world.rs"]
mod world;
#[path = "../tests/device/worst.rs"]
mod worst;

/// Fuel of the shorter run.
const FUEL: u32 = 100_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    match &args[..] {
        [run, name, fuel] if run == "run" => {
            let fuel = fuel.parse().unwrap_or(FUEL);
            let statements = worst::CASES.iter().find(|case| case.0 == name).unwrap().1;
            worst::world(statements, fuel).poll_once();
            ExitCode::SUCCESS
        }
        _ => measure(args.first().map_or("", String::as_str)),
    }
}

fn measure(word: &str) -> ExitCode {
    println!("{:<32} {:>12} {:>14}", "", "per fuel", "us per event");
    let mut most = 0.0f64;
    for (name, statements) in worst::CASES.iter().filter(|case| case.0.contains(word)) {
        let (Some(short), Some(long)) = (count(name, FUEL), count(name, 2 * FUEL)) else {
            eprintln!(
                "cannot count: install valgrind, for instance with `apt-get install valgrind`"
            );
            return ExitCode::FAILURE;
        };
        let per_fuel = (long.saturating_sub(short)) as f64 / f64::from(FUEL);
        let mut world = worst::world(statements, Profile::DESKTOP.fuel);
        let start = Instant::now();
        world.poll_once();
        println!("{name:<32} {per_fuel:>12.1} {:>14}", start.elapsed().as_micros());
        most = most.max(per_fuel);
    }
    println!("most {most:.1}, bound {INSTRUCTIONS_PER_FUEL}");
    if most > f64::from(INSTRUCTIONS_PER_FUEL) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
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
