//! `show config`: what a device says of itself.

use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::{Capability, Param, Spec, TABLE};
use umqtt_vm::Profile;

use super::reply::shown;
use super::{ConsoleClient, RemoteError, Reply};

/// What stands for a password that is not shown.
const HIDDEN: &[u8] = b"***";

/// A device's version and its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceConfig {
    /// Name and version.
    pub(crate) version: String,
    /// What it warns of.
    pub(crate) warnings: Vec<String>,
    /// Its settings, in its order; those this `umqttc` does not know are left out.
    pub(crate) settings: Vec<(Param, SettingValue)>,
}

/// A setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SettingValue {
    /// As one would type it.
    Shown(Vec<u8>),
    /// A password, on a device that is locked.
    Hidden,
}

impl DeviceConfig {
    /// Asks a device.
    ///
    /// # Errors
    /// Those of a command, [`RemoteError::Unexpected`].
    pub(crate) fn ask(console: &mut ConsoleClient) -> Result<DeviceConfig, RemoteError> {
        let reply = console.order("show config")?;
        let config = DeviceConfig::read(&reply);
        config
            .ok_or_else(|| RemoteError::Unexpected(console.address().clone(), shown(reply.first())))
    }

    /// Reads the reply; `None` if it is none.
    pub(crate) fn read(reply: &Reply) -> Option<DeviceConfig> {
        // Behind a line that a script has left open, and among those it prints meanwhile.
        let mut lines = reply.lines().skip_while(|line| version(line).is_none());
        let version = version(lines.next()?)?;
        let mut config = DeviceConfig { version, warnings: Vec::new(), settings: Vec::new() };
        for line in lines {
            if let Some(warning) = line.strip_prefix(b"WARNING: ") {
                config.warnings.push(shown(warning));
                continue;
            }
            let Some(at) = line.windows(2).position(|mark| mark == b": ") else { continue };
            let (name, value) = (line.get(..at)?, line.get(at + 2..)?);
            let Some(param) = Param::by_name(name).filter(|param| param.spec().saved) else {
                continue;
            };
            if config.value(param).is_none() {
                config.settings.push((param, SettingValue::read(param.spec(), value)));
            }
        }
        (!config.settings.is_empty()).then_some(config)
    }

    /// The value of a setting, if the device has it.
    pub(crate) fn value(&self, param: Param) -> Option<&SettingValue> {
        self.settings.iter().find(|(found, _)| *found == param).map(|(_, value)| value)
    }

    /// The kind of device it is, by the settings it has: boards have those that do something.
    pub(crate) fn profile(&self) -> Profile {
        let needing = |capability| {
            TABLE.iter().find(|spec| spec.needs == Some(capability)).map(|spec| spec.param)
        };
        let has = |capability| needing(capability).is_some_and(|param| self.value(param).is_some());
        let boards = [DeviceOptions::DESKTOP, DeviceOptions::ESP32C3];
        let mark = [Capability::Persistence, Capability::TimeServer];
        let found = boards.iter().zip(mark).find(|(_, mark)| has(*mark));
        found.map_or(DeviceOptions::ESP8266.profile, |(board, _)| board.profile)
    }
}

impl SettingValue {
    fn read(spec: &Spec, value: &[u8]) -> SettingValue {
        if spec.secret && value == HIDDEN {
            return SettingValue::Hidden;
        }
        // `broker_port: 1883 (listening on 1884)`
        let is_port = matches!(spec.param, Param::BrokerPort | Param::ConfigPort);
        let end = value.iter().position(|byte| *byte == b' ').filter(|_| is_port);
        SettingValue::Shown(value.get(..end.unwrap_or(value.len())).unwrap_or_default().to_vec())
    }
}

/// The name and version at the end of a line, if they are there.
fn version(line: &[u8]) -> Option<String> {
    let at = line.windows(6).position(|part| part == b"umqtt ")?;
    let version = line.get(at..)?;
    let number = version.strip_prefix(b"umqtt ")?;
    (number.first()?.is_ascii_digit() && number.len() < 40).then(|| shown(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<DeviceConfig> {
        DeviceConfig::read(&Reply::new(text.lines().map(|line| line.as_bytes().to_vec()).collect()))
    }

    fn shown(value: &str) -> SettingValue {
        SettingValue::Shown(value.into())
    }

    #[test]
    fn settings_as_one_would_type_them() {
        let config = read(
            "umqtt 0.1.0\nWARNING: look out\nconfig_port: 7777 (listening on 40001)\n\
             mqtt_id: \"My Home\"\nbroker_password: ***\nmqtt_password: none\nnext: 3\nbacklog: 7\n",
        )
        .unwrap();
        assert_eq!(config.version, "umqtt 0.1.0");
        assert_eq!(config.warnings, ["look out"]);
        let expected = [
            (Param::ConfigPort, shown("7777")),
            (Param::MqttId, shown("\"My Home\"")),
            (Param::BrokerPassword, SettingValue::Hidden),
            (Param::MqttPassword, shown("none")),
        ];
        assert_eq!(config.settings, expected);
    }

    #[test]
    fn what_a_script_has_printed_is_passed_over() {
        let config = read("no endumqtt 0.1.0\nhello\nconfig_port: 1\nconfig_port: 2\n").unwrap();
        assert_eq!(config.settings, [(Param::ConfigPort, shown("1"))]);
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "umqtt 0.1.0", "config_port: 7777", "esp_mqtt 1.0\nssid: x\n"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_kind_of_device_shows_in_its_settings() {
        let of = |options: DeviceOptions| {
            let saved = TABLE.iter().filter(|spec| spec.saved);
            let there = saved
                .filter(|spec| spec.needs.is_none_or(|needs| options.capabilities.has(needs)))
                .map(|spec| (spec.param, shown("x")));
            let settings = there.collect();
            DeviceConfig { version: String::new(), warnings: Vec::new(), settings }.profile().name
        };
        for (options, name) in [
            (DeviceOptions::DESKTOP, "desktop"),
            (DeviceOptions::DESKTOP.with_radio().with_own_addresses(), "desktop"),
            (DeviceOptions::ESP8266, "esp8266"),
            (DeviceOptions::ESP8266.with_network_services(), "esp8266"),
            (DeviceOptions::ESP32C3, "esp32"),
            (DeviceOptions::ESP32C3_WITH_RADIO, "esp32"),
        ] {
            assert_eq!(of(options), name);
        }
    }
}
