//! The arguments of commands that sign.

use std::path::PathBuf;

use clap::Args;
use ed25519_dalek::SigningKey;

use super::{counter_now, key_file, sign};
use crate::failure::Failure;

/// With which key, and how new.
#[derive(Args)]
pub(crate) struct SignArgs {
    /// Sign it with the secret key in this file, which `umqttc keygen` made
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
    /// The counter in the signature, instead of the seconds since 1970: a device takes none that is
    /// lower than one it has taken
    #[arg(long, value_name = "N", requires = "sign")]
    counter: Option<u64>,
}

/// How new what is signed is.
#[derive(Args)]
pub(crate) struct CounterArgs {
    /// The counter in the signature, instead of the seconds since 1970: a device takes none that is
    /// lower than one it has taken
    #[arg(long, value_name = "N")]
    counter: Option<u64>,
}

impl CounterArgs {
    /// The counter.
    pub(crate) fn counter(&self) -> u64 {
        self.counter.unwrap_or_else(counter_now)
    }
}

impl SignArgs {
    /// What signs; `None` if nothing is to be signed.
    ///
    /// # Errors
    /// [`Failure::SecretKey`].
    pub(crate) fn signer(&self) -> Result<Option<ScriptSigner>, Failure> {
        let Some(path) = &self.sign else { return Ok(None) };
        let key = key_file::read(path)
            .map_err(|error| Failure::SecretKey(path.display().to_string(), error))?;
        Ok(Some(ScriptSigner { key, counter: self.counter.unwrap_or_else(counter_now) }))
    }
}

/// A key, and the counter of all it signs.
pub(crate) struct ScriptSigner {
    key: SigningKey,
    pub(crate) counter: u64,
}

impl ScriptSigner {
    /// The script, signed.
    pub(crate) fn sign(&self, script: &[u8]) -> Vec<u8> {
        sign(&self.key, script, self.counter)
    }
}
