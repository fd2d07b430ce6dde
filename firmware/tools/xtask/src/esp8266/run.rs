//! The device in the emulator, for people: serial port on the terminal, TCP ports on this computer.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result};
use clap::Args;

use super::DEVICE;
use super::build::{self, Program};
use super::emulator::{Emulator, Forward};
use super::paths::Paths;
use super::push::push;
use super::toolchain::Toolchain;

/// The device's ports unless it was told otherwise.
const MQTT: u16 = 1883;
const CONSOLE: u16 = 7777;
/// The port a script is uploaded to.
const UPLOAD: u16 = 2000;

#[derive(Args)]
pub(crate) struct Options {
    /// A script to start with, source or bytecode: uploaded over the console, and compiled by the
    /// device
    script: Option<PathBuf>,
    /// This computer's port for the device's MQTT broker
    #[arg(long, default_value_t = MQTT, value_name = "PORT")]
    mqtt_port: u16,
    /// This computer's port for the device's console
    #[arg(long, default_value_t = CONSOLE, value_name = "PORT")]
    console_port: u16,
    /// This computer's port for script uploads to the device's port 2000
    #[arg(long, default_value_t = UPLOAD, value_name = "PORT")]
    upload_port: u16,
    /// One more port: this computer's and the device's
    #[arg(long, value_name = "OUTSIDE:INSIDE", value_parser = pair)]
    forward: Vec<(u16, u16)>,
    /// The address of this computer the ports are open on; 0.0.0.0 lets everybody in
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST, value_name = "ADDRESS")]
    bind: Ipv4Addr,
    /// Keep the flash in this folder; without, the device is new each time
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(u16, u16)> {
    let (outside, inside) = text.split_once(':').context("two ports are needed, as in 8080:80")?;
    Ok((outside.parse()?, inside.parse()?))
}

/// Runs the device until it is stopped.
pub(crate) fn run(places: &Paths, tools: &Toolchain, options: &Options) -> Result<ExitCode> {
    let script = options.script.as_ref().map(|path| {
        fs::read(path).with_context(|| format!("cannot read the script {}", path.display()))
    });
    let script = script.transpose()?;
    let elf = build::build(places, tools, &Program::new(DEVICE, &[]))?;
    let new = tempfile::tempdir().context("cannot make a folder for the flash")?;
    let data = options.data.as_deref().unwrap_or(new.path());
    fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;

    let bind = options.bind;
    let forward = |outside, inside| Forward { bind, outside, inside };
    let mut ports = vec![
        forward(options.mqtt_port, MQTT),
        forward(options.console_port, CONSOLE),
        forward(options.upload_port, UPLOAD),
    ];
    ports.extend(options.forward.iter().map(|&(outside, inside)| forward(outside, inside)));
    eprintln!(
        "the emulated device: MQTT broker on {bind}:{}, console on {bind}:{}; flash in {}",
        options.mqtt_port,
        options.console_port,
        data.display()
    );

    // The emulator gets Ctrl-C as well, and ends by it; we end when it has.
    ctrlc::set_handler(|| {})?;
    let mut emulator =
        Emulator::new(&elf).flash(&data.join("flash"))?.network(&ports).start_here()?;
    if let Some(script) = script {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (console, upload) = (at(options.console_port), at(options.upload_port));
        thread::spawn(move || match push(console, upload, UPLOAD, &script) {
            // The serial port, which is here, says it too.
            Ok(_) => {}
            Err(error) => eprintln!("error: {error:#}"),
        });
    }
    let status = emulator.wait()?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
