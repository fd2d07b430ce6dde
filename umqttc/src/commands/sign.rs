//! `umqttc sign`: a script or an image with a signature.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::Status;
use crate::failure::Failure;
use crate::input::{Input, is_stdin};
use crate::signing::arguments::CounterArgs;
use crate::signing::{key_file, sign};
use crate::terminal::Terminal;
use crate::write::write_whole;

/// Sign a script or an image, so that devices with that script_key take it
///
/// The signature is a line at the end, in a script a comment. One that is there is replaced. The
/// script is not checked: `umqttc check` does that.
#[derive(Args)]
pub(crate) struct Sign {
    /// The file of the secret key
    #[arg(short, long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    counter: CounterArgs,
    /// Where to write it; `-` is standard output [default: FILE with `.signed` behind its name]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// The script, or an image
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Sign {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let output = match &self.output {
            Some(output) => output.clone(),
            None if is_stdin(&self.file) => return Err(Failure::NoOutputName),
            None => beside(&self.file),
        };
        let key = key_file::read(&self.key)
            .map_err(|error| Failure::SecretKey(self.key.display().to_string(), error))?;
        let input = Input::read(&self.file)?;
        if input.is_test() {
            return Err(Failure::IsTest(input.name));
        }
        let counter = self.counter.counter();
        let signed = sign(&key, &input.bytes, counter);
        if is_stdin(&output) {
            terminal.out.write_all(&signed).map_err(Failure::Output)?;
            return Ok(Status::Success);
        }
        let name = crate::render::printable(output.display().to_string().as_bytes());
        write_whole(&output, &signed).map_err(|error| Failure::Write(output, error))?;
        let len = signed.len();
        writeln!(terminal.out, "{name}: {len} bytes, signed with counter {counter}")
            .map_err(Failure::Output)?;
        Ok(Status::Success)
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".signed");
    PathBuf::from(name)
}
