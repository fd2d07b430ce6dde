//! The table of parameters. To add one: a line at the place where `show` shall print it, with a
//! number no line ever had. What else a new setting takes is in `ARCHITECTURE.md`.

use super::capability::{Capability, needs};
use super::param_type::{NO_DEGREES, NO_ZONE, ParamType};
use super::{Value, ValueRef};

/// What there is to know about a parameter.
#[derive(Debug)]
pub struct Spec {
    /// Which one.
    pub param: Param,
    /// Its number in saved settings: never changed, never used again.
    pub id: u8,
    /// The name users type.
    pub name: &'static str,
    /// Type and range.
    pub kind: ParamType,
    /// The value without a `set`.
    pub default: DefaultValue,
    /// Printed as `***` while the device is locked.
    pub secret: bool,
    /// Kept by `save`.
    pub saved: bool,
    /// What a board must have for it to be there.
    pub needs: Option<Capability>,
    /// One line of help.
    pub help: &'static str,
}

/// A default.
#[derive(Clone, Copy, Debug)]
pub enum DefaultValue {
    /// A number, as in [`Value::Number`].
    Number(i32),
    /// A text.
    Text(&'static str),
    /// `ESPRouter_` and the last three bytes of the MAC address.
    IdFromMac,
    /// The board's choice of a time server, or none.
    TimeServer,
}

impl DefaultValue {
    /// Whether a value is this default. A name made from the MAC is not: it is kept if a user
    /// sets it.
    pub(super) fn equals(self, value: &Value) -> bool {
        match (self, value.borrow()) {
            (Number(default), ValueRef::Number(number)) => default == number,
            (Txt(default), ValueRef::Text(text)) => default.as_bytes() == text,
            _ => false,
        }
    }
}

/// Handles the words at the end of a line of the table.
macro_rules! has {
    ($wanted:ident:) => { false };
    (secret: secret $($rest:ident)*) => { true };
    (unsaved: unsaved $($rest:ident)*) => { true };
    ($wanted:ident: $other:ident $($rest:ident)*) => { has!($wanted: $($rest)*) };
}

macro_rules! parameters {
    ($($id:literal $param:ident $name:literal $kind:expr, $default:expr, $help:literal
       $($flag:ident)* $(, needs $needs:ident)?;)*) => {
        /// A parameter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Param {
            $(#[doc = concat!("`", $name, "`: ", $help)] $param,)*
        }

        /// Every parameter, in the order in which `show` prints them.
        pub const TABLE: &[Spec] = &[
            $(Spec {
                param: Param::$param,
                id: $id,
                name: $name,
                kind: $kind,
                default: $default,
                secret: has!(secret: $($flag)*),
                saved: !has!(unsaved: $($flag)*),
                needs: needs!($($needs)?),
                help: $help,
            },)*
        ];
    };
}

use DefaultValue::{IdFromMac, Number, Text as Txt, TimeServer};
use ParamType::*;

/// Longest host name, bytes.
const HOST: ParamType = Name { max: 128 };
/// A port that can be switched off.
const PORT_OR_OFF: ParamType = Int { min: 0, max: 65_535 };
/// A port.
const PORT: ParamType = Int { min: 1, max: 65_535 };
/// A limit, 0 for none of its own.
const LIMIT: ParamType = Int { min: 0, max: 1_000_000 };
/// See [`super::Access`].
const ACCESS: ParamType = Int { min: 0, max: 3 };
/// 192.168.4.0.
const DEFAULT_NETWORK: i32 = 0xC0A8_0400_u32.cast_signed();

parameters! {
    1 Ssid "ssid" Text { min: 0, max: 32 }, Txt(""), "name of the WiFi network to join", needs Wifi;
    2 Password "password" Text { min: 8, max: 64 }, Txt(""), "password of that network" secret, needs Wifi;
    3 AutoConnect "auto_connect" Flag, Number(1), "join that network at the start, and again whenever it is lost", needs Wifi;
    4 ApSsid "ap_ssid" Text { min: 1, max: 32 }, Txt("MyAP"), "name of the device's own WiFi network", needs AccessPoint;
    5 ApPassword "ap_password" Text { min: 8, max: 64 }, Txt(""), "password of the own network; sets ap_open 0" secret, needs AccessPoint;
    6 ApChannel "ap_channel" Int { min: 1, max: 13 }, Number(1), "WiFi channel of the own network; while another network is joined, that one's channel counts", needs AccessPoint;
    7 ApOn "ap_on" Flag, Number(1), "offer an own network", needs AccessPoint;
    8 ApOpen "ap_open" Flag, Number(1), "the own network needs no password", needs AccessPoint;
    9 Network "network" Network, Number(DEFAULT_NETWORK), "addresses of the own network, always /24; the device is .1; counts from the next start on", needs OwnAddresses;
    10 Dns "dns" AddressOrDhcp, Number(0), "name server", needs Address;
    11 Ip "ip" AddressOrDhcp, Number(0), "address in the network that was joined", needs Address;
    12 Netmask "netmask" Address, Number(0), "netmask of a fixed ip", needs Address;
    13 Gw "gw" Address, Number(0), "gateway of a fixed ip", needs Address;
    14 DnsName "dns_name" HOST, Txt(""), "name that clients of the own network can look the device up by", needs NameServer;
    15 MdnsMode "mdns_mode" Int { min: 0, max: 2 }, Number(0), "announce mqtt.local: 0 nowhere, 1 in the joined network, 2 in the own", needs Mdns;
    16 Speed "speed" OneOf(&[80, 160]), Number(80), "clock of the processor in MHz; counts from the next start on", needs CpuClock;
    17 ConfigPort "config_port" PORT_OR_OFF, Number(7777), "TCP port of the console, 0 is off";
    18 ConfigAccess "config_access" ACCESS, Number(3), "who may use the console: 0 nobody, 1 the own network, 2 the others, 3 all";
    80 ScriptKey "script_key" PublicKey, Txt(""), "public key of Ed25519: with it only scripts that it has signed are taken from the network, and none that is older; to be changed on the serial line alone", needs SignedScripts;
    19 Bitrate "bitrate" Int { min: 300, max: 4_000_000 }, Number(115_200), "speed of the serial port in bit/s", needs Bitrate;
    20 SystemOutput "system_output" Int { min: 0, max: 2 }, Number(2), "serial port: 0 for the script alone, 1 also warnings, 2 also information and the console";
    21 BrokerUser "broker_user" Text { min: 0, max: 32 }, Txt(""), "user that MQTT clients must name";
    22 BrokerPassword "broker_password" Text { min: 0, max: 32 }, Txt(""), "password that MQTT clients must give with it" secret;
    23 BrokerPort "broker_port" PORT, Number(1883), "TCP port of the MQTT broker";
    24 BrokerAccess "broker_access" ACCESS, Number(3), "who may use the broker: 0 nobody, 1 the own network, 2 the others, 3 all";
    25 BrokerSubscriptions "broker_subscriptions" LIMIT, Number(0), "most subscriptions, 0 is as memory allows";
    26 BrokerRetainedMessages "broker_retained_messages" LIMIT, Number(0), "most retained messages, 0 is as memory allows";
    27 BrokerClients "broker_clients" LIMIT, Number(0), "most MQTT clients, 0 is as memory allows";
    43 BrokerSessionExpiry "broker_session_expiry" Int { min: 0, max: 31_536_000 }, Number(86_400), "seconds a stored session outlives its connection, 0 is until another needs its place";
    28 BrokerAutoretain "broker_autoretain" Flag, Number(0), "save retained messages by themselves, one second after the last change or ten while they go on changing";
    44 BrokerPersistence "broker_persistence" Flag, Number(1), "keep sessions, queued and retained messages over a restart; counts from the next start on, where 0 forgets them", needs Persistence;
    29 MqttHost "mqtt_host" HOST, Txt(""), "name or address of the remote broker to connect to";
    30 MqttPort "mqtt_port" PORT, Number(1883), "TCP port of the remote broker";
    31 MqttSsl "mqtt_ssl" Flag, Number(0), "encrypt the connection to the remote broker: not possible yet, and with 1 there is no connection";
    32 MqttUser "mqtt_user" Text { min: 0, max: 64 }, Txt(""), "user at the remote broker";
    33 MqttPassword "mqtt_password" Text { min: 0, max: 128 }, Txt(""), "password at the remote broker" secret;
    34 MqttId "mqtt_id" Text { min: 1, max: 64 }, IdFromMac, "client id at the remote broker";
    74 MqttWillTopic "mqtt_will_topic" Topic { max: 128 }, Txt(""), "topic at which the remote broker says, retained, that this device is gone: its last will";
    75 MqttWillPayload "mqtt_will_payload" Text { min: 0, max: 128 }, Txt("offline"), "what it says there";
    35 NtpServer "ntp_server" HOST, TimeServer, "name or address of the time server that sets the clock, with a port behind a colon if it is not 123; none asks nobody", needs Ntp;
    36 NtpInterval "ntp_interval" Int { min: 1, max: 604_800 }, Number(300), "seconds between two looks at the time server, 15 at least", needs Ntp;
    70 NtpPort "ntp_port" PORT_OR_OFF, Number(0), "UDP port at which the device tells others the time, usually 123, 0 is off", needs TimeServer;
    37 NtpTimezone "ntp_timezone" Zone, Number(NO_ZONE), "older name of timezone, for whole hours: the one that was set last counts";
    71 Timezone "timezone" TimeZone, Txt(""), "time zone: hours ahead of UTC, or its rules as a POSIX TZ string, such as CET-1CEST,M3.5.0,M10.5.0/3; none is the zone of the computer it runs on, on chips UTC";
    72 Latitude "latitude" Degrees { most: 90 }, Number(NO_DEGREES), "degrees north of the equator, with decimals: for sunrise and sunset";
    73 Longitude "longitude" Degrees { most: 180 }, Number(NO_DEGREES), "degrees east of Greenwich, with decimals: for sunrise and sunset";
    38 NtpTime "ntp_time" Time, Number(-1), "sets the clock" unsaved;
    39 NtpWeekday "ntp_weekday" Weekday, Number(-1), "sets the day of the week" unsaved;
    40 PwmPeriod "pwm_period" Int { min: 50, max: 5_000_000 }, Number(5000), "period of all PWM outputs in slots of 200 ns";
    41 ScriptLogging "script_logging" Flag, Number(0), "log what the script does" unsaved;
    42 Backlog "backlog" Int { min: 0, max: 65_536 }, Number(0), "bytes of log kept for show backlog" unsaved;
}

impl Param {
    /// Its line of the table.
    pub fn spec(self) -> &'static Spec {
        &TABLE[self as usize]
    }

    /// The name users type.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The parameter of that name.
    pub fn by_name(name: &[u8]) -> Option<Param> {
        TABLE.iter().find(|spec| spec.name.as_bytes() == name).map(|spec| spec.param)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_where_their_parameter_says_and_numbers_are_unique() {
        for (place, spec) in TABLE.iter().enumerate() {
            assert_eq!(spec.param as usize, place);
            assert_eq!(
                TABLE.iter().filter(|other| other.id == spec.id).count(),
                1,
                "{}",
                spec.name
            );
            assert_eq!(TABLE.iter().filter(|other| other.name == spec.name).count(), 1);
            assert_eq!(Param::by_name(spec.name.as_bytes()), Some(spec.param));
            assert!(spec.help.is_ascii() && !spec.help.ends_with('.'), "{}", spec.name);
        }
        assert_eq!(Param::by_name(b"Ssid"), None);
    }

    #[test]
    fn flags_are_read() {
        assert!(Param::Password.spec().secret && Param::Password.spec().saved);
        assert!(!Param::NtpTime.spec().secret && !Param::NtpTime.spec().saved);
    }
}
