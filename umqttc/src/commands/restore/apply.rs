//! Makes the changes of a restore: the script, then flash variables, then settings, which are saved
//! at once. What can cut the connection comes last.

use std::time::Duration;

use umqtt_device::console::words::Quoted;

use super::changes::{Changes, Wanted};
use crate::remote::backup::Assignment;
use crate::remote::reply::shown;
use crate::remote::upload::upload;
use crate::remote::{ConsoleClient, RemoteError, Reply};

/// Settings that decide who reaches the console: set behind all others.
const LAST: [&str; 2] = ["config_access", "config_port"];

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// What the device refused, and why.
    pub(super) refused: Vec<String>,
    /// What it warned of.
    pub(super) warnings: Vec<String>,
}

/// Makes them.
pub(super) fn apply(
    console: &mut ConsoleClient,
    wanted: &Wanted,
    changes: &Changes,
    port: Option<u16>,
    timeout: Duration,
) -> Result<Applied, RemoteError> {
    let mut applied = Applied::default();
    if let (Some(script), Some(_)) = (&wanted.script, &changes.script) {
        let verdict = upload(console, script, port, timeout, &|_| {})?;
        if !verdict.taken {
            let why = verdict.text.first().map_or("the device does not take it", String::as_str);
            let remarks = verdict.remarks.iter().map(|remark| {
                format!(" (line {}, column {}: {})", remark.line, remark.column, remark.message)
            });
            applied.refused.push(format!("script: {why}{}", remarks.take(1).collect::<String>()));
        }
    }
    for (variable, _) in &changes.variables {
        let command = format!("set {} {}", variable.name, Quoted(&variable.value));
        let reply = console.command(command)?;
        applied.add(variable, &reply, console)?;
    }
    // Setting one may change another (`ap_password` sets `ap_open`): what came out otherwise is set
    // once more.
    let mut left: Vec<&Assignment> = changes.settings.iter().map(|(setting, _)| setting).collect();
    left.sort_by_key(|setting| LAST.contains(&setting.name.as_str()));
    for setting in &left {
        let reply = set(console, setting)?;
        applied.add(setting, &reply, console)?;
    }
    if !left.is_empty() {
        if applied.refused.is_empty() {
            let now = Changes::find(wanted, console)?;
            for (setting, _) in &now.settings {
                set(console, setting)?;
            }
        }
        console.order("save")?;
    }
    Ok(applied)
}

fn set(console: &mut ConsoleClient, setting: &Assignment) -> Result<Reply, RemoteError> {
    console.command([b"set ", setting.name.as_bytes(), b" ", &setting.typed].concat())
}

impl Applied {
    fn add(
        &mut self,
        what: &Assignment,
        reply: &Reply,
        console: &ConsoleClient,
    ) -> Result<(), RemoteError> {
        if reply.is_locked() {
            return Err(RemoteError::Locked(console.address().clone()));
        }
        if reply.is_refusal() {
            self.refused.push(format!("{}: {}", what.name, shown(reply.first())));
        }
        let warnings = reply.lines().filter(|line| line.starts_with(b"WARNING: "));
        self.warnings.extend(warnings.map(shown));
        Ok(())
    }
}
