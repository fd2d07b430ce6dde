//! The terminal `umqttc run` runs in, as somebody before it sees it: a pseudo-terminal, its keys
//! and its screen.
#![cfg(unix)]

mod common;

use std::net::TcpStream;
use std::process::Command;

use common::device::{free_port, local};
use common::tty::{Tty, ZONE, arguments};
use common::{UMQTTC, eventually, folder};

/// A script that prints what is published on `say`.
const SAYS: &[u8] =
    b"on init do\n subscribe local say\n println \"ready\"\non topic local say do\n println $this_data\n";

fn kill(signal: &str, pid: u32) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn what_is_printed_does_not_disturb_what_is_typed() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::device(dir.path());
    tty.types("publ");
    tty.ends_with(&["ready", "CMD>publ"]);
    tty.prints("hello");
    tty.ends_with(&["ready", "hello", "CMD>publ"]);
    // The first key again: Home, and behind it the end.
    tty.types("\x01x\x05ish\x01\x04");
    tty.ends_with(&["hello", "CMD>publish"]);
    tty.types("\x05 local say 1\r");
    tty.ends_with(&["hello", "CMD>publish local say 1", "1", "Published topic", "CMD>"]);
    tty.types("time\r");
    tty.shows("the time", |lines| lines.iter().any(|line| line.ends_with("CMD>time")));
    tty.types("\x1b[A\x1b[A");
    tty.shows("the line before the last", |lines| {
        lines.last().is_some_and(|last| last == "CMD>publish local say 1")
    });
    // Ctrl-C drops the line, and ends the device where there is none.
    tty.types("\x03");
    tty.shows("an empty line", |lines| lines.last().is_some_and(|last| last == "CMD>"));
    tty.types("\x03");
    assert_eq!(tty.ends(), 0);
    tty.shows("the end", |lines| lines.last().is_some_and(|last| last == "stopped"));
    assert!(tty.is_cooked());
}

#[test]
fn lines_pasted_or_typed_ahead_all_run_in_order() {
    let dir = folder(&[("say.script", SAYS)]);
    let pastes = [
        ("as keys", "", "\r", ""),
        ("as lines", "", "\n", ""),
        ("bracketed", "\x1b[200~", "\r", "\x1b[201~\r"),
    ];
    for (how, before, end, after) in pastes {
        let mut tty = Tty::device(dir.path());
        let lines = ["publish local say 1", "\tpublish\tlocal say 2", "foo", "publish local say 4"];
        tty.types(&format!("{before}{}{end}{after}", lines.join(end)));
        tty.shows(&format!("all replies, {how}"), |shown| {
            let of = |wanted: &[&str]| -> Vec<String> {
                shown.iter().filter(|line| wanted.contains(&line.as_str())).cloned().collect()
            };
            let published = "Published topic";
            of(&[published, "Invalid Command"])
                == [published, published, "Invalid Command", published]
                && of(&["1", "2", "4"]) == ["1", "2", "4"]
                && shown.last().is_some_and(|last| last == "CMD>")
        });
    }
}

/// More than is read at once.
#[test]
fn a_long_paste_runs_to_its_end() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::device(dir.path());
    let lines: String = (0..80).map(|n| format!("publish local say line{n}\r")).collect();
    tty.types(&lines);
    tty.shows("the last lines", |lines| {
        let said: Vec<_> = lines.iter().filter(|line| line.starts_with("line")).collect();
        said.len() > 8
            && said.iter().rev().zip((0..80).rev()).all(|(line, n)| **line == format!("line{n}"))
    });
}

#[test]
fn the_port_that_was_chosen_is_shown() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::device(dir.path());
    let lines = tty.lines();
    let port = lines.iter().find_map(|line| line.strip_prefix("MQTT broker on 127.0.0.1:"));
    let port: u16 = port.expect("is shown").parse().expect("a port");
    assert_ne!(port, 0);
    TcpStream::connect(local(port)).expect("the broker");
    tty.types("show\r");
    let shown = format!("broker_port: 1883 (listening on {port})");
    tty.shows("the port", |lines| lines.contains(&shown));
}

#[test]
fn a_script_that_takes_the_terminal_is_told_of_with_the_way_to_the_console() {
    let script = b"config system_output 0\non serial do\n println 1\n";
    let dir = folder(&[("say.script", script)]);
    let port = free_port();
    let args = arguments(port);
    let tty = Tty::run(UMQTTC, &args.split(' ').collect::<Vec<_>>(), dir.path(), port);
    let said = format!(
        "system_output is 0: this terminal is the script's alone; the console is on 127.0.0.1:{port}"
    );
    tty.shows("where the console is", |lines| lines.contains(&said));
}

#[test]
fn the_end_of_input_is_said_and_ends_nothing_else() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::device(dir.path());
    tty.types("\x04");
    tty.shows("what it did", |lines| {
        lines.last().is_some_and(|last| last.starts_with("end of input: no more commands"))
    });
    tty.prints("still here");
    tty.shows("what is printed", |lines| lines.last().is_some_and(|last| last == "still here"));
    eventually("the terminal as it was", || tty.is_cooked().then_some(()));
    tty.types("\x03");
    assert_eq!(tty.ends(), 0);
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::device(dir.path());
    assert!(!tty.is_cooked(), "lines are edited");
    tty.types("half a li");
    tty.ends_with(&["ready", "CMD>half a li"]);
    kill("-TERM", tty.child.process_id().expect("runs"));
    assert_eq!(tty.ends(), 0);
    tty.ends_with(&["ready", "stopped"]);
    assert!(tty.is_cooked());
}

#[test]
fn closing_the_terminal_does_not_stop_the_broker() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::device(dir.path());
    let pid = tty.child.process_id().expect("runs");
    (tty.keys, tty.master) = (None, None);
    kill("-HUP", pid);
    for _ in 0..3 {
        tty.prints("to nobody");
    }
    assert!(tty.serves());
    assert!(tty.child.try_wait().expect("can be asked").is_none());
    kill("-TERM", pid);
    assert_eq!(tty.ends(), 0);
}

#[test]
fn the_broker_serves_on_in_the_background() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::shell(dir.path());
    tty.types(&format!("{UMQTTC} {}\r", arguments(tty.console_port)));
    tty.ends_with(&["ready", "CMD>"]);
    tty.types("half a li\x1a");
    tty.shows("the shell", |lines| lines.last().is_some_and(|last| last == "sh>"));
    tty.types("bg\r");
    eventually("the broker", || tty.serves().then_some(()));
    tty.prints("from the background");
    tty.shows("it", |lines| lines.iter().any(|line| line.contains("from the background")));
    // The terminal is the shell's: what is typed is not the device's.
    tty.types("echo $((6 * 7))\r");
    tty.shows("the shell's answer", |lines| lines.iter().any(|line| line == "42"));
    tty.prints("and again");
    tty.types("fg\r");
    tty.shows("the line again", |lines| lines.last().is_some_and(|last| last == "CMD>half a li"));
    tty.types("\x15time\r");
    tty.shows("an answer", |lines| lines.last().is_some_and(|last| last == "CMD>"));
    tty.types("\x03");
    tty.shows("the shell", |lines| lines.last().is_some_and(|last| last == "sh>"));
    assert!(!tty.serves());
}

#[test]
fn it_can_be_started_in_the_background() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::shell(dir.path());
    tty.types(&format!("{UMQTTC} {} &\r", arguments(tty.console_port)));
    eventually("the broker", || tty.serves().then_some(()));
    tty.types("echo $((6 * 7))\r");
    tty.shows("the shell's answer", |lines| lines.iter().any(|line| line == "42"));
    tty.types("jobs\r");
    tty.shows("the job", |lines| lines.iter().any(|line| line.contains("Running")));
    tty.types("fg\r");
    tty.shows("the prompt", |lines| lines.last().is_some_and(|last| last == "CMD>"));
    tty.types("\x03");
    tty.shows("the shell", |lines| lines.last().is_some_and(|last| last == "sh>"));
}

#[test]
fn its_time_is_the_computers() {
    let dir = folder(&[("say.script", SAYS)]);
    let mut tty = Tty::device(dir.path());
    let own = || {
        let said = Command::new("date")
            .env("TZ", ZONE)
            .env("LC_ALL", "C")
            .arg("+%a %H:%M")
            .output()
            .expect("date");
        String::from_utf8(said.stdout).expect("text").trim().to_owned()
    };
    let before = own();
    tty.types("time\r");
    tty.shows("the time", |lines| lines.iter().any(|line| line.ends_with("CMD>time")));
    tty.shows("an answer", |lines| lines.last().is_some_and(|last| last == "CMD>"));
    let lines = tty.lines();
    let is_there = |time: &str| lines.iter().any(|line| line.starts_with(time));
    assert!(is_there(&before) || is_there(&own()), "{before}: {lines:?}");
}
