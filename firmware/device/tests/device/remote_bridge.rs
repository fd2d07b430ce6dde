//! `bridge.script` between the device and another broker that is killed again and again.

use std::collections::BTreeMap;

use umqtt_mqtt::{Broker, QoS};

use crate::remote::Far;
use crate::world::{End, World, publish_packet};

fn bridge() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/bridge.script");
    let script = std::fs::read_to_string(path).unwrap();
    format!("config mqtt_host far\n{script}")
}

/// The two sides, somebody who publishes here, and somebody who hears everything here.
struct Bridge {
    world: World,
    far: Far,
    here: End,
    ear: End,
}

impl Bridge {
    fn new() -> Bridge {
        let mut world = World::running(&bridge());
        let mut far = Far::new();
        let ear = world.client("ear", "down/#");
        let here = world.client("here", "none");
        far.broker.subscribe(b"up/#", QoS::AtMostOnce).unwrap();
        far.pass(&mut world, 2000);
        Bridge { world, far, here, ear }
    }

    fn publish_here(&mut self, topic: &str, data: &str, retained: bool) {
        let mut packet = publish_packet(topic, data);
        packet[0] |= u8::from(retained);
        self.world.send(self.here, packet);
    }

    fn publish_there(&mut self, topic: &str, data: &str, retained: bool) {
        let (topic, data) = (topic.as_bytes(), data.as_bytes());
        self.far.broker.publish(topic, data, QoS::AtMostOnce, retained).unwrap();
    }

    /// Lets the far broker come back and the two sides agree.
    fn recover(&mut self) {
        self.far.up = true;
        self.far.broker.subscribe(b"up/#", QoS::AtMostOnce).unwrap();
        self.far.pass(&mut self.world, 65_000);
    }

    /// Messages that went out to the far broker and came from it, so far.
    fn traffic(&mut self) -> u64 {
        let far = *self.far.broker.stats();
        let near = *self.world.broker().stats();
        // The device's own figures go to nobody, but are counted where they are published.
        far.messages_received + far.messages_sent + near.messages_sent
    }
}

fn kept(broker: &Broker, filter: &str) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let found = broker.retained(filter.as_bytes());
    found.map(|message| (text(message.topic), text(message.payload))).collect()
}

/// Both sides keep the same, and nothing runs in circles.
fn assert_equal(bridge: &mut Bridge, round: &str) {
    for filter in ["shared/#", "up/#"] {
        let (near, far) = (kept(bridge.world.broker(), filter), kept(&bridge.far.broker, filter));
        assert_eq!(near, far, "{round}: {filter}");
    }
    let before = bridge.traffic();
    bridge.far.pass(&mut bridge.world, 2000);
    assert_eq!(bridge.traffic(), before, "{round}: an echo that does not end");
}

#[test]
fn messages_go_each_way_once() {
    let mut bridge = Bridge::new();
    for n in 0..20 {
        bridge.publish_here("up/n", &n.to_string(), false);
        bridge.publish_there("down/n", &n.to_string(), false);
        bridge.far.settle(&mut bridge.world);
    }
    let wanted = |topic: &str| (0..20).map(|n| format!("{topic}: {n}")).collect::<Vec<_>>();
    assert_eq!(bridge.far.heard(), wanted("up/n"));
    assert_eq!(bridge.world.messages(bridge.ear), wanted("down/n"));
    assert_equal(&mut bridge, "after all");
}

#[test]
fn a_burst_of_changes_ends_with_the_last_and_none_goes_back() {
    let mut bridge = Bridge::new();
    for n in 0..10 {
        bridge.publish_there("shared/0", &n.to_string(), true);
    }
    let before = bridge.far.broker.stats().messages_received;
    bridge.far.settle(&mut bridge.world);
    assert_eq!(bridge.far.broker.stats().messages_received, before);
    let wanted = BTreeMap::from([("shared/0".to_owned(), "9".to_owned())]);
    assert_eq!(kept(bridge.world.broker(), "shared/#"), wanted);
    assert_eq!(kept(&bridge.far.broker, "shared/#"), wanted);
}

#[test]
fn both_sides_are_equal_whoever_changes_what_and_when() {
    let mut bridge = Bridge::new();
    for n in 0..50_u32 {
        // Both at once, in bursts, often the same topic.
        for k in 0..n % 5 {
            bridge.publish_here(&format!("shared/{}", k % 2), &format!("here {n} {k}"), k == 1);
            bridge.publish_there("shared/0", &format!("there {n} {k}"), true);
        }
        bridge.far.settle(&mut bridge.world);
        let round = format!("round {n}");
        let (near, far) =
            (kept(bridge.world.broker(), "shared/#"), kept(&bridge.far.broker, "shared/#"));
        assert_eq!(near, far, "{round}");
    }
    assert_equal(&mut bridge, "after all");
    bridge.publish_there("shared/0", "", true);
    bridge.publish_here("shared/1", "", true);
    bridge.far.settle(&mut bridge.world);
    assert_equal(&mut bridge, "taken away");
    assert!(kept(bridge.world.broker(), "shared/#").is_empty());
}

#[test]
fn the_far_broker_is_killed_ten_times_at_odd_moments() {
    for keeps in [true, false] {
        let mut bridge = Bridge::new();
        for round in 0..10_u64 {
            bridge.publish_here("up/state", &format!("{round}"), true);
            bridge.publish_here("shared/a", &format!("here {round}"), true);
            bridge.publish_there("shared/b", &format!("there {round}"), true);
            bridge.publish_there("down/x", "lost perhaps", false);
            // Some rounds cut what is under way, some a connection that has just come up.
            match round % 4 {
                0 => {}
                1 => bridge.world.settle(),
                2 => bridge.far.settle(&mut bridge.world),
                _ => bridge.far.pass(&mut bridge.world, 150 * round),
            }
            bridge.far.kill(&mut bridge.world, keeps);
            bridge.far.pass(&mut bridge.world, 37 * round * round);
            bridge.publish_here("shared/c", &format!("alone {round}"), true);
            bridge.publish_here("up/alone", &format!("{round}"), true);
            if round % 3 == 1 {
                // It comes back and goes again before the two have agreed.
                bridge.far.up = true;
                bridge.far.pass(&mut bridge.world, 1700);
                bridge.far.kill(&mut bridge.world, keeps);
            }
            bridge.recover();
            assert_equal(&mut bridge, &format!("round {round}, keeps {keeps}"));
            // And it carries on, each message once.
            bridge.far.heard();
            bridge.world.messages(bridge.ear);
            bridge.publish_here("up/n", "1", false);
            bridge.publish_there("down/n", "2", false);
            bridge.far.settle(&mut bridge.world);
            assert_eq!(bridge.far.heard(), ["up/n: 1"], "round {round}");
            assert_eq!(bridge.world.messages(bridge.ear), ["down/n: 2"], "round {round}");
        }
        let ids: Vec<_> = bridge.far.broker.clients().map(|client| client.id.to_string()).collect();
        assert_eq!(ids.len(), 1);
    }
}
