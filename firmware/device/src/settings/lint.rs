//! The table as the compiler wants it, to check `config` lines before a script is on any device.

use alloc::string::ToString;
use alloc::vec::Vec;

use umqtt_lang::lint::{ConfigError, ConfigTable};

use super::{Param, SetError, TABLE, Value};

/// Every name a `config` line may have.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|spec| spec.name)
}

/// Whether `config name value` would be accepted.
///
/// # Errors
/// What would be right.
pub fn check(name: &[u8], value: &[u8]) -> Result<(), SetError> {
    let param = Param::by_name(name).ok_or(SetError::Unknown)?;
    match param.spec().kind.read(value) {
        // It is taken, but to no good: see `Settings::set`.
        Ok(Value::Number(1)) if param == Param::MqttSsl => Err(SetError::NoEncryption),
        Ok(_) => Ok(()),
        Err(()) => Err(SetError::Range(param)),
    }
}

/// The parameters every device has, for the linter.
#[derive(Clone, Copy, Debug)]
pub struct Parameters;

impl ConfigTable for Parameters {
    fn names(&self) -> Vec<&str> {
        names().collect()
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError> {
        check(name.as_bytes(), value).map_err(|error| match error {
            SetError::NoEncryption => ConfigError::Useless(
                "there is no connection to the remote broker then, for the device cannot encrypt yet".into(),
            ),
            error => ConfigError::Refused(error.to_string()),
        })
    }

    fn serial_events(&self) -> Option<(&str, &str)> {
        Some((Param::SystemOutput.name(), "0"))
    }
}
