//! `umqttc push`: a script to devices.

mod contact;
mod outcome;
mod payload;
mod progress;

use std::io::Write as _;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_vm::Profile;

use self::contact::Contact;
use self::outcome::{Outcome, Report};
use self::payload::{Payload, Unfit};
use self::progress::Progress;
use crate::Status;
use crate::failure::Failure;
use crate::input::Input;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs, UploadArgs};
use crate::remote::fleet::for_each;
use crate::remote::interrupt::note_interrupts;
use crate::remote::{DeviceAddress, RemoteError};
use crate::signing::arguments::SignArgs;
use crate::terminal::Terminal;

/// Send a script to devices, which check it, keep it and run it
///
/// The script is checked here first: with an error in it no device is touched. A device takes it
/// whole or goes on with the one it has; what its compiler says of it is shown as that of `check`.
/// A locked device is unlocked for it, and locked again. Exit code 1 unless all devices took it.
#[derive(Args)]
pub(crate) struct Push {
    /// Compile it here and send the bytecode, which takes less memory there
    #[arg(long)]
    compiled: bool,
    /// Put the script's text into the bytecode, so that the device can show it
    #[arg(long, requires = "compiled")]
    embed_source: bool,
    /// The device whose limits count [default: what each device is]
    #[arg(long, value_name = "DEVICE",
        value_parser = PossibleValuesParser::new(Profile::ALL.map(|profile| profile.name))
            .try_map(|name| Profile::by_name(&name).ok_or("unknown device")))]
    profile: Option<Profile>,
    /// Send it as it is, and let the device judge alone
    #[arg(long, conflicts_with = "compiled")]
    no_check: bool,
    #[command(flatten)]
    sign: SignArgs,
    /// Ask the devices whether they would take a script now, and send none
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    upload: UploadArgs,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// How to write what came of it; json is one object a line
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The script, or an image
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The devices: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<DeviceAddress>,
}

/// How what came of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs
    Json,
}

impl Push {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let input = Input::read(&self.file)?;
        if input.is_test() {
            return Err(Failure::IsTest(input.name));
        }
        let signer = self.sign.signer()?;
        let password = self.password.given()?;
        let payload = Payload {
            input: &input,
            compiled: self.compiled,
            embed_source: self.embed_source,
            unchecked: self.no_check,
            signer: signer.as_ref(),
        };
        // No device has wider limits.
        let first = self.profile.unwrap_or(Profile::DESKTOP);
        let found = payload.check(&first);
        self.report_diagnostics(&input, &found.diagnostics, terminal)?;
        match found.unfit {
            None => {}
            Some(Unfit::Errors) => return Ok(Status::Findings),
            Some(Unfit::Image(error)) => return Err(Failure::Unsound(input.name, error)),
        }

        let mut hosts = self.hosts.clone();
        let mut seen = std::collections::BTreeSet::new();
        hosts.retain(|host| seen.insert(host.clone()));
        let progress = Progress::new(&hosts, self.format == Format::Human);
        let timeouts = self.timeout.timeouts();
        let contacts = for_each(hosts.clone(), |host| {
            progress.show(&host, "connects");
            Contact::make(&host, timeouts)
        });
        let locked: Vec<&Contact> =
            contacts.iter().flatten().filter(|contact| contact.locked).collect();
        let password = match locked.as_slice() {
            [] => password,
            [of, others @ ..] => {
                note_interrupts();
                let more = if others.is_empty() { "" } else { " and the others that are locked" };
                let name = format!("{}{more}", of.console.address());
                password.or_else(|| progress.pause(|| PasswordArgs::ask(&name)))
            }
        };
        let outcomes = for_each(hosts.into_iter().zip(contacts).collect(), |(host, contact)| {
            let outcome = contact.map_or_else(Outcome::Failed, |contact| {
                self.push_to(contact, &payload, &first, password.as_deref(), &progress)
            });
            progress.finish(&host);
            (host, outcome)
        });
        progress.end();
        self.report(&payload, &found.diagnostics, outcomes, terminal)
    }

    /// Sends it to one device.
    fn push_to(
        &self,
        contact: Contact,
        payload: &Payload<'_>,
        first: &Profile,
        password: Option<&[u8]>,
        progress: &Progress,
    ) -> Outcome {
        let profile = self.profile.unwrap_or(contact.profile);
        let about = contact.about(profile.name);
        let found = if profile == *first && !payload.is_made() {
            payload::Checked::default()
        } else {
            payload.check(&profile)
        };
        if let Some(unfit) = found.unfit {
            return Outcome::Unfit { about, diagnostics: found.diagnostics, unfit };
        }
        let bytes = &*payload.signed(found.bytes.as_deref().unwrap_or(&payload.input.bytes));
        if contact.locked && password.is_none() {
            return Outcome::Failed(RemoteError::Locked(contact.console.address().clone()));
        }
        if self.dry_run {
            return Outcome::WouldSend { about, bytes: bytes.len() };
        }
        let timeouts = self.timeout.timeouts();
        match contact.upload(bytes, self.upload.port, password, timeouts, progress) {
            Ok(verdict) => Outcome::Judged { about, sent: bytes.len(), verdict },
            Err(error) => Outcome::Failed(error),
        }
    }

    fn report_diagnostics(
        &self,
        input: &Input,
        found: &[Diagnostic],
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        outcome::write_diagnostics(self.format == Format::Json, input, found, terminal)
            .map_err(Failure::Output)
    }

    fn report(
        &self,
        payload: &Payload<'_>,
        told: &[Diagnostic],
        outcomes: Vec<(DeviceAddress, Outcome)>,
        terminal: &mut Terminal,
    ) -> Result<Status, Failure> {
        let several = outcomes.len() > 1;
        let took = outcomes.iter().filter(|(_, outcome)| outcome.is_good()).count();
        let all = outcomes.len();
        let mut report =
            Report::new(payload.input, payload.form(), self.format == Format::Json, told);
        for (host, outcome) in outcomes {
            match outcome {
                // Alone it is the end of the command.
                Outcome::Failed(error) if !several && self.format == Format::Human => {
                    return Err(Failure::Remote(error));
                }
                outcome => report.write(&host, &outcome, terminal).map_err(Failure::Output)?,
            }
        }
        if several && self.format == Format::Human {
            let name = crate::render::printable(payload.input.name.as_bytes());
            let would = if self.dry_run { "would take" } else { "took" };
            writeln!(terminal.out, "{took} of {all} devices {would} {name}")
                .map_err(Failure::Output)?;
        }
        Ok(if took == all { Status::Success } else { Status::Findings })
    }
}
