//! The parameters: setting, refusing, saving, and their page of documentation.
#![allow(clippy::unwrap_used)] // in helpers of tests

use proptest::prelude::*;
use umqtt_device::settings::{
    Access, Param, SetError, Settings, Source, TABLE, Value, ValueRef, codec, docs, lint,
    param_type::ParamType,
};

const MAC: [u8; 6] = [1, 2, 3, 0xA4, 0xB5, 0x0C];

fn settings() -> Settings {
    Settings::new(MAC)
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let settings = settings();
    assert_eq!(settings.bytes(Param::ApSsid), b"MyAP");
    assert_eq!(settings.port(Param::BrokerPort), 1883);
    assert_eq!(settings.port(Param::ConfigPort), 7777);
    assert_eq!(settings.unsigned(Param::Bitrate), 115_200);
    assert_eq!(settings.text(Param::NtpServer), "1.pool.ntp.org");
    assert_eq!(settings.text(Param::MqttId), "ESPRouter_a4b50c");
    assert_eq!(settings.address(Param::Network), Some([192, 168, 4, 0].into()));
    assert_eq!(settings.address(Param::Dns), None);
    assert_eq!(settings.access(Param::BrokerAccess), Access::Everybody);
    assert_eq!(settings.limit(Param::BrokerSubscriptions), None);
    assert!(settings.flag(Param::ApOpen) && settings.flag(Param::AutoConnect));
    assert_eq!(settings.save().unwrap(), [1], "nothing but the version");
}

#[test]
fn every_default_but_those_never_set_is_in_its_range() {
    for spec in TABLE {
        let value = settings();
        let unset = matches!(spec.kind, ParamType::Time | ParamType::Weekday);
        assert!(unset || spec.kind.check(value.get(spec.param)), "{}", spec.name);
    }
}

#[test]
fn values_out_of_range_are_refused_with_the_range_and_change_nothing() {
    let mut told = String::new();
    for (name, value) in [
        ("broker_port", "0"),
        ("broker_port", "65536"),
        ("broker_port", "18x"),
        ("broker_port", ""),
        ("ap_channel", "14"),
        ("ap_password", "7 chars"),
        ("ap_ssid", "none"),
        ("ssid", "a name of more than thirty-two bytes"),
        ("mqtt_host", "two words"),
        ("speed", "100"),
        ("auto_connect", "yes"),
        ("config_access", "4"),
        ("ip", "1.2.3"),
        ("netmask", "dhcp"),
        ("network", "224.0.0.0"),
        ("ntp_time", "24:00:00"),
        ("ntp_time", "1:00:00"),
        ("ntp_weekday", "Someday"),
        ("ntp_timezone", "15"),
        ("timezone", "25"),
        ("timezone", "CET-1CEST"),
        ("timezone", "Europe/Berlin"),
        ("latitude", "90.0001"),
        ("latitude", "52,5"),
        ("longitude", "-181"),
        ("longitude", "1e2"),
        ("no_such_thing", "1"),
    ] {
        let mut changed = settings();
        let error =
            changed.set_by_name(name.as_bytes(), value.as_bytes(), Source::Persistent).unwrap_err();
        assert_eq!(changed.save().unwrap(), settings().save().unwrap());
        assert_eq!(lint::check(name.as_bytes(), value.as_bytes()), Err(error));
        told += &format!("{name} {value}: {error}\n");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn values_are_read() {
    let mut settings = settings();
    let mut set = |name: &str, value: &str| {
        assert_eq!(lint::check(name.as_bytes(), value.as_bytes()), Ok(()));
        settings.set_by_name(name.as_bytes(), value.as_bytes(), Source::Persistent).unwrap()
    };
    set("network", "10.1.2.77");
    set("ip", "192.168.1.20");
    set("ntp_time", "23:59:58");
    set("ntp_weekday", "sun");
    set("mqtt_user", "none");
    set("ntp_server", "none");
    set("ntp_timezone", "-3");
    set("broker_clients", "12");
    set("latitude", "-33.86881234");
    set("longitude", "0.5");
    assert_eq!(settings.address(Param::Network), Some([10, 1, 2, 0].into()));
    assert_eq!(settings.address(Param::Ip), Some([192, 168, 1, 20].into()));
    assert_eq!(settings.number(Param::NtpTime), 86_398);
    assert_eq!(settings.number(Param::NtpWeekday), 6);
    assert_eq!(settings.bytes(Param::MqttUser), b"");
    assert_eq!(settings.text(Param::NtpServer), "");
    assert_eq!(settings.number(Param::NtpTimezone), -3);
    assert_eq!(settings.limit(Param::BrokerClients), Some(12));
    assert_eq!(settings.number(Param::Latitude), -338_688);
    assert_eq!(settings.number(Param::Longitude), 5_000);
}

#[test]
fn a_password_closes_the_access_point_and_none_opens_it() {
    let mut settings = settings();
    settings.set(Param::ApPassword, b"12345678", Source::Persistent).unwrap();
    assert!(!settings.flag(Param::ApOpen));
    settings.set(Param::ApPassword, b"none", Source::Persistent).unwrap();
    assert!(settings.flag(Param::ApOpen));
}

#[test]
fn what_a_script_sets_wins_and_is_not_saved() {
    let mut settings = settings();
    settings.set(Param::BrokerPort, b"1884", Source::Persistent).unwrap();
    settings.set(Param::BrokerPort, b"1885", Source::Script).unwrap();
    settings.set(Param::Speed, b"160", Source::Script).unwrap();
    assert_eq!(settings.port(Param::BrokerPort), 1885);
    assert_eq!(Settings::load(MAC, &settings.save().unwrap()).port(Param::BrokerPort), 1884);
    assert_eq!(Settings::load(MAC, &settings.save().unwrap()).number(Param::Speed), 80);
    let mut dropped = settings.clone();
    assert_eq!(dropped.drop_script_values(), [Param::Speed, Param::BrokerPort]);
    assert_eq!(dropped.port(Param::BrokerPort), 1884);
    // A script may also bring a default back.
    settings.set(Param::BrokerPort, b"1883", Source::Script).unwrap();
    assert_eq!(settings.port(Param::BrokerPort), 1883);
    // What the owner sets afterwards counts.
    settings.set(Param::BrokerPort, b"1886", Source::Persistent).unwrap();
    assert_eq!(settings.port(Param::BrokerPort), 1886);
}

#[test]
fn unsaved_parameters_are_not_saved() {
    let mut settings = settings();
    settings.set(Param::ScriptLogging, b"1", Source::Persistent).unwrap();
    settings.set(Param::Backlog, b"1000", Source::Persistent).unwrap();
    assert_eq!(settings.save().unwrap(), [1]);
    assert!(!Settings::load(MAC, &[1, 41, 4, 1, 0, 0, 0]).flag(Param::ScriptLogging));
}

#[test]
fn other_versions_are_tolerated() {
    let saved = [
        &[1][..],
        &[200, 3, 9, 9, 9],              // a parameter of a later version
        &[23, 4, 0x5C, 7, 0, 0],         // broker_port 1884
        &[16, 4, 99, 0, 0, 0],           // speed 99, which no longer exists
        &[6, 2, 1, 0],                   // ap_channel in a form it never had
        &[1, 4, b'H', b'o', b'm', b'e'], // a text as long as a number
        &[4, 9, b'c', b'u', b't'],       // cut short
    ]
    .concat();
    let settings = Settings::load(MAC, &saved);
    assert_eq!(settings.port(Param::BrokerPort), 1884);
    assert_eq!(settings.number(Param::Speed), 80);
    assert_eq!(settings.number(Param::ApChannel), 1);
    assert_eq!(settings.bytes(Param::Ssid), b"Home");
    assert_eq!(settings.bytes(Param::ApSsid), b"MyAP");
    assert_eq!(Settings::load(MAC, b"\x63nonsense").save().unwrap(), [1]);
}

#[test]
fn of_the_two_names_of_the_zone_the_one_set_last_counts() {
    const RULES: &[u8] = b"CET-1CEST,M3.5.0,M10.5.0/3";
    let mut settings = settings();
    let mut set = |param: Param, value: &[u8], source| {
        settings.set(param, value, source).unwrap();
        [settings.number(Param::NtpTimezone), settings.bytes(Param::Timezone).len() as i32]
    };
    const NONE: i32 = umqtt_device::settings::param_type::NO_ZONE;
    assert_eq!(set(Param::NtpTimezone, b"2", Source::Persistent), [2, 0]);
    assert_eq!(set(Param::Timezone, RULES, Source::Persistent), [NONE, 26]);
    // A script's own, and the owner's after it.
    assert_eq!(set(Param::NtpTimezone, b"3", Source::Script), [3, 26]);
    assert_eq!(set(Param::Timezone, b"5.5", Source::Persistent), [NONE, 3]);
    let mut loaded = Settings::load(MAC, &settings.save().unwrap());
    assert_eq!(loaded.bytes(Param::Timezone), b"5.5");
    loaded.set(Param::Timezone, b"none", Source::Persistent).unwrap();
    assert_eq!(loaded.save().unwrap(), [1]);
}

#[test]
fn the_longest_settings_fit_their_record() {
    let mut settings = settings();
    for spec in TABLE {
        let value = match spec.kind {
            ParamType::Text { max, .. } | ParamType::Name { max } | ParamType::Topic { max } => {
                "x".repeat(usize::from(max))
            }
            ParamType::Flag => String::from("0"),
            ParamType::Int { max, .. } => max.to_string(),
            ParamType::OneOf(all) => all[all.len() - 1].to_string(),
            ParamType::Address | ParamType::AddressOrDhcp | ParamType::Network => {
                String::from("10.20.30.40")
            }
            ParamType::Zone => String::from("-12"),
            ParamType::TimeZone => {
                String::from("<AAAAA>-12:45:00<AAAAAA>-13:45:00,M9.5.0/2:45:00,M4.1.0/3:45:00")
            }
            ParamType::Degrees { most } => format!("-{}.1234", most - 1),
            ParamType::Time => String::from("12:00:00"),
            ParamType::Weekday => String::from("Tue"),
            ParamType::PublicKey => "a".repeat(64),
        };
        settings.set(spec.param, value.as_bytes(), Source::Persistent).unwrap();
    }
    let len = settings.save().unwrap().len();
    assert!(len <= codec::MAX_LEN, "{len}");
    const { assert!(codec::MAX_LEN <= umqtt_device::storage::MAX_RECORD) };
}

#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, docs::page()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == docs::page(), "docs/settings.md is old: run this test with UPDATE_DOCS=1");
}

#[test]
fn encryption_is_refused_until_there_is_some() {
    let mut settings = settings();
    let error = settings.set(Param::MqttSsl, b"1", Source::Persistent).unwrap_err();
    let text = "mqtt_ssl must be 0: this device cannot encrypt connections yet";
    assert_eq!(error.to_string(), text);
    assert!(!settings.flag(Param::MqttSsl));
    assert_eq!(lint::check(b"mqtt_ssl", b"1"), Err(SetError::NoEncryption));
    assert_eq!(lint::check(b"mqtt_ssl", b"0"), Ok(()));
    // Never in the open instead: a script's wish is remembered.
    settings.set(Param::MqttSsl, b"1", Source::Script).unwrap();
    assert!(settings.flag(Param::MqttSsl));
}

#[test]
fn a_value_is_small() {
    let words = size_of::<usize>();
    assert!(size_of::<(Param, Value)>() <= 4 * words);
}

proptest! {
    #[test]
    fn any_text_is_set_or_refused_and_comes_back_from_the_flash(
        place in 0..TABLE.len(),
        text: Vec<u8>,
        number: i32,
        use_number: bool,
    ) {
        let spec = &TABLE[place];
        let text = if use_number { number.to_string().into_bytes() } else { text };
        let mut settings = settings();
        match settings.set(spec.param, &text, Source::Persistent) {
            Ok(()) => prop_assert!(spec.kind.check(settings.get(spec.param))),
            Err(SetError::NoEncryption) => prop_assert_eq!(spec.param, Param::MqttSsl),
            Err(SetError::Host) => prop_assert_eq!(spec.param, Param::MqttHost),
            Err(SetError::TimeServer) => prop_assert_eq!(spec.param, Param::NtpServer),
            Err(SetError::ZoneName) => prop_assert_eq!(spec.param, Param::Timezone),
            Err(error) => prop_assert_eq!(error, SetError::Range(spec.param)),
        }
        let again = Settings::load(MAC, &settings.save().unwrap());
        if spec.saved {
            prop_assert_eq!(again.get(spec.param), settings.get(spec.param));
        }
    }

    #[test]
    fn any_saved_bytes_give_values_in_range(mut bytes: Vec<u8>) {
        bytes.insert(0, 1);
        let settings = Settings::load(MAC, &bytes);
        for spec in TABLE {
            let value = settings.get(spec.param);
            prop_assert!(spec.kind.check(value) || value == ValueRef::Number(-1));
        }
    }
}
