//! Plays `docs/tour.md`: what it says to type is typed, and what it says comes of it does.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // in helpers of tests

mod common;

use common::console::{ConsoleClient, push};
use common::device::{Device, free_port, local};
use common::{folder, http, repository, umqttc};

const PAGE: &str = include_str!("../docs/tour.md");

/// The text of the fenced block that begins with a line.
fn block(first: &str) -> &'static str {
    let mut blocks =
        PAGE.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap().1);
    blocks.find(|block| block.starts_with(first)).unwrap_or_else(|| panic!("no block {first}"))
}

/// What comes of a line that is typed: up to the next one, or to the end of its block.
fn said(typed: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(typed).unwrap_or_else(|| panic!("{typed} is not in the tour"));
    let rest = rest.split_once('\n').unwrap().1;
    let end = ["$ ", "CMD>", "```"].into_iter().filter_map(|mark| {
        if rest.starts_with(mark) {
            Some(0)
        } else {
            rest.find(&format!("\n{mark}")).map(|at| at + 1)
        }
    });
    &rest[..end.min().unwrap()]
}

/// Uploads a script on a port of its own; returns what the console says of it.
fn upload(console: &mut ConsoleClient, bytes: &[u8]) -> String {
    let port = free_port();
    let reply = console.ask(&format!("script {port}"));
    let expected = said("CMD>script 2000").lines().next().unwrap();
    assert_eq!(reply, expected.replace("2000", &port.to_string()));
    push(local(port), bytes);
    console.until("Syntax okay")
}

#[test]
fn the_relay_the_console_and_another_script() {
    let dir = folder(&[]);
    let relay = std::fs::read_to_string(repository("scripts/relay.script")).unwrap();
    let device = Device::start(dir.path(), Some(&relay));
    for line in said("$ umqttc run scripts/relay.script").lines() {
        // Ports and the folder are others here.
        if !line.contains("127.0.0.1") && !line.starts_with("data in") {
            device.logs(line);
        }
    }

    let client = device.mqtt("tour");
    client.subscribe("relay/#");
    let mut heard = vec![client.message()];
    client.publish("relay/command", "toggle");
    heard.extend([client.message(), client.message()]);
    let heard: String = heard.iter().map(|m| format!("{} {}\n", m.topic, m.data)).collect();
    assert_eq!(heard, said("$ mosquitto_sub -v -t '#'"));
    device.logs("gpio 12 = 1");

    let mut console = device.console();
    let shown = console.ask("show vars");
    let expected = said("CMD>show vars").lines().take_while(|line| *line != "...");
    let expected: Vec<&str> = expected.collect();
    let shown: Vec<&str> = shown.lines().map(str::trim_end).take(expected.len()).collect();
    assert_eq!(shown, expected);
    let mut pressed = said("CMD>sim gpio 0 0").lines();
    assert_eq!(Some(console.ask("sim gpio 0 0").lines().next().unwrap()), pressed.next());
    console.until(pressed.next().unwrap());

    let other = block("% Answers every ping.");
    let dir = folder(&[("other.script", other.as_bytes())]);
    let seen = upload(&mut device.console(), other.as_bytes());
    let completed = said("CMD>script 2000").lines().nth(1).unwrap();
    assert!(seen.contains(completed), "{seen}");
    let host = local(device.console_port).to_string();
    let port = free_port().to_string();
    let ran = umqttc(dir.path(), &["push", "--upload-port", &port, "other.script", &host]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let expected = said("$ umqttc push other.script localhost");
    assert_eq!(ran.out.replace(&host, "localhost:7777"), expected);
    client.subscribe("pong");
    client.publish("ping", "hello");
    let answer = client.on("pong");
    assert!(PAGE.contains(&format!("`pong {answer}`")), "{answer}");

    let built = umqttc(dir.path(), &["build", "other.script", "-o", "other.umq"]);
    assert_eq!(built.out, said("$ umqttc build other.script -o other.umq"), "{}", built.err);
    let image = std::fs::read(dir.path().join("other.umq")).unwrap();
    upload(&mut device.console(), &image);

    let counter = std::fs::read(repository("scripts/counter.script")).unwrap();
    let server = http::Server::start(move |_| http::whole(&counter));
    let url = server.url("/counter.script");
    let mut console = device.console();
    let mut fetched = said("CMD>script http://localhost:8000/counter.script").lines();
    let started = fetched.next().unwrap().replace("http://localhost:8000/counter.script", &url);
    assert_eq!(console.ask(&format!("script {url}")), started);
    let seen = console.until("Syntax okay");
    for line in fetched {
        assert!(seen.contains(line), "{line}: {seen}");
    }
    assert!(device.interrupt().success());
}

#[test]
fn as_a_service_it_logs() {
    let dir = folder(&[]);
    let script = repository("scripts/relay.script");
    let device = Device::spawn_with(
        dir.path(),
        Some(&script),
        free_port(),
        free_port(),
        &["--serial", "none"],
    );
    for line in said("$ umqttc run --serial none").lines().filter(|line| *line != "...") {
        // Behind the time.
        device.logs(line.split_once(' ').unwrap().1);
    }
}

#[test]
fn the_compiler_knows_where_scripts_go_wrong() {
    let dir = folder(&[("sum.script", b"on init do\n    println $adc * 10 + 5\n")]);
    let checked = umqttc(dir.path(), &["check", "sum.script"]);
    assert_eq!(checked.out, said("$ umqttc check sum.script"), "{}", checked.err);
    assert!(umqttc(dir.path(), &["explain", "W0001"]).out.contains("W0001"));
}
