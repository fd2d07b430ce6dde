//! What has come of a push to a device, for people and for programs.
//!
//! ```json
//! {"device":"lamp.lan:7777","result":"taken","version":"umqtt 0.1.0","profile":"esp8266",
//!  "locked":false,"form":"source","bytes":179,"message":null,"remarks":[{"severity":"warning",
//!  "code":"W0001","line":2,"column":10,"message":"..."}],"report":["..."]}
//! ```
//! `result` is `taken`, `refused`, `unfit` (the compiler here has errors for that kind of device),
//! `failed` (the device cannot be reached, or not be spoken with) or `would send`.

use std::io::{self, Write as _};

use serde::Serialize;
use umqtt_lang::diagnostic::{Diagnostic, position};

use super::contact::About;
use super::payload::Unfit;
use crate::input::Input;
use crate::remote::verdict::{Remark, Verdict};
use crate::remote::{DeviceAddress, RemoteError};
use crate::render;
use crate::render::remark::RemarkAt;
use crate::terminal::Terminal;

/// What has come of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The device has judged.
    Judged { about: About, sent: usize, verdict: Verdict },
    /// It would be sent this.
    WouldSend { about: About, bytes: usize },
    /// The compiler here says that it is not for that kind of device.
    Unfit { about: About, diagnostics: Vec<Diagnostic>, unfit: Unfit },
    /// It did not come so far.
    Failed(RemoteError),
}

impl Outcome {
    /// Whether the device took it, or would.
    pub(super) fn is_good(&self) -> bool {
        match self {
            Outcome::Judged { sent, verdict, .. } => verdict.taken && verdict.is_of(*sent),
            Outcome::WouldSend { .. } => true,
            Outcome::Unfit { .. } | Outcome::Failed(_) => false,
        }
    }
}

impl Verdict {
    /// Whether the device has judged all bytes that were sent, as far as it tells.
    fn is_of(&self, sent: usize) -> bool {
        self.bytes.is_none_or(|bytes| bytes == sent)
    }
}

/// Writes outcomes.
pub(super) struct Report<'i> {
    input: &'i Input,
    /// `source` or `bytecode`: what is sent.
    form: &'static str,
    json: bool,
    /// Code and place of what the compiler here has told of already.
    told: Vec<(&'static str, usize, usize)>,
}

#[derive(Serialize)]
struct Line<'o> {
    device: String,
    result: &'static str,
    version: Option<&'o str>,
    profile: Option<&'static str>,
    locked: Option<bool>,
    form: &'static str,
    bytes: Option<usize>,
    message: Option<String>,
    remarks: &'o [Remark],
    report: &'o [String],
}

impl<'i> Report<'i> {
    /// Of this script, of which the compiler here has told this already.
    pub(super) fn new(
        input: &'i Input,
        form: &'static str,
        json: bool,
        told: &[Diagnostic],
    ) -> Report<'i> {
        let place = |found: &Diagnostic| {
            let (line, column) = position(&input.bytes, found.span.start as usize);
            (found.code.as_str(), line as usize, column as usize)
        };
        Report { input, form, json, told: told.iter().map(place).collect() }
    }

    /// Writes one.
    pub(super) fn write(
        &mut self,
        host: &DeviceAddress,
        outcome: &Outcome,
        terminal: &mut Terminal,
    ) -> io::Result<()> {
        match self.json {
            true => self.json(host, outcome, terminal),
            false => self.human(host, outcome, terminal),
        }
    }

    fn human(
        &self,
        host: &DeviceAddress,
        outcome: &Outcome,
        terminal: &mut Terminal,
    ) -> io::Result<()> {
        match outcome {
            Outcome::Failed(error) => {
                terminal.report_error(error);
                Ok(())
            }
            Outcome::WouldSend { about, bytes } => {
                let locked = if about.locked { ", locked" } else { "" };
                let (version, profile) = (&about.version, about.profile);
                writeln!(
                    terminal.out,
                    "{host}: {version} on {profile}{locked}; would send {bytes} bytes of {}",
                    self.form
                )
            }
            Outcome::Unfit { about, diagnostics, unfit } => {
                write_diagnostics(false, self.input, diagnostics, terminal)?;
                let why = match unfit {
                    Unfit::Errors => String::new(),
                    Unfit::Image(error) => format!(": {error}"),
                };
                writeln!(
                    terminal.out,
                    "{host}: not sent, it is no script for {}{why}",
                    about.profile
                )
            }
            Outcome::Judged { sent, verdict, .. } => {
                self.remarks(host, verdict, terminal)?;
                for text in &verdict.text {
                    writeln!(terminal.out, "{host}: {text}")?;
                }
                match (verdict.taken, verdict.bytes) {
                    (true, Some(bytes)) if bytes != *sent => writeln!(
                        terminal.out,
                        "{host}: took {bytes} of {sent} bytes, the connection broke: push it again"
                    ),
                    (true, _) => {
                        writeln!(terminal.out, "{host}: runs it, {sent} bytes of {}", self.form)
                    }
                    (false, _) if verdict.text.is_empty() => {
                        writeln!(terminal.out, "{host}: does not take it")
                    }
                    (false, _) => Ok(()),
                }
            }
        }
    }

    /// What the device's compiler says, with excerpts of the source, if there is one.
    fn remarks(
        &self,
        host: &DeviceAddress,
        verdict: &Verdict,
        terminal: &mut Terminal,
    ) -> io::Result<()> {
        let color = terminal.err.color();
        let note = format!("found by {host}");
        for remark in &verdict.remarks {
            let Remark { severity, code, line, column, message } = remark;
            let is_told = |code: &str| self.told.contains(&(code, *line, *column));
            if code.as_deref().is_some_and(is_told) {
                continue;
            }
            if self.input.is_image() {
                writeln!(terminal.err, "{severity} in line {line}, column {column}: {message}")?;
                continue;
            }
            let remark = RemarkAt {
                is_error: *severity == "error",
                code: code.as_deref(),
                line: *line,
                column: *column,
                message,
            };
            let (name, source) = (&self.input.name, &self.input.bytes);
            render::remark::write(&mut terminal.err, color, name, source, remark, &note)?;
        }
        Ok(())
    }

    fn json(
        &self,
        host: &DeviceAddress,
        outcome: &Outcome,
        terminal: &mut Terminal,
    ) -> io::Result<()> {
        let (about, bytes) = match outcome {
            Outcome::Judged { about, sent, .. } => (Some(about), Some(*sent)),
            Outcome::WouldSend { about, bytes } => (Some(about), Some(*bytes)),
            Outcome::Unfit { about, diagnostics, .. } => {
                write_diagnostics(true, self.input, diagnostics, terminal)?;
                (Some(about), None)
            }
            Outcome::Failed(_) => (None, None),
        };
        let result = match outcome {
            Outcome::Judged { .. } if outcome.is_good() => "taken",
            Outcome::Judged { .. } => "refused",
            Outcome::WouldSend { .. } => "would send",
            Outcome::Unfit { .. } => "unfit",
            Outcome::Failed(_) => "failed",
        };
        let message = match outcome {
            Outcome::Failed(error) => Some(error.to_string()),
            Outcome::Unfit { unfit: Unfit::Image(error), .. } => Some(error.to_string()),
            _ => None,
        };
        let (remarks, report) = match outcome {
            Outcome::Judged { verdict, .. } => (&verdict.remarks[..], &verdict.text[..]),
            _ => (&[][..], &[][..]),
        };
        let line = Line {
            device: host.to_string(),
            result,
            version: about.map(|about| about.version.as_str()),
            profile: about.map(|about| about.profile),
            locked: about.map(|about| about.locked),
            form: self.form,
            bytes,
            message,
            remarks,
            report,
        };
        serde_json::to_writer(&mut terminal.out, &line)?;
        terminal.out.write_all(b"\n")
    }
}

/// Writes what the compiler here says: for people on standard error, for programs on standard
/// output.
pub(super) fn write_diagnostics(
    json: bool,
    input: &Input,
    found: &[Diagnostic],
    terminal: &mut Terminal,
) -> io::Result<()> {
    let (name, source) = (&input.name, &input.bytes);
    match json {
        true => render::json::write(&mut terminal.out, name, source, found),
        false => {
            let color = terminal.err.color();
            render::human::write(&mut terminal.err, color, name, source, found)
        }
    }
}
