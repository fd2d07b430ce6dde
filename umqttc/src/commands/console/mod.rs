//! `umqttc console`: a device's console, for people in a terminal and for programs.

#[cfg(unix)]
mod completer;
#[cfg(unix)]
mod interactive;
mod script;
mod vocabulary;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use clap::Args;

use crate::Status;
use crate::failure::Failure;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs};
use crate::remote::visit::visit;
use crate::remote::{ConsoleClient, DeviceAddress};
use crate::terminal::Terminal;

/// Talk to a device's console; `help` there lists its commands, Ctrl-D ends it
///
/// In a terminal lines are edited, with a history, Tab completes, and what the device prints leaves
/// the line alone. With -c, or with commands from standard input, the replies are printed; at the
/// first command the device refuses it ends with exit code 1. With a password a locked device is
/// unlocked first, and locked again in the end.
#[derive(Args)]
pub(crate) struct Console {
    /// A command; may be given several times
    #[arg(short, long = "command", value_name = "CMD")]
    commands: Vec<String>,
    /// Go on with the next command when one is refused
    #[arg(short, long)]
    keep_going: bool,
    /// After the last command print what the device says for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 0,
        value_parser = clap::value_parser!(u64).range(..=86_400))]
    wait: u64,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// The device: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST")]
    host: DeviceAddress,
}

impl Console {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        if self.password.given()?.is_some() {
            return visit(&self.host, self.timeout, &self.password, |console| {
                self.talk(console, true, terminal)
            });
        }
        let mut console = ConsoleClient::connect(&self.host, self.timeout.timeouts())?;
        let status = self.talk(&mut console, false, terminal)?;
        console.quit();
        Ok(status)
    }

    /// `unlocked`: the device was unlocked for this, and is to be locked in the end.
    fn talk(
        &self,
        console: &mut ConsoleClient,
        unlocked: bool,
        terminal: &mut Terminal,
    ) -> Result<Status, Failure> {
        let options =
            script::Options { keep_going: self.keep_going, wait: Duration::from_secs(self.wait) };
        if !self.commands.is_empty() {
            let commands = self.commands.iter().map(|command| Ok(command.clone().into_bytes()));
            return script::run(console, commands, options, terminal);
        }
        #[cfg(unix)]
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            let lock = unlocked.then(|| self.timeout.timeouts());
            return interactive::run(console, lock, terminal);
        }
        script::run(console, script::lines(io::stdin().lock()), options, terminal)
    }
}
