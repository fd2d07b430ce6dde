//! A pseudo-terminal with a program in it, as somebody before it sees it: its keys and its screen.

use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::console::ConsoleClient;
use super::device::{free_port, local};
use super::{UMQTTC, eventually};

const ROWS: NonZeroU16 = NonZeroU16::new(40).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(200).unwrap();

/// A zone no computer is in.
pub const ZONE: &str = "XYZ-7:41";

/// A terminal with a program in it.
pub struct Tty {
    pub child: Box<dyn Child + Send + Sync>,
    pub master: Option<Box<dyn MasterPty + Send>>,
    pub keys: Option<Box<dyn Write + Send>>,
    screen: Arc<Mutex<vt100::Parser>>,
    pub console_port: u16,
}

impl Tty {
    /// Runs a program in the terminal.
    pub fn run(program: &str, args: &[&str], dir: &Path, console_port: u16) -> Tty {
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
    pub fn device(dir: &Path) -> Tty {
        let port = free_port();
        let args = arguments(port);
        let args: Vec<&str> = args.split(' ').collect();
        let tty = Tty::run(UMQTTC, &args, dir, port);
        tty.shows("the prompt", |lines| lines.last().is_some_and(|last| last == "CMD>"));
        tty
    }

    /// An interactive shell, for job control.
    pub fn shell(dir: &Path) -> Tty {
        let tty = Tty::run("bash", &["--norc", "--noprofile", "-i"], dir, free_port());
        tty.shows("the shell", |lines| lines.last().is_some_and(|last| last == "sh>"));
        tty
    }

    pub fn types(&mut self, keys: &str) {
        let to = self.keys.as_mut().expect("is open");
        to.write_all(keys.as_bytes()).and_then(|()| to.flush()).expect("the terminal takes keys");
    }

    /// The lines of the screen that are not empty.
    pub fn lines(&self) -> Vec<String> {
        let screen = self.screen.lock().expect("no panic");
        let rows = screen.screen().rows(0, COLUMNS.get());
        rows.map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
    }

    #[track_caller]
    pub fn shows(&self, what: &str, is_there: impl Fn(&[String]) -> bool) {
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
    pub fn ends_with(&self, wanted: &[&str]) {
        self.shows(&format!("{wanted:?}"), |lines| {
            lines.len() >= wanted.len() && lines[lines.len() - wanted.len()..] == *wanted
        });
    }

    /// Has the device print something.
    pub fn prints(&self, text: &str) {
        let mut console = ConsoleClient::connect(local(self.console_port));
        let reply = console.ask(&format!("publish local say \"{text}\""));
        assert!(reply.contains("Published topic"), "{reply}");
    }

    pub fn serves(&self) -> bool {
        TcpStream::connect(local(self.console_port)).is_ok()
    }

    /// Whether the terminal echoes and gives whole lines, as a shell expects.
    pub fn is_cooked(&self) -> bool {
        let termios = self.master.as_ref().and_then(|master| master.get_termios());
        let flags = format!("{:?}", termios.expect("has a mode").local_flags);
        flags.contains("ICANON") && flags.contains("ECHO")
    }

    #[track_caller]
    pub fn ends(&mut self) -> u32 {
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

/// What starts a device with `say.script` and this port for its console.
pub fn arguments(console_port: u16) -> String {
    format!("run --mqtt-port 0 --console-port {console_port} --data data say.script")
}
