//! Joining networks: `bridge.script`, `serial.script`

use crate::{ms, prepared, running};

#[test]
fn bridge_carries_messages_both_ways_without_echo() {
    let mut sim = running("bridge");
    sim.local("up/kitchen", "lost");
    assert!(sim.published().is_empty(), "not connected");

    sim.connect_remote();
    assert_eq!(
        sim.done(),
        [
            "subscribe remote down/#",
            "subscribe remote shared/#",
            "publish local bridge/state \"up\" retained",
            "println bridge: 1 messages came while it was down",
        ]
    );
    sim.local("up/kitchen", "21");
    sim.remote("down/light", "on");
    sim.local("elsewhere", "x");
    sim.remote("up/other", "x");
    sim.local("down/mine", "x");
    assert_eq!(sim.done(), ["publish remote up/kitchen \"21\"", "publish local down/light \"on\""]);
}

#[test]
fn bridge_keeps_what_is_shared_the_same_and_ends_every_echo() {
    let mut sim = running("bridge");
    sim.connect_remote();
    sim.done();
    sim.remote("shared/lamp", "on");
    assert_eq!(sim.done(), ["publish local shared/lamp \"on\" retained"]);
    sim.local_retained("shared/lamp", "off");
    assert_eq!(sim.done(), ["publish remote shared/lamp \"off\" retained"]);
    // Not retained by who sent it: it is now, on both sides.
    sim.local("shared/heat", "21");
    assert_eq!(
        sim.done(),
        ["publish remote shared/heat \"21\" retained", "publish local shared/heat \"21\" retained"]
    );
    // The same once more is no change, whichever side says it.
    sim.remote("shared/lamp", "off");
    assert_eq!(sim.done(), [""; 0]);
    sim.local_retained("shared/lamp", "off");
    assert_eq!(sim.done(), ["publish remote shared/lamp \"off\" retained"]);
    // Taken away there, taken away here.
    sim.remote("shared/lamp", "");
    assert_eq!(sim.retained("shared/lamp"), None);
    assert_eq!(sim.done(), ["publish local shared/lamp \"\" retained"]);
    sim.local("shared/long", "x".repeat(1001));
    sim.remote("shared/long", "x".repeat(1001));
    assert_eq!(sim.done(), [""; 0]);
}

#[test]
fn bridge_tells_the_other_side_again_what_is_kept_here() {
    let mut sim = running("bridge");
    sim.local_retained("up/kitchen", "20");
    sim.local_retained("shared/lamp", "on");
    sim.connect_remote();
    sim.done();
    sim.advance(ms(1000));
    let published = sim.published();
    assert!(published.contains(&"remote up/kitchen \"20\" retained".into()), "{published:?}");
    assert!(published.contains(&"remote shared/lamp \"on\" retained".into()), "{published:?}");
    assert_eq!(published.len(), 2);
}

#[test]
fn bridge_notices_that_the_network_is_gone() {
    let mut sim = running("bridge");
    sim.connect_remote();
    sim.wifi(false);
    sim.done();
    sim.local("up/kitchen", "22");
    assert!(sim.done().is_empty());
    assert_eq!(sim.retained("bridge/state").as_deref(), Some("down"));
}

#[test]
fn serial_makes_a_thing_a_client() {
    let mut sim = prepared("serial");
    sim.start();
    assert_eq!(
        sim.done(),
        [
            "config bitrate 9600",
            "config system_output 0",
            "subscribe local gateway/send",
            "serial \"gateway,ready\\r\\n\"",
        ]
    );
    sim.serial("pub,garden/soil,412");
    assert_eq!(sim.done(), ["publish local garden/soil \"412\""]);

    sim.serial("sub,garden/pump");
    sim.local("garden/pump", "on");
    assert_eq!(sim.done(), ["subscribe local garden/pump", "serial \"garden/pump,on\\r\\n\""]);
    sim.serial("sub,garden/light");
    sim.local("garden/pump", "off");
    sim.local("garden/light", "on");
    assert_eq!(
        sim.done(),
        [
            "unsubscribe local garden/pump",
            "subscribe local garden/light",
            "serial \"garden/light,on\\r\\n\"",
        ]
    );
    sim.local("gateway/send", "reset");
    assert_eq!(sim.done(), ["serial \"reset\\r\\n\""]);
}

#[test]
fn serial_counts_lines_it_does_not_understand() {
    let mut sim = running("serial");
    for line in ["", "hello", "get,a,b"] {
        sim.serial(line);
    }
    assert_eq!(sim.retained("gateway/errors").as_deref(), Some("3"));
    sim.done();
    sim.serial("pub,bad/#/topic,1");
    assert_eq!(
        sim.logged(),
        [
            "Script warning in the handler beginning in line 22: cannot publish to \"bad/#/topic\": a topic to publish to cannot hold the wildcards '#' and '+'"
        ]
    );
}
