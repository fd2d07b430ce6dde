//! `umqttc keygen`: a key that signs scripts.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use ed25519_dalek::SigningKey;

use crate::Status;
use crate::failure::Failure;
use crate::signing::{key_file, public_key};
use crate::terminal::Terminal;

/// Make a key that signs scripts, and print the line that tells a device to take no others
///
/// The secret key goes into the file, which nobody else may read: keep a copy of it, for there is
/// no other. With --show the file is there, and only the line is printed.
#[derive(Args)]
pub(crate) struct Keygen {
    /// Print the line for the key in the file
    #[arg(long)]
    show: bool,
    /// The file of the secret key; one that is there is not written over
    #[arg(value_name = "KEY")]
    file: PathBuf,
}

impl Keygen {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let key = if self.show {
            key_file::read(&self.file)
                .map_err(|error| Failure::SecretKey(self.file.display().to_string(), error))?
        } else {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(Failure::Random)?;
            let key = SigningKey::from_bytes(&secret);
            key_file::write_new(&self.file, &key)
                .map_err(|error| Failure::Write(self.file.clone(), error))?;
            key
        };
        writeln!(terminal.out, "set script_key {}", public_key(&key)).map_err(Failure::Output)?;
        Ok(Status::Success)
    }
}
