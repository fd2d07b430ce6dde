//! What makes a command give up: exit code 2, or 1 where a device cannot be talked to.

use std::fmt;
use std::io;
use std::path::PathBuf;

use umqtt_vm::{ImageError, VerifyError};

use crate::remote::RemoteError;
use crate::signing::key_file::KeyFileError;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file, or standard input, cannot be read.
    Read(String, io::Error),
    /// More than a script or an image may ever have: the number is the limit, bytes.
    TooLarge(String, usize),
    /// A file cannot be written.
    Write(PathBuf, io::Error),
    /// Standard output cannot be written.
    Output(io::Error),
    /// A script was expected, an image was found.
    IsImage(String),
    /// A script was expected, a file of tests was found.
    IsTest(String),
    /// A broken image.
    Image(String, ImageError),
    /// An image that must not run.
    Unsound(String, VerifyError),
    /// `build` was to write the image in the place of the script.
    WouldDestroySource(PathBuf),
    /// Coverage was to be written in the place of something else.
    WouldDestroy(PathBuf),
    /// `build -` without `-o`.
    NoOutputName,
    /// No such diagnostic.
    UnknownCode(String),
    /// No such subcommand.
    UnknownCommand(String),
    /// There are no test files below these paths.
    NoTests(Vec<PathBuf>),
    /// No test has a name with this in it.
    NoTestOfThatName(String),
    /// There is nowhere to keep the device's state.
    NoHome,
    /// No network can be asked for devices.
    Find(io::Error),
    /// Files cannot be watched.
    Watch(notify::Error),
    /// The device could not start or broke down.
    Device(umqtt_host::RunError),
    /// A device could not be talked to.
    Remote(RemoteError),
    /// The file of that name has no password in its first line.
    NoPassword(String),
    /// The file of that name gives no secret key.
    SecretKey(String, KeyFileError),
    /// The system has no random numbers.
    Random(getrandom::Error),
    /// A folder that a backup was to go to has other files of those names.
    NoBackup(PathBuf),
    /// A line of a backup's file is none.
    BackupLine(String, usize),
    /// Some of the files could not be processed; each has been reported already.
    Reported,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Read(name, _)
                if name.starts_with("http://") || name.starts_with("https://") =>
            {
                write!(
                    f,
                    "{name} is no file: a device that runs fetches it by `script URL` on its console, from http:// addresses"
                )
            }
            Failure::Read(name, error) if error.kind() == io::ErrorKind::IsADirectory => {
                write!(f, "{name} is a folder: the scripts in it are {name}/*.script")
            }
            Failure::Read(name, error) => write!(f, "cannot read {name}: {error}"),
            Failure::TooLarge(name, limit) => {
                write!(f, "cannot read {name}: larger than {limit} bytes")
            }
            Failure::Write(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Failure::Output(error) => write!(f, "cannot write to standard output: {error}"),
            Failure::IsImage(name) => {
                write!(f, "{name} is a compiled image, not a script (`umqttc dis` shows it)")
            }
            Failure::IsTest(name) => {
                write!(f, "{name} holds tests, it is no script: `umqttc test {name}` runs it")
            }
            Failure::Image(name, error) => write!(f, "{name}: {error}"),
            Failure::Unsound(name, error) => write!(f, "{name} cannot run: {error}"),
            Failure::WouldDestroySource(path) => write!(
                f,
                "{} is the script itself: the image needs another name (-o OUT)",
                path.display()
            ),
            Failure::WouldDestroy(path) => write!(
                f,
                "{} is there and is no lcov file: choose another name, or remove it first",
                path.display()
            ),
            Failure::NoOutputName => {
                f.write_str("a script from standard input needs -o FILE (or `-o -`)")
            }
            Failure::UnknownCode(code) => {
                write!(
                    f,
                    "there is no diagnostic {code}, and no word, sign or special variable of the language of that name; `umqttc explain` lists the diagnostics"
                )
            }
            Failure::UnknownCommand(name) => {
                write!(f, "there is no command {name}; `umqttc help` lists them all")
            }
            Failure::NoTests(paths) => {
                let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                write!(f, "there are no *.test files in {}", paths.join(", "))
            }
            Failure::NoTestOfThatName(filter) => {
                write!(f, "no test has {filter:?} in its name")
            }
            Failure::NoHome => f.write_str("you have no home folder: say where with --data DIR"),
            Failure::Find(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                f.write_str("this computer has no such address: --bind takes one of its own")
            }
            Failure::Find(error) => write!(f, "cannot ask the network: {error}"),
            Failure::Watch(error) => write!(f, "cannot watch files: {error}"),
            Failure::Device(error) => error.fmt(f),
            Failure::Remote(error) => error.fmt(f),
            Failure::NoPassword(name) => write!(
                f,
                "the first line of {name} is no password: it is empty, or longer than the console takes"
            ),
            Failure::SecretKey(name, error) => {
                write!(f, "cannot sign with {name}: {error}")
            }
            Failure::Random(error) => write!(f, "the system has no random numbers: {error}"),
            Failure::NoBackup(folder) => write!(
                f,
                "{} has a settings.txt, variables.txt or script.script that is of no backup: choose another folder",
                folder.display()
            ),
            Failure::BackupLine(name, line) => write!(
                f,
                "line {line} of {name} is none of a backup: it has `set NAME VALUE` and comments (`# ...`)"
            ),
            Failure::Reported => f.write_str("not all files could be worked on"),
        }
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Failure {
        Failure::Remote(error)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Failure::Read(_, error)
            | Failure::Write(_, error)
            | Failure::Output(error)
            | Failure::Find(error) => Some(error),
            Failure::Image(_, error) => Some(error),
            Failure::Unsound(_, error) => Some(error),
            Failure::Watch(error) => Some(error),
            Failure::Device(error) => Some(error),
            Failure::Remote(error) => Some(error),
            _ => None,
        }
    }
}
