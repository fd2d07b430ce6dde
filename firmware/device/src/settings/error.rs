//! Why a parameter was not set.

use core::fmt;

use super::{Capability, Param};

/// Why a parameter was not set. Prints what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No parameter has that name.
    Unknown,
    /// It has no effect on this board, which has not got what it needs.
    Lacks(Param, Capability),
    /// The value is not of its type or out of its range.
    Range(Param),
    /// `mqtt_host` with a port or a scheme.
    Host,
    /// `mqtt_ssl 1` by the owner: no connection can be encrypted yet.
    NoEncryption,
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetError::Unknown => f.write_str("no such parameter"),
            SetError::Lacks(param, lacking) => {
                write!(f, "{} is not on this board, which has no {lacking}", param.name())
            }
            SetError::Host => {
                f.write_str("mqtt_host is a name or an address; its port is mqtt_port")
            }
            SetError::NoEncryption => {
                f.write_str("mqtt_ssl must be 0: this device cannot encrypt connections yet")
            }
            SetError::Range(param) => write!(f, "{} must be {}", param.name(), param.spec().kind),
        }
    }
}

impl core::error::Error for SetError {}
