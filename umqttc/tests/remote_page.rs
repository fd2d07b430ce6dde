//! Plays `docs/remote.md`: what comes of each command is what the page says.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // in helpers of tests

mod common;

use std::path::Path;

use common::device::{Device, free_port, local};
use common::{folder, repository, umqttc};

const PAGE: &str = include_str!("../docs/remote.md");
const TOUR: &str = include_str!("../docs/tour.md");

/// The commands of the page that begin so, and what they print.
fn said(command: &str) -> (Vec<String>, &'static str) {
    let at = PAGE.find(&format!("$ umqttc {command}")).unwrap_or_else(|| panic!("no {command}"));
    let (typed, rest) = PAGE[at + "$ umqttc ".len()..].split_once('\n').unwrap();
    let end = ["$ ", "```"].into_iter().filter_map(|mark| match rest.starts_with(mark) {
        true => Some(0),
        false => rest.find(&format!("\n{mark}")).map(|at| at + 1),
    });
    // Words, and words in quotes with blanks in them.
    let mut words = Vec::new();
    for (part, quoted) in typed.split('"').zip([false, true].into_iter().cycle()) {
        match quoted {
            true => words.push(part.to_owned()),
            false => words.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    (words, &rest[..end.min().unwrap()])
}

/// Runs such a command with the device in the place of `host`.
fn play(dir: &Path, command: &str, host: &str, device: &Device) {
    let (mut words, expected) = said(command);
    let address = local(device.console_port).to_string();
    for word in &mut words {
        if word == host {
            word.clone_from(&address);
        }
    }
    let port = free_port().to_string();
    let upload = ["--upload-port", &port].map(str::to_owned);
    if matches!(words[0].as_str(), "push" | "restore") {
        words.splice(1..1, upload);
    }
    let ran = umqttc(dir, &words);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{words:?}");
    assert_eq!(ran.out.replace(&address, &format!("{host}:7777")), expected, "{words:?}");
}

#[test]
fn scripts_are_sent_and_fetched() {
    let (_, other) = TOUR.split_once("```\n% Answers").unwrap();
    let other = format!("% Answers{}", other.split("```").next().unwrap());
    let dir = folder(&[("other.script", other.as_bytes())]);
    let device = Device::start(dir.path(), None);
    play(dir.path(), "push other.script", "localhost", &device);
    play(dir.path(), "pull localhost", "localhost", &device);
    assert_eq!(std::fs::read_to_string(dir.path().join("running.script")).unwrap(), other);
    play(dir.path(), "diff other.script", "localhost", &device);
    let ran = umqttc(dir.path(), &["status", &local(device.console_port).to_string()]);
    let heads = |table: &str| -> Vec<String> {
        table.lines().next().unwrap().split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(heads(&ran.out), heads(said("status").1));
}

#[test]
fn a_backup_and_the_console() {
    let dir = folder(&[]);
    let (one, two) = (folder(&[]), folder(&[]));
    let relay = std::fs::read_to_string(repository("scripts/relay.script")).unwrap();
    let devices = [Device::start(one.path(), Some(&relay)), Device::start(two.path(), None)];
    play(dir.path(), "console localhost -c", "localhost", &devices[0]);
    play(dir.path(), "console localhost --wait", "localhost", &devices[0]);
    assert_eq!(devices[0].console().ask("set @1 \"a b\""), "@1 written to flash");
    play(dir.path(), "backup", "localhost", &devices[0]);
    play(dir.path(), "restore --dry-run", "192.168.1.21", &devices[1]);
}
