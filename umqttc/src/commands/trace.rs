//! `umqttc trace`: what the script of a device does, as it does it.

use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::Args;

use crate::Status;
use crate::failure::Failure;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs};
use crate::remote::interrupt::note_interrupts;
use crate::remote::script::RunningScript;
use crate::remote::session::Unasked;
use crate::remote::visit::visit;
use crate::remote::{ConsoleClient, DeviceAddress, RemoteError};
use crate::render::trace_line::TraceView;
use crate::terminal::Terminal;

/// The device ends a session in which nothing is typed for 300 seconds.
const KEEP: Duration = Duration::from_secs(100);

/// Show what the script of a device does, as it does it, beside the lines of the script
///
/// Every event, which handler it met, each condition with the values it compared, each action and
/// what became of it; Ctrl-C ends it. Exit code 1 if the device ends it, or has no trace.
#[derive(Args)]
pub(crate) struct Trace {
    /// Only the handler that this line of the script belongs to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    line: Option<u32>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u32>,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// The device: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST")]
    host: DeviceAddress,
}

impl Trace {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        note_interrupts();
        visit(&self.host, self.timeout, &self.password, |console| {
            match self.follow(console, terminal) {
                Err(Failure::Remote(RemoteError::Interrupted)) => Ok(Status::Success),
                other => other,
            }
        })
    }

    fn follow(
        &self,
        console: &mut ConsoleClient,
        terminal: &mut Terminal,
    ) -> Result<Status, Failure> {
        let source = match RunningScript::ask(console)? {
            RunningScript::Source(text) => text.to_text(),
            RunningScript::Bytecode(_) => Vec::new(),
            RunningScript::None => {
                let note = format!("{} runs no script", self.host);
                writeln!(terminal.err, "umqttc: {note}").map_err(Failure::Output)?;
                return Ok(Status::Findings);
            }
        };
        let mut view = TraceView::new(&source);
        match self.line {
            Some(line) => console.order(format!("trace on {line}"))?,
            None => console.order("trace on")?,
        };
        writeln!(terminal.err, "tracing {}; Ctrl-C ends", self.host).map_err(Failure::Output)?;
        let end = self.seconds.map(|it| Instant::now() + Duration::from_secs(it.into()));
        let mut keep = Instant::now() + KEEP;
        loop {
            terminal.out.flush().map_err(Failure::Output)?;
            match console.next_unasked(end.map_or(keep, |end| end.min(keep)))? {
                Some(Unasked::Line(line)) => {
                    writeln!(terminal.out, "{}", view.shown(&line)).map_err(Failure::Output)?;
                    if line.starts_with(b"trace off: ") {
                        return Ok(Status::Findings);
                    }
                }
                Some(Unasked::Quiet) => {}
                None if end.is_some_and(|end| end <= Instant::now()) => {
                    return Ok(Status::Success);
                }
                None => {
                    console.command("")?;
                    keep = Instant::now() + KEEP;
                }
            }
            let dropped = console.take_dropped();
            if dropped > 0 {
                writeln!(terminal.out, "({dropped} lines came faster than they could be shown)")
                    .map_err(Failure::Output)?;
            }
        }
    }
}
