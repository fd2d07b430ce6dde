//! A device's backup: a folder with `settings.txt`, `variables.txt` and, where a script with its
//! source runs, `script.script`. The two texts are lines for the console, so that `nc` can restore
//! them too; what is not kept stands in them as a comment.

use std::fmt::Write as _;

use umqtt_device::console::words::{Quoted, Words};
use umqtt_device::settings::Param;

use super::DeviceAddress;
use super::config::{DeviceConfig, SettingValue};
use super::reply::shown;
use super::variables::FlashVariable;

/// The files.
pub(crate) const SETTINGS: &str = "settings.txt";
/// Flash variables.
pub(crate) const VARIABLES: &str = "variables.txt";
/// The script.
pub(crate) const SCRIPT: &str = "script.script";

/// How a file of a backup begins.
const MARK: &str = "# umqtt ";
/// How the first line of the settings ends.
pub(crate) const OF_SETTINGS: &str = ": its settings";
/// How the first line of the flash variables ends.
pub(crate) const OF_VARIABLES: &str = ": its flash variables";

/// What is to be set: a name, and the value as one would type it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// A setting's name, or `@3`.
    pub(crate) name: String,
    /// As it stands behind the name.
    pub(crate) typed: Vec<u8>,
    /// As it is.
    pub(crate) value: Vec<u8>,
}

/// The lines for settings; passwords only if asked for.
pub(crate) fn settings_text(
    config: &DeviceConfig,
    of: &DeviceAddress,
    with_secrets: bool,
) -> Vec<u8> {
    let mut text = header(config, of, OF_SETTINGS).into_bytes();
    for (param, value) in &config.settings {
        let spec = param.spec();
        let line = match value {
            SettingValue::Hidden => format!("# {}: it was locked", spec.name).into_bytes(),
            SettingValue::Shown(value) if is_of_one_device(*param, value) => {
                let value = shown(value);
                format!("# {} {value}: made of the device's own address", spec.name).into_bytes()
            }
            SettingValue::Shown(value) if spec.secret && !with_secrets && value != b"none" => {
                format!("# {}: not kept without --secrets", spec.name).into_bytes()
            }
            SettingValue::Shown(value) => [b"set ", spec.name.as_bytes(), b" ", value].concat(),
        };
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    text
}

/// The lines for flash variables.
pub(crate) fn variables_text(
    config: &DeviceConfig,
    of: &DeviceAddress,
    variables: &[FlashVariable],
) -> Vec<u8> {
    let mut text = header(config, of, OF_VARIABLES);
    for (number, value) in variables {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "set @{number} {}", Quoted(value));
    }
    text.into_bytes()
}

fn header(config: &DeviceConfig, of: &DeviceAddress, what: &str) -> String {
    let version = config.version.strip_prefix("umqtt ").unwrap_or(&config.version);
    format!("{MARK}{version} on {}, {of}{what}\n", config.profile().name)
}

/// Whether a text has the first line of a backup's file.
pub(crate) fn is_headed(text: &[u8], what: &str) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    line.starts_with(MARK.as_bytes()) && line.ends_with(what.as_bytes())
}

/// A client id that a second device must not have.
fn is_of_one_device(param: Param, value: &[u8]) -> bool {
    let rest = value.strip_prefix(b"ESPRouter_").filter(|_| param == Param::MqttId);
    rest.is_some_and(|rest| rest.len() == 6 && rest.iter().all(u8::is_ascii_hexdigit))
}

/// Reads lines `set NAME VALUE`; empty ones and comments are passed over.
///
/// # Errors
/// The number of the first line that is something else.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Assignment>, usize> {
    let mut found = Vec::new();
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1_usize..) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line == b"#" || line.starts_with(b"# ") {
            continue;
        }
        found.push(assignment(line).ok_or(number)?);
    }
    Ok(found)
}

fn assignment(line: &[u8]) -> Option<Assignment> {
    let rest = line.strip_prefix(b"set ")?;
    let at = rest.iter().position(|byte| *byte == b' ')?;
    let (name, typed) = (str::from_utf8(rest.get(..at)?).ok()?, rest.get(at + 1..)?);
    let words = Words::split(line).ok()?;
    let words = words.as_slices();
    let [_, _, value] = words.as_slice() else { return None };
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '@');
    let named = !name.is_empty() && name.chars().all(is_name);
    named.then(|| Assignment {
        name: name.to_owned(),
        typed: typed.to_vec(),
        value: value.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> DeviceConfig {
        let shown = |text: &str| SettingValue::Shown(text.into());
        let settings = vec![
            (Param::MqttHost, shown("broker.lan")),
            (Param::MqttPassword, shown("\"pass word\"")),
            (Param::BrokerPassword, shown("none")),
            (Param::MqttId, shown("ESPRouter_12ab9f")),
            (Param::Password, SettingValue::Hidden),
        ];
        DeviceConfig { version: "umqtt 0.1.0".into(), warnings: Vec::new(), settings }
    }

    #[test]
    fn the_files_of_a_backup() {
        let of = "lamp.lan".parse().unwrap();
        let mut text = settings_text(&config(), &of, false);
        text.extend(settings_text(&config(), &of, true));
        let variables = [(1, b"a b\r".to_vec()), (2, Vec::new()), (3, b"100%20".to_vec())];
        text.extend(variables_text(&config(), &of, &variables));
        let text = String::from_utf8(text).unwrap();
        let found: Vec<_> = read(text.as_bytes()).unwrap();
        let values: Vec<String> = found
            .iter()
            .map(|found| format!("{} = {:?}", found.name, String::from_utf8_lossy(&found.value)))
            .collect();
        insta::assert_snapshot!(format!("{text}\n{}", values.join("\n")));
    }

    #[test]
    fn what_is_no_backup() {
        for (text, line) in [
            ("# umqtt\nreset factory\n", 2),
            ("set a b c", 1),
            ("set a", 1),
            ("\n\nset a \"b", 3),
            ("set A b", 1),
            ("#set a b", 1),
        ] {
            assert_eq!(read(text.as_bytes()), Err(line), "{text}");
        }
        assert_eq!(read(b"\r\n# x\r\n"), Ok(Vec::new()));
    }

    proptest::proptest! {
        #[test]
        fn variables_come_back(value: Vec<u8>) {
            let text = variables_text(&config(), &"a".parse().unwrap(), &[(7, value.clone())]);
            let found = read(&text).unwrap();
            proptest::prop_assert_eq!((&*found[0].name, &found[0].value), ("@7", &value));
        }

        #[test]
        fn any_text(text: Vec<u8>) {
            let _ = read(&text);
        }
    }
}
