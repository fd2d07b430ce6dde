//! `umqttc trace`: what the script of a device does, live.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // in helpers of tests

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::device::{Device, local};
use common::{UMQTTC, eventually, folder, umqttc};

const LAMP: &str = "on init do
    subscribe local \"lamp/+\"
on topic local lamp/set do
    if $this_data = \"on\" then
        gpio_out 12 1
    else
        println \"no: \" | $this_data
    endif
";

/// `umqttc trace`, which has begun.
struct Tracing {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Tracing {
    fn of(host: &str, args: &[&str]) -> Tracing {
        let mut child = Command::new(UMQTTC)
            .args([&["trace", host], args].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        err.read_line(&mut line).unwrap();
        assert_eq!(line, format!("tracing {host}; Ctrl-C ends\n"));
        let out = BufReader::new(child.stdout.take().unwrap());
        Tracing { child, out }
    }

    /// What it writes, up to a line with this in it.
    fn until(&mut self, what: &str) -> String {
        let mut written = String::new();
        while !written.lines().last().is_some_and(|line| line.contains(what)) {
            assert!(self.out.read_line(&mut written).unwrap() > 0, "it has ended: {written}");
        }
        written
    }

    /// Presses Ctrl-C, and returns the rest and the exit code.
    fn interrupt(mut self) -> (String, Option<i32>) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let status = eventually("its end", || self.child.try_wait().unwrap());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (rest, status.code())
    }
}

/// The device's time is another every time.
fn without_time(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('+') {
        Some(event) => format!("+T {}\n", event.split_once(' ').unwrap().1),
        None => format!("{}\n", line.trim_end()),
    };
    text.lines().map(line).collect()
}

#[test]
fn a_script_is_watched_beside_its_lines() {
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(LAMP));
    let host = local(device.console_port).to_string();
    let mut tracing = Tracing::of(&host, &[]);
    let client = device.mqtt("phone");
    client.publish("lamp/set", "on");
    let first = tracing.until("gpio_out");
    client.publish("lamp/set", "off");
    let second = tracing.until("println");
    client.publish("lamp/other", "x");
    let third = tracing.until("no handler");
    insta::assert_snapshot!(without_time(&format!("{first}{second}{third}")));
    assert_eq!(tracing.interrupt().1, Some(0));

    let mut tracing = Tracing::of(&host, &["--line", "4"]);
    client.publish("lamp/other", "x");
    assert!(tracing.until("not for the handler of line 4").contains("lamp/other"));
    assert_eq!(tracing.interrupt().1, Some(0));
    let ran = umqttc(data.path(), &["trace", &host, "--line", "99"]);
    assert!(ran.code != 0 && ran.err.contains("line 99 belongs to no handler"), "{ran:?}");
    let ran = umqttc(data.path(), &["trace", &host, "--for", "1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_locked_device_is_locked_again_and_one_that_is_locked_ends_it() {
    let data = folder(&[("password", b"sesame\n")]);
    let device = Device::start(data.path(), Some(LAMP));
    let host = local(device.console_port).to_string();
    let password = data.path().join("password");
    assert_eq!(device.console().ask("lock sesame"), "Config locked");
    let ran = umqttc(data.path(), &["trace", &host]);
    assert!(ran.code != 0 && ran.err.contains("locked"), "{ran:?}");

    let with_password = ["--password-file", password.to_str().unwrap()];
    let mut tracing = Tracing::of(&host, &with_password);
    device.mqtt("phone").publish("lamp/set", "on");
    tracing.until("gpio_out");
    assert_eq!(tracing.interrupt().1, Some(0));
    assert!(device.console().ask("trace on").starts_with("Invalid command. Config locked"));

    let mut tracing = Tracing::of(&host, &with_password);
    assert_eq!(device.console().ask("lock"), "Config locked");
    tracing.until("off: Config locked");
    let status = eventually("its end", || tracing.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_device_without_a_script_has_nothing_to_show() {
    let data = folder(&[]);
    let device = Device::start(data.path(), None);
    let ran = umqttc(data.path(), &["trace", &local(device.console_port).to_string()]);
    assert!(ran.code == 1 && ran.err.contains("runs no script"), "{ran:?}");
}
