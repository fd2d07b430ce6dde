//! What a restore changes on a device.

use std::fmt;

use umqtt_device::settings::Param;

use crate::remote::backup::Assignment;
use crate::remote::config::{DeviceConfig, SettingValue};
use crate::remote::reply::shown;
use crate::remote::script::{RunningScript, ScriptLines};
use crate::remote::variables::{self, FlashVariable};
use crate::remote::{ConsoleClient, RemoteError};

/// What is in the backup.
pub(super) struct Wanted {
    pub(super) settings: Vec<Assignment>,
    pub(super) variables: Vec<Assignment>,
    pub(super) script: Option<Vec<u8>>,
}

/// What is other there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Settings, and what they are now.
    pub(super) settings: Vec<(Assignment, Vec<u8>)>,
    pub(super) variables: Vec<(Assignment, Vec<u8>)>,
    /// What runs now, if another script is in the backup.
    pub(super) script: Option<String>,
    /// Settings the device does not have.
    missing: Vec<String>,
    /// A script runs there, and the backup has none.
    script_stays: bool,
}

impl Changes {
    /// Asks the device what it has.
    pub(super) fn find(
        wanted: &Wanted,
        console: &mut ConsoleClient,
    ) -> Result<Changes, RemoteError> {
        let config = DeviceConfig::ask(console)?;
        let variables = variables::ask(console)?;
        let running = RunningScript::ask(console)?;
        Ok(Changes::between(wanted, &config, &variables, &running))
    }

    fn between(
        wanted: &Wanted,
        config: &DeviceConfig,
        variables: &[FlashVariable],
        running: &RunningScript,
    ) -> Changes {
        let mut changes = Changes::default();
        for setting in &wanted.settings {
            let param = Param::by_name(setting.name.as_bytes());
            match param.and_then(|param| config.value(param)) {
                None => changes.missing.push(setting.name.clone()),
                Some(SettingValue::Shown(now)) if *now == setting.typed => {}
                Some(SettingValue::Shown(now)) => {
                    changes.settings.push((setting.clone(), now.clone()));
                }
                Some(SettingValue::Hidden) => {
                    changes.settings.push((setting.clone(), b"***".to_vec()));
                }
            }
        }
        for variable in &wanted.variables {
            let number = variable.name.strip_prefix('@').and_then(|digits| digits.parse().ok());
            let now = variables.iter().find(|(found, _)| Some(*found) == number);
            match now {
                None => changes.missing.push(variable.name.clone()),
                Some((_, now)) if *now == variable.value => {}
                Some((_, now)) => changes.variables.push((variable.clone(), now.clone())),
            }
        }
        changes.script = match (&wanted.script, running) {
            (None, running) => {
                changes.script_stays = *running != RunningScript::None;
                None
            }
            (Some(script), RunningScript::Source(now)) if ScriptLines::listed(script) == *now => {
                None
            }
            (Some(_), RunningScript::None) => Some("none".to_owned()),
            (Some(_), RunningScript::Source(_)) => Some("another".to_owned()),
            (Some(_), RunningScript::Bytecode(_)) => Some("bytecode".to_owned()),
        };
        changes
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.settings.len() + self.variables.len() + usize::from(self.script.is_some())
    }
}

/// A line for each, and for what is left alone.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(now) = &self.script {
            writeln!(f, "script: {now} -> that of the backup")?;
        }
        for (variable, now) in &self.variables {
            writeln!(f, "{}: {:?} -> {:?}", variable.name, Text(now), Text(&variable.value))?;
        }
        for (setting, now) in &self.settings {
            let param = Param::by_name(setting.name.as_bytes());
            match param.is_some_and(|param| param.spec().secret) {
                true => writeln!(f, "{}: another password", setting.name)?,
                false => {
                    writeln!(f, "{}: {} -> {}", setting.name, shown(now), shown(&setting.typed))?
                }
            }
        }
        for name in &self.missing {
            writeln!(f, "{name}: skipped, the device does not have it")?;
        }
        if self.script_stays {
            writeln!(f, "script: stays, the backup has none")?;
        }
        Ok(())
    }
}

/// Bytes in quotes, as they may be shown.
struct Text<'b>(&'b [u8]);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", shown(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::backup::read;

    #[test]
    fn what_changes_and_what_stays() {
        let wanted = Wanted {
            settings: read(
                b"set mqtt_host broker.lan\nset mqtt_port 1883\nset ssid x\nset mqtt_password new\n",
            )
            .unwrap(),
            variables: read(b"set @1 a\nset @2 \"\"\nset @99 x\n").unwrap(),
            script: Some(b"on init do print 1\r\n".to_vec()),
        };
        let value = |text: &str| SettingValue::Shown(text.into());
        let config = DeviceConfig {
            version: "umqtt 0.1.0".into(),
            warnings: Vec::new(),
            settings: vec![
                (Param::MqttHost, value("none")),
                (Param::MqttPort, value("1883")),
                (Param::MqttPassword, value("old")),
            ],
        };
        let variables = [(1, b"\x1b".to_vec()), (2, Vec::new())];
        let running = RunningScript::Source(ScriptLines::listed(b"on init do print 1\n"));
        let same = Changes::between(&wanted, &config, &variables, &running);
        assert_eq!((same.script.clone(), same.len()), (None, 3));
        let other = Changes::between(&wanted, &config, &variables, &RunningScript::None);
        insta::assert_snapshot!(format!("{other}"));
        let wanted = Wanted { script: None, ..wanted };
        assert!(Changes::between(&wanted, &config, &variables, &running).script_stays);
    }
}
