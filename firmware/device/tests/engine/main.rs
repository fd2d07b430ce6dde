//! Scenarios of the script engine in virtual time.
#![allow(clippy::unwrap_used)]

mod events;
mod misbehaviour;
mod replay;
mod schedule;
mod time;

use umqtt_device::net::Duration;
use umqtt_device::sim::Simulator;
use umqtt_vm::Profile;

/// The desktop with less patience, so that endless loops end sooner.
const PROFILE: Profile = Profile::DESKTOP.fuel(100_000);

/// Compiles a script, which must be right.
fn compile(source: &str) -> Vec<u8> {
    match umqtt_lang::compile(
        source.as_bytes(),
        &Profile::DESKTOP,
        umqtt_lang::EmitOptions::new().debug(true),
    ) {
        Ok(image) => image,
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    }
}

/// A script on the bench, not yet started.
fn prepared(source: &str) -> Simulator {
    Simulator::new(compile(source), &PROFILE).unwrap()
}

/// A script that has started, its first actions looked at already.
fn running(source: &str) -> Simulator {
    let mut sim = prepared(source);
    sim.start();
    sim.done();
    sim
}

/// So many milliseconds.
fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
