//! The samples are what people copy from: no warning, and the formatter's layout.

use umqtt_device::settings::lint;
use umqtt_lang::lint::{ConfigError, ConfigTable};
use umqtt_vm::Profile;

use crate::{names, source};

/// The device's parameters, as the linter asks for them.
struct Parameters;

impl ConfigTable for Parameters {
    fn names(&self) -> Vec<&str> {
        lint::names().collect()
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError> {
        lint::check(name.as_bytes(), value).map_err(|error| ConfigError::Refused(error.to_string()))
    }
}

#[test]
fn the_linter_finds_nothing() {
    let mut found = Vec::new();
    for name in names() {
        let source = source(&name);
        let umqtt_lang::Parsed { statements, errors: wrong } =
            umqtt_lang::parse(source.as_bytes(), &Profile::ESP8266);
        let warnings =
            umqtt_lang::lint::lint(source.as_bytes(), &statements, &Profile::ESP8266, &Parameters);
        for diagnostic in wrong.iter().chain(&warnings) {
            let line = source[..diagnostic.span.start as usize].lines().count();
            found.push(format!("{name}:{line}: {:?}: {}", diagnostic.code, diagnostic.message));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_formatter_changes_nothing() {
    for name in names() {
        let source = source(&name);
        let formatted = umqtt_lang::format(source.as_bytes(), &Profile::ESP8266).unwrap();
        assert_eq!(String::from_utf8_lossy(&formatted), source, "{name}");
    }
}
