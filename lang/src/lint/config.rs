//! `config` lines against the device's parameters: unknown names (W0013), values out of range
//! (W0018).

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::facts::ScriptFacts;
use super::punctuation::QUOTES;
use super::{quote, quote_bytes};
use crate::ast::{ConfigValue, Span, Statement};
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

    /// The parameter that goes by this name elsewhere: `wifi_password`.
    fn alias(&self, _name: &str) -> Option<&str> {
        None
    }

    /// Whether the console takes a command.
    ///
    /// # Errors
    /// What is wrong with it, or which one was probably meant. One that only may be wrong is taken.
    fn command(&self, _line: &[u8]) -> Result<(), String> {
        Ok(())
    }

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
    /// The device takes it, but it means the contrary of what it seems to.
    Misleading {
        /// What it means, as the end of a sentence: `is 1 hour behind UTC`.
        meaning: String,
        /// What to write.
        instead: String,
    },
    /// The parameter does nothing on this device: what the device lacks.
    Lacks(String),
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

/// W0013, W0018, and W0024 in `config` lines.
pub(super) fn check(
    facts: &ScriptFacts<'_>,
    config: &dyn ConfigTable,
    found: &mut Vec<Diagnostic>,
) {
    let names = config.names();
    for statement in facts.script {
        let Statement::Config(line) = statement else { continue };
        if let ConfigValue::Text(span) = line.value
            && let Some(warning) = punctuation(facts.source, span)
        {
            found.push(warning);
            continue;
        }
        if names.is_empty() {
            continue;
        }
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
            let alias = core::str::from_utf8(&name).ok().and_then(|name| config.alias(name));
            let near = alias.map(str::as_bytes);
            unknown = match near.or(nearest(&name, names.iter().map(|name| name.as_bytes()))) {
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
                "the device takes this line, but what it asks for does not work",
            ),
            Err(ConfigError::Misleading { meaning, instead }) => {
                let message = format!("`{known}` {value} {meaning}");
                found.push(Diagnostic::new(Code::BadConfigValue, span, message).help(instead));
                continue;
            }
            Err(ConfigError::Lacks(what)) => {
                let message = format!("`{known}` does nothing on this device, which has no {what}");
                found.push(
                    Diagnostic::new(Code::BadConfigValue, line.name, message)
                        .help("leave this line out; `umqttc check --profile` chooses the device"),
                );
                continue;
            }
        };
        let warning = Diagnostic::new(Code::BadConfigValue, span, message);
        found.push(match with_point(facts.source, span, known, config) {
            Some(meant) => warning
                .help(format!("decimals have a point: `{meant}`"))
                .fix(format!("write `{meant}`"), vec![Edit { span, text: meant.into() }]),
            None => warning.help(help),
        });
    }
}

/// `config latitude 52,5` with its point, if the parameter takes that.
fn with_point(source: &[u8], value: Span, name: &str, config: &dyn ConfigTable) -> Option<String> {
    let raw = core::str::from_utf8(value.of(source)).ok()?;
    let (whole, decimals) = raw.split_once(',')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let meant = format!("{whole}.{decimals}");
    let is_decimal = is_number(whole.trim_start_matches('-')) && is_number(decimals);
    (is_decimal && config.check(name, meant.as_bytes()).is_ok()).then_some(meant)
}

/// W0024 for `config ssid=home` and `config ssid 'home'`, whose signs are a part of the value.
fn punctuation(source: &[u8], value: Span) -> Option<Diagnostic> {
    let raw = core::str::from_utf8(value.of(source)).ok()?;
    let is_quoted = QUOTES
        .iter()
        .any(|&mark| raw.len() > 2 * mark.len() && raw.starts_with(mark) && raw.ends_with(mark));
    let mark = if is_quoted { raw.chars().next()? } else { '=' };
    let inner = raw.strip_prefix(mark)?;
    let inner = if is_quoted { inner.strip_suffix(mark)? } else { inner };
    // A value of nothing else is meant.
    if inner.is_empty() {
        return None;
    }
    let text = match is_quoted {
        true => format!("\"{inner}\""),
        false => format!(" {inner}"),
    };
    let message = format!("the `{mark}` is part of the value here");
    let help = "`config NAME VALUE`: a value of several words stands in `\"`, and nothing else";
    let edit = Edit { span: value, text: text.into_bytes() };
    Some(
        Diagnostic::new(Code::StrayPunctuation, value, message)
            .help(help)
            .fix("write the value alone", vec![edit]),
    )
}
