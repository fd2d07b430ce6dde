//! Every script of the `scripts` folder: it starts, and is written as samples should be. What each
//! does stands in the `.test` file beside it, which `umqttc test` runs.
#![allow(clippy::unwrap_used)]

mod discovery;
mod quality;
mod sizes;
mod wires;

use umqtt_device::net::Duration;
use umqtt_device::sim::Simulator;
use umqtt_lang::EmitOptions;
use umqtt_vm::Profile;

/// The text of a sample script.
fn source(name: &str) -> String {
    let path = format!("{}/../../scripts/{name}.script", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of all sample scripts.
fn names() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".script").map(String::from)
        })
        .collect();
    names.sort();
    names
}

/// Compiles a script, which must be right.
fn compile(source: &str, profile: &Profile) -> Vec<u8> {
    match umqtt_lang::compile(source.as_bytes(), profile, EmitOptions::new().debug(true)) {
        Ok(image) => image,
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    }
}

/// A sample script on the bench, not yet started.
fn prepared(name: &str) -> Simulator {
    Simulator::new(compile(&source(name), &Profile::ESP8266), &Profile::ESP8266).unwrap()
}

/// A sample script that has started, its first actions looked at already.
fn running(name: &str) -> Simulator {
    let mut sim = prepared(name);
    sim.start();
    sim.done();
    sim
}

const HOUR: u64 = 60 * 60 * 1000;

#[test]
fn there_are_enough_of_them_and_the_list_names_them_all() {
    let names = names();
    assert!(names.len() >= 10, "{names:?}");
    let list = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/README.md");
    let list = std::fs::read_to_string(list).unwrap();
    for name in names {
        assert!(list.contains(&format!("[{name}]({name}.script)")), "{name} is not in README.md");
    }
}

#[test]
fn they_start_without_a_complaint_on_every_profile() {
    for name in names() {
        for profile in Profile::ALL {
            let mut sim = Simulator::new(compile(&source(&name), &profile), &profile).unwrap();
            sim.start();
            sim.connect_remote();
            sim.advance(ms(HOUR));
            let logged = sim.logged();
            assert!(logged.is_empty() && sim.enabled(), "{name}: {logged:?}");
        }
    }
}

/// So many milliseconds.
fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
