//! `cargo xtask esp8266 run` and its like, as somebody at a terminal sees it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use umqtt_testkit::ports::free_port;

use crate::device::{chip, eventually};

const XTASK: &str = env!("CARGO_BIN_EXE_xtask");
/// Ctrl-C and Ctrl-D.
const STOP: &str = "\x03";
const END: &str = "\x04";

fn arguments(data: &Path) -> Vec<String> {
    let mut words = vec![chip().name.to_owned(), "run".to_owned()];
    for option in ["--mqtt-port", "--console-port", "--upload-port"] {
        words.extend([option.to_owned(), free_port().to_string()]);
    }
    words.extend(["--data".to_owned(), data.display().to_string()]);
    words
}

/// A terminal with the emulated device in it.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: Arc<Mutex<String>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn run(data: &Path, script: Option<&Path>) -> Terminal {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let mut command = CommandBuilder::new(XTASK);
        command.args(arguments(data));
        command.args(script);
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Terminal { child, keys, shown, _master: pair.master }
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    fn shows(&self, what: &str) {
        eventually(what, || self.shown().contains(what).then_some(()));
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn exit_code(&mut self) -> u32 {
        eventually("the end", || self.child.try_wait().unwrap()).exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // By Ctrl-C, so that it ends the emulator.
        let _ = self.keys.write_all(STOP.as_bytes());
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("on the terminal:\n{}", self.shown());
        }
    }
}

#[test]
fn what_is_typed_is_shown_and_the_end_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(folder.path(), None);
    terminal.shows("network up");
    // The typing error is taken back before the device hears of it.
    terminal.types("show statz\x7fs\n");
    terminal.shows("show statz");
    terminal.shows("Free mem");
    terminal.types(END);
    terminal.shows("end of input: no more commands from this terminal");
    // And it runs on, all it has to say is shown; nobody else gets its flash.
    terminal.shows("margin");
    let second = Command::new(XTASK).args(arguments(folder.path())).output().unwrap();
    assert!(!second.status.success());
    let refusal = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        refusal.contains("is in use by another process: choose another with --data"),
        "{refusal}"
    );
    terminal.types(STOP);
    assert_eq!(terminal.exit_code(), 0);
    let shown = terminal.shown();
    assert!(!shown.contains("terminating"), "{shown}");
}

#[test]
fn without_the_script_it_was_to_start_with_it_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("my.script");
    // Only the device knows that there is no memory for it: it is one handler.
    let lines = " println 1\n".repeat(chip().plan.upload / 7);
    std::fs::write(&script, ["on init do\n", &lines].concat()).unwrap();
    let mut terminal = Terminal::run(&folder.path().join("data"), Some(&script));
    assert_ne!(terminal.exit_code(), 0);
    terminal.shows("error: the device was stopped: it did not take the script: not enough memory");
}
