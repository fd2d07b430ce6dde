//! What homeassistant.script announces is what Home Assistant's discovery takes: the variables of
//! <https://www.home-assistant.io/integrations/switch.mqtt/> and `sensor.mqtt`, and the map
//! `device` of <https://www.home-assistant.io/integrations/mqtt/>.

use serde_json::{Map, Value};
use umqtt_device::sim::Simulator;

use crate::running;

/// What a variable holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Topic,
    Number,
    Flag,
    Device,
}
use Kind::{Device, Flag, Number, Text, Topic};

/// Variables of every entity.
const COMMON: [(&str, Kind); 13] = [
    ("availability_topic", Topic),
    ("payload_available", Text),
    ("payload_not_available", Text),
    ("device", Device),
    ("device_class", Text),
    ("enabled_by_default", Flag),
    ("entity_category", Text),
    ("icon", Text),
    ("json_attributes_topic", Topic),
    ("name", Text),
    ("qos", Number),
    ("unique_id", Text),
    ("value_template", Text),
];
const SWITCH: [(&str, Kind); 8] = [
    ("command_topic", Topic),
    ("state_topic", Topic),
    ("payload_on", Text),
    ("payload_off", Text),
    ("state_on", Text),
    ("state_off", Text),
    ("optimistic", Flag),
    ("retain", Flag),
];
const SENSOR: [(&str, Kind); 6] = [
    ("state_topic", Topic),
    ("expire_after", Number),
    ("force_update", Flag),
    ("state_class", Text),
    ("suggested_display_precision", Number),
    ("unit_of_measurement", Text),
];
const DEVICE: [&str; 9] = [
    "identifiers",
    "name",
    "manufacturer",
    "model",
    "model_id",
    "hw_version",
    "sw_version",
    "configuration_url",
    "suggested_area",
];

/// An entity's configuration that holds nothing Home Assistant does not know, and what it needs.
fn check(config: &Map<String, Value>, own: &[(&str, Kind)], needed: &[&str]) {
    for (name, value) in config {
        let known = COMMON.iter().chain(own).find(|(known, _)| known == name);
        let Some((_, kind)) = known else { panic!("{name} is no variable of it") };
        let fits = match kind {
            Text => value.is_string(),
            Topic => value.as_str().is_some_and(|topic| !topic.contains(['+', '#'])),
            Number => value.is_u64(),
            Flag => value.is_boolean(),
            Device => value.as_object().is_some_and(|device| {
                // It is told from others by one of these.
                device["identifiers"].as_array().is_some_and(|all| !all.is_empty())
                    && device.keys().all(|key| DEVICE.contains(&&**key))
            }),
        };
        assert!(fits, "{name}: {value}");
    }
    // Without an id of its own an entity belongs to no device.
    for name in needed.iter().chain(&["unique_id", "name", "device", "availability_topic"]) {
        assert!(config.contains_key(*name), "{name} is missing");
    }
}

/// A retained message at the remote broker, of those that were just published.
fn announced(sim: &mut Simulator, topic: &str) -> Vec<Map<String, Value>> {
    let start = format!("publish remote {topic} \"");
    let done = sim.done();
    let found =
        done.iter().filter_map(|line| line.strip_prefix(&start)?.strip_suffix("\" retained"));
    let text = |payload: &str| serde_json::from_str(&payload.replace("\\\"", "\"")).expect(payload);
    found.map(text).collect()
}

#[test]
fn home_assistant_takes_what_is_announced() {
    let mut sim = running("homeassistant");
    sim.connect_remote();
    let switch = announced(&mut sim, "homeassistant/switch/hub/relay/config");
    check(&switch[0], &SWITCH, &["command_topic", "state_topic"]);
    sim.remote("homeassistant/status", "online");
    let sensor = announced(&mut sim, "homeassistant/sensor/hub/temperature/config");
    check(&sensor[0], &SENSOR, &["state_topic", "unit_of_measurement"]);
    let classes = (&sensor[0]["device_class"], &sensor[0]["state_class"]);
    assert_eq!(classes, (&"temperature".into(), &"measurement".into()));
    // Both belong to one device, and are available when it is.
    for name in ["device", "availability_topic"] {
        assert_eq!(switch[0][name], sensor[0][name]);
    }
    assert_ne!(switch[0]["unique_id"], sensor[0]["unique_id"]);
}

#[test]
fn its_commands_and_states_are_those_it_announces() {
    let mut sim = running("homeassistant");
    sim.connect_remote();
    let switch = announced(&mut sim, "homeassistant/switch/hub/relay/config").remove(0);
    let text = |name: &str| switch[name].as_str().unwrap().to_owned();
    let (command, state) = (text("command_topic"), text("state_topic"));
    // What a switch has unless `payload_on` and `payload_off` say otherwise.
    for payload in ["ON", "OFF"] {
        sim.remote(&command, payload);
        let said = format!("publish remote {state} \"{payload}\" retained");
        assert!(sim.done().contains(&said), "{said}");
    }
    let will = crate::source("homeassistant");
    let will = will.lines().find_map(|line| line.strip_prefix("config mqtt_will_topic ")).unwrap();
    assert_eq!(will, text("availability_topic"));
}
