//! What a delivery costs in instructions, counted by valgrind: the same on a busy machine as on an
//! idle one.
//! `cargo bench -p umqtt-mqtt --bench instructions`
//!
//! Each scene runs twice, in a process of its own; the longer run less the shorter one leaves out
//! how it is set up.

use std::process::{Command, ExitCode};

mod scenes;
use scenes::{SCENES, Stage};

/// Rounds of the shorter run; the longer one has twice as many.
const ROUNDS: u32 = 50;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    match (args.next(), args.next()) {
        (Some(scene), Some(rounds)) => run(&scene, rounds.parse().unwrap_or(0)),
        _ => measure(),
    }
}

/// What happens under valgrind: prints the deliveries.
fn run(scene: &str, rounds: u32) -> ExitCode {
    if scene == "connects" {
        println!("{}", scenes::connects(rounds * 20).clients_len());
        return ExitCode::SUCCESS;
    }
    let Some(scene) = SCENES.iter().find(|known| known.name == scene) else {
        return ExitCode::FAILURE;
    };
    let mut stage = Stage::new(*scene);
    let deliveries: u64 = (0..rounds).map(|_| stage.round()).sum();
    println!("{deliveries}");
    if stage.bytes() == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure() -> ExitCode {
    println!("{:<16} {:>12} {:>24}", "", "deliveries", "instructions/delivery");
    for scene in SCENES.iter().map(|scene| scene.name).chain(["connects"]) {
        let (short, long) = (count(scene, ROUNDS), count(scene, 2 * ROUNDS));
        let (Some(short), Some(long)) = (short, long) else {
            eprintln!(
                "cannot count: install valgrind, for instance with `apt-get install valgrind`"
            );
            return ExitCode::FAILURE;
        };
        let deliveries = long.1 - short.1;
        println!("{scene:<16} {deliveries:>12} {:>24}", (long.0 - short.0) / deliveries.max(1));
    }
    ExitCode::SUCCESS
}

/// Instructions and deliveries of a run.
fn count(scene: &str, rounds: u32) -> Option<(u64, u64)> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args([scene, &rounds.to_string()])
        .output()
        .ok()?;
    let log = String::from_utf8(output.stderr).ok()?;
    let (_, collected) = log.split_once("Collected : ")?;
    let instructions = collected.split_whitespace().next()?.parse().ok()?;
    let deliveries = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some((instructions, deliveries))
}
