//! What other systems call a parameter.

use super::Param;

/// Each with names it has elsewhere.
pub(super) const ALIASES: [(Param, &[&str]); 13] = [
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
    (Param::NtpServer, &["ntp", "ntp_host", "time_server"]),
    (Param::NtpTimezone, &["timezone", "tz", "time_zone"]),
    (Param::Bitrate, &["baud", "baudrate", "baud_rate", "serial_speed"]),
    (Param::Gw, &["gateway"]),
    (Param::Ip, &["ip_address", "static_ip", "address", "ipaddress"]),
];

/// The parameter that other systems call so.
pub(crate) fn alias(name: &str) -> Option<Param> {
    let name = name.to_ascii_lowercase();
    ALIASES.iter().find(|(_, names)| names.contains(&&*name)).map(|(param, _)| *param)
}
