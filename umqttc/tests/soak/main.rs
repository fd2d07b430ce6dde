//! A soak over real sockets: random clients, whose connections break at random, against the device
//! as people run it. What arrives is held against the model that the broker's own tests use; and
//! the process may neither grow nor keep descriptors.
//!
//! `UMQTT_SOAK_SECONDS` says how long, 3 if not set. A failure names its seed, and
//! `UMQTT_SOAK_SEED` sets one: the clients then do the same things, though not at the same moments
//! of the device.
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod player;
mod process;

use std::time::{Duration, Instant};

use common::device::Device;
use common::folder;
use crowd::Crowd;
use process::Process;

/// The script takes part: it hears all there is.
const SCRIPT: &str = "on init do subscribe local \"#\"\non topic local \"#\" do setvar $n = $n + 1 if $this_data = \"?\" then print $n endif\n";

/// What the memory of a process without leaks may still vary by: how its parts lie, buffers of busy
/// moments.
const SLACK_KB: u64 = 1024;

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

#[test]
fn whatever_clients_do_all_arrives_and_nothing_grows() {
    let clock = std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64);
    let seed = number("UMQTT_SOAK_SEED", clock);
    let span = Duration::from_secs(number("UMQTT_SOAK_SECONDS", 3));
    println!("UMQTT_SOAK_SEED={seed}");

    let dir = folder(&[]);
    let device = Device::start(dir.path(), Some(SCRIPT));
    let process = Process(device.pid());
    let mut crowd = Crowd::new(device.mqtt_port, seed);
    crowd.round().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    crowd.disperse().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    let descriptors = process.settled_descriptors();

    // A third of the time to warm up: until then buffers and tables find their size.
    let start = Instant::now();
    let mut warm = None;
    while start.elapsed() < span {
        crowd.round().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        if warm.is_none() && start.elapsed() >= span / 3 {
            warm = Some(process.memory_kb());
        }
    }
    let (warm, end) = (warm.unwrap_or_else(|| process.memory_kb()), process.memory_kb());
    crowd.disperse().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    println!("{}; memory {warm} KiB warm, {end} KiB in the end", crowd.counts);
    assert!(
        end <= warm + warm / 10 + SLACK_KB,
        "seed {seed}: memory grew from {warm} to {end} KiB"
    );
    common::eventually("the descriptors to be as many as before", || {
        (process.descriptors() == descriptors).then_some(())
    });
    let shown = device.console().ask("show mqtt");
    crowd.counts.judge(&shown).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{shown}"));
    assert!(device.interrupt().success());
}
