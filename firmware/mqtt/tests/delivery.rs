//! Sections 4.3 to 4.6 and 4.8: what is sent again, in which order, and what errors do.

mod net;

use net::{Net, ack, got, hello, message, stay};
use umqtt_mqtt::wire::PacketType;
use umqtt_mqtt::{Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// A remembered client `a` on connection 1 with a subscription to `#` at QoS 2.
fn subscriber(limits: Limits) -> Net {
    let mut net = Net::with(limits);
    net.connect(1, stay("a"));
    net.subscribe(1, "#", Q2);
    net
}

fn publish(net: &mut Net, payload: &str, qos: QoS) {
    net.broker.publish(b"t", payload.as_bytes(), qos, false).expect("a valid message");
    net.settle();
}

/// The client's connection breaks and it comes back on the next; what it gets.
fn back(net: &mut Net, conn: u32) -> Vec<String> {
    net.cut(conn - 1);
    assert!(net.connect(conn, stay("a")));
    got(net, conn)
}

/// [MQTT-4.3.2-1], [MQTT-4.4.0-1]: on each new connection until PUBACK, and never after it.
#[test]
fn qos_1_is_sent_until_it_is_acknowledged() {
    let mut net = subscriber(Limits::SMALL);
    publish(&mut net, "x", Q1);
    assert_eq!(got(&mut net, 1), ["x@1#1"]);
    for conn in 2..5 {
        assert_eq!(back(&mut net, conn), ["+x@1#1"]);
        for other in [PacketType::Pubrec, PacketType::Pubcomp] {
            ack(&mut net, conn, other, 1); // no answers to QoS 1
        }
        ack(&mut net, conn, PacketType::Puback, 2);
        assert_eq!(got(&mut net, conn), ["Pubrel#1"]);
    }
    ack(&mut net, 4, PacketType::Puback, 1);
    assert_eq!(back(&mut net, 5), Vec::<String>::new());
}

/// [MQTT-4.3.3-1], [MQTT-4.4.0-1]: PUBLISH until PUBREC, then PUBREL until PUBCOMP, each with its
/// id.
#[test]
fn qos_2_goes_step_by_step() {
    let mut net = subscriber(Limits::SMALL);
    publish(&mut net, "x", Q2);
    assert_eq!(got(&mut net, 1), ["x@2#1"]);
    for conn in 2..4 {
        ack(&mut net, conn - 1, PacketType::Puback, 1);
        ack(&mut net, conn - 1, PacketType::Pubcomp, 1);
        assert_eq!(back(&mut net, conn), ["+x@2#1"], "not those two");
    }
    for _ in 0..2 {
        ack(&mut net, 3, PacketType::Pubrec, 1);
        assert_eq!(got(&mut net, 3), ["Pubrel#1"]);
    }
    for conn in 4..6 {
        ack(&mut net, conn - 1, PacketType::Puback, 1);
        assert_eq!(back(&mut net, conn), ["Pubrel#1"], "and no PUBLISH any more");
    }
    ack(&mut net, 5, PacketType::Pubcomp, 1);
    assert_eq!(back(&mut net, 6), Vec::<String>::new());
}

/// [MQTT-4.3.3-2]: wherever the connection breaks, and however often the client repeats itself.
#[test]
fn qos_2_from_a_client_is_delivered_once() {
    let mut net = Net::new();
    net.broker.subscribe(b"t", Q2).expect("room");
    let mut conn = 1;
    net.connect(conn, stay("p"));
    let mut packet = message("t", b"once", Q2, 9, false);
    for _ in 0..4 {
        net.send(conn, &packet);
        packet[0] |= 8;
        assert_eq!(got(&mut net, conn), ["Pubrec#9"]);
        net.send(conn, &packet);
        net.cut(conn);
        conn += 1;
        net.connect(conn, stay("p"));
    }
    for _ in 0..3 {
        ack(&mut net, conn, PacketType::Pubrel, 9);
        assert_eq!(got(&mut net, conn), ["Pubcomp#9"]);
        net.cut(conn);
        conn += 1;
        net.connect(conn, stay("p"));
    }
    assert_eq!(net.local(), ["t=once"]);
    net.send(conn, &packet);
    assert_eq!(
        net.local(),
        ["t=once"],
        "after PUBCOMP the id stands for a new message, DUP or not"
    );
}

/// [MQTT-4.4.0-1]: the standard asks for it on reconnecting; here it is done then and at no other
/// time.
#[test]
fn nothing_is_sent_again_while_the_connection_stands() {
    let mut net = subscriber(Limits::SMALL);
    publish(&mut net, "x", Q1);
    publish(&mut net, "y", Q2);
    got(&mut net, 1);
    net.pass(24 * 3_600_000);
    assert_eq!(got(&mut net, 1), Vec::<String>::new());
}

/// [MQTT-4.5.0-1], [MQTT-3.1.2-5]: of all clients that match, connected, slow or away.
#[test]
fn a_message_goes_into_every_session_that_wants_it() {
    let mut net = subscriber(Limits::SMALL);
    net.connect(2, stay("b"));
    net.subscribe(2, "t", Q1);
    net.cut(2);
    net.connect(3, stay("c"));
    net.subscribe(3, "other", Q1);
    net.cut(3);
    net.connect(4, stay("d"));
    net.subscribe(4, "+", Q2);
    net.stalled.push(4);
    net.send(1, &message("t", b"x", Q2, 5, false));
    assert_eq!(got(&mut net, 1), ["Pubrec#5", "x@2#1"], "its publisher among them");
    net.connect(2, stay("b"));
    net.connect(3, stay("c"));
    net.cut(4);
    net.connect(5, stay("d"));
    assert_eq!(got(&mut net, 2), ["x@1#1"]);
    assert_eq!(got(&mut net, 3), Vec::<String>::new());
    assert_eq!(got(&mut net, 5), ["x@2#1"]);
}

/// [MQTT-4.6.0-1], [MQTT-4.6.0-6]: also after several breaks, with some of them answered out of
/// order.
#[test]
fn what_is_sent_again_keeps_its_order() {
    let limits = Limits::SMALL.max_inflight(8);
    let mut net = subscriber(limits);
    let qos = [Q1, Q2, Q1, Q2, Q1, Q2, Q1, Q2];
    for (n, qos) in qos.into_iter().enumerate() {
        publish(&mut net, &format!("{}", n + 1), qos);
    }
    got(&mut net, 1);
    ack(&mut net, 1, PacketType::Puback, 3);
    ack(&mut net, 1, PacketType::Pubrec, 6);
    got(&mut net, 1);
    let wanted = ["Pubrel#6", "+1@1#1", "+2@2#2", "+4@2#4", "+5@1#5", "+7@1#7", "+8@2#8"];
    assert_eq!(back(&mut net, 2), wanted);
    publish(&mut net, "9", Q1); // into the place of 3, behind all others
    got(&mut net, 2);
    let wanted = [&wanted[..], &["+9@1#9"]].concat();
    assert_eq!(back(&mut net, 3), wanted);
}

/// [MQTT-4.6.0-4], [MQTT-4.6.0-6]: PUBREL in the order of PUBREC, the first time and again.
#[test]
fn releases_keep_the_order_of_the_receipts() {
    let mut net = subscriber(Limits::SMALL);
    for payload in ["1", "2", "3", "4"] {
        publish(&mut net, payload, Q2);
    }
    got(&mut net, 1);
    for id in [3, 1, 4] {
        ack(&mut net, 1, PacketType::Pubrec, id);
    }
    assert_eq!(got(&mut net, 1), ["Pubrel#3", "Pubrel#1", "Pubrel#4"]);
    assert_eq!(back(&mut net, 2), ["Pubrel#3", "Pubrel#1", "Pubrel#4", "+2@2#2"]);
    ack(&mut net, 2, PacketType::Pubrec, 2);
    ack(&mut net, 2, PacketType::Pubcomp, 1);
    got(&mut net, 2);
    assert_eq!(back(&mut net, 3), ["Pubrel#3", "Pubrel#4", "Pubrel#2"]);
}

/// [MQTT-4.6.0-2], [MQTT-4.6.0-3], [MQTT-4.6.0-6]
#[test]
fn answers_keep_the_order_of_what_they_answer() {
    let mut net = Net::new();
    net.join(1, "a");
    let packets: Vec<_> = [(Q1, 5), (Q2, 4), (Q1, 3), (Q2, 9), (Q1, 1)]
        .map(|(qos, id)| message("t", b"x", qos, id, false))
        .concat();
    net.send(1, &packets);
    assert_eq!(got(&mut net, 1), ["Puback#5", "Pubrec#4", "Puback#3", "Pubrec#9", "Puback#1"]);
}

/// [MQTT-4.6.0-5], [MQTT-4.6.0-6]: for one topic and quality of service, through any window, with a
/// client that is slow now and then and away now and then.
#[test]
fn messages_come_in_the_order_they_were_sent() {
    for qos in [Q0, Q1, Q2] {
        for max_inflight in [1, 2, 7] {
            let limits = Limits::SMALL.max_inflight(max_inflight).max_offline_qos0(100);
            let mut net = subscriber(limits);
            net.join(99, "publisher");
            let (mut conn, mut seen) = (1, Vec::new());
            for n in 0..60_u16 {
                let payload = format!("{n:02}");
                net.send(99, &message("t", payload.as_bytes(), qos, n + 1, false));
                ack(&mut net, 99, PacketType::Pubrel, n + 1);
                match n % 11 {
                    3 => net.stalled.push(conn),
                    5 => {
                        net.stalled.clear();
                        net.drain(conn);
                    }
                    7 => {
                        if qos == Q0 {
                            answer_all(&mut net, conn, &mut seen); // it would not come again
                        }
                        net.cut(conn);
                    }
                    10 => {
                        conn += 1;
                        net.connect(conn, stay("a"));
                    }
                    _ => {}
                }
                if n % 11 < 7 {
                    answer_all(&mut net, conn, &mut seen);
                }
            }
            net.stalled.clear();
            net.drain(conn);
            answer_all(&mut net, conn, &mut seen);
            let wanted: Vec<_> = (0..60).map(|n| format!("{n:02}")).collect();
            seen.dedup(); // repeated ones follow at once, as all is answered
            assert_eq!(seen, wanted, "{qos:?}, {max_inflight} in flight");
        }
    }
}

/// Reads and answers until nothing more comes; the payloads.
fn answer_all(net: &mut Net, conn: u32, seen: &mut Vec<String>) {
    while !net.stalled.contains(&conn) {
        let lines = got(net, conn);
        if lines.is_empty() {
            return;
        }
        for line in lines {
            let (what, id) = line.split_once('#').expect("a line");
            let id = id.parse().expect("a number");
            match what.trim_start_matches('+').split_once('@') {
                None => ack(net, conn, PacketType::Pubcomp, id),
                Some((payload, qos)) => {
                    seen.push(payload.to_owned());
                    match qos {
                        "1" => ack(net, conn, PacketType::Puback, id),
                        "2" => ack(net, conn, PacketType::Pubrec, id),
                        _ => {}
                    }
                }
            }
        }
    }
}

/// [MQTT-4.8.0-1]: that connection and no other; its session and the others' go on.
#[test]
fn a_violation_closes_its_own_connection() {
    let mut net = subscriber(Limits::SMALL);
    net.connect(2, stay("b"));
    net.subscribe(2, "#", Q1);
    net.send(2, &[0xf0]);
    assert!(net.is_closed(2) && !net.is_closed(1));
    publish(&mut net, "x", Q1);
    assert_eq!(got(&mut net, 1), ["x@1#1"]);
    assert!(net.connect(3, stay("b")));
    assert_eq!(got(&mut net, 3), ["x@1#1"]);
}

/// [MQTT-4.8.0-2]: what there is no room to handle is not handled, and the connection it came on is
/// closed: the client will send it again.
#[test]
fn what_cannot_be_handled_now_closes_its_connection() {
    let limits = Limits::SMALL.max_unreleased(1).max_control_bytes(8);
    let mut net = Net::with(limits);
    net.broker.subscribe(b"t", Q2).expect("room");
    net.connect(1, stay("a"));
    net.send(1, &message("t", b"1", Q2, 1, false));
    net.send(1, &message("t", b"2", Q2, 2, false));
    assert!(net.is_closed(1));
    net.connect(2, stay("a"));
    ack(&mut net, 2, PacketType::Pubrel, 1);
    net.send(2, &message("t", b"2", Q2, 2, false));
    assert_eq!(got(&mut net, 2), ["Pubcomp#1", "Pubrec#2"]);
    assert_eq!(net.local(), ["t=1", "t=2"], "each once");

    net.connect(3, hello("b"));
    net.stalled.push(3);
    for _ in 0..5 {
        net.send(3, &[0xc0, 0]);
    }
    net.drain(3);
    net.settle();
    assert!(net.is_closed(3), "a client that does not read its answers");
}
