//! The terminal `umqttc run` runs in, as somebody before it sees it: a pseudo-terminal, its keys
//! and its screen.
#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU16;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use common::console::ConsoleClient;
use common::device::{free_port, local};
use common::{UMQTTC, eventually, folder};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const ROWS: NonZeroU16 = NonZeroU16::new(40).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(200).unwrap();

/// A zone no computer is in.
const ZONE: &str = "XYZ-7:41";

/// A script that prints what is published on `say`.
const SAYS: &[u8] =
    b"on init do\n subscribe local say\n println \"ready\"\non topic local say do\n println $this_data\n";

/// A terminal with a program in it.
struct Tty {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    screen: Arc<Mutex<vt100::Parser>>,
    console_port: u16,
}

impl Tty {
    /// Runs a program in the terminal.
    fn run(program: &str, args: &[&str], dir: &Path, console_port: u16) -> Tty {
        let size =
            PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(dir);
        for (name, value) in [("TERM", "xterm"), ("PS1", "sh> "), ("TZ", ZONE), ("LC_ALL", "C")] {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut from = pair.master.try_clone_reader().expect("can be read");
        let keys = pair.master.take_writer().expect("can be written");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut bytes) {
                shown.lock().expect("no panic").process(&bytes[..n]);
            }
        });
        Tty { child, master: Some(pair.master), keys: Some(keys), screen, console_port }
    }

    /// The device alone, and waits for its prompt.
    fn device(dir: &Path) -> Tty {
        let port = free_port();
        let args = arguments(port);
        let args: Vec<&str> = args.split(' ').collect();
        let tty = Tty::run(UMQTTC, &args, dir, port);
        tty.shows("the prompt", |lines| lines.last().is_some_and(|last| last == "CMD>"));
        tty
    }

    /// An interactive shell, for job control.
    fn shell(dir: &Path) -> Tty {
        let tty = Tty::run("bash", &["--norc", "--noprofile", "-i"], dir, free_port());
        tty.shows("the shell", |lines| lines.last().is_some_and(|last| last == "sh>"));
        tty
    }

    fn types(&mut self, keys: &str) {
        let to = self.keys.as_mut().expect("is open");
        to.write_all(keys.as_bytes()).and_then(|()| to.flush()).expect("the terminal takes keys");
    }

    /// The lines of the screen that are not empty.
    fn lines(&self) -> Vec<String> {
        let screen = self.screen.lock().expect("no panic");
        let rows = screen.screen().rows(0, COLUMNS.get());
        rows.map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
    }

    #[track_caller]
    fn shows(&self, what: &str, is_there: impl Fn(&[String]) -> bool) {
        let what = format!("{what} on the screen");
        let seen = std::panic::Location::caller();
        eventually(&format!("{what} ({seen})"), || {
            let lines = self.lines();
            let there = is_there(&lines);
            if !there && std::env::var_os("SHOW_SCREEN").is_some() {
                eprintln!("{lines:#?}");
            }
            there.then_some(())
        });
    }

    /// Waits until these are the last lines.
    #[track_caller]
    fn ends_with(&self, wanted: &[&str]) {
        self.shows(&format!("{wanted:?}"), |lines| {
            lines.len() >= wanted.len() && lines[lines.len() - wanted.len()..] == *wanted
        });
    }

    /// Has the device print something.
    fn prints(&self, text: &str) {
        let mut console = ConsoleClient::connect(local(self.console_port));
        let reply = console.ask(&format!("publish local say \"{text}\""));
        assert!(reply.contains("Published topic"), "{reply}");
    }

    fn serves(&self) -> bool {
        TcpStream::connect(local(self.console_port)).is_ok()
    }

    /// Whether the terminal echoes and gives whole lines, as a shell expects.
    fn is_cooked(&self) -> bool {
        let termios = self.master.as_ref().and_then(|master| master.get_termios());
        let flags = format!("{:?}", termios.expect("has a mode").local_flags);
        flags.contains("ICANON") && flags.contains("ECHO")
    }

    #[track_caller]
    fn ends(&mut self) -> u32 {
        eventually("the end", || self.child.try_wait().expect("can be asked")).exit_code()
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the screen:\n{}\n---", self.lines().join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn arguments(console_port: u16) -> String {
    format!("run --mqtt-port 0 --console-port {console_port} --data data say.script")
}

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
