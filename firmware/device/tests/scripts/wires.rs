//! Joining networks: `bridge.script`, `serial.script`

use crate::{prepared, running};

#[test]
fn bridge_carries_messages_both_ways_without_echo() {
    let mut bench = running("bridge");
    bench.local("up/kitchen", "lost");
    assert!(bench.published().is_empty(), "not connected");

    bench.connect_remote();
    assert_eq!(
        bench.done(),
        [
            "subscribe remote down/#",
            "subscribe remote shared/#",
            "publish local bridge/state \"up\" retained",
            "println bridge: 1 messages came while it was down",
        ]
    );
    bench.local("up/kitchen", "21");
    bench.remote("down/light", "on");
    bench.local("elsewhere", "x");
    bench.remote("up/other", "x");
    bench.local("down/mine", "x");
    assert_eq!(
        bench.done(),
        ["publish remote up/kitchen \"21\"", "publish local down/light \"on\""]
    );
}

#[test]
fn bridge_keeps_what_is_shared_the_same_and_ends_every_echo() {
    let mut bench = running("bridge");
    bench.connect_remote();
    bench.done();
    bench.remote("shared/lamp", "on");
    assert_eq!(bench.done(), ["publish local shared/lamp \"on\" retained"]);
    bench.local_retained("shared/lamp", "off");
    assert_eq!(bench.done(), ["publish remote shared/lamp \"off\" retained"]);
    // Not retained by who sent it: it is now, on both sides.
    bench.local("shared/heat", "21");
    assert_eq!(
        bench.done(),
        ["publish remote shared/heat \"21\" retained", "publish local shared/heat \"21\" retained"]
    );
    // The same once more is no change, whichever side says it.
    bench.remote("shared/lamp", "off");
    assert_eq!(bench.done(), [""; 0]);
    bench.local_retained("shared/lamp", "off");
    assert_eq!(bench.done(), ["publish remote shared/lamp \"off\" retained"]);
    // Taken away there, taken away here.
    bench.remote("shared/lamp", "");
    assert_eq!(bench.retained("shared/lamp"), None);
    assert_eq!(bench.done(), ["publish local shared/lamp \"\" retained"]);
    bench.local("shared/long", "x".repeat(1001));
    bench.remote("shared/long", "x".repeat(1001));
    assert_eq!(bench.done(), [""; 0]);
}

#[test]
fn bridge_tells_the_other_side_again_what_is_kept_here() {
    let mut bench = running("bridge");
    bench.local_retained("up/kitchen", "20");
    bench.local_retained("shared/lamp", "on");
    bench.connect_remote();
    bench.done();
    bench.advance(1000);
    let published = bench.published();
    assert!(published.contains(&"remote up/kitchen \"20\" retained".into()), "{published:?}");
    assert!(published.contains(&"remote shared/lamp \"on\" retained".into()), "{published:?}");
    assert_eq!(published.len(), 2);
}

#[test]
fn bridge_notices_that_the_network_is_gone() {
    let mut bench = running("bridge");
    bench.connect_remote();
    bench.wifi(false);
    bench.done();
    bench.local("up/kitchen", "22");
    assert!(bench.done().is_empty());
    assert_eq!(bench.retained("bridge/state").as_deref(), Some("down"));
}

#[test]
fn serial_makes_a_thing_a_client() {
    let mut bench = prepared("serial");
    bench.start();
    assert_eq!(
        bench.done(),
        [
            "config bitrate 9600",
            "config system_output 0",
            "subscribe local gateway/send",
            "serial \"gateway,ready\\r\\n\"",
        ]
    );
    bench.serial("pub,garden/soil,412");
    assert_eq!(bench.done(), ["publish local garden/soil \"412\""]);

    bench.serial("sub,garden/pump");
    bench.local("garden/pump", "on");
    assert_eq!(bench.done(), ["subscribe local garden/pump", "serial \"garden/pump,on\\r\\n\""]);
    bench.serial("sub,garden/light");
    bench.local("garden/pump", "off");
    bench.local("garden/light", "on");
    assert_eq!(
        bench.done(),
        [
            "unsubscribe local garden/pump",
            "subscribe local garden/light",
            "serial \"garden/light,on\\r\\n\"",
        ]
    );
    bench.local("gateway/send", "reset");
    assert_eq!(bench.done(), ["serial \"reset\\r\\n\""]);
}

#[test]
fn serial_counts_lines_it_does_not_understand() {
    let mut bench = running("serial");
    for line in ["", "hello", "get,a,b"] {
        bench.serial(line);
    }
    assert_eq!(bench.retained("gateway/errors").as_deref(), Some("3"));
    bench.done();
    bench.serial("pub,bad/#/topic,1");
    assert_eq!(
        bench.logged(),
        [
            "Script warning in the handler beginning in line 22: cannot publish to \"bad/#/topic\": a topic to publish to cannot hold the wildcards '#' and '+'"
        ]
    );
}
