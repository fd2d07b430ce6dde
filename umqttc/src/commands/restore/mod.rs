//! `umqttc restore`: a backup onto a device.

mod apply;
mod changes;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use self::changes::{Changes, Wanted};
use crate::Status;
use crate::failure::Failure;
use crate::input::Input;
use crate::remote::DeviceAddress;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs, UploadArgs};
use crate::remote::backup::{SCRIPT, SETTINGS, VARIABLES, read};
use crate::remote::visit::visit;
use crate::render::printable;
use crate::terminal::Terminal;

/// Bring a backup onto a device: settings, script and flash variables
///
/// It shows what changes, and changes nothing else. A setting the device does not have is told and
/// skipped. Exit code 1 if the device refuses something.
#[derive(Args)]
pub(crate) struct Restore {
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    upload: UploadArgs,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// The folder of the backup
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The device: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST")]
    host: DeviceAddress,
}

impl Restore {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let script = self.folder.join(SCRIPT);
        let wanted = Wanted {
            settings: assignments(&self.folder.join(SETTINGS))?,
            variables: assignments(&self.folder.join(VARIABLES))?,
            script: if script.exists() {
                Some(Input::regular_script(&script)?.bytes)
            } else {
                None
            },
        };
        let timeouts = self.timeout.timeouts();
        let (count, applied) = visit(&self.host, self.timeout, &self.password, |console| {
            let changes = Changes::find(&wanted, console)?;
            let text = changes.to_string();
            terminal
                .out
                .write_all(printable(text.as_bytes()).as_bytes())
                .map_err(Failure::Output)?;
            // Shown before anything is done.
            terminal.out.flush().map_err(Failure::Output)?;
            let applied = match self.dry_run {
                true => apply::Applied::default(),
                false => {
                    let port = self.upload.port;
                    apply::apply(console, &wanted, &changes, port, timeouts.connect)?
                }
            };
            Ok((changes.len(), applied))
        })?;
        for refused in &applied.refused {
            writeln!(terminal.err, "umqttc: {refused}").map_err(Failure::Output)?;
        }
        for warning in &applied.warnings {
            writeln!(terminal.err, "{}: {warning}", self.host).map_err(Failure::Output)?;
        }
        let host = &self.host;
        let plural = if count == 1 { "" } else { "s" };
        let said = match (self.dry_run, count, applied.refused.len()) {
            (_, 0, _) => format!("{host}: nothing to change"),
            (true, ..) => format!("{host}: {count} change{plural} to make"),
            (false, _, 0) => format!("{host}: {count} change{plural} made, and saved"),
            (false, _, refused) => format!("{host}: {refused} of {count} change{plural} refused"),
        };
        writeln!(terminal.out, "{said}").map_err(Failure::Output)?;
        Ok(if applied.refused.is_empty() { Status::Success } else { Status::Findings })
    }
}

fn assignments(path: &Path) -> Result<Vec<crate::remote::backup::Assignment>, Failure> {
    let input = Input::regular(path)?;
    read(&input.bytes).map_err(|line| Failure::BackupLine(input.name, line))
}
