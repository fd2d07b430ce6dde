//! What other systems call a parameter.

use super::Param;

/// Each with names it has elsewhere.
pub(super) const ALIASES: [(Param, &[&str]); 17] = [
    (Param::Ssid, &["wifi_ssid", "wifi", "wifi_name", "ssid1"]),
    (Param::Password, &["wifi_password", "wifi_pass", "wifi_pwd", "pass", "psk", "password1"]),
    (Param::ApSsid, &["ap_name", "ap"]),
    (Param::ApPassword, &["ap_pass", "ap_psk"]),
    (
        Param::MqttHost,
        &["mqtt_server", "mqtt_broker", "mqtthost", "broker", "broker_host", "server"],
    ),
    (Param::MqttUser, &["mqtt_username", "mqttuser", "username", "user"]),
    (Param::MqttPassword, &["mqtt_pass", "mqttpassword"]),
    (Param::MqttId, &["mqtt_client", "client_id", "mqtt_client_id", "clientid", "mqtt_name"]),
    (Param::MqttWillTopic, &["will_topic", "lwt_topic", "lwt", "last_will", "mqtt_lwt"]),
    (Param::MqttWillPayload, &["will_payload", "will_message", "mqtt_will_message"]),
    (Param::NtpServer, &["ntp", "ntp_host", "time_server"]),
    (Param::Timezone, &["tz", "time_zone"]),
    (Param::Latitude, &["lat"]),
    (Param::Longitude, &["lon", "lng", "long"]),
    (Param::Bitrate, &["baud", "baudrate", "baud_rate", "serial_speed"]),
    (Param::Gw, &["gateway"]),
    (Param::Ip, &["ip_address", "static_ip", "address", "ipaddress"]),
];

/// The parameter that other systems call so.
pub(crate) fn alias(name: &str) -> Option<Param> {
    let means = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    ALIASES.iter().find(|(_, names)| means(names)).map(|(param, _)| *param)
}
