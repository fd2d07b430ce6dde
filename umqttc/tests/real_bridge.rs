//! Debian's mosquitto as a bridge to the device: it makes itself known by the highest bit of the
//! protocol level, and joins both brokers without a word of a script. Only with UMQTT_REAL_TOOLS=1,
//! for a machine need not have it.
#![cfg(unix)]

mod common;

use common::device::{Device, free_port};
use common::folder;
use common::mosquitto::{Mosquitto, mosquitto_enabled};
use common::mqtt::{Message, Mqtt};

/// What mosquitto's configuration says to join all topics, both ways.
fn joined(device: &Device, version: &str, more: &str) -> String {
    let port = device.mqtt_port;
    format!(
        "connection house\naddress 127.0.0.1:{port}\ntopic # both 1\n\
         bridge_protocol_version {version}\nrestart_timeout 1\nremote_clientid far\n{more}\n"
    )
}

fn waits_for_bridge(watcher: &Mqtt) {
    assert_eq!(watcher.on("$SYS/broker/connection/far/state"), "1");
}

/// The next message on a topic of the test's own.
fn next(watcher: &Mqtt) -> Message {
    loop {
        let message = watcher.message();
        if !message.topic.starts_with("$SYS") {
            return message;
        }
    }
}

#[test]
fn mosquitto_joins_all_topics_and_nothing_comes_twice() {
    if !mosquitto_enabled("mosquitto_joins_all_topics_and_nothing_comes_twice") {
        return;
    }
    for version in ["mqttv31", "mqttv311"] {
        let dir = folder(&[]);
        let device = Device::start(dir.path(), None);
        let here = Mqtt::connect(device.mqtt_port, "here");
        here.subscribe("#");
        here.subscribe("$SYS/broker/connection/#");
        let broker = Mosquitto::start_with(dir.path(), free_port(), &joined(&device, version, ""));
        waits_for_bridge(&here);
        let there = Mqtt::connect(broker.port, "there");
        there.subscribe("#");
        let both = |data: &str| {
            for (name, watcher) in [("here", &here), ("there", &there)] {
                let message = next(watcher);
                assert_eq!(message.data, data, "{version}, {name}: {message:?}");
            }
        };
        // An echo of the one message would come before the next that goes the same way.
        for round in 0..5 {
            there.publish("t/x", format!("from there {round}"));
            both(&format!("from there {round}"));
            here.publish("t/x", format!("from here {round}"));
            both(&format!("from here {round}"));
        }
        // What is retained on one side is on the other.
        there.retain("kept/a", "far");
        both("far");
        here.retain("kept/b", "near");
        both("near");
        there.publish("t/x", "last");
        both("last");
        for port in [device.mqtt_port, broker.port] {
            let late = Mqtt::connect(port, "late");
            late.subscribe("kept/#");
            let mut kept = [next(&late), next(&late)];
            kept.sort_by(|a, b| a.topic.cmp(&b.topic));
            assert!(kept.iter().all(|message| message.retained), "{version}: {kept:?}");
            assert_eq!([&*kept[0].data, &*kept[1].data], ["far", "near"]);
        }
        // And deleted there too.
        here.retain("kept/a", "");
        both("");
        there.retain("kept/b", "");
        both("");
        here.publish("t/x", "deleted");
        both("deleted");
        let late = Mqtt::connect(broker.port, "late");
        late.subscribe("kept/#");
        late.publish("kept/x", "fresh");
        assert_eq!(next(&late).data, "fresh");
        // Its will, when it dies.
        let _ = broker.kill();
        assert_eq!(here.on("$SYS/broker/connection/far/state"), "0");
    }
}

/// A session that is kept: what is published while the bridge is away comes to it, with the retain
/// flag.
#[test]
fn mosquitto_gets_what_it_has_missed() {
    if !mosquitto_enabled("mosquitto_gets_what_it_has_missed") {
        return;
    }
    let dir = folder(&[]);
    let device = Device::start(dir.path(), None);
    let here = Mqtt::connect(device.mqtt_port, "here");
    here.subscribe("$SYS/broker/connection/#");
    let config = joined(&device, "mqttv311", "cleansession false");
    let broker = Mosquitto::start_with(dir.path(), free_port(), &config);
    waits_for_bridge(&here);
    let port = broker.kill();
    assert_eq!(here.on("$SYS/broker/connection/far/state"), "0");
    here.retain_acknowledged("kept/a", "while away");
    let broker = Mosquitto::start_with(dir.path(), port, &config);
    waits_for_bridge(&here);
    let there = Mqtt::connect(broker.port, "there");
    there.subscribe("kept/#");
    let message = next(&there);
    assert_eq!(message.data, "while away");
    broker.logs("Received SUBACK from local.far");
}
