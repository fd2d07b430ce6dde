//! The device's table of parameters, for the linter: so that `config` lines are checked before a device sees them.

use umqtt_device::settings::{SetError, lint as table};
use umqtt_lang::lint::{ConfigError, ConfigTable};

/// The parameters every device has.
pub(crate) struct Parameters;

impl ConfigTable for Parameters {
    fn names(&self) -> Vec<&str> {
        table::names().collect()
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError> {
        table::check(name.as_bytes(), value).map_err(|error| match error {
            SetError::NoEncryption => ConfigError::Useless(
                "there is no connection to the remote broker then, for the device cannot encrypt yet".into(),
            ),
            error => ConfigError::Refused(error.to_string()),
        })
    }
}
