//! Another broker as a client, as mosquitto is when it is a bridge: it says so by the highest bit
//! of the protocol level.

mod net;

use net::{Net, hello, message, stay, will};
use umqtt_mqtt::wire::{Connect, Version};
use umqtt_mqtt::{Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;

fn bridge(id: &str) -> Connect<'_> {
    Connect { bridge: true, ..hello(id) }
}

#[test]
fn it_comes_in_by_either_version() {
    for version in [Version::V31, Version::V311] {
        let mut net = Net::new();
        assert!(!net.connect(1, Connect { version, ..bridge("far") }));
        net.subscribe(1, "#", Q0);
        net.join(2, "a");
        net.publish(2, "t", b"x");
        assert_eq!(net.messages(1), ["t=x"]);
    }
}

#[test]
fn it_does_not_hear_itself_and_others_do() {
    let mut net = Net::new();
    net.connect(1, bridge("far"));
    net.connect(2, bridge("farther"));
    net.join(3, "a");
    for conn in 1..=3 {
        net.subscribe(conn, "#", Q0);
        net.subscribe(conn, "t/+", Q0);
    }
    net.broker.subscribe(b"#", Q0).expect("room");
    net.publish(1, "t/1", b"x");
    assert!(net.messages(1).is_empty());
    assert_eq!((net.messages(2), net.messages(3)), (vec!["t/1=x".into()], vec!["t/1=x".into()]));
    assert_eq!(net.local(), ["t/1=x"]);
    net.publish(3, "t/2", b"x");
    net.broker.publish(b"t/3", b"x", Q0, false).expect("room");
    net.settle();
    assert_eq!(net.messages(1), ["t/2=x", "t/3=x"]);
    // An ordinary client does hear itself.
    assert_eq!(net.messages(3), ["t/2=x", "t/3=x"]);
}

#[test]
fn it_learns_what_is_to_be_retained() {
    let mut net = Net::new();
    net.connect(1, bridge("far"));
    net.join(2, "a");
    net.subscribe(1, "#", Q0);
    net.subscribe(2, "#", Q0);
    net.publish_retained(2, "t", b"x");
    net.publish_retained(2, "t", b"");
    net.publish(2, "t", b"y");
    assert_eq!(net.messages(1), ["!t=x", "!t=", "t=y"]);
    assert_eq!(net.messages(2), ["t=x", "t=", "t=y"]);
}

#[test]
fn so_it_does_after_it_was_away() {
    let mut net = Net::with(Limits::DESKTOP.max_inflight(1));
    let far = Connect { bridge: true, ..stay("far") };
    net.connect(1, far);
    net.subscribe(1, "#", Q1);
    net.cut(1);
    net.join(2, "a");
    net.send(2, &message("t", b"x", Q1, 1, true));
    net.send(2, &message("u", b"y", Q1, 2, false));
    assert!(net.connect(3, far));
    let first = net.all(3);
    assert_eq!(first, message("t", b"x", Q1, 1, true));
    net.send(3, &[0x40, 2, 0, 1]);
    assert_eq!(net.all(3), message("u", b"y", Q1, 2, false));
    net.send(3, &[0x40, 2, 0, 2]);
    // And it still does not hear itself.
    net.send(3, &message("v", b"z", Q1, 9, false));
    assert_eq!(net.all(3), [0x40, 2, 0, 9]);
}

#[test]
fn it_may_say_whether_it_is_connected_where_others_look_for_that() {
    let mut net = Net::new();
    net.join(2, "watch");
    net.subscribe(2, "$SYS/#", Q0);
    let state = "$SYS/broker/connection/far/state";
    let mut far = bridge("far");
    far.will = will(state, b"0");
    net.connect(1, far);
    net.publish_retained(1, state, b"1");
    net.publish(1, "$SYS/broker/uptime", b"no");
    net.publish(1, "$SYS/broker/connection/far/state/x", b"no");
    assert_eq!(net.messages(2), [format!("{state}=1")]);
    assert_eq!(net.broker.stats().messages_denied, 2);
    net.cut(1);
    assert_eq!(net.messages(2), [format!("{state}=0")]);
}
