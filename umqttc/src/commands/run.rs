//! `umqttc run`: the desktop device.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use umqtt_host::{HostOptions, Interfaces, RunError, Script, Serial, Verbosity};
use umqtt_lang::EmitOptions;
use umqtt_vm::{Profile, Program};

use crate::Status;
use crate::failure::Failure;
use crate::frontend;
use crate::input::Input;
use crate::terminal::Terminal;

/// Run the device on this computer: MQTT broker, console, script; Ctrl-C stops it
#[derive(Args)]
pub(crate) struct Run {
    /// The address to listen on: 127.0.0.1 to be reached from this computer, 0.0.0.0 from others
    /// too
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", value_parser = address)]
    bind: IpAddr,
    /// The interface that is the device's own network, in which it gives addresses and names: its
    /// ports are open there and to this computer, in place of --bind (Linux)
    #[arg(long, value_name = "IF", conflicts_with = "bind")]
    ap_interface: Option<String>,
    /// The interface of the network the device is a guest in: its ports are open there too
    #[arg(long, value_name = "IF", requires = "ap_interface")]
    sta_interface: Option<String>,
    /// The broker's port [default: as set on the device, at first 1883]
    #[arg(long, value_name = "N", alias = "port")]
    mqtt_port: Option<u16>,
    /// The console's port, 0 for none [default: as set on the device, at first 7777]
    #[arg(long, value_name = "N")]
    console_port: Option<u16>,
    /// The folder the device keeps its state in [default: umqtt in your state folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What the device's serial port is
    #[arg(long, value_name = "PORT", default_value = "stdio")]
    serial: SerialPort,
    /// What to log to standard error, with time and level [default: info with --serial none, else
    /// off]
    #[arg(long, value_name = "LEVEL")]
    log: Option<LogLevel>,
    /// Simulate a WiFi radio, with `sim wifi ...` on the console; without it the network is a cable
    #[arg(long)]
    radio: bool,
    /// A script or an image, which replaces the stored one; without it the stored one runs
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// An address to listen on.
fn address(text: &str) -> Result<IpAddr, &'static str> {
    const HELP: &str = "this is an address of this computer: 127.0.0.1 (reached from this computer alone), 0.0.0.0 (from others too)";
    text.parse().map_err(|_| HELP)
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    /// Nothing
    Off,
    /// Scripts that fail
    Error,
    /// What goes wrong otherwise, too
    Warn,
    /// What happens and what scripts print, too
    Info,
    /// Connections, too
    Debug,
}

/// The device's serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SerialPort {
    /// The terminal it runs in
    Stdio,
    /// None
    None,
}

impl Run {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let script = match &self.file {
            None => None,
            Some(file) => {
                let Some(script) = script(Input::read(file)?, terminal)? else {
                    return Ok(Status::Findings);
                };
                Some(script)
            }
        };
        let data = self.data.clone().or_else(umqtt_host::default_data_dir);
        let options = HostOptions {
            bind: self.bind,
            interfaces: self.interfaces(),
            mqtt_port: self.mqtt_port,
            console_port: self.console_port,
            serial: match self.serial {
                SerialPort::Stdio => Serial::Stdio,
                SerialPort::None => Serial::None,
            },
            log: self.verbosity(),
            radio: self.radio,
            script,
            ..HostOptions::new(data.ok_or(Failure::NoHome)?)
        };
        terminal.out.flush().map_err(Failure::Output)?;
        match umqtt_host::run(options) {
            Ok(()) => Ok(Status::Success),
            // It is on standard error since it happened.
            Err(RunError::Output(_)) => Err(Failure::Reported),
            Err(error) => Err(Failure::Device(error)),
        }
    }
}

impl Run {
    fn interfaces(&self) -> Option<Interfaces> {
        let station = self.sta_interface.clone();
        self.ap_interface.clone().map(|access_point| Interfaces { access_point, station })
    }

    /// Where nobody sees what the device prints, it is logged unless that is not wanted.
    fn verbosity(&self) -> Verbosity {
        match (self.log, self.serial) {
            (None, SerialPort::Stdio) | (Some(LogLevel::Off), _) => Verbosity::Off,
            (Some(LogLevel::Error), _) => Verbosity::Error,
            (Some(LogLevel::Warn), _) => Verbosity::Warn,
            (None, SerialPort::None) | (Some(LogLevel::Info), _) => Verbosity::Info,
            (Some(LogLevel::Debug), _) => Verbosity::Debug,
        }
    }
}

/// The script to run; `None` if it does not compile, which has been shown.
fn script(input: Input, terminal: &mut Terminal) -> Result<Option<Script>, Failure> {
    let profile = Profile::DESKTOP;
    if input.is_test() {
        return Err(Failure::IsTest(input.name));
    }
    if input.is_image() {
        return match Program::verify(input.image().to_vec(), &profile) {
            Ok(program) => Ok(Some(Script { program, source: None })),
            Err(error) => Err(Failure::Unsound(input.name, error)),
        };
    }
    let options = EmitOptions::new().debug(true);
    let program = frontend::compile_or_report(&input, &profile, options, terminal)?;
    Ok(program.map(|program| Script { program, source: Some(input.bytes) }))
}
