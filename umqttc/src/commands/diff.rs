//! `umqttc diff`: a file against the script a device runs.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use similar::TextDiff;
use umqtt_lang::EmitOptions;
use umqtt_vm::{Image, Listing, Profile};

use crate::failure::Failure;
use crate::input::Input;
use crate::remote::DeviceAddress;
use crate::remote::arguments::{PasswordArgs, TimeoutArgs};
use crate::remote::config::DeviceConfig;
use crate::remote::script::{RunningScript, ScriptLines};
use crate::remote::visit::visit;
use crate::terminal::Terminal;
use crate::{Status, frontend, render};

/// Show how the script on a device differs from a file
///
/// What runs as bytecode without its source is compared by its instructions. Exit code 0: they are
/// the same; 1: they differ; 2: they cannot be compared.
#[derive(Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// A script or an image
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The device: HOST or HOST:PORT, the console's port if it is not 7777
    #[arg(value_name = "HOST")]
    host: DeviceAddress,
}

impl Diff {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let input = Input::read(&self.file)?;
        if input.is_test() {
            return Err(Failure::IsTest(input.name));
        }
        let found = visit(&self.host, self.timeout, &self.password, |console| {
            let profile = DeviceConfig::ask(console)?.profile();
            Ok((profile, RunningScript::ask(console)?))
        });
        let (profile, running) = match found {
            Err(Failure::Remote(error)) => {
                terminal.report_error(&error);
                return Err(Failure::Reported);
            }
            found => found?,
        };
        let (ours, theirs) = match &running {
            RunningScript::None => {
                writeln!(terminal.out, "{} runs no script", self.host).map_err(Failure::Output)?;
                return Ok(Status::Findings);
            }
            RunningScript::Source(theirs) => match source(&input)? {
                Some(ours) => (ours, theirs),
                None => {
                    let note = "an image without its source, the device runs a source";
                    let name = render::printable(input.name.as_bytes());
                    writeln!(terminal.out, "{name} is {note}").map_err(Failure::Output)?;
                    return Ok(Status::Findings);
                }
            },
            RunningScript::Bytecode(theirs) => match instructions(&input, &profile, terminal)? {
                Some(ours) => (ours, theirs),
                None => return Err(Failure::Reported),
            },
        };
        self.compare(&input, &ours, theirs, terminal)
    }

    fn compare(
        &self,
        input: &Input,
        ours: &ScriptLines,
        theirs: &ScriptLines,
        terminal: &mut Terminal,
    ) -> Result<Status, Failure> {
        if ours == theirs {
            return Ok(Status::Success);
        }
        let text = |lines: &ScriptLines| String::from_utf8_lossy(&lines.to_text()).into_owned();
        let (ours, theirs) = (render::printable(text(ours).as_bytes()), text(theirs));
        let theirs = render::printable(theirs.as_bytes());
        let diff = TextDiff::from_lines(&ours, &theirs);
        let names = (render::printable(input.name.as_bytes()), self.host.to_string());
        let diff = diff.unified_diff().header(&names.0, &names.1).to_string();
        terminal.out.write_all(diff.as_bytes()).map_err(Failure::Output)?;
        Ok(Status::Findings)
    }
}

/// The source, of an image if it has it.
fn source(input: &Input) -> Result<Option<ScriptLines>, Failure> {
    if !input.is_image() {
        return Ok(Some(ScriptLines::listed(&input.bytes)));
    }
    let image = image(input)?;
    Ok(image.source().map(ScriptLines::listed))
}

/// The instructions, as a device lists them; `None` if a script does not compile, which was shown.
fn instructions(
    input: &Input,
    profile: &Profile,
    terminal: &mut Terminal,
) -> Result<Option<ScriptLines>, Failure> {
    let listing = if input.is_image() {
        Listing::new(&image(input)?).to_string()
    } else {
        let options = EmitOptions::new().debug(true);
        match frontend::compile_or_report(input, profile, options, terminal)? {
            Some(program) => Listing::new(&program.image()).to_string(),
            None => return Ok(None),
        }
    };
    Ok(Some(ScriptLines::listed(listing.as_bytes())))
}

fn image(input: &Input) -> Result<Image<'_>, Failure> {
    Image::parse(input.image()).map_err(|error| Failure::Image(input.name.clone(), error))
}
