//! What the desktop device is started with, and why it may not start.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use umqtt_device::Program;
use umqtt_device::net::NetError;

use crate::Verbosity;
use crate::flash::OpenError;
use crate::net::Interfaces;

/// A script that was compiled.
#[derive(Clone, Debug)]
pub struct Script {
    /// What runs.
    pub program: Program<Vec<u8>>,
    /// Its source, unless it came as an image.
    pub source: Option<Vec<u8>>,
}

/// What the desktop device is started with.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The address it listens on: 127.0.0.1 to be reached from this computer, 0.0.0.0 from others
    /// too.
    pub bind: IpAddr,
    /// The computer's interfaces that are the device's networks, in place of that address: Linux
    /// alone.
    pub interfaces: Option<Interfaces>,
    /// The broker's port instead of the one in the settings.
    pub mqtt_port: Option<u16>,
    /// The console's port instead of the one in the settings; 0 for none.
    pub console_port: Option<u16>,
    /// The directory its state lives in; made if need be.
    pub data: PathBuf,
    /// Its serial port.
    pub serial: Serial,
    /// What it logs to standard error.
    pub log: Verbosity,
    /// A simulated radio: WiFi, driven by `sim wifi`. Its own network is the computer's all the
    /// same.
    pub radio: bool,
    /// A script that replaces the stored one.
    pub script: Option<Script>,
}

impl HostOptions {
    /// The defaults, with the state in `data`.
    pub fn new(data: PathBuf) -> HostOptions {
        HostOptions {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            interfaces: None,
            mqtt_port: None,
            console_port: None,
            data,
            serial: Serial::Stdio,
            log: Verbosity::Off,
            radio: false,
            script: None,
        }
    }
}

/// The serial port of the desktop device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Serial {
    /// The terminal the process runs in.
    #[default]
    Stdio,
    /// None: nobody types, and what is printed goes to the console sessions alone.
    None,
}

/// Where the state lives unless told otherwise: `umqtt` in the user's state directory
/// (`XDG_STATE_HOME`, else `~/.local/state`). `None` if the user has no home.
pub fn default_data_dir() -> Option<PathBuf> {
    let absolute = |name| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let state = absolute("XDG_STATE_HOME").or_else(|| {
        let home = std::env::home_dir().filter(|home| home.is_absolute())?;
        Some(home.join(".local").join("state"))
    })?;
    Some(state.join("umqtt"))
}

/// Why the device could not start, or had to stop.
#[derive(Debug)]
pub enum RunError {
    /// A port cannot be listened on.
    Port {
        /// What for: `mqtt` or `console`.
        service: &'static str,
        /// The port.
        port: u16,
        /// Why.
        error: NetError,
    },
    /// The address to listen on is not one of this computer.
    Address(IpAddr),
    /// An interface cannot be used.
    Interface {
        /// The system's name of it.
        name: String,
        /// Why, and what would be right.
        why: &'static str,
    },
    /// The data directory cannot be used.
    Flash(OpenError),
    /// What is in the flash cannot be read or repaired.
    Storage(String),
    /// The script cannot be stored.
    Script(String),
    /// The operating system refused something.
    System(std::io::Error),
    /// Standard output could not be written. That was printed on standard error when it happened,
    /// and the device went on.
    Output(std::io::Error),
}

impl core::fmt::Display for RunError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            RunError::Port { service, port, error: NetError::PortInUse } => {
                write!(f, "port {port} is in use: choose another with --{service}-port")
            }
            RunError::Port { service, port, error: NetError::NotPermitted } => write!(
                f,
                "no permission to use port {port}: choose one above 1023 with --{service}-port"
            ),
            RunError::Port { service, port, error } => {
                write!(f, "cannot listen on port {port} for {service}: {error}")
            }
            RunError::Address(address) => write!(
                f,
                "{address} is no address of this computer: --bind takes one, or 0.0.0.0 for all"
            ),
            RunError::Interface { name, why } => write!(f, "{name} {why}"),
            RunError::Flash(error) => error.fmt(f),
            RunError::Storage(why) => write!(f, "the stored state cannot be used: {why}"),
            RunError::Script(why) => write!(f, "the script cannot be started: {why}"),
            RunError::System(error) => write!(f, "the system refused: {error}"),
            RunError::Output(error) => write!(f, "cannot write to standard output: {error}"),
        }
    }
}

impl core::error::Error for RunError {}

impl From<std::io::Error> for RunError {
    fn from(error: std::io::Error) -> RunError {
        RunError::System(error)
    }
}

impl From<OpenError> for RunError {
    fn from(error: OpenError) -> RunError {
        RunError::Flash(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_what_to_do() {
        let error = RunError::Port { service: "mqtt", port: 1883, error: NetError::PortInUse };
        assert_eq!(error.to_string(), "port 1883 is in use: choose another with --mqtt-port");
    }
}
