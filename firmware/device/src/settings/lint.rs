//! The table as the compiler wants it, to check `config` lines before a script is on any device.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use umqtt_calendar::Zone;
use umqtt_lang::lint::{ConfigError, ConfigTable};

use crate::console::command::{self, Command, UsageError};
use crate::console::words::Words;

use super::aliases::alias;
use super::{Capabilities, Capability, Param, SetError, TABLE, Value};

/// Every name a `config` line may have.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|spec| spec.name)
}

/// Whether `config name value` would be accepted.
///
/// # Errors
/// What would be right.
pub fn check(name: &[u8], value: &[u8]) -> Result<(), SetError> {
    let param = Param::by_name(name).ok_or(SetError::Unknown)?;
    if param == Param::ScriptKey {
        return Err(SetError::NotInScripts(param));
    }
    match param.spec().kind.read(value) {
        // It is taken, but to no good: see `Settings::set`.
        Ok(Value::Number(1)) if param == Param::MqttSsl => Err(SetError::NoEncryption),
        Ok(_) => Ok(()),
        Err(()) => Err(SetError::of(param, value)),
    }
}

/// The parameters of a device, for the linter.
#[derive(Clone, Copy, Debug)]
pub struct Parameters {
    capabilities: Capabilities,
}

impl Parameters {
    /// All of them, whatever the device.
    pub const ALL: Parameters = Parameters { capabilities: Capabilities::ALL };

    /// Those of a board with these capabilities.
    pub const fn new(capabilities: Capabilities) -> Parameters {
        Parameters { capabilities }
    }
}

impl ConfigTable for Parameters {
    fn names(&self) -> Vec<&str> {
        names().collect()
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ConfigError> {
        let spec = Param::by_name(name.as_bytes()).map(Param::spec);
        if let Some(lacking) = spec.and_then(|spec| spec.needs)
            && !self.capabilities.has(lacking)
            // A speed that cannot be chosen is the right one.
            && !matches!(lacking, Capability::CpuClock | Capability::Bitrate)
        {
            return Err(ConfigError::Lacks(lacking.to_string()));
        }
        if name == Param::MqttHost.name()
            && let Some(colon) = value.iter().position(|&byte| byte == b':')
        {
            return Err(ConfigError::Useless(match value[colon..].starts_with(b"://") {
                true => "a host is a name or an address, without mqtt://".into(),
                false => "the port is a setting of its own, mqtt_port".into(),
            }));
        }
        if name == Param::Timezone.name()
            && let Some(misleading) = contrary_zone(value)
        {
            return Err(misleading);
        }
        check(name.as_bytes(), value).map_err(|error| match error {
            SetError::NoEncryption => ConfigError::Useless(
                "there is no connection to the remote broker then, for the device cannot encrypt yet".into(),
            ),
            error => ConfigError::Refused(error.to_string()),
        })
    }

    fn alias(&self, name: &str) -> Option<&str> {
        alias(name).map(Param::name)
    }

    fn command(&self, line: &[u8]) -> Result<(), String> {
        let words = Words::split(line).map_err(|error| error.to_string())?;
        let words = words.as_slices();
        match command::parse(&words, false) {
            Ok(Command::Set(param, value)) => {
                self.check(param.name(), value).map_err(|error| match error {
                    ConfigError::Lacks(what) => format!("this device has no {what}"),
                    ConfigError::Refused(reason) | ConfigError::Useless(reason) => reason,
                    ConfigError::Misleading { meaning, instead } => {
                        format!("{} {meaning}; {instead}", param.name())
                    }
                    _ => String::new(),
                })
            }
            Ok(_) | Err(UsageError::Locked) => Ok(()),
            Err(UsageError::Count) => Err("too many or too few words".into()),
            Err(UsageError::Argument(right)) => Err(right),
            // It may be one of the board's.
            Err(UsageError::Unknown) => match words.first().and_then(|word| command::near(word)) {
                Some(meant) => Err(format!("did you mean {meant}?")),
                None => Ok(()),
            },
        }
    }

    fn serial_events(&self) -> Option<(&str, &str)> {
        Some((Param::SystemOutput.name(), "0"))
    }
}

/// `UTC+1`, which a TZ string has for an hour behind UTC.
fn contrary_zone(value: &[u8]) -> Option<ConfigError> {
    let hours = value.strip_prefix(b"UTC").or_else(|| value.strip_prefix(b"GMT"))?;
    let sign = hours.first().filter(|sign| matches!(sign, b'+' | b'-'))?;
    let offset = Zone::parse(value).ok()?.offset_at(0);
    let size = offset.unsigned_abs();
    let minutes = match size / 60 % 60 {
        0 => String::new(),
        minutes => format!(":{minutes:02}"),
    };
    let hours = format!("{}{minutes}", size / 3600);
    let (side, meant, own) = match sign {
        b'+' => ("behind", "ahead of", ["", "-"]),
        _ => ("ahead of", "behind", ["-", ""]),
    };
    let unit = if size == 3600 { "hour" } else { "hours" };
    (offset != 0).then(|| ConfigError::Misleading {
        meaning: format!("is {hours} {unit} {side} UTC: rules of this form count to the west"),
        instead: format!(
            "{meant} UTC it is `{}{hours}`, {side} it `{}{hours}`: hours alone count to the east",
            own[0], own[1]
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_board_lacks_and_what_others_call_it() {
        let board = Parameters::new(Capabilities::NONE);
        assert_eq!(board.check("ssid", b"home"), Err(ConfigError::Lacks("WiFi".into())));
        assert_eq!(Parameters::ALL.check("ssid", b"home"), Ok(()));
        assert_eq!(board.check("bitrate", b"9600"), Ok(()));
        assert_eq!(board.check("mqtt_host", b"broker.lan"), Ok(()));
        for wrong in [&b"broker.lan:1883"[..], b"mqtt://broker.lan"] {
            assert!(matches!(board.check("mqtt_host", wrong), Err(ConfigError::Useless(_))));
        }
        assert_eq!(board.alias("WiFi_SSID"), Some("ssid"));
        assert_eq!(board.alias("broker_host"), Some("mqtt_host"));
        let own: Vec<&str> = names().collect();
        for (_, aliases) in crate::settings::aliases::ALIASES {
            assert!(aliases.iter().all(|alias| !own.contains(alias)));
        }
    }

    #[test]
    fn zones_that_count_to_the_west() {
        for (zone, told) in [
            (
                "UTC+1",
                Some((
                    "is 1 hour behind UTC: rules of this form count to the west",
                    "ahead of UTC it is `1`, behind it `-1`: hours alone count to the east",
                )),
            ),
            (
                "GMT-5:30",
                Some((
                    "is 5:30 hours ahead of UTC: rules of this form count to the west",
                    "behind UTC it is `-5:30`, ahead of it `5:30`: hours alone count to the east",
                )),
            ),
            ("UTC0", None),
            ("UTC+0", None),
            ("UTC1", None),
            ("EST5EDT,M3.2.0,M11.1.0", None),
            ("GMT0BST,M3.5.0/1,M10.5.0", None),
            ("<+03>-3", None),
            ("1", None),
        ] {
            let told = told.map(|(meaning, instead): (&str, &str)| ConfigError::Misleading {
                meaning: meaning.into(),
                instead: instead.into(),
            });
            assert_eq!(Parameters::ALL.check("timezone", zone.as_bytes()).err(), told, "{zone}");
        }
    }

    #[test]
    fn commands_that_the_console_does_not_take() {
        let told = |line: &str| Parameters::ALL.command(line.as_bytes()).err();
        for line in ["", "reset", "set broker_user me", "set @1 x", "show script 3", "sim gpio 0 0"]
        {
            assert_eq!(told(line), None, "{line}");
        }
        for (line, expected) in [
            ("resset", "did you mean reset?"),
            ("reboot", "did you mean reset?"),
            ("set broker_port 70000", "broker_port must be a number from 1 to 65535"),
            ("set mqtt_host a:1883", "the port is a setting of its own, mqtt_port"),
            ("set broker_user my name", "too many or too few words"),
            ("publish local \"a", "the closing quote is missing"),
        ] {
            assert_eq!(told(line).as_deref(), Some(expected), "{line}");
        }
        let no_wifi = Parameters::new(Capabilities::NONE).command(b"set ssid home");
        assert_eq!(no_wifi, Err("this device has no WiFi".into()));
    }
}
