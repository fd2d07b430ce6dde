//! What all commands for devices can be told: time limits, the port a script goes to, and the
//! password of a locked device, which is given, read from a file, or asked for.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Timeouts;
use crate::failure::Failure;
use crate::input::Input;

/// Longest password that is read, bytes: a line of the console has 512.
const LONGEST: usize = 400;

/// How long a device is waited for.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct TimeoutArgs {
    /// How long a device may take for a connection, and for more of an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
}

impl TimeoutArgs {
    /// The limits.
    pub(crate) fn timeouts(self) -> Timeouts {
        Timeouts::of(Duration::from_secs(self.timeout))
    }
}

/// Where a script goes.
#[derive(Args, Clone, Copy)]
pub(crate) struct UploadArgs {
    /// The device's port for the script [default: 2000, or the next that is free there]
    #[arg(
        id = "upload_port",
        long = "upload-port",
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub(crate) port: Option<u16>,
}

/// Where the password comes from.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PasswordArgs {
    /// The password of a locked device; others on this computer can see it, --password-file hides
    /// it [default: asked for in a terminal]
    #[arg(long, value_name = "PASSWORD", conflicts_with = "password_file")]
    password: Option<String>,
    /// The file whose first line is the password of a locked device
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// The password, if it is given or in a file.
    ///
    /// # Errors
    /// The file cannot be read, or has none.
    pub(crate) fn given(&self) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(password) = &self.password {
            return Ok(Some(password.clone().into_bytes()));
        }
        let Some(path) = &self.password_file else { return Ok(None) };
        let input = Input::read(path)?;
        let line = input.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.len() {
            0 | LONGEST.. => Err(Failure::NoPassword(input.name)),
            _ => Ok(Some(line.to_vec())),
        }
    }

    /// Asks for it, unseen; `None` where there is no terminal, or nothing is typed.
    pub(crate) fn ask(of: &str) -> Option<Vec<u8>> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let terminal = console::Term::stderr();
        terminal.write_str(&format!("password of {of}: ")).ok()?;
        let typed = terminal.read_secure_line().ok()?;
        (!typed.is_empty()).then(|| typed.into_bytes())
    }
}
