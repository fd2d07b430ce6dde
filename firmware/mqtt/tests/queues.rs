//! What waits for a client that is slow or away: how much, and what goes first when it is too much.

mod net;

use net::{Net, ack, got, stay};
use umqtt_mqtt::wire::PacketType;
use umqtt_mqtt::{ConnId, Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// The program publishes to `t`: 5 bytes and the payload's.
fn publish(net: &mut Net, payload: &str, qos: QoS) {
    net.broker.publish(b"t", payload.as_bytes(), qos, false).expect("a valid message");
    net.settle();
}

/// A remembered client that subscribed to `t` at QoS 2 and went away.
fn away(limits: Limits) -> Net {
    let mut net = Net::with(limits);
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q2);
    net.cut(1);
    net
}

/// A client that subscribed to `t` at QoS 2 and reads nothing.
fn slow(limits: Limits) -> Net {
    let mut net = Net::with(limits);
    net.join(1, "a");
    net.subscribe(1, "t", Q2);
    net.stalled.push(1);
    net
}

/// The client reads again.
fn reads(net: &mut Net) -> Vec<String> {
    net.stalled.clear();
    net.drain(1);
    got(net, 1)
}

fn dropped(net: &Net) -> u64 {
    net.broker.stats().messages_dropped
}

#[test]
fn while_away_messages_are_limited_by_count() {
    let mut net = away(Limits::SMALL.max_queue_messages(3).max_inflight(9));
    for payload in ["1", "2", "3", "4", "5"] {
        publish(&mut net, payload, Q1);
    }
    assert_eq!(dropped(&net), 2);
    assert!(net.connect(2, stay("a")));
    assert_eq!(got(&mut net, 2), ["1@1#1", "2@1#2", "3@1#3"], "promises are kept in their order");
}

#[test]
fn while_away_messages_are_limited_by_bytes() {
    let mut net = away(Limits::SMALL.max_queue_bytes(30).max_inflight(9));
    publish(&mut net, "0123456789", Q2);
    publish(&mut net, "0123456789", Q2);
    publish(&mut net, "too long", Q2);
    assert_eq!(dropped(&net), 1);
    assert!(net.connect(2, stay("a")));
    assert_eq!(got(&mut net, 2), ["0123456789@2#1", "0123456789@2#2"]);
}

#[test]
fn while_away_the_newest_of_qos_0_are_kept() {
    let mut net = away(Limits::SMALL.max_offline_qos0(2));
    for payload in ["1", "2", "3", "4"] {
        publish(&mut net, payload, Q0);
    }
    assert_eq!(dropped(&net), 2);
    assert!(net.connect(2, stay("a")));
    assert_eq!(got(&mut net, 2), ["3@0#0", "4@0#0"]);
    net.cut(2);
    assert!(net.connect(3, stay("a")));
    assert_eq!(got(&mut net, 3), Vec::<String>::new(), "once");
}

#[test]
fn a_limit_of_none_keeps_no_qos_0_and_loses_none() {
    let mut net = away(Limits::SMALL.max_offline_qos0(0));
    publish(&mut net, "1", Q0);
    publish(&mut net, "2", Q1);
    assert_eq!(dropped(&net), 0);
    assert!(net.connect(2, stay("a")));
    assert_eq!(got(&mut net, 2), ["2@1#1"]);
}

#[test]
fn while_away_qos_0_makes_room_for_the_rest_and_then_the_newcomer_goes() {
    let mut net = away(Limits::SMALL.max_queue_messages(3).max_inflight(9));
    for (payload, qos) in [("a", Q0), ("b", Q0), ("c", Q1), ("d", Q1), ("e", Q0), ("f", Q2)] {
        publish(&mut net, payload, qos);
    }
    // d drops a; e drops b; f drops e.
    assert_eq!(dropped(&net), 3);
    publish(&mut net, "g", Q0);
    publish(&mut net, "h", Q1);
    assert_eq!(dropped(&net), 5);
    assert!(net.connect(2, stay("a")));
    assert_eq!(got(&mut net, 2), ["c@1#1", "d@1#2", "f@2#3"]);
}

#[test]
fn a_slow_client_loses_its_oldest_of_qos_0_first() {
    let mut net = slow(Limits::SMALL.max_queue_messages(3).max_inflight(9));
    for (payload, qos) in [("a", Q0), ("b", Q1), ("c", Q0), ("d", Q2), ("e", Q0), ("f", Q1)] {
        publish(&mut net, payload, qos);
    }
    // d drops a; e drops c; f drops e.
    assert_eq!(dropped(&net), 3);
    publish(&mut net, "g", Q1);
    publish(&mut net, "h", Q0);
    assert_eq!(dropped(&net), 5);
    assert_eq!(reads(&mut net), ["b@1#1", "d@2#2", "f@1#3"]);
}

#[test]
fn what_waits_behind_a_full_flight_window_counts_too() {
    let mut net = slow(Limits::SMALL.max_queue_messages(3).max_inflight(1));
    for payload in ["1", "2", "3", "4"] {
        publish(&mut net, payload, Q1);
    }
    assert_eq!(dropped(&net), 1);
    assert_eq!(reads(&mut net), ["1@1#1"]);
    publish(&mut net, "5", Q1);
    publish(&mut net, "6", Q1);
    assert_eq!(dropped(&net), 2, "what is sent does not count any more");
    let mut seen = Vec::new();
    for id in 1..=4 {
        ack(&mut net, 1, PacketType::Puback, id);
        seen.extend(got(&mut net, 1));
    }
    assert_eq!(seen, ["2@1#2", "3@1#3", "5@1#4"]);
}

#[test]
fn a_newcomer_that_finds_no_room_in_any_case_drops_nothing_else() {
    for is_away in [true, false] {
        let limits = Limits::SMALL.max_queue_bytes(40).max_offline_qos0(1);
        let mut net = if is_away { away(limits) } else { slow(limits) };
        publish(&mut net, "promised", Q1);
        publish(&mut net, "loose", Q0);
        publish(&mut net, "far too long to fit in beside a promise", Q1);
        publish(&mut net, "far too long to fit in beside a promise", Q0);
        assert_eq!(dropped(&net), 2);
        let mut seen = if is_away {
            net.connect(2, stay("a"));
            got(&mut net, 2)
        } else {
            reads(&mut net)
        };
        seen.sort();
        assert_eq!(seen, ["loose@0#0", "promised@1#1"]);
    }
}

#[test]
fn one_message_finds_room_in_a_queue_of_nothing_but_qos_0() {
    let long = "longer than all that may wait for one client together";
    let mut net = slow(Limits::SMALL.max_queue_bytes(40));
    publish(&mut net, "loose", Q0);
    publish(&mut net, long, Q1);
    assert_eq!(reads(&mut net), [format!("{long}@1#1")]);
}

#[test]
fn a_message_that_is_being_sent_is_sent_to_its_end() {
    let mut net = slow(Limits::SMALL.max_queue_messages(2));
    publish(&mut net, "first", Q0);
    let mut start = [0; 4];
    assert_eq!(net.broker.copy_outgoing(ConnId(1), &mut start), 4);
    net.broker.sent(ConnId(1), 4);
    for payload in ["second", "third"] {
        publish(&mut net, payload, Q0);
    }
    net.drain(1);
    let rest = net.all(1);
    assert_eq!([&start[..], &rest].concat(), b"\x30\x08\0\x01tfirst\x30\x08\0\x01tthird");
    assert_eq!(dropped(&net), 1);
}

#[test]
fn retained_messages_do_not_push_out_live_ones() {
    let mut net = slow(Limits::SMALL.max_queue_messages(4));
    for n in 0..10 {
        net.broker.retain(format!("r/{n}").as_bytes(), b"old", Q0).expect("room");
    }
    publish(&mut net, "live", Q0);
    net.send(1, b"\x82\x08\0\x01\0\x03r/#\x00");
    publish(&mut net, "live too", Q0);
    assert_eq!(dropped(&net), 0);
    let seen = reads(&mut net);
    assert_eq!((seen.len(), seen.iter().filter(|line| **line == "!old@0#0").count()), (13, 10));
}

#[test]
fn what_waits_for_a_clean_session_ends_with_it() {
    let mut net = slow(Limits::SMALL);
    publish(&mut net, "x", Q1);
    net.cut(1);
    net.stalled.clear();
    net.join(2, "a");
    assert_eq!(got(&mut net, 2), Vec::<String>::new());
    assert!(!net.connect(3, stay("a")), "nothing is left of it");
}

/// [MQTT-4.6.0-6]
#[test]
fn a_wider_window_lets_nobody_overtake() {
    let limits = Limits::SMALL.max_inflight(1);
    let mut net = Net::with(limits);
    net.join(1, "a");
    net.subscribe(1, "t", Q1);
    for payload in ["1", "2"] {
        publish(&mut net, payload, Q1);
    }
    net.broker.set_limits(limits.max_inflight(9));
    publish(&mut net, "3", Q1);
    ack(&mut net, 1, PacketType::Puback, 1);
    assert_eq!(got(&mut net, 1), ["1@1#1", "2@1#2", "3@1#3"]);
}
