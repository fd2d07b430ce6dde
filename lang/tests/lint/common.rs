//! Linting with a table of four parameters.

use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::lint::{ConfigError, ConfigTable, lint};
use umqtt_vm::Profile;

/// Four of a device's parameters.
pub(crate) struct Table;

impl ConfigTable for Table {
    fn names(&self) -> Vec<&str> {
        vec!["mqtt_host", "mqtt_port", "mqtt_ssl", "speed", "latitude", "longitude"]
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError> {
        match name {
            "speed" if value != b"80" && value != b"160" => {
                Err(ConfigError::Refused("it is 80 or 160".into()))
            }
            "latitude" if value.contains(&b',') => {
                Err(ConfigError::Refused("it is degrees such as 13.405".into()))
            }
            "mqtt_ssl" if value == b"1" => {
                Err(ConfigError::Useless("this device cannot encrypt".into()))
            }
            _ => Ok(()),
        }
    }
}

/// The same, with one more: unless it is 0, the serial port is a console.
pub(crate) struct SerialTable;

impl ConfigTable for SerialTable {
    fn names(&self) -> Vec<&str> {
        [Table.names(), vec!["system_output"]].concat()
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError> {
        Table.check(name, value)
    }

    fn serial_events(&self) -> Option<(&str, &str)> {
        Some(("system_output", "0"))
    }
}

/// The warnings of a script that parses.
#[track_caller]
pub(crate) fn warnings(script: &[u8]) -> Vec<Diagnostic> {
    warnings_with(script, &Table)
}

/// The same, for a device with other parameters.
#[track_caller]
pub(crate) fn warnings_with(script: &[u8], table: &dyn ConfigTable) -> Vec<Diagnostic> {
    let umqtt_lang::Parsed { statements, errors } = umqtt_lang::parse(script, &Profile::DESKTOP);
    assert_eq!(errors, [], "{}", String::from_utf8_lossy(script));
    lint(script, &statements, &Profile::ESP8266, table)
}

/// The codes of a script's warnings, in order.
#[track_caller]
pub(crate) fn codes(script: &str) -> Vec<&'static str> {
    warnings(script.as_bytes()).iter().map(|warning| warning.code.as_str()).collect()
}
