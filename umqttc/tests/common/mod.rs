//! What the tests of the command share: running it, and talking to the device it starts.

// Every test file is a crate of its own and uses its part of this.
#![allow(dead_code, unreachable_pub)]

pub mod device;
pub mod http;
pub mod lamp;
pub mod liar;
pub mod mosquitto;
pub mod mqtt;
#[cfg(unix)]
pub mod tty;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub use umqtt_testkit::console;
pub use umqtt_testkit::wait::{TIMEOUT, eventually};

/// The command under test.
pub const UMQTTC: &str = env!("CARGO_BIN_EXE_umqttc");

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `umqttc` in `dir` with nothing on standard input.
pub fn umqttc(dir: &Path, args: &[impl AsRef<OsStr>]) -> Ran {
    umqttc_with(dir, args, b"")
}

/// Runs `umqttc` in `dir`, with `input` on standard input.
pub fn umqttc_with(dir: &Path, args: &[impl AsRef<OsStr>], input: &[u8]) -> Ran {
    let output = output_of(Command::new(UMQTTC).args(args).current_dir(dir), input);
    Ran {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).expect("standard output is text"),
        err: String::from_utf8(output.stderr).expect("standard error is text"),
    }
}

/// Runs any command to its end with `input` on its standard input.
pub fn output_of(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("is piped");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A command that does not read all of it is fine.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("ends")
    })
}

/// A folder of its own for one test, with these files in it.
pub fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).expect("a file");
    }
    dir
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join(path)
}
