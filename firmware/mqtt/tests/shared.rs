//! Shared subscriptions, `$share/GROUP/FILTER`: of a group, one member gets each message.

mod net;

use net::{Net, hello, message, packets, stay};
use umqtt_mqtt::wire::{Connect, PacketType, Publish, Suback, Subscribe};
use umqtt_mqtt::{Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

fn roomy() -> Net {
    Net::with(Limits::DESKTOP.max_inflight(2))
}

/// The payloads of the messages that came since it was last asked, whatever their quality of
/// service.
fn payloads(net: &mut Net, conn: u32) -> Vec<String> {
    let bytes = net.all(conn);
    let publishes = packets(&bytes).into_iter().filter(|(h, _)| h.kind == PacketType::Publish);
    let payload = |p: Publish<'_>| String::from_utf8_lossy(p.payload).into_owned();
    publishes.map(|(h, body)| payload(Publish::parse(&h, body).expect("a PUBLISH"))).collect()
}

fn count(net: &mut Net, conn: u32) -> usize {
    payloads(net, conn).len()
}

fn publish(net: &mut Net, topic: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        net.publish(99, topic, number.to_string().as_bytes());
    }
}

/// Members of group g for `t/#` at QoS 0, and somebody who publishes.
fn group(net: &mut Net, members: u32) {
    net.join(99, "source");
    for conn in 1..=members {
        net.join(conn, &format!("worker {conn}"));
        net.subscribe(conn, "$share/g/t/#", Q0);
    }
}

#[test]
fn members_take_turns() {
    let mut net = roomy();
    group(&mut net, 3);
    publish(&mut net, "t/1", 0..7);
    assert_eq!(net.messages(1), ["t/1=0", "t/1=3", "t/1=6"]);
    assert_eq!(net.messages(2), ["t/1=1", "t/1=4"]);
    assert_eq!(net.messages(3), ["t/1=2", "t/1=5"]);
    // One leaves, one comes; nobody is left out and nobody gets two in a row.
    net.send(2, &[0xe0, 0]);
    publish(&mut net, "t", 7..9);
    assert_eq!((net.messages(1).len(), net.messages(3).len()), (1, 1));
    net.join(4, "worker 4");
    net.subscribe(4, "$share/g/t/#", Q0);
    publish(&mut net, "t", 9..12);
    for conn in [1, 3, 4] {
        assert_eq!(net.messages(conn).len(), 1, "{conn}");
    }
}

#[test]
fn groups_are_apart_and_so_are_those_who_do_not_share() {
    let mut net = roomy();
    group(&mut net, 2);
    net.join(5, "all");
    net.subscribe(5, "t/#", Q0);
    net.join(6, "other group");
    net.subscribe(6, "$share/h/t/#", Q0);
    net.join(7, "same name, other filter");
    net.subscribe(7, "$share/g/t/+", Q0);
    net.subscribe(7, "$share/g/#", Q0);
    publish(&mut net, "t/1", 0..2);
    assert_eq!((net.messages(1).len(), net.messages(2).len()), (1, 1));
    assert_eq!(net.messages(5), ["t/1=0", "t/1=1"]);
    assert_eq!(net.messages(6), ["t/1=0", "t/1=1"]);
    assert_eq!(net.messages(7), ["t/1=0", "t/1=0", "t/1=1", "t/1=1"], "two subscriptions");
    // A member that also subscribes for itself gets its own.
    net.subscribe(1, "t/1", Q0);
    publish(&mut net, "t/1", 2..4);
    assert_eq!((net.messages(1).len(), net.messages(2).len()), (3, 1));
}

#[test]
fn matching_is_that_of_the_filter_within() {
    let mut net = roomy();
    net.join(1, "a");
    for filter in ["$share/g/+/x", "$share/g/#", "$share/g/$own/#", "$share/g//"] {
        net.subscribe(1, filter, Q0);
    }
    net.join(99, "source");
    for (topic, count) in [("y/x", 2), ("$own/x", 1), ("/", 2), ("$share/g/y/x", 0), ("y", 1)] {
        publish(&mut net, topic, 0..1);
        assert_eq!(net.messages(1).len(), count, "{topic}");
    }
}

#[test]
fn what_only_looks_shared_is_refused_or_is_a_filter_like_any_other() {
    let mut net = roomy();
    net.join(1, "a");
    for filter in ["$share/", "$share/g", "$share/g/", "$share//t", "$share/+/t"] {
        let mut packet = Vec::new();
        Subscribe::emit(1, &[(filter.as_bytes(), Q0)], &mut packet);
        net.send(1, &packet);
        assert_eq!(net.all(1), [0x90, 3, 0, 1, Suback::FAILURE], "{filter}");
    }
    assert_eq!((net.broker.stats().subscriptions_refused, net.broker.subscriptions_len()), (5, 0));
    assert!(net.broker.subscribe(b"$share/g", Q0).is_err());
    net.subscribe(1, "$share", Q0);
    net.subscribe(1, "$shared/+/t", Q0);
    net.publish(1, "$shared/x/t", b"");
    assert_eq!(net.messages(1), ["$shared/x/t="]);
}

/// MQTT 5 section 4.8.2: they would come to every member that joins.
#[test]
fn retained_messages_are_not_sent_to_new_members() {
    let mut net = roomy();
    group(&mut net, 0);
    net.publish_retained(99, "t/1", b"kept");
    net.join(1, "a");
    net.subscribe(1, "$share/g/t/#", Q0);
    assert!(net.messages(1).is_empty());
    net.publish_retained(99, "t/1", b"new");
    assert_eq!(net.messages(1), ["t/1=new"]);
}

#[test]
fn subscriptions_are_listed_changed_and_ended_by_their_whole_name() {
    let mut net = roomy();
    net.join(1, "a");
    net.subscribe(1, "$share/g/t", Q0);
    net.subscribe(1, "$share/g/t", Q2);
    net.subscribe(1, "t", Q1);
    let listed: Vec<_> =
        net.broker.subscriptions().map(|s| (s.client_id.to_owned(), s.filter, s.qos)).collect();
    assert_eq!(listed, [("a".into(), b"$share/g/t".to_vec(), Q2), ("a".into(), b"t".to_vec(), Q1)]);
    net.send(1, b"\xa2\x0e\0\x09\0\x0a$share/g/t");
    assert_eq!(net.all(1), [0xb0, 2, 0, 9]);
    assert_eq!(net.broker.subscriptions_len(), 1);
    net.join(99, "source");
    net.send(99, &message("t", b"x", Q1, 1, false));
    assert_eq!(net.all(1), message("t", b"x", Q1, 1, false));
    net.send(1, b"\xa2\x05\0\x09\0\x01t");
    assert_eq!((net.broker.subscriptions_len(), net.broker.memory() > 0), (0, true));
}

#[test]
fn the_local_client_is_a_member_too() {
    let mut net = roomy();
    group(&mut net, 1);
    net.broker.subscribe(b"$share/g/t/#", Q0).expect("room");
    publish(&mut net, "t", 0..4);
    assert_eq!((net.messages(1).len(), net.local().len()), (2, 2));
    assert!(net.broker.unsubscribe(b"$share/g/t/#"));
    publish(&mut net, "t", 0..4);
    assert_eq!((net.messages(1).len(), net.local().len()), (4, 0));
}

/// Who has taken all it may have unacknowledged is passed over for who has not.
#[test]
fn a_busy_member_is_passed_over() {
    let mut net = roomy();
    net.join(99, "source");
    for conn in 1..=2 {
        net.join(conn, &format!("worker {conn}"));
        net.subscribe(conn, "$share/g/t", Q1);
    }
    let send = |net: &mut Net, id: u16| net.send(99, &message("t", b"x", Q1, id, false));
    (1..=4).for_each(|id| send(&mut net, id));
    assert_eq!((count(&mut net, 1), count(&mut net, 2)), (2, 2));
    net.send(1, &[0x40, 2, 0, 1, 0x40, 2, 0, 2]);
    (5..=6).for_each(|id| send(&mut net, id));
    assert_eq!((count(&mut net, 1), count(&mut net, 2)), (2, 0));
    // Where all are busy they take turns to wait.
    (7..=8).for_each(|id| send(&mut net, id));
    net.send(1, &[0x40, 2, 0, 3, 0x40, 2, 0, 4]);
    net.send(2, &[0x40, 2, 0, 1, 0x40, 2, 0, 2]);
    assert_eq!((count(&mut net, 1), count(&mut net, 2)), (1, 1));
    assert_eq!(net.broker.stats().messages_dropped, 0);
}

#[test]
fn who_is_away_gets_what_nobody_else_can_take() {
    let mut net = roomy();
    net.join(99, "source");
    for conn in 1..=2 {
        net.connect(conn, stay(&format!("worker {conn}")));
        net.subscribe(conn, "$share/g/t", Q1);
    }
    net.cut(1);
    for id in 1..=2 {
        net.send(99, &message("t", b"x", Q1, id, false));
    }
    assert_eq!(count(&mut net, 2), 2, "the one who is there");
    net.cut(2);
    for id in 3..=6 {
        net.send(99, &message("t", b"y", Q1, id, false));
    }
    net.connect(3, stay("worker 1"));
    net.connect(4, stay("worker 2"));
    assert_eq!(
        (count(&mut net, 3), count(&mut net, 4)),
        (2, 2),
        "two that are new, and two that are sent again"
    );
    net.send(4, &[0x40, 2, 0, 1, 0x40, 2, 0, 2]);
    assert_eq!(count(&mut net, 4), 2);
}

/// MQTT 5 section 4.8.2: what a client that will not come back has not acknowledged goes to
/// another, but QoS 2, which could come twice.
#[test]
fn what_is_not_acknowledged_goes_to_others_when_the_session_ends() {
    for (end, clean) in [("cut", true), ("leave", true), ("expire", false), ("begin anew", false)] {
        let mut net = roomy();
        net.join(99, "source");
        net.connect(1, Connect { clean_session: clean, ..hello("worker 1") });
        net.subscribe(1, "$share/g/t", Q2);
        net.subscribe(1, "mine", Q1);
        // Two in flight, two that wait, of either quality; one acknowledged.
        for (id, qos) in [(1, Q1), (2, Q2), (3, Q1), (4, Q2), (5, Q1)] {
            net.send(99, &message("t", id.to_string().as_bytes(), qos, id, false));
        }
        net.send(99, &message("mine", b"own", Q1, 6, false));
        net.all(1);
        net.send(1, &[0x40, 2, 0, 1]);
        assert_eq!(count(&mut net, 1), 1, "3 goes out");
        net.join(2, "worker 2");
        net.subscribe(2, "$share/g/t", Q1);
        match end {
            "cut" => net.cut(1),
            "leave" => net.send(1, &[0xe0, 0]),
            "expire" => {
                net.cut(1);
                assert_eq!(count(&mut net, 2), 0, "it may come back");
                net.pass(net.broker.limits().session_expiry.as_millis() + 1);
            }
            _ => {
                net.cut(1);
                net.connect(3, hello("worker 1"));
            }
        }
        let mut got = Vec::new();
        for id in 1..=3 {
            got.extend(payloads(&mut net, 2));
            net.send(2, &[0x40, 2, 0, id]);
        }
        assert_eq!(got, ["3", "4", "5"], "{end}");
        assert_eq!(count(&mut net, 2), 0);
    }
}

/// Only what came by the group goes on: not what the client got by itself, retained or by another
/// subscription, though the group's filter matches it.
#[test]
fn what_did_not_come_by_the_group_does_not_go_to_others() {
    let mut net = Net::with(Limits::DESKTOP.max_inflight(9));
    net.join(99, "source");
    net.send(99, &message("t", b"kept", Q1, 1, true));
    net.join(1, "worker 1");
    net.subscribe(1, "$share/g/t", Q1);
    net.subscribe(1, "+", Q1);
    assert_eq!(payloads(&mut net, 1), ["kept"]);
    net.join(2, "worker 2");
    net.subscribe(2, "$share/g/t", Q1);
    net.join(3, "worker 3");
    net.subscribe(3, "$share/g/t", Q1);
    net.send(99, &message("t", b"new", Q1, 2, false));
    assert_eq!(payloads(&mut net, 1), ["new", "new"], "one by either subscription");
    net.cut(1);
    assert_eq!([payloads(&mut net, 2), payloads(&mut net, 3)].concat(), ["new"]);
}
