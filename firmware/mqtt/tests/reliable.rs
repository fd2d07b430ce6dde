//! QoS 1 and 2 to the clients, and sessions that outlive their connections.

mod net;

use net::{Net, ack, got, hello, message, stay};
use umqtt_mqtt::wire::{PacketType, Unsubscribe};
use umqtt_mqtt::{Duration, Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// The program publishes.
fn publish(net: &mut Net, payload: &str, qos: QoS) {
    net.broker.publish(b"t", payload.as_bytes(), qos, false).expect("a valid message");
    net.settle();
}

/// [MQTT-3.8.4-6]
#[test]
fn the_smaller_quality_of_service_decides() {
    let mut net = Net::new();
    for (conn, qos) in [(1, Q0), (2, Q1), (3, Q2)] {
        net.join(conn, &format!("c{conn}"));
        net.subscribe(conn, "t", qos);
    }
    for qos in [Q0, Q1, Q2] {
        publish(&mut net, "x", qos);
    }
    assert_eq!(got(&mut net, 1), ["x@0#0", "x@0#0", "x@0#0"]);
    assert_eq!(got(&mut net, 2), ["x@0#0", "x@1#1", "x@1#2"]);
    assert_eq!(got(&mut net, 3), ["x@0#0", "x@1#1", "x@2#2"]);
}

/// [MQTT-4.3.3-1], [MQTT-4.3.3-2]
#[test]
fn a_qos_2_transfer_from_end_to_end() {
    let mut net = Net::new();
    net.join(1, "a");
    net.join(2, "b");
    net.subscribe(2, "t", Q2);
    net.send(1, &message("t", b"x", Q2, 500, false));
    assert_eq!(got(&mut net, 1), ["Pubrec#500"]);
    assert_eq!(got(&mut net, 2), ["x@2#1"]);
    ack(&mut net, 2, PacketType::Pubrec, 1);
    assert_eq!(got(&mut net, 2), ["Pubrel#1"]);
    ack(&mut net, 2, PacketType::Pubcomp, 1);
    ack(&mut net, 1, PacketType::Pubrel, 500);
    assert_eq!(got(&mut net, 1), ["Pubcomp#500"]);
    assert_eq!(got(&mut net, 2), Vec::<String>::new());
}

/// [MQTT-3.3.5-1]
#[test]
fn overlapping_subscriptions_deliver_at_the_highest() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "#", Q2);
    net.subscribe(1, "t", Q0);
    publish(&mut net, "x", Q2);
    assert_eq!(got(&mut net, 1), ["x@2#1"]);
}

#[test]
fn no_more_in_flight_than_allowed_and_all_in_order() {
    let mut net = Net::with(Limits::SMALL.max_inflight(2));
    net.join(1, "a");
    net.subscribe(1, "t", Q1);
    for n in 1..=5 {
        publish(&mut net, &n.to_string(), Q1);
    }
    assert_eq!(got(&mut net, 1), ["1@1#1", "2@1#2"]);
    ack(&mut net, 1, PacketType::Puback, 2);
    assert_eq!(got(&mut net, 1), ["3@1#3"]);
    ack(&mut net, 1, PacketType::Puback, 99);
    assert_eq!(got(&mut net, 1), Vec::<String>::new(), "an answer to nothing opens nothing");
    ack(&mut net, 1, PacketType::Puback, 1);
    ack(&mut net, 1, PacketType::Puback, 3);
    assert_eq!(got(&mut net, 1), ["4@1#4", "5@1#5"]);
}

#[test]
fn without_places_in_flight_only_qos_0_is_granted() {
    let mut net = Net::with(Limits::SMALL.max_inflight(0));
    net.join(1, "a");
    net.send(1, &[0x82, 6, 0, 1, 0, 1, b't', 2]);
    assert_eq!(net.all(1), [0x90, 3, 0, 1, 0]);
    publish(&mut net, "x", Q2);
    assert_eq!(got(&mut net, 1), ["x@0#0"]);
}

/// [MQTT-3.3.1-1], [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-4.4.0-1]
#[test]
fn a_broken_connection_repeats_what_was_not_finished() {
    let mut net = Net::new();
    assert!(!net.connect(1, stay("a")));
    net.subscribe(1, "t", Q2);
    publish(&mut net, "1", Q1);
    publish(&mut net, "2", Q2);
    publish(&mut net, "3", Q2);
    ack(&mut net, 1, PacketType::Pubrec, 2);
    assert_eq!(got(&mut net, 1), ["1@1#1", "2@2#2", "3@2#3", "Pubrel#2"]);
    net.cut(1);
    publish(&mut net, "4", Q1);
    publish(&mut net, "no promise", Q0);

    assert!(net.connect(2, stay("a")), "session present");
    assert_eq!(
        got(&mut net, 2),
        ["Pubrel#2", "+1@1#1", "+3@2#3", "no promise@0#0", "4@1#4"],
        "QoS 0 needs not wait for its turn"
    );
    ack(&mut net, 2, PacketType::Puback, 1);
    ack(&mut net, 2, PacketType::Pubcomp, 2);
    ack(&mut net, 2, PacketType::Pubrec, 3);
    ack(&mut net, 2, PacketType::Pubcomp, 3);
    ack(&mut net, 2, PacketType::Puback, 4);
    assert_eq!(got(&mut net, 2), ["Pubrel#3"]);
    net.cut(2);
    assert!(net.connect(3, stay("a")));
    assert_eq!(got(&mut net, 3), Vec::<String>::new());
}

/// [MQTT-4.3.3-2]
#[test]
fn a_repeated_qos_2_message_is_known_after_reconnecting() {
    let mut net = Net::new();
    net.broker.subscribe(b"t", Q0).expect("room");
    net.connect(1, stay("a"));
    let mut packet = message("t", b"once", Q2, 7, false);
    net.send(1, &packet);
    net.cut(1);
    net.connect(2, stay("a"));
    packet[0] |= 8;
    net.send(2, &packet);
    assert_eq!(got(&mut net, 2), ["Pubrec#7"]);
    ack(&mut net, 2, PacketType::Pubrel, 7);
    assert_eq!(got(&mut net, 2), ["Pubcomp#7"]);
    assert_eq!(net.local(), ["t=once"]);
}

/// [MQTT-3.1.4-2]
#[test]
fn a_stored_session_is_taken_over_with_its_connection() {
    let mut net = Net::new();
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q1);
    publish(&mut net, "1", Q1);
    assert!(net.connect(2, stay("a")));
    assert!(net.is_closed(1));
    assert_eq!(got(&mut net, 2), ["+1@1#1"]);
}

/// [MQTT-3.1.2-6], [MQTT-3.2.2-1], [MQTT-3.2.2-3]
#[test]
fn clean_session_forgets_before_and_after() {
    let mut net = Net::new();
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q1);
    net.cut(1);
    assert_eq!((net.broker.stored_sessions_len(), net.broker.subscriptions_len()), (1, 1));
    assert!(!net.connect(2, hello("a")));
    assert_eq!((net.broker.stored_sessions_len(), net.broker.subscriptions_len()), (0, 0));
    publish(&mut net, "x", Q1);
    assert_eq!(got(&mut net, 2), Vec::<String>::new());
    net.cut(2);
    assert!(!net.connect(3, stay("a")));
}

#[test]
fn stored_sessions_expire() {
    let mut net = Net::with(Limits::SMALL.session_expiry(Duration::from_millis(60_000)));
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q1);
    net.pass(100_000);
    net.cut(1);
    net.pass(59_999);
    assert!(net.connect(2, stay("a")));
    net.pass(100_000);
    net.cut(2);
    net.pass(60_000);
    assert_eq!((net.broker.stored_sessions_len(), net.broker.subscriptions_len()), (0, 0));
    assert!(!net.connect(3, stay("a")));

    let mut net = Net::with(Limits::SMALL.session_expiry(Duration::MAX));
    net.connect(1, stay("a"));
    net.cut(1);
    assert_eq!(net.broker.poll_at(), None);
}

#[test]
fn stored_sessions_are_bounded() {
    let mut net = Net::with(Limits::SMALL.max_stored_sessions(1));
    net.connect(1, stay("a"));
    net.open(2).expect("room");
    let mut packet = Vec::new();
    stay("b").emit(&mut packet);
    net.send(2, &packet);
    assert_eq!(net.all(2), [0x20, 2, 0, 3], "a connected one makes no room");
    net.cut(1);
    assert!(net.connect(3, stay("a")), "the one that is there is welcome");
    net.join(4, "b");
}

#[test]
fn what_waits_for_a_session_is_bounded_and_the_first_stay() {
    let mut net = Net::with(Limits::SMALL.max_queue_bytes(60));
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q1);
    net.cut(1);
    for n in 0..50 {
        publish(&mut net, &format!("{n:02}"), Q1); // 7 bytes each
    }
    assert_eq!(net.broker.stats().messages_dropped, 42);
    net.connect(2, stay("a"));
    let mut seen = Vec::new();
    for id in 1..=8 {
        seen.extend(got(&mut net, 2));
        ack(&mut net, 2, PacketType::Puback, id);
    }
    let wanted: Vec<_> = (0..8).map(|n| format!("{n:02}@1#{}", n + 1)).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn many_retained_messages_at_qos_1_come_as_they_are_acknowledged() {
    let mut net = Net::with(Limits::SMALL.max_inflight(3).max_queue_bytes(64));
    for n in 0..20 {
        net.broker.retain(format!("r/{n:02}").as_bytes(), b"x", Q1).expect("room");
    }
    net.join(1, "a");
    net.subscribe(1, "r/#", Q2);
    let mut seen = Vec::new();
    for id in 1..=20 {
        seen.extend(got(&mut net, 1));
        ack(&mut net, 1, PacketType::Puback, id);
    }
    seen.extend(got(&mut net, 1));
    let wanted: Vec<_> = (1..=20).map(|id| format!("!x@1#{id}")).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn an_unsubscribed_filter_brings_no_more_retained_messages() {
    let mut net = Net::with(Limits::SMALL.max_inflight(1));
    for n in 0..5 {
        net.broker.retain(format!("r/{n}").as_bytes(), b"x", Q1).expect("room");
    }
    net.join(1, "a");
    net.subscribe(1, "r/#", Q1);
    let first = got(&mut net, 1);
    let mut packet = Vec::new();
    Unsubscribe::emit(9, &[b"r/#"], &mut packet);
    net.send(1, &packet);
    // One is in flight, the next may wait behind it; the rest is not looked up any more.
    for id in 1..=5 {
        ack(&mut net, 1, PacketType::Puback, id);
    }
    let rest = got(&mut net, 1);
    assert_eq!(
        (&first[..], &rest[..]),
        (&["!x@1#1".to_owned()][..], &["Unsuback#9".to_owned(), "!x@1#2".to_owned()][..])
    );
}
