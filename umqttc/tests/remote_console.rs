//! `umqttc console`: commands and their replies for programs, and a terminal for people.
#![cfg(unix)]

mod common;

use common::device::{Device, free_port, local};
use common::tty::Tty;
use common::{Ran, UMQTTC, eventually, folder, liar, umqttc, umqttc_with};

const SAYS: &str = "on init do\n subscribe local say\non topic local say do\n println $this_data\n";

fn host(device: &Device) -> String {
    local(device.console_port).to_string()
}

fn console(args: &[&str], input: &str) -> Ran {
    let dir = folder(&[("password", b"sesame\n")]);
    umqttc_with(dir.path(), &[&["console"], args].concat(), input.as_bytes())
}

#[test]
fn commands_and_their_replies() {
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SAYS));
    let host = host(&device);
    let ran = console(&[&host, "-c", "set mqtt_id x", "-c", "show script 3"], "");
    let expected =
        "mqtt_id set to x\n   3: on topic local say do\n   4:  println $this_data\n--end--\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, expected, ""));
    let ran = console(&[&host], "# a comment\r\n\r\nset mqtt_id y\nshow script 9");
    assert_eq!((ran.code, ran.out.lines().next()), (0, Some("mqtt_id set to y")));
    let ran = console(&[&host, "-c", "quit", "-c", "never"], "");
    assert_eq!((ran.code, ran.out.as_str()), (0, "Quitting console\n"));
}

#[test]
fn a_command_that_is_refused_is_the_last() {
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SAYS));
    let host = host(&device);
    let ran = console(&[&host], "set mqtt_port 0\nset mqtt_id x\n");
    let refused = "Invalid argument: mqtt_port must be a number from 1 to 65535\n";
    assert_eq!((ran.code, ran.out.as_str()), (1, refused));
    let ran = console(&[&host, "--keep-going"], "set mqtt_port 0\nset mqtt_id x\n");
    assert_eq!((ran.code, ran.out), (1, format!("{refused}mqtt_id set to x\n")));
    let long = "x".repeat(600);
    assert_eq!(console(&[&host, "-c", &long], "").code, 1);
    assert_eq!(console(&[&host], &long).code, 1);
    // The empty reply of a reset comes over a connection that is closed behind it.
    let ran = console(&[&host, "-c", "reset"], "");
    assert_eq!((ran.code, ran.out.as_str()), (0, "Restarting ...\n"));
}

#[test]
fn what_comes_unasked_is_waited_for() {
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SAYS));
    let args = [&host(&device), "--wait", "2", "-c", "publish local say \"%1b[2J hello\""];
    let ran = console(&args, "");
    assert_eq!((ran.code, ran.out.as_str()), (0, "Published topic\n\\x1b[2J hello\n"));
}

#[test]
fn a_locked_device_is_locked_again() {
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SAYS));
    let host = host(&device);
    assert_eq!(device.console().ask("lock sesame"), "Config locked");
    let ran = console(&[&host, "-c", "save"], "");
    assert!(ran.code == 1 && ran.out.starts_with("Invalid command. Config locked"), "{ran:?}");
    let ran = console(&[&host, "--password-file", "password", "-c", "save"], "");
    assert_eq!((ran.code, ran.out.as_str()), (0, "Config saved\n"));
    assert!(device.console().ask("save").starts_with("Invalid command. Config locked"));
}

#[test]
fn a_device_that_is_gone_or_none() {
    let gone = liar::console(|line| liar::as_device(line).filter(|_| line != "time"));
    let ran = console(&[&gone.to_string(), "-c", "show config", "-c", "time"], "");
    assert!(ran.code == 1 && ran.out.starts_with("umqtt 0.1.0\n"), "{ran:?}");
    assert!(ran.err.contains("is gone: the connection broke"), "{}", ran.err);
    let nobody = local(free_port()).to_string();
    let ran = console(&[&nobody, "-c", "time"], "");
    assert!(ran.code == 1 && ran.err.contains("refuses the connection"), "{}", ran.err);
    let dir = folder(&[]);
    assert_eq!(umqttc(dir.path(), &["console", "no host", "-c", "time"]).code, 2);
}

#[test]
fn the_terminal_of_a_device_elsewhere() {
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SAYS));
    let mut tty = Tty::run(UMQTTC, &["console", &host(&device)], data.path(), device.console_port);
    tty.ends_with(&["CMD>"]);
    tty.types("publ");
    tty.ends_with(&["CMD>publ"]);
    tty.prints("hello");
    tty.ends_with(&["hello", "CMD>publ"]);
    // Tab completes the command, the side and, later, a topic.
    tty.types("\tlo\tsay 1\r");
    tty.shows("the reply and what came of it", |lines| {
        let typed = lines.iter().position(|line| line == "CMD>publish local say 1");
        let after: Vec<&str> =
            lines[typed.map_or(lines.len(), |at| at + 1)..].iter().map(String::as_str).collect();
        let mut both = after.clone();
        both.sort_unstable();
        both == ["1", "CMD>", "Published topic"] && after.last() == Some(&"CMD>")
    });
    tty.types("publish local s\ttwo\r");
    tty.shows("the completed topic", |lines| {
        lines.iter().any(|line| line == "CMD>publish local say two")
    });
    tty.types("set broker_po\t\x15unlock secret\r");
    tty.shows("no password", |lines| lines.iter().any(|line| line == "Use lock PASSWORD"));
    // The history has no passwords.
    tty.types("\x1b[A");
    tty.ends_with(&["CMD>publish local say two"]);
    tty.types("\x03");
    tty.ends_with(&["CMD>"]);
    tty.types("\x04");
    assert_eq!(tty.ends(), 0);
    assert!(tty.is_cooked());
}

#[test]
fn a_device_that_goes_while_a_line_is_typed() {
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SAYS));
    let mut tty = Tty::run(UMQTTC, &["console", &host(&device)], data.path(), device.console_port);
    tty.ends_with(&["CMD>"]);
    tty.types("half a li");
    tty.ends_with(&["CMD>half a li"]);
    device.kill();
    assert_eq!(tty.ends(), 1);
    eventually("what happened", || {
        tty.lines()
            .last()
            .is_some_and(|line| line.contains("is gone: the connection broke"))
            .then_some(())
    });
    assert!(tty.is_cooked());
}
