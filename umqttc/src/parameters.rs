//! The device's parameters as the compiler checks `config` lines against them: those of its board,
//! and time zones by their names, which the compiler knows.

use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::lint;
use umqtt_lang::lint::{ConfigError, ConfigTable};
use umqtt_vm::Profile;

use crate::zones;

/// The parameters of the board of a profile; all, if there is none yet.
pub(crate) fn parameters(profile: &Profile) -> Parameters {
    let boards =
        [DeviceOptions::DESKTOP, DeviceOptions::ESP8266, DeviceOptions::ESP32C3_WITH_RADIO];
    let board = boards.iter().find(|board| board.profile.name == profile.name);
    let device =
        board.map_or(lint::Parameters::ALL, |board| lint::Parameters::new(board.capabilities));
    Parameters { device }
}

/// See the module.
pub(crate) struct Parameters {
    device: lint::Parameters,
}

impl ConfigTable for Parameters {
    fn names(&self) -> Vec<&str> {
        self.device.names()
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError> {
        if zones::config_value(name.as_bytes(), value).is_some() {
            return Ok(());
        }
        let checked = self.device.check(name, value);
        let text = str::from_utf8(value).ok().filter(|_| name == "timezone");
        match (text.and_then(zones::meant), checked) {
            (Some(meant), Err(ConfigError::Refused(_))) => Err(ConfigError::Refused(format!(
                "it takes the name of a zone, such as {meant}, rules such as CET-1CEST,M3.5.0,M10.5.0/3, or hours"
            ))),
            (_, checked) => checked,
        }
    }

    fn alias(&self, name: &str) -> Option<&str> {
        self.device.alias(name)
    }

    fn command(&self, line: &[u8]) -> Result<(), String> {
        self.device.command(line)
    }

    fn serial_events(&self) -> Option<(&str, &str)> {
        self.device.serial_events()
    }
}
