//! `umqttc backup`: what a device keeps, into a folder.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::Status;
use crate::failure::Failure;
use crate::input::read_regular;
use crate::remote::DeviceAddress;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs};
use crate::remote::backup::{
    OF_SETTINGS, OF_VARIABLES, SCRIPT, SETTINGS, VARIABLES, is_headed, settings_text,
    variables_text,
};
use crate::remote::config::DeviceConfig;
use crate::remote::script::RunningScript;
use crate::remote::variables;
use crate::remote::visit::visit;
use crate::terminal::Terminal;
use crate::write::replace_whole;

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
        if is_somebody_elses(&self.output) {
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
        replace_whole(&place(SETTINGS), &settings, self.secrets).map_err(fails(place(SETTINGS)))?;
        // A script may keep passwords in them.
        let text = variables_text(&config, &self.host, &variables);
        replace_whole(&place(VARIABLES), &text, true).map_err(fails(place(VARIABLES)))?;
        let (said, status) = match &script {
            RunningScript::Source(lines) => {
                replace_whole(&place(SCRIPT), &lines.to_text(), false)
                    .map_err(fails(place(SCRIPT)))?;
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

/// Whether the folder has files of a backup's names, and they are not of one: then they are not
/// ours to replace or remove. A link is never one that we wrote.
fn is_somebody_elses(folder: &Path) -> bool {
    let files = [(SETTINGS, Some(OF_SETTINGS)), (VARIABLES, Some(OF_VARIABLES)), (SCRIPT, None)];
    let found: Vec<_> = files
        .into_iter()
        .map(|(name, of)| (folder.join(name), of))
        .filter_map(|(path, of)| match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // What cannot be looked at is refused like what is something else.
            found => Some((path, of, found.is_ok_and(|found| found.is_file()))),
        })
        .collect();
    let is_ours = |path: &Path, of| read_regular(path).is_ok_and(|text| is_headed(&text, of));
    let has_settings = found.iter().any(|(_, of, _)| *of == Some(OF_SETTINGS));
    !found.is_empty() && !has_settings
        || found
            .iter()
            .any(|(path, of, is_file)| !is_file || of.is_some_and(|of| !is_ours(path, of)))
}

/// Removes a file of an earlier backup.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
