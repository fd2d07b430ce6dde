//! The device in the emulator, for people: serial port on the terminal, TCP ports on this computer.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, ExitCode};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Error, Result, ensure};
use clap::Args;

use super::build;
use super::cargo::Program;
use super::data::Data;
use super::description::DEVICE;
use super::emulator::{Emulator, Forward};
use super::paths::Paths;
use super::push::push;
use super::toolchain::Toolchain;
use super::{ports, precheck};

/// The device's ports unless it was told otherwise.
const MQTT: u16 = 1883;
const CONSOLE: u16 = 7777;
/// The port a script is uploaded to.
const UPLOAD: u16 = 2000;
/// Between two looks at whether the emulator has ended.
const POLL: Duration = Duration::from_millis(100);
/// As the desktop device says it.
const END_OF_INPUT: &str =
    "end of input: no more commands from this terminal; the device runs on, Ctrl-C stops it";

#[derive(Args)]
pub(crate) struct RunOptions {
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
    /// One more port: this computer's and the device's, such as 2001:2001 for `script 2001`
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

impl RunOptions {
    /// Its ports, each with the option it is chosen by.
    fn ports(&self) -> Vec<(&'static str, Forward)> {
        let forward = |outside, inside| Forward { bind: self.bind, outside, inside };
        let mut ports = vec![
            ("--mqtt-port", forward(self.mqtt_port, MQTT)),
            ("--console-port", forward(self.console_port, CONSOLE)),
            ("--upload-port", forward(self.upload_port, UPLOAD)),
        ];
        let more = self.forward.iter().map(|&(outside, inside)| forward(outside, inside));
        ports.extend(more.map(|port| ("--forward", port)));
        ports
    }

    /// What is where.
    fn banner(&self, folder: &Path) -> String {
        let RunOptions { bind, mqtt_port, console_port, upload_port, .. } = self;
        format!(
            "the emulated device: MQTT broker on {bind}:{mqtt_port}, console on \
             {bind}:{console_port}; flash in {}\n\
             another script: `script {UPLOAD}` on the console, then it is taken on \
             {bind}:{upload_port}",
            folder.display()
        )
    }
}

/// Why the run ends.
enum End {
    /// By Ctrl-C or a signal.
    Stopped,
    /// The device did not take the script it was to start with.
    NoScript(Error),
}

/// Runs the device until it is stopped.
pub(crate) fn run(paths: &Paths, toolchain: &Toolchain, options: &RunOptions) -> Result<ExitCode> {
    let script = options.script.as_ref().map(|path| {
        let script = fs::read(path);
        let script =
            script.with_context(|| format!("cannot read the script {}", path.display()))?;
        precheck::check(&paths.chip.profile, path, &script).map(|()| script)
    });
    let script = script.transpose()?;
    let new = tempfile::tempdir().context("cannot make a folder for the flash")?;
    let data = Data::take(options.data.as_deref().unwrap_or(new.path()))?;
    let ports = options.ports();
    ports::try_all(&ports)?;
    let elf = build::build(paths, toolchain, &Program::new(DEVICE, &[]))?;
    // Building takes time.
    ports::try_all(&ports)?;
    eprintln!("{}", options.banner(data.folder()));

    let (ends, ended) = mpsc::channel();
    let stopped = ends.clone();
    ctrlc::set_handler(move || {
        let _ = stopped.send(End::Stopped);
    })?;
    let forwards: Vec<Forward> = ports.into_iter().map(|(_, port)| port).collect();
    let mut emulator =
        Emulator::new(paths.chip, &elf).flash(&data.flash())?.network(&forwards).start_apart()?;
    if let Some(input) = emulator.stdin.take() {
        thread::spawn(|| type_on(input));
    }
    let shown = emulator.stdout.take().map(|output| thread::spawn(|| show(output)));
    if let Some(script) = script {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (console, upload) = (at(options.console_port), at(options.upload_port));
        thread::spawn(move || {
            let verdict = push(console, upload, UPLOAD, &script).and_then(|verdict| {
                let last = verdict.lines().last().unwrap_or_default();
                ensure!(verdict.contains("Syntax okay"), "{last}");
                Ok(())
            });
            // The serial port, which is here, says it too when it is taken.
            if let Err(error) = verdict {
                let _ = ends.send(End::NoScript(error));
            }
        });
    }
    let end = wait(&mut emulator, &ended);
    if let Some(shown) = shown {
        let _ = shown.join();
    }
    end
}

/// Waits until the emulator ends or something ends it.
fn wait(emulator: &mut Child, ended: &Receiver<End>) -> Result<ExitCode> {
    loop {
        if let Some(status) = emulator.try_wait()? {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
        }
        let Ok(end) = ended.recv_timeout(POLL) else { continue };
        emulator.kill()?;
        emulator.wait()?;
        return match end {
            End::Stopped => Ok(ExitCode::SUCCESS),
            End::NoScript(error) => {
                Err(error.context("the device was stopped: it did not take the script"))
            }
        };
    }
}

/// Gives the serial port what is typed here.
fn type_on(mut serial: ChildStdin) {
    let copied = io::copy(&mut io::stdin().lock(), &mut serial);
    if copied.is_ok() && io::stdin().is_terminal() {
        eprintln!("{END_OF_INPUT}");
    }
}

/// Shows what the serial port writes, until it is closed.
fn show(mut serial: ChildStdout) {
    let mut output = io::stdout();
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = serial.read(&mut bytes) {
        // Where nobody reads it, the device runs on all the same.
        let _ = output.write_all(&bytes[..count]).and_then(|()| output.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{Args, Command, FromArgMatches};

    use super::RunOptions;

    #[test]
    fn the_banner_says_where_everything_is() {
        let command = RunOptions::augment_args(Command::new("run"));
        let words = ["run", "--upload-port", "3000", "--console-port", "3001", "--forward", "1:2"];
        let options = command.get_matches_from(words);
        let options = RunOptions::from_arg_matches(&options).unwrap();
        insta::assert_snapshot!(options.banner(Path::new("/data")), @r"
        the emulated device: MQTT broker on 127.0.0.1:1883, console on 127.0.0.1:3001; flash in /data
        another script: `script 2000` on the console, then it is taken on 127.0.0.1:3000
        ");
        let ports: Vec<_> =
            options.ports().iter().map(|(_, port)| (port.outside, port.inside)).collect();
        assert_eq!(ports, [(1883, 1883), (3001, 7777), (3000, 2000), (1, 2)]);
    }
}
