//! Linting with a table of three parameters.

use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::lint::{ConfigTable, lint};
use umqtt_vm::Profile;

/// Three of a device's parameters.
pub(crate) struct Table;

impl ConfigTable for Table {
    fn names(&self) -> Vec<&str> {
        vec!["mqtt_host", "mqtt_port", "speed"]
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), String> {
        match name {
            "speed" if value != b"80" && value != b"160" => Err("it is 80 or 160".into()),
            _ => Ok(()),
        }
    }
}

/// The warnings of a script that parses.
#[track_caller]
pub(crate) fn warnings(script: &[u8]) -> Vec<Diagnostic> {
    let (statements, errors) = umqtt_lang::parse(script, &Profile::DESKTOP);
    assert_eq!(errors, [], "{}", String::from_utf8_lossy(script));
    lint(script, &statements, &Table)
}

/// The codes of a script's warnings, in order.
#[track_caller]
pub(crate) fn codes(script: &str) -> Vec<&'static str> {
    warnings(script.as_bytes()).iter().map(|warning| warning.code.as_str()).collect()
}
