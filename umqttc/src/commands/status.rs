//! `umqttc status`: what devices are, and how they do.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::Status;
use crate::failure::Failure;
use crate::remote::arguments::TimeoutArgs;
use crate::remote::config::DeviceConfig;
use crate::remote::fleet::for_each;
use crate::remote::script::RunningScript;
use crate::remote::stats::{DeviceStats, clients, script_runs};
use crate::remote::unlocked::is_locked;
use crate::remote::{ConsoleClient, DeviceAddress, RemoteError, Timeouts};
use crate::render::table::table;
use crate::terminal::Terminal;

/// Show what devices are and how they do, a line for each
///
/// Of a locked device the script and the clients are not told. Exit code 1 if one cannot be
/// reached.
#[derive(Args)]
pub(crate) struct DeviceStatus {
    #[command(flatten)]
    timeout: TimeoutArgs,
    /// How to write it; json is one object a line
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The devices: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<DeviceAddress>,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs
    Json,
}

/// What is known of a device. What it does not tell is missing.
#[derive(Debug, Default, Serialize)]
struct Known {
    device: String,
    version: String,
    profile: &'static str,
    locked: bool,
    /// Seconds.
    uptime: Option<u64>,
    /// `12 lines`, `bytecode` or `none`.
    script: Option<String>,
    script_runs: Option<bool>,
    script_events: Option<u64>,
    clients: Option<u64>,
    /// Bytes.
    free_memory: Option<u64>,
    used_memory: Option<u64>,
    clock: Option<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Unreachable<'e> {
    device: String,
    error: &'e str,
}

impl DeviceStatus {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let timeouts = self.timeout.timeouts();
        let found = for_each(self.hosts.clone(), |host| (ask(&host, timeouts), host));
        let all_there = found.iter().all(|(known, _)| known.is_ok());
        match self.format {
            Format::Human => human(&found, terminal)?,
            Format::Json => {
                for (known, host) in &found {
                    let line = match known {
                        Ok(known) => serde_json::to_string(known),
                        Err(error) => serde_json::to_string(&Unreachable {
                            device: host.to_string(),
                            error: &error.to_string(),
                        }),
                    };
                    let line = line.map_err(|error| Failure::Output(error.into()))?;
                    writeln!(terminal.out, "{line}").map_err(Failure::Output)?;
                }
            }
        }
        Ok(if all_there { Status::Success } else { Status::Findings })
    }
}

fn ask(host: &DeviceAddress, timeouts: Timeouts) -> Result<Known, RemoteError> {
    let mut console = ConsoleClient::connect(host, timeouts)?;
    let config = DeviceConfig::ask(&mut console)?;
    let stats = DeviceStats::read(&console.order("show stats")?);
    let mut known = Known {
        device: host.to_string(),
        profile: config.profile().name,
        version: config.version,
        locked: is_locked(&mut console)?,
        uptime: stats.uptime,
        script_events: stats.script_events,
        free_memory: stats.free_memory,
        used_memory: stats.used_memory,
        clock: stats.clock,
        warnings: config.warnings,
        ..Known::default()
    };
    if !known.locked {
        let mqtt = console.order("show mqtt")?;
        (known.clients, known.script_runs) = (clients(&mqtt), script_runs(&mqtt));
        known.script = Some(RunningScript::describe(&mut console)?);
    }
    console.quit();
    Ok(known)
}

fn human(
    found: &[(Result<Known, RemoteError>, DeviceAddress)],
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let known = || found.iter().filter_map(|(known, _)| known.as_ref().ok());
    let names = ["DEVICE", "VERSION", "KIND", "UPTIME", "SCRIPT", "CLIENTS", "MEMORY", "CONFIG"];
    let mut rows = vec![names.map(String::from)];
    rows.extend(known().map(row));
    if rows.len() > 1 {
        write!(terminal.out, "{}", table(&rows)).map_err(Failure::Output)?;
    }
    for known in known() {
        for warning in &known.warnings {
            writeln!(terminal.out, "{}: WARNING: {warning}", known.device)
                .map_err(Failure::Output)?;
        }
    }
    for (known, _) in found {
        if let Err(error) = known {
            terminal.report_error(error);
        }
    }
    Ok(())
}

fn row(known: &Known) -> [String; 8] {
    let dash = || "-".to_owned();
    let memory = match (known.free_memory, known.used_memory) {
        (Some(free), _) => format!("{} free", bytes(free)),
        (None, Some(used)) => format!("{} used", bytes(used)),
        (None, None) => dash(),
    };
    let stopped = if known.script_runs == Some(false) { ", stopped" } else { "" };
    [
        known.device.clone(),
        known.version.clone(),
        known.profile.to_owned(),
        known.uptime.map_or_else(dash, uptime),
        known.script.as_ref().map_or_else(dash, |script| format!("{script}{stopped}")),
        known.clients.map_or_else(dash, |clients| clients.to_string()),
        memory,
        if known.locked { "locked" } else { "open" }.to_owned(),
    ]
}

/// `3d 04:05:06`, `4:05:06`.
fn uptime(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match days {
        0 => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{days}d {hours:02}:{minutes:02}:{:02}", seconds % 60),
    }
}

/// `21344 B`, `72 KiB`, `12 MiB`.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..65_536 => format!("{bytes} B"),
        65_536..67_108_864 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / (1024 * 1024)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_people() {
        assert_eq!(uptime(36_125), "10:02:05");
        assert_eq!(uptime(86_400 * 12 + 3_661), "12d 01:01:01");
        assert_eq!(
            [bytes(21_344), bytes(65_536), bytes(1 << 30)],
            ["21344 B", "64 KiB", "1024 MiB"]
        );
    }
}
