//! QEMU: a machine's command line, and running a program in it to its end.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::description::{Chip, Ethernet, Machine};

/// Time between two looks at whether it has ended.
const POLL: Duration = Duration::from_millis(5);

/// A machine to be started.
pub struct Emulator {
    machine: &'static Machine,
    arguments: Vec<OsString>,
}

/// A TCP port of the board's, open on this computer.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    /// The computer's address it is open on.
    pub bind: Ipv4Addr,
    /// Its number there.
    pub outside: u16,
    /// Its number on the board.
    pub inside: u16,
}

/// How a run ended.
pub struct Ended {
    /// What the program wrote to the serial port.
    pub bytes: Vec<u8>,
    /// Its exit status.
    pub status: u8,
}

impl Ended {
    /// What the program wrote as text, lines ended by line feeds only.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).replace('\r', "")
    }
}

impl Emulator {
    /// A machine with this program, its serial port on standard input and output.
    pub fn new(chip: &'static Chip, elf: &Path) -> Emulator {
        let fixed = chip.machine.arguments.split_whitespace().map(OsString::from);
        Emulator { machine: &chip.machine, arguments: fixed.chain([elf.into()]).collect() }
    }

    /// Gives the program a command line.
    pub fn append(&mut self, line: &str) -> &mut Emulator {
        if !line.is_empty() {
            let (option, before) = self.machine.command_line;
            self.arguments.extend([option.into(), format!("{before}{line}").into()]);
        }
        self
    }

    /// Makes time exact: an instruction takes a nanosecond, and sleep takes no time.
    pub fn exact(&mut self, exact: bool) -> &mut Emulator {
        if exact {
            self.arguments.extend(["-icount".into(), "shift=0,sleep=off".into()]);
        }
        self
    }

    /// Writes a line to this file for every instruction it executes, most of them without an
    /// address of ours: for short runs.
    pub fn trace(&mut self, file: &Path) -> &mut Emulator {
        let options = ["-singlestep", "-d", "exec,nochain", "-D"].map(OsString::from);
        self.arguments.extend(options.into_iter().chain([file.into()]));
        self
    }

    /// Gives the board a flash with the content of this file, which is made as large as the
    /// machine's is.
    ///
    /// # Errors
    /// The file cannot be read or written, or is too large.
    pub fn flash(&mut self, file: &Path) -> Result<&mut Emulator> {
        grow(file, self.machine).with_context(|| format!("cannot prepare {}", file.display()))?;
        let mut drive = OsString::from(self.machine.drive);
        drive.push(",file=");
        // A comma in QEMU's options is written twice.
        drive.push(file.to_string_lossy().replace(',', ",,"));
        self.arguments.extend(["-drive".into(), drive]);
        Ok(self)
    }

    /// Gives the board a network, where it finds an address by DHCP, the emulator's computer at
    /// 10.0.2.2, and its own ports open on that computer.
    pub fn network(&mut self, ports: &[Forward]) -> &mut Emulator {
        let mut network = String::from("user");
        for Forward { bind, outside, inside } in ports {
            network += &format!(",hostfwd=tcp:{bind}:{outside}-:{inside}");
        }
        self.ethernet(&network)
    }

    /// Gives the board a network that is a wire: its frames come as UDP datagrams to `other`, and
    /// those sent to `own` are for it. Both are ports of this computer.
    pub fn wire(&mut self, own: u16, other: u16) -> &mut Emulator {
        let here = Ipv4Addr::LOCALHOST;
        self.ethernet(&format!("socket,udp={here}:{other},localaddr={here}:{own}"))
    }

    fn ethernet(&mut self, network: &str) -> &mut Emulator {
        match self.machine.ethernet {
            Ethernet::Onboard(model) => {
                self.arguments.extend(["-nic".into(), format!("{network},model={model}").into()]);
            }
            Ethernet::Device(name) => self.arguments.extend([
                "-netdev".into(),
                format!("{network},id=network").into(),
                "-device".into(),
                format!("{name},netdev=network").into(),
            ]),
        }
        self
    }

    /// Starts it, its serial port on pipes.
    ///
    /// # Errors
    /// The emulator cannot be started.
    pub fn start(&self) -> Result<Child> {
        self.spawn(&mut self.command(Stdio::piped(), Stdio::piped()))
    }

    /// Starts it in the same way, out of reach of the terminal: Ctrl-C does not end it, and the
    /// terminal goes on showing and editing the line that is typed, as the emulator would not let
    /// it.
    ///
    /// # Errors
    /// The emulator cannot be started.
    pub fn start_apart(&self) -> Result<Child> {
        self.spawn(self.command(Stdio::piped(), Stdio::piped()).process_group(0))
    }

    fn command(&self, input: Stdio, output: Stdio) -> Command {
        let mut command = Command::new(self.machine.program);
        command.args(&self.arguments).stdin(input).stdout(output);
        command
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        command.spawn().with_context(|| format!("cannot start {}", self.machine.program))
    }

    /// Runs it until the program ends.
    ///
    /// # Errors
    /// The emulator cannot be started, or the program does not end in time: then what it wrote.
    pub fn run(&self, timeout: Duration) -> Result<Ended> {
        let mut child = self.spawn(&mut self.command(Stdio::null(), Stdio::piped()))?;
        let mut stdout = child.stdout.take().context("the emulator has an output")?;
        let reader = thread::spawn(move || {
            let mut output = Vec::new();
            stdout.read_to_end(&mut output).map(|_| output)
        });
        let end = Instant::now() + timeout;
        let status = loop {
            match child.try_wait()? {
                Some(status) => break Some(status),
                None if Instant::now() >= end => break None,
                None => thread::sleep(POLL),
            }
        };
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let bytes = reader.join().ok().context("reading the emulator's output panicked")??;
        let code = status.map_or(Some(0), |status| status.code());
        let ended =
            Ended { bytes, status: code.and_then(|code| code.try_into().ok()).unwrap_or(u8::MAX) };
        if status.is_none() {
            bail!("{}\nthe program did not end within {} s", ended.text(), timeout.as_secs());
        }
        Ok(ended)
    }
}

/// Fills a file up to the size of the flash the device uses with what erased flash holds, and makes
/// it as long as the machine wants it.
fn grow(path: &Path, machine: &Machine) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    if length > machine.drive_size {
        return Err(io::Error::other(format!("it has more than {} bytes", machine.drive_size)));
    }
    let missing = machine.flash_size.saturating_sub(usize::try_from(length).unwrap_or(usize::MAX));
    file.write_all(&vec![0xff; missing])?;
    file.set_len(machine.drive_size)
}

#[cfg(test)]
mod tests {
    use super::grow;
    use crate::esp8266::ESP8266;
    use crate::qemu_riscv::QEMU_RISCV;

    #[test]
    fn a_flash_file_keeps_what_it_holds_and_is_filled_up() {
        for machine in [&ESP8266.machine, &QEMU_RISCV.machine] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("flash");
            std::fs::write(&path, "something").unwrap();
            grow(&path, machine).unwrap();
            grow(&path, machine).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.len() as u64, machine.drive_size);
            let used = &bytes[..machine.flash_size];
            assert!(used.starts_with(b"something\xff") && used.ends_with(b"\xff"));
            std::fs::write(&path, vec![0; bytes.len() + 1]).unwrap();
            assert!(grow(&path, machine).is_err());
        }
    }
}
