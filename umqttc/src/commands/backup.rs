//! `umqttc backup`: what a device keeps, into a folder.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::Status;
use crate::failure::Failure;
use crate::remote::DeviceAddress;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs};
use crate::remote::backup::{MARK, SCRIPT, SETTINGS, VARIABLES, settings_text, variables_text};
use crate::remote::config::DeviceConfig;
use crate::remote::script::RunningScript;
use crate::remote::variables;
use crate::remote::visit::visit;
use crate::terminal::Terminal;
use crate::write::{write_private, write_whole};

/// Write a device's settings, script and flash variables into a folder
///
/// `umqttc restore` takes it. Passwords are left out unless --secrets asks for them. Exit code 1 if
/// the script is not in it, as it runs without its source.
#[derive(Args)]
pub(crate) struct Backup {
    /// The folder, made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Passwords too: only you can read that file
    #[arg(long)]
    secrets: bool,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// The device: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST")]
    host: DeviceAddress,
}

impl Backup {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let place = |name: &str| self.output.join(name);
        if is_somebody_elses(&place(SETTINGS)) || is_somebody_elses(&place(VARIABLES)) {
            return Err(Failure::NoBackup(self.output.clone()));
        }
        let (config, variables, script) =
            visit(&self.host, self.timeout, &self.password, |console| {
                let config = DeviceConfig::ask(console)?;
                Ok((config, variables::ask(console)?, RunningScript::ask(console)?))
            })?;
        let fails = |path: PathBuf| move |error: io::Error| Failure::Write(path, error);
        fs::create_dir_all(&self.output).map_err(fails(self.output.clone()))?;
        let settings = settings_text(&config, &self.host, self.secrets);
        let write = if self.secrets { write_private } else { write_whole };
        write(&place(SETTINGS), &settings).map_err(fails(place(SETTINGS)))?;
        // A script may keep passwords in them.
        let text = variables_text(&config, &self.host, &variables);
        write_private(&place(VARIABLES), &text).map_err(fails(place(VARIABLES)))?;
        let (said, status) = match &script {
            RunningScript::Source(lines) => {
                write_whole(&place(SCRIPT), &lines.to_text()).map_err(fails(place(SCRIPT)))?;
                match lines.cut().is_empty() && lines.escaped().is_empty() {
                    true => ("script".to_owned(), Status::Success),
                    // As `pull` says in full.
                    false => (
                        "script, not all of it as it is there: see `umqttc pull`".to_owned(),
                        Status::Findings,
                    ),
                }
            }
            other => {
                remove(&place(SCRIPT)).map_err(fails(place(SCRIPT)))?;
                match other {
                    RunningScript::None => ("no script".to_owned(), Status::Success),
                    _ => (
                        "no script: bytecode without its source runs there".to_owned(),
                        Status::Findings,
                    ),
                }
            }
        };
        let kept = config.settings.len();
        let used = variables.iter().filter(|(_, value)| !value.is_empty()).count();
        let passwords = if self.secrets { "with passwords" } else { "without passwords" };
        let plural = if used == 1 { "" } else { "s" };
        writeln!(
            terminal.out,
            "{}: {kept} settings {passwords}, {used} flash variable{plural} in use, {said}",
            crate::render::printable(self.output.display().to_string().as_bytes())
        )
        .map_err(Failure::Output)?;
        Ok(status)
    }
}

/// Whether there is such a file, and it is none of a backup.
fn is_somebody_elses(path: &Path) -> bool {
    match fs::read(path) {
        Ok(bytes) => !bytes.starts_with(MARK.as_bytes()),
        Err(error) => error.kind() != io::ErrorKind::NotFound && path.exists(),
    }
}

/// Removes a file of an earlier backup.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
