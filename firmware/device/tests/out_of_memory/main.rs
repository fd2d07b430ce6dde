//! The device when memory runs out, tested as sqlite tests it: every allocation fails once, and
//! then all from it on until the step is over; and a heap of the chip's size, and of many that are
//! smaller. Never a panic; afterwards it serves, and its storage is whole. And clients that want
//! all memory, on a heap whose memory comes to be in pieces.
//!
//! Each run is a story in which all of the device happens. A failure that is not handled aborts the
//! program, so the runs are made by a child, and its parent says at which allocation it ended. To
//! look at one by itself, with where it failed:
//!
//! ```sh
//! UMQTT_OOM=once:123:124:1 UMQTT_OOM_TRACE=1 \
//!     cargo test -p umqtt-device --test out_of_memory -- --exact child --nocapture
//! ```
//!
//! `UMQTT_OOM_ALL=1` runs all of them; without it, a sample that changes nothing from run to run.
#![allow(clippy::unwrap_used)]

#[path = "../common/allocator.rs"]
#[expect(dead_code, reason = "what is free is looked at elsewhere")]
mod allocator;
mod pressure;
mod story;
mod world;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use umqtt_device::device::DeviceOptions;
use umqtt_memory::Plan;

use crate::story::{probe, story};

/// What the children are told: `MODE:FROM:TO:STEP`.
const VARIABLE: &str = "UMQTT_OOM";
/// Runs of each mode, without `UMQTT_OOM_ALL`.
const SAMPLE: usize = 400;
/// Bytes of the chip's buffers of all its connections.
const CONNECTIONS: usize = 22 * 288;
/// Stories of clients that want all memory, without `UMQTT_OOM_ALL`.
const PRESSURES: usize = 200;
/// Faults after which it is enough.
const ENOUGH: usize = 12;

/// The chip's device. What holds pointers is larger here, so that the budgets are too.
fn options() -> DeviceOptions {
    let plan = Plan::ESP8266.scaled(size_of::<usize>() / 4);
    let limits = DeviceOptions::ESP8266.limits.max_memory(plan.broker);
    DeviceOptions { plan, limits, ..DeviceOptions::ESP8266 }
}

/// One run; what is wrong afterwards.
fn run(n: usize, mode: &str) -> Result<usize, String> {
    match mode {
        "limit" => allocator::limit(n),
        "pieces" => allocator::fail_large_blocks(),
        _ => allocator::fail(n, mode == "on"),
    }
    let mut world = story(options().with_radio());
    let (failed, refused) = (allocator::failed(), world.refused());
    if let Some(over) = world.over() {
        return Err(format!("over its limit: {over}"));
    }
    println!("at {n}: {failed} failed, {refused} refused, at most {} bytes", allocator::most());
    if mode == "limit" && n >= chip_heap() && failed > 0 {
        return Err(format!("the story does not fit the chip's heap: {failed} allocations failed"));
    }
    allocator::stop_failing();
    allocator::limit(usize::MAX);
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

/// Bytes the chip's heap has for what the device allocates here: its network and what is there from
/// the start are not among it. What holds pointers is larger here.
fn chip_heap() -> usize {
    let plan = options().plan;
    plan.total() - plan.network - plan.fixed
}

/// How many allocations there are that may fail.
fn allocations() -> usize {
    allocator::fail(usize::MAX, false);
    let mut world = story(options().with_radio());
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
    match mode {
        "count" => return println!("\ncount {}", allocations()),
        "pressure" => allocator::heap(chip_heap() + CONNECTIONS),
        "tight" => allocator::heap((chip_heap() + CONNECTIONS) / 4 * 3),
        _ => {}
    }
    for n in (from.parse().unwrap()..to.parse().unwrap()).step_by(step.parse().unwrap()) {
        // The test program has begun a line.
        println!("\nat {n}");
        std::io::stdout().flush().unwrap();
        let done = match mode {
            "pressure" | "tight" => pressure::story(n as u64, options(), mode == "pressure"),
            _ => run(n, mode).map(drop),
        };
        if let Err(why) = done {
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

#[test]
fn clients_that_want_all_memory_keep_nobody_from_being_served_for_long() {
    let all = std::env::var_os("UMQTT_OOM_ALL").is_some();
    for mode in ["pressure", "tight"] {
        try_all(mode, 0, if all { 20 * PRESSURES } else { PRESSURES }, 1);
    }
}

fn every_allocation_fails(mode: &str) {
    let (lines, errors) = child_says("count:0:0:1");
    let count = lines.iter().find_map(|line| line.strip_prefix("count ")).expect(&errors);
    let count: usize = count.parse().unwrap();
    assert!(count > 1000, "{count} allocations are no story");
    let all = std::env::var_os("UMQTT_OOM_ALL").is_some();
    let sample = if mode == "on" { SAMPLE / 4 } else { SAMPLE };
    let step = if all { 1 } else { (count / sample).max(1) };
    try_all(mode, 0, count, step);
}

fn try_all(mode: &str, mut from: usize, count: usize, step: usize) {
    let mut faults = Vec::new();
    while from < count && faults.len() < ENOUGH {
        let (lines, errors) = child_says(&format!("{mode}:{from}:{count}:{step}"));
        faults.extend(lines.iter().filter(|line| line.starts_with("wrong")).cloned());
        let last = lines.iter().rev().find_map(|line| line.strip_prefix("at ")).expect(&errors);
        let last: usize = last.split(':').next().unwrap().parse().unwrap();
        if lines.iter().any(|line| line == "done") {
            break;
        }
        faults.push(format!("{last}: {}", errors.lines().last().unwrap_or("it ended")));
        from = last + step;
    }
    println!("{mode}: up to {count}, every {step}. tried");
    assert!(faults.is_empty(), "{mode}, up to {count}:\n{}", faults.join("\n"));
}

#[test]
fn each_allocation_may_fail() {
    every_allocation_fails("once");
}

/// A step finds its margin in pieces of `STEP_BLOCK`, and allocates nothing larger without asking.
#[test]
fn a_step_allocates_no_block_that_is_larger_than_a_piece() {
    try_all("pieces", 0, 1, 1);
}

#[test]
fn the_heap_may_be_as_small_as_the_chips_and_smaller() {
    try_all("limit", 2_000, chip_heap() + 1_000, 1_000);
    try_all("limit", chip_heap(), chip_heap() + 1, 1);
}

#[test]
fn all_allocations_of_a_step_may_fail() {
    every_allocation_fails("on");
}
