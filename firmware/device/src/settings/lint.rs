//! The table as the compiler wants it, to check `config` lines before a script is on any device.

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
