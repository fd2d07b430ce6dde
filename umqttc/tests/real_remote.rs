//! `bridge.script` on a real device process, joined to Debian's mosquitto, which is killed and
//! restarted again and again. Only with UMQTT_REAL_TOOLS=1, for a machine need not have it.
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::device::{Device, free_port};
use common::mosquitto::{Mosquitto, mosquitto_enabled};
use common::mqtt::Mqtt;
use common::{eventually, folder, repository};

/// How long to wait for what should not come.
const QUIET: Duration = Duration::from_millis(500);
/// How long after a connection the bridge has told the other side again what is kept here.
const TOLD: Duration = Duration::from_millis(1500);

/// What a broker has retained under the topics that are to be equal.
fn kept(port: u16) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for filter in ["shared/#", "up/#"] {
        let client = Mqtt::connect(port, "looks");
        client.subscribe(filter);
        while let Some(message) = client.message_within(Duration::from_millis(200)) {
            if message.retained {
                found.insert(message.topic, message.data);
            }
        }
    }
    found
}

fn become_equal(near: u16, far: u16, wanted: &[(&str, &str)]) {
    eventually("both sides to be equal", || {
        let (here, there) = (kept(near), kept(far));
        let complete =
            wanted.iter().all(|(topic, data)| here.get(*topic).is_some_and(|d| d == data));
        (here == there && complete).then_some(())
    });
}

/// A message each way, and what is shared: each arrives once on either side.
fn carries(near: u16, far: u16, round: u32) {
    let (here, there) = (Mqtt::connect(near, "here"), Mqtt::connect(far, "there"));
    let (watcher_here, watcher_there) = (Mqtt::connect(near, "w"), Mqtt::connect(far, "w"));
    there.subscribe("up/now");
    here.subscribe("down/now");
    watcher_here.subscribe("shared/now");
    watcher_there.subscribe("shared/now");
    let data = format!("round {round}");
    here.publish("up/now", data.as_str());
    there.publish("down/now", data.as_str());
    assert_eq!(there.on("up/now"), data);
    assert_eq!(here.on("down/now"), data);
    let arrives_once = |data: &str| {
        for watcher in [&watcher_here, &watcher_there] {
            while watcher.on("shared/now") != data {}
            let after = watcher.message_within(QUIET);
            assert_eq!(after, None, "round {round}: an echo");
        }
    };
    there.retain("shared/now", &data);
    arrives_once(&data);
    here.retain("shared/now", "changed here");
    arrives_once("changed here");
    for client in [&there, &here] {
        assert_eq!(client.message_within(QUIET), None, "round {round}: an echo");
    }
}

/// [MQTT-7.0.0-1], [MQTT-7.0.0-2]
#[test]
fn bridge_survives_mosquitto_killed_ten_times() {
    if !mosquitto_enabled("bridge_survives_mosquitto_killed_ten_times") {
        return;
    }
    let dir = folder(&[]);
    let script = std::fs::read_to_string(repository("scripts/bridge.script")).expect("the sample");
    let device = Device::start(dir.path(), Some(&script));
    let near = device.mqtt_port;
    let mut broker = Mosquitto::start(dir.path(), free_port());
    let far = broker.port;
    let mut console = device.console();
    console.ask(&format!("set mqtt_port {far}"));
    // By name: it has to be looked up, and may have an address where nobody listens.
    console.ask("set mqtt_host localhost");
    drop(console);
    let connected = || {
        device.console().ask_until("show mqtt", |reply| reply.contains("MQTT client connected"));
        std::thread::sleep(TOLD);
    };
    connected();
    carries(near, far, 0);
    for round in 1..=10_u32 {
        let data = format!("{round}");
        let here = Mqtt::connect(near, "here");
        let there = Mqtt::connect(far, "there");
        for n in 0..20 {
            here.publish("up/burst", format!("{round} {n}"));
            there.publish("down/burst", format!("{round} {n}"));
        }
        here.retain("up/state", &data);
        here.retain("shared/a", &data);
        there.retain("shared/b", &data);
        // At odd moments: sometimes before that is through, sometimes after.
        std::thread::sleep(Duration::from_millis(u64::from(round * 7 % 10) * 20));
        drop(there);
        let port = broker.kill();
        here.retain("shared/alone", &data);
        std::thread::sleep(Duration::from_millis(u64::from(round) * 150));
        broker = Mosquitto::start(dir.path(), port);
        connected();
        become_equal(
            near,
            far,
            &[("up/state", &data), ("shared/alone", &data), ("shared/a", &data)],
        );
        carries(near, far, round);
    }
    assert!(device.log().contains("lost the remote broker"), "it noticed");
    let status = device.interrupt();
    assert!(status.success(), "{status}");
    // The clean way: DISCONNECT, not just the end of the connection.
    broker.logs("Received DISCONNECT from ESPRouter_");
}
