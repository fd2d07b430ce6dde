//! Where the remote broker is and who we are there, from the settings.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use umqtt_mqtt::client::{ClientOptions, WillMessage};
use umqtt_mqtt::{Limits, Publication, QoS};

use super::piece;
use crate::settings::{Param, Settings};

/// Seconds between signs of life.
const KEEP_ALIVE: u16 = 60;
/// The part of what is received at a time that events may take in memory while the script has no
/// time for them: what comes behind them waits on the connection.
const EVENTS_PART: usize = 4;

/// What a connection is made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) host: String,
    pub(super) port: u16,
    id: String,
    user: String,
    password: Vec<u8>,
    pub(super) will: Option<Will>,
}

/// What the broker says when we are gone, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Will {
    pub(super) topic: Box<[u8]>,
    pub(super) payload: Box<[u8]>,
}

/// Why no connection is made with the settings as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfigError {
    /// The connection is to be encrypted, which this device cannot do; a password would go in the
    /// open.
    Encryption,
    /// A text that MQTT wants to be UTF-8 is not.
    NotText(Param),
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            ConfigError::Encryption => {
                f.write_str("mqtt_ssl is 1, and this device cannot encrypt connections yet")
            }
            ConfigError::NotText(param) => write!(f, "{} is not valid UTF-8", param.name()),
        }
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// The configuration in the settings; `None` if there is to be no connection.
    pub(super) fn read(settings: &Settings) -> Result<Option<Config>, ConfigError> {
        let host = settings.text(Param::MqttHost);
        if host.is_empty() {
            return Ok(None);
        }
        if settings.flag(Param::MqttSsl) {
            return Err(ConfigError::Encryption);
        }
        let text = |param| {
            let text = core::str::from_utf8(settings.bytes(param));
            text.map(String::from).map_err(|_| ConfigError::NotText(param))
        };
        Ok(Some(Config {
            host: host.into(),
            port: settings.port(Param::MqttPort),
            id: text(Param::MqttId)?,
            user: text(Param::MqttUser)?,
            password: settings.bytes(Param::MqttPassword).to_vec(),
            will: Will::read(settings),
        }))
    }

    /// The same for the client, which may grow to what one client of our own broker may.
    pub(super) fn options(&self, limits: &Limits) -> ClientOptions {
        let password = Some(self.password.clone()).filter(|password| !password.is_empty());
        // MQTT has no password without a user, but a user may be empty.
        let user = Some(self.user.clone()).filter(|user| !user.is_empty() || password.is_some());
        let max_queue_bytes = limits.max_packet.saturating_add(piece(limits));
        let mut options = ClientOptions::new(&self.id)
            .keep_alive(KEEP_ALIVE)
            .max_packet(limits.max_packet)
            .max_queue_bytes(max_queue_bytes)
            .max_event_bytes(piece(limits) / EVENTS_PART)
            .max_subscriptions(limits.max_client_subscriptions);
        (options.user, options.password) = (user, password);
        // Retained, so that who comes later hears it; the script says there that we are back.
        options.will = self
            .will
            .as_ref()
            .and_then(|will| Publication::new(&will.topic, &will.payload))
            .map(|message| WillMessage::new(message).qos(QoS::AtLeastOnce).retain(true));
        options
    }
}

impl Will {
    /// The will in the settings; there is none without a topic.
    fn read(settings: &Settings) -> Option<Will> {
        let topic = settings.bytes(Param::MqttWillTopic);
        let payload = settings.bytes(Param::MqttWillPayload);
        (!topic.is_empty()).then(|| Will { topic: topic.into(), payload: payload.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;

    fn settings(pairs: &[(Param, &[u8])]) -> Settings {
        let mut settings = Settings::new([1, 2, 3, 4, 5, 6]);
        for (param, value) in pairs {
            settings.set(*param, value, Source::Script).unwrap();
        }
        settings
    }

    #[test]
    fn without_a_host_there_is_nothing_to_connect_to() {
        assert_eq!(Config::read(&settings(&[])), Ok(None));
        assert_eq!(Config::read(&settings(&[(Param::MqttSsl, b"1")])), Ok(None));
        assert_eq!(Config::read(&settings(&[(Param::MqttHost, b"none")])), Ok(None));
    }

    #[test]
    fn a_connection_that_should_be_encrypted_is_not_made_in_the_open() {
        let settings = settings(&[(Param::MqttHost, b"h"), (Param::MqttSsl, b"1")]);
        assert_eq!(Config::read(&settings), Err(ConfigError::Encryption));
    }

    #[test]
    fn names_that_mqtt_cannot_carry_are_refused() {
        for param in [Param::MqttUser, Param::MqttId] {
            let settings = settings(&[(Param::MqttHost, b"h"), (param, b"\xff")]);
            assert_eq!(Config::read(&settings), Err(ConfigError::NotText(param)));
        }
    }

    #[test]
    fn who_we_are() {
        let options = |pairs: &[(Param, &[u8])]| {
            let config = Config::read(&settings(pairs)).unwrap().unwrap();
            let options = config.options(&Limits::SMALL);
            (options.client_id, options.user, options.password)
        };
        let host = (Param::MqttHost, &b"h"[..]);
        assert_eq!(options(&[host]), ("ESPRouter_040506".into(), None, None));
        let password = (Param::MqttPassword, &b"\xff"[..]);
        let all = [host, (Param::MqttId, b"i"), (Param::MqttUser, b"u"), password];
        assert_eq!(options(&all), ("i".into(), Some("u".into()), Some(b"\xff".to_vec())));
        let (_, user, _) = options(&[host, password]);
        assert_eq!(user, Some(String::new()));
    }

    #[test]
    fn what_is_said_of_us_when_we_are_gone() {
        let will = |pairs: &[(Param, &[u8])]| {
            let config = Config::read(&settings(pairs)).unwrap().unwrap();
            config.options(&Limits::SMALL).will
        };
        let host = (Param::MqttHost, &b"h"[..]);
        let topic = (Param::MqttWillTopic, &b"hub/state"[..]);
        assert_eq!(will(&[host]), None);
        assert_eq!(will(&[host, (Param::MqttWillPayload, b"gone")]), None);
        let said = |payload: &[u8]| {
            let message = Publication::new(b"hub/state", payload).unwrap();
            Some(WillMessage::new(message).qos(QoS::AtLeastOnce).retain(true))
        };
        assert_eq!(will(&[host, topic]), said(b"offline"));
        assert_eq!(will(&[host, topic, (Param::MqttWillPayload, b"gone")]), said(b"gone"));
        assert_eq!(will(&[host, topic, (Param::MqttWillPayload, b"none")]), said(b""));
    }
}
