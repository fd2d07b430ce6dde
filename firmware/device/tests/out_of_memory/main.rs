//! The device when memory runs out, tested as sqlite tests it: every allocation fails once, and then all from it on until
//! the step is over. Never a panic; afterwards it serves, its storage is whole, and what was refused is counted.
//!
//! Each run is a story in which all of the device happens. A failure that is not handled aborts the program, so the runs are
//! made by a child, and its parent says at which allocation it ended. To look at one by itself, with where it failed:
//!
//! ```sh
//! UMQTT_OOM=once:123:124:1 UMQTT_OOM_TRACE=1 cargo test -p umqtt-device --test out_of_memory -- --exact child --nocapture
//! ```
//!
//! `UMQTT_OOM_ALL=1` runs all of them; without it, a sample that changes nothing from run to run.
#![allow(clippy::unwrap_used)]

mod allocator;
mod story;
mod world;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use umqtt_device::device::Options;
use umqtt_memory::Plan;

use crate::story::{probe, story};

/// What the children are told: `MODE:FROM:TO:STEP`.
const VARIABLE: &str = "UMQTT_OOM";
/// Runs of each mode, without `UMQTT_OOM_ALL`.
const SAMPLE: usize = 400;
/// Faults after which it is enough.
const ENOUGH: usize = 12;

/// The chip's device. What holds pointers is larger here, so that the budgets are too.
fn options() -> Options {
    let plan = Plan::ESP8266.scaled(size_of::<usize>() / 4);
    let limits = umqtt_broker::Limits { max_memory: plan.broker, ..Options::ESP8266.limits };
    Options { plan, limits, ..Options::ESP8266 }
}

/// One run; what is wrong afterwards.
fn run(n: usize, on: bool) -> Result<usize, String> {
    allocator::fail(n, on);
    let mut world = story(options());
    let failed = allocator::failed();
    allocator::stop_failing();
    if !world.is_up() {
        return Ok(failed); // the watchdog's: there was no memory to begin with
    }
    probe(&mut world)?;
    let serial = world.serial();
    let mut world = world.power_cycle().ok_or("it was not up")?;
    probe(&mut world).map_err(|why| format!("after the next start: {why}"))?;
    let serial = serial + &world.serial();
    for damage in ["damaged", "could not be read", "finished a deletion"] {
        if serial.contains(damage) {
            return Err(format!("storage is not whole: {serial}"));
        }
    }
    Ok(failed)
}

/// How many allocations there are that may fail.
fn allocations() -> usize {
    allocator::fail(usize::MAX, false);
    let mut world = story(options());
    let count = allocator::count();
    probe(&mut world).unwrap();
    count
}

#[test]
fn child() {
    umqtt_memory::set_probing(true);
    let Ok(told) = std::env::var(VARIABLE) else { return };
    let words: Vec<&str> = told.split(':').collect();
    let [mode, from, to, step] = words[..] else { panic!("{VARIABLE}=MODE:FROM:TO:STEP") };
    if mode == "count" {
        println!("count {}", allocations());
        return;
    }
    for n in (from.parse().unwrap()..to.parse().unwrap()).step_by(step.parse().unwrap()) {
        // The test program has begun a line.
        println!("\nat {n}");
        std::io::stdout().flush().unwrap();
        if let Err(why) = run(n, mode == "on") {
            println!("wrong {n}: {why}");
        }
    }
    println!("done");
}

/// Runs a child; what it says.
fn child_says(told: &str) -> (Vec<String>, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads", "1"])
        .env(VARIABLE, told)
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let errors = child.stderr.take().unwrap();
    let errors = std::thread::spawn(move || std::io::read_to_string(errors).unwrap());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    child.wait().unwrap();
    (lines, errors.join().unwrap())
}

fn every_allocation_fails(mode: &str) {
    let (lines, errors) = child_says("count:0:0:1");
    let count = lines.iter().find_map(|line| line.strip_prefix("count ")).expect(&errors);
    let count: usize = count.parse().unwrap();
    let all = std::env::var_os("UMQTT_OOM_ALL").is_some();
    let step = if all { 1 } else { (count / SAMPLE).max(1) };
    let (mut from, mut faults) = (0, Vec::new());
    while from < count && faults.len() < ENOUGH {
        let (lines, errors) = child_says(&format!("{mode}:{from}:{count}:{step}"));
        faults.extend(lines.iter().filter(|line| line.starts_with("wrong")).cloned());
        let last = lines.iter().rev().find_map(|line| line.strip_prefix("at ")).expect(&errors);
        let last: usize = last.parse().unwrap();
        if lines.iter().any(|line| line == "done") {
            break;
        }
        faults.push(format!("{last}: {}", errors.lines().last().unwrap_or("it ended")));
        from = last + step;
    }
    println!("{mode}: {count} allocations may fail, every {step}. tried");
    assert!(faults.is_empty(), "of {count} allocations, {mode}:\n{}", faults.join("\n"));
}

#[test]
fn each_allocation_may_fail() {
    every_allocation_fails("once");
}

#[test]
fn all_allocations_of_a_step_may_fail() {
    every_allocation_fails("on");
}
