//! QEMU's LX106 board: its command line, and running a program in it to its end.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::tools::EMULATOR;

/// Time between two looks at whether it has ended.
const POLL: Duration = Duration::from_millis(5);

/// A machine to be started.
pub(crate) struct Emulator {
    arguments: Vec<OsString>,
}

/// How a run ended.
pub(crate) struct Ended {
    /// What the program wrote to the serial port.
    pub(crate) output: String,
    /// Its exit status.
    pub(crate) status: u8,
}

impl Emulator {
    /// A machine with this program, its serial port on standard input and output.
    pub(crate) fn new(elf: &Path) -> Emulator {
        let fixed = "-M lx60-nommu -cpu lx106 -semihosting -serial stdio -display none -monitor none -kernel";
        let arguments = fixed.split(' ').map(OsString::from).chain([elf.into()]).collect();
        Emulator { arguments }
    }

    /// Gives the program a command line.
    pub(crate) fn append(&mut self, line: &str) -> &mut Emulator {
        if !line.is_empty() {
            self.arguments.extend(["-append".into(), line.into()]);
        }
        self
    }

    /// Makes time exact: one tick of the cycle counter is [`INSTRUCTIONS_PER_CYCLE`] instructions, and sleep takes no time.
    pub(crate) fn exact(&mut self, exact: bool) -> &mut Emulator {
        if exact {
            self.arguments.extend(["-icount".into(), "shift=0,sleep=off".into()]);
        }
        self
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Result<Child> {
        Command::new(EMULATOR)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {EMULATOR}"))
    }

    /// Runs it until the program ends.
    pub(crate) fn run(&self, timeout: Duration) -> Result<Ended> {
        let mut child = self.start()?;
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
        let output = reader.join().ok().context("reading the emulator's output panicked")??;
        let output = String::from_utf8_lossy(&output).replace('\r', "");
        match status.map(|status| status.code()) {
            Some(Some(code)) => Ok(Ended { output, status: u8::try_from(code).unwrap_or(u8::MAX) }),
            Some(None) => bail!("{output}\nthe emulator was killed"),
            None => bail!("{output}\nthe program did not end within {} s", timeout.as_secs()),
        }
    }
}
