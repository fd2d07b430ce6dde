//! Why a parameter was not set.

use core::fmt;

use umqtt_calendar::{Zone, ZoneError};

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
    /// `ntp_server` with a port that is none, or a scheme.
    TimeServer,
    /// `timezone` with the name of a zone.
    ZoneName,
    /// `mqtt_ssl 1` by the owner: no connection can be encrypted yet.
    NoEncryption,
    /// `script_key` by a script, which would decide what takes its own place.
    NotInScripts(Param),
}

impl SetError {
    /// What is wrong with a text that is no value of a parameter.
    pub(super) fn of(param: Param, text: &[u8]) -> SetError {
        let is_name = |text: &[u8]| {
            Zone::parse(text) == Err(ZoneError::Name) || text.iter().all(u8::is_ascii_alphabetic)
        };
        if param == Param::Timezone && is_name(text) {
            return SetError::ZoneName;
        }
        SetError::Range(param)
    }
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
            SetError::TimeServer => f.write_str(
                "ntp_server is a name or an address, and maybe a port from 1 to 65535 behind a colon",
            ),
            SetError::ZoneName => f.write_str(
                "timezone takes the rules of a zone, not its name: CET-1CEST,M3.5.0,M10.5.0/3 is Europe/Berlin; of \
                 others umqttc writes them, for config timezone NAME in a script",
            ),
            SetError::NoEncryption => {
                f.write_str("mqtt_ssl must be 0: this device cannot encrypt connections yet")
            }
            SetError::NotInScripts(param) => {
                write!(f, "{} is set on the console, not by a script", param.name())
            }
            SetError::Range(param) => write!(f, "{} must be {}", param.name(), param.spec().kind),
        }
    }
}

impl core::error::Error for SetError {}
