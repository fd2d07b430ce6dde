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
