//! `umqttc pull`: the script a device runs.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::Status;
use crate::failure::Failure;
use crate::input::is_stdin;
use crate::remote::DeviceAddress;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs};
use crate::remote::script::{RunningScript, ScriptLines};
use crate::remote::visit::visit;
use crate::terminal::Terminal;
use crate::write::write_whole;

/// Write the script that runs on a device
///
/// Exit code 1 if there is none, or bytecode without its source.
#[derive(Args)]
pub(crate) struct Pull {
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// The device: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST")]
    host: DeviceAddress,
}

impl Pull {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let script = visit(&self.host, self.timeout, &self.password, |console| {
            Ok(RunningScript::ask(console)?)
        })?;
        let host = &self.host;
        let note = match &script {
            RunningScript::Source(text) => return self.write(text, terminal),
            RunningScript::None => format!("{host} runs no script"),
            RunningScript::Bytecode(_) => format!(
                "{host} runs bytecode without its source: `umqttc console {host} -c \"show script\"` shows the instructions; `umqttc push --compiled --embed-source` keeps the source with it"
            ),
        };
        writeln!(terminal.err, "umqttc: {note}").map_err(Failure::Output)?;
        Ok(Status::Findings)
    }

    fn write(&self, script: &ScriptLines, terminal: &mut Terminal) -> Result<Status, Failure> {
        let text = script.to_text();
        match &self.output {
            Some(path) if !is_stdin(path) => {
                write_whole(path, &text).map_err(|error| Failure::Write(path.clone(), error))?
            }
            _ => terminal.out.write_all(&text).map_err(Failure::Output)?,
        }
        let escaped = script.escaped();
        if !escaped.is_empty() {
            let note = "bytes that are no text stand as the device shows them, \\xhh";
            writeln!(terminal.err, "umqttc: {}: {note}", lines(&escaped))
                .map_err(Failure::Output)?;
        }
        let cut = script.cut();
        if cut.is_empty() {
            return Ok(Status::Success);
        }
        let note = "longer than the device shows, cut after 512 bytes";
        writeln!(terminal.err, "umqttc: {}: {note}", lines(&cut)).map_err(Failure::Output)?;
        Ok(Status::Findings)
    }
}

/// `line 3`, `lines 3, 4, 5 and 12 more`.
fn lines(numbers: &[usize]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(usize::to_string).collect();
    let more = match numbers.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!(" and {more} more"),
        _ => String::new(),
    };
    let word = if numbers.len() == 1 { "line" } else { "lines" };
    format!("{word} {}{more}", shown.join(", "))
}
