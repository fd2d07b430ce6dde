//! `config` lines against the device's parameters: unknown names (W0013), values out of range
//! (W0018).

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::facts::ScriptFacts;
use super::{quote, quote_bytes};
use crate::ast::{ConfigValue, Statement};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal::unescape;
use crate::suggest::nearest;

/// The parameters a device has. The language knows none of them: the caller that compiles for a
/// device hands its table in.
pub trait ConfigTable {
    /// Every parameter's name; none at all if names are not to be checked.
    fn names(&self) -> Vec<&str>;

    /// Whether a parameter of [`ConfigTable::names`] takes a value.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError>;

    /// The parameter and its value with which lines on the serial port are events of the script;
    /// with any other they are commands of the console. `None` if they are always events.
    fn serial_events(&self) -> Option<(&str, &str)> {
        None
    }
}

/// What is wrong with the value of a `config` line, to be shown to the user: lower case, no full
/// stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The device refuses it: what it would take.
    Refused(String),
    /// The device takes it, and then something does not work: what.
    Useless(String),
}

/// Knows no parameter and checks nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoConfig;

impl ConfigTable for NoConfig {
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn check(&self, _name: &str, _value: &[u8]) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// W0013 and W0018.
pub(super) fn check(
    facts: &ScriptFacts<'_>,
    config: &dyn ConfigTable,
    found: &mut Vec<Diagnostic>,
) {
    let names = config.names();
    if names.is_empty() {
        return;
    }
    for statement in facts.script {
        let Statement::Config(line) = statement else { continue };
        let name = unescape(line.name.of(facts.source));
        // A flash variable: it takes any value.
        if name.starts_with(b"@") {
            continue;
        }
        let Some(known) = names.iter().find(|known| known.as_bytes() == &*name) else {
            let mut unknown = Diagnostic::new(
                Code::UnknownConfig,
                line.name,
                format!("there is no config parameter {}", quote(facts.source, line.name)),
            );
            unknown = match nearest(&name, names.iter().map(|name| name.as_bytes())) {
                Some(near) => {
                    let near_quoted = quote_bytes(near);
                    unknown.help(format!("did you mean {near_quoted}?")).fix(
                        format!("write {near_quoted}"),
                        vec![Edit { span: line.name, text: near.to_vec() }],
                    )
                }
                None => unknown.help(
                    "the device refuses this line; `help set` on its console lists the parameters",
                ),
            };
            found.push(unknown);
            continue;
        };
        // What a flash variable holds is known on the device only.
        let ConfigValue::Text(span) = line.value else { continue };
        let value = quote(facts.source, span);
        let (message, help) = match config.check(known, &unescape(span.of(facts.source))) {
            Ok(()) => continue,
            Err(ConfigError::Refused(reason)) => (
                format!("`{known}` does not take {value}: {reason}"),
                "the device refuses this line and keeps the value it has",
            ),
            Err(ConfigError::Useless(reason)) => (
                format!("`{known}` {value} is of no use: {reason}"),
                "the device takes this line; leave it out",
            ),
        };
        found.push(Diagnostic::new(Code::BadConfigValue, span, message).help(help));
    }
}
