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

/// Clients of both brokers that see what is shared, and what is sent behind it to end the wait.
struct Watchers {
    here: Mqtt,
    there: Mqtt,
}

impl Watchers {
    fn new(near: u16, far: u16) -> Watchers {
        let (here, there) = (Mqtt::connect(near, "watches"), Mqtt::connect(far, "watches"));
        for filter in ["shared/now", "up/fence", "down/fence"] {
            here.subscribe(filter);
            there.subscribe(filter);
        }
        Watchers { here, there }
    }

    /// What was under way has arrived: the bridge keeps the order. Nothing of it was about what is
    /// shared, as an echo would be, and a third time over for one that comes back.
    fn see_no_echo(&self, what: &str) {
        let sides = [
            (&self.here, &self.there, "up/fence"),
            (&self.there, &self.here, "down/fence"),
            (&self.here, &self.there, "up/fence"),
        ];
        for (from, to, topic) in sides {
            from.publish(topic, what);
            for watcher in [from, to] {
                let next = watcher.message();
                assert_eq!((next.topic.as_str(), next.data.as_str()), (topic, what), "an echo");
            }
        }
    }

    fn all_see(&self, data: &str) {
        for watcher in [&self.here, &self.there] {
            assert_eq!(watcher.on("shared/now"), data);
        }
        self.see_no_echo(data);
    }
}

/// The bridge stands, and has told the other side again what is kept here: `mark` under `up/told`
/// was retained here while it did not stand.
fn wait_for_bridge(near: u16, far: u16, mark: &str) {
    let there = Mqtt::connect(far, "waits");
    there.subscribe("up/told");
    while there.on("up/told") != mark {}
    // What is shared is told next: it has been when a message behind it arrives, and what the other
    // broker says to it when one comes back.
    there.subscribe("up/fence");
    Mqtt::connect(near, "fence").publish("up/fence", mark);
    assert_eq!(there.on("up/fence"), mark);
    let here = Mqtt::connect(near, "waits");
    here.subscribe("down/fence");
    there.publish("down/fence", mark);
    assert_eq!(here.on("down/fence"), mark);
}

/// A message each way, and what is shared: each arrives once on either side.
fn carries(near: u16, far: u16, round: u32) {
    let (here, there) = (Mqtt::connect(near, "here"), Mqtt::connect(far, "there"));
    there.subscribe("up/now");
    here.subscribe("down/now");
    let data = format!("round {round}");
    here.publish("up/now", data.as_str());
    there.publish("down/now", data.as_str());
    assert_eq!(there.on("up/now"), data);
    assert_eq!(here.on("down/now"), data);
    // What is retained of the last round comes first.
    let watchers = Watchers::new(near, far);
    there.retain("shared/now", &data);
    for watcher in [&watchers.here, &watchers.there] {
        while watcher.on("shared/now") != data {}
    }
    watchers.see_no_echo(&data);
    here.retain("shared/now", "changed here");
    watchers.all_see("changed here");
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
    let keep_mark = |mark: &str| Mqtt::connect(near, "marks").retain_acknowledged("up/told", mark);
    keep_mark("0");
    let mut console = device.console();
    console.ask(&format!("set mqtt_port {far}"));
    // By name: it has to be looked up, and may have an address where nobody listens.
    console.ask("set mqtt_host localhost");
    drop(console);
    wait_for_bridge(near, far, "0");
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
        keep_mark(&data);
        std::thread::sleep(Duration::from_millis(u64::from(round) * 150));
        broker = Mosquitto::start(dir.path(), port);
        wait_for_bridge(near, far, &data);
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
