//! Sections 3.3 to 3.7: PUBLISH, its flags and its answers; retained messages.

mod net;

use net::{Net, ack, got, message, packets, stay};
use umqtt_mqtt::wire::{PacketType, Publish};
use umqtt_mqtt::{ConnId, Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;
const ALL: [QoS; 3] = [Q0, Q1, Q2];

/// The client's message with DUP set.
fn repeated(topic: &str, payload: &[u8], qos: QoS, id: u16, retain: bool) -> Vec<u8> {
    let mut packet = message(topic, payload, qos, id, retain);
    packet[0] |= 8;
    packet
}

/// The retained messages, as `topic=payload@qos`.
fn kept(net: &Net) -> Vec<String> {
    let line = |m: umqtt_mqtt::Retained<'_>| {
        format!("{}={}@{}", m.topic.escape_ascii(), m.payload.escape_ascii(), m.qos as u8)
    };
    net.broker.retained(b"#").map(line).collect()
}

/// [MQTT-3.3.1-2], [MQTT-4.3.1-1], [MQTT-4.8.0-1]
#[test]
fn dup_at_qos_0_closes_and_is_never_sent() {
    let mut net = Net::new();
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q0);
    for qos in ALL {
        net.send(1, &message("t", b"x", qos, 9, false));
        net.send(1, &[0x62, 2, 0, 9]);
    }
    net.cut(1);
    net.broker.publish(b"t", b"while away", Q2, false).expect("valid");
    net.connect(2, stay("a"));
    let bytes = [net.all(1), net.all(2)].concat();
    let publishes = packets(&bytes).into_iter().filter(|(h, _)| h.kind == PacketType::Publish);
    assert_eq!(publishes.map(|(header, _)| header.flags).collect::<Vec<_>>(), [0; 4]);
    net.send(2, &repeated("t", b"x", Q0, 0, false));
    assert!(net.is_closed(2));
}

/// [MQTT-3.3.1-1], [MQTT-3.3.1-3], [MQTT-4.3.2-1], [MQTT-4.3.3-1]: what comes in with DUP goes out
/// without, and what goes out again has it however it came in.
#[test]
fn dup_says_whether_this_very_message_was_sent_before() {
    for qos in [Q1, Q2] {
        let mut net = Net::new();
        net.join(9, "publisher");
        net.connect(1, stay("a"));
        net.subscribe(1, "t", Q2);
        net.send(9, &repeated("t", b"dup", qos, 1, false));
        net.send(9, &message("t", b"new", qos, 2, false));
        let at = qos as u8;
        assert_eq!(got(&mut net, 1), [format!("dup@{at}#1"), format!("new@{at}#2")]);
        net.cut(1);
        net.connect(2, stay("a"));
        assert_eq!(got(&mut net, 2), [format!("+dup@{at}#1"), format!("+new@{at}#2")]);
    }
}

/// [MQTT-3.3.1-3]: a message that was still in the queue when the connection broke has not been
/// sent before.
#[test]
fn dup_is_not_set_on_what_never_left() {
    let mut net = Net::new();
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q2);
    net.stalled.push(1);
    for payload in [b"1", b"2", b"3"] {
        net.broker.publish(b"t", payload, Q1, false).expect("valid");
    }
    // The first goes out, and of the second the first byte.
    let mut buffer = [0; 9];
    assert_eq!(net.broker.copy_outgoing(ConnId(1), &mut buffer), 9);
    net.broker.sent(ConnId(1), 9);
    net.cut(1);
    net.stalled.clear();
    net.stalled.push(2);
    net.open(2).expect("room");
    let mut connect = Vec::new();
    stay("a").emit(&mut connect);
    net.send(2, &connect);
    net.cut(2); // nothing was sent on this one either
    net.connect(3, stay("a"));
    assert_eq!(got(&mut net, 3), ["+1@1#1", "+2@1#2", "3@1#3"]);
    net.cut(3);
    net.connect(4, stay("a"));
    assert_eq!(got(&mut net, 4), ["+1@1#1", "+2@1#2", "+3@1#3"]);
}

/// [MQTT-3.3.1-4]: whatever the other flags.
#[test]
fn qos_3_closes() {
    for flags in [0x6, 0x7, 0xe, 0xf] {
        let mut net = Net::new();
        net.join(1, "a");
        net.send(1, &[0x30 | flags]);
        assert!(net.is_closed(1), "as soon as it is seen");
    }
}

/// [MQTT-3.3.1-5], [MQTT-3.3.1-6], [MQTT-3.3.1-8]: at the smaller quality of service of the two.
#[test]
fn a_retained_message_is_kept_with_its_qos_for_new_subscriptions() {
    for qos in ALL {
        for granted in ALL {
            let mut net = Net::new();
            net.join(1, "a");
            net.send(1, &message("t/1", b"old", Q0, 1, true));
            net.send(1, &message("t/1", b"last", qos, 1, true));
            net.send(1, &message("t/2", b"other", qos, 2, true));
            net.all(1);
            assert_eq!(kept(&net)[0], format!("t/1=last@{}", qos as u8));
            net.join(2, "b");
            net.subscribe(2, "t/+", granted);
            let at = qos.min(granted) as u8;
            let id = |n| if at == 0 { 0 } else { n };
            let wanted = [format!("!last@{at}#{}", id(1)), format!("!other@{at}#{}", id(2))];
            assert_eq!(got(&mut net, 2), wanted);
        }
    }
}

/// [MQTT-3.3.1-9]: at each quality of service, from clients and from the program.
#[test]
fn established_subscribers_see_no_retain_flag() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "t", Q2);
    for (id, qos) in [(1, Q0), (2, Q1), (3, Q2)] {
        net.send(1, &message("t", b"x", qos, id, true));
    }
    net.broker.publish(b"t", b"y", Q0, true).expect("room");
    net.settle();
    let lines = got(&mut net, 1).into_iter().filter(|line| !line.starts_with("Pub"));
    assert_eq!(lines.collect::<Vec<_>>(), ["x@0#0", "x@1#1", "x@2#2", "y@0#0"]);
}

/// [MQTT-3.3.1-10], [MQTT-3.3.1-11]: at each quality of service, and also where nothing was
/// retained.
#[test]
fn an_empty_retained_message_deletes() {
    for qos in ALL {
        let mut net = Net::new();
        net.join(1, "a");
        net.join(2, "b");
        net.subscribe(2, "t", Q0);
        for payload in [&b"x"[..], b"", b""] {
            net.send(1, &message("t", payload, qos, 1, true));
            net.send(1, &[0x62, 2, 0, 1]);
        }
        assert_eq!(net.messages(2), ["t=x", "t=", "t="], "processed as any other");
        assert_eq!(kept(&net), Vec::<String>::new());
        net.join(3, "c");
        net.subscribe(3, "t", Q2);
        assert_eq!(got(&mut net, 3), Vec::<String>::new());
    }
}

/// [MQTT-3.3.1-12]: not even an empty one.
#[test]
fn without_the_flag_nothing_is_kept_replaced_or_removed() {
    let mut net = Net::new();
    net.join(1, "a");
    net.publish_retained(1, "t", b"kept");
    for (topic, payload) in [("t", &b"passing"[..]), ("t", b""), ("u", b"passing")] {
        net.publish(1, topic, payload);
    }
    assert_eq!(kept(&net), ["t=kept@0"]);
}

/// [MQTT-3.3.1-7]: where there is no room for the new one, the old one is not handed out as the
/// last.
#[test]
fn a_message_that_finds_no_room_still_ends_the_one_before() {
    for qos in ALL {
        let mut net = Net::with(Limits::SMALL.max_retained_bytes(20));
        net.join(1, "a");
        net.send(1, &message("t", b"old", qos, 1, true));
        assert_eq!(kept(&net).len(), 1);
        net.send(1, &[0x62, 2, 0, 1]);
        net.send(1, &message("t", b"longer than there is room", qos, 1, true));
        assert_eq!(kept(&net), Vec::<String>::new());
        assert_eq!(net.broker.stats().retained_refused, 1);
    }
}

/// [MQTT-3.3.2-2], [MQTT-4.7.1-1], [MQTT-4.7.3-1]
#[test]
fn names_with_wildcards_and_empty_names_close() {
    for name in ["", "#", "+", "a/#", "a/+/b", "a+", "#a", "a/b#"] {
        for qos in ALL {
            let mut net = Net::new();
            net.broker.subscribe(b"#", Q0).expect("room");
            net.join(1, "a");
            net.send(1, &message(name, b"x", qos, 1, false));
            assert!(net.is_closed(1), "{name}");
            assert_eq!((net.local(), net.all(1)), (Vec::new(), Vec::new()), "{name}");
        }
    }
}

/// [MQTT-3.3.2-1]: a topic that ends behind its packet, or is not there.
#[test]
fn a_topic_has_to_be_there() {
    for bytes in [&[0x30, 0][..], &[0x30, 1, 0], &[0x30, 2, 0, 1], &[0x32, 3, 0, 1, b't']] {
        let mut net = Net::new();
        net.join(1, "a");
        net.send(1, bytes);
        assert!(net.is_closed(1), "{bytes:x?}");
    }
}

/// [MQTT-3.3.4-1], [MQTT-4.3.2-2], [MQTT-4.3.3-2]: also when nobody wants the message.
#[test]
fn each_quality_of_service_has_its_answer() {
    let mut net = Net::new();
    net.join(1, "a");
    for topic in ["wanted", "unwanted"] {
        net.send(1, &message(topic, b"x", Q0, 0, false));
        assert_eq!(got(&mut net, 1), Vec::<String>::new());
        net.send(1, &message(topic, b"x", Q1, 5, false));
        assert_eq!(got(&mut net, 1), ["Puback#5"]);
        net.send(1, &message(topic, b"x", Q2, 5, false));
        assert_eq!(got(&mut net, 1), ["Pubrec#5"]);
        ack(&mut net, 1, PacketType::Pubrel, 5);
        assert_eq!(got(&mut net, 1), ["Pubcomp#5"]);
        ack(&mut net, 1, PacketType::Pubrel, 5);
        assert_eq!(got(&mut net, 1), ["Pubcomp#5"], "an unknown one too");
        net.broker.subscribe(b"wanted", Q0).expect("room");
    }
}

/// [MQTT-4.3.2-2]: after PUBACK, DUP or not, the id stands for a new message.
#[test]
fn qos_1_may_come_twice() {
    let mut net = Net::new();
    net.broker.subscribe(b"t", Q0).expect("room");
    net.join(1, "a");
    net.send(1, &message("t", b"1", Q1, 5, false));
    net.send(1, &repeated("t", b"1", Q1, 5, false));
    net.send(1, &message("t", b"2", Q1, 5, false));
    assert_eq!(got(&mut net, 1), ["Puback#5", "Puback#5", "Puback#5"]);
    assert_eq!(net.local(), ["t=1", "t=1", "t=2"]);
}

/// [MQTT-3.3.5-2]: acknowledged as ever, and delivered to nobody.
#[test]
fn a_message_that_is_not_allowed_is_acknowledged() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "$SYS/#", Q0);
    for qos in ALL {
        net.send(1, &message("$SYS/x", b"x", qos, 5, true));
    }
    assert_eq!(got(&mut net, 1), ["Puback#5", "Pubrec#5"]);
    assert_eq!((net.broker.stats().messages_denied, net.broker.retained_len()), (3, 0));
}

/// [MQTT-3.3.2-3], [MQTT-4.7.3-4]: topic and payload arrive byte for byte, whatever is in them.
#[test]
fn a_message_arrives_as_it_was_sent() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "#", Q2);
    for topic in ["/", "//", " ", "a b", "e\u{301}", "\u{e9}", "A", "\u{feff}", "a/\u{1f980}/"] {
        for qos in ALL {
            let payload = [&[0, 255][..], topic.as_bytes()].concat();
            net.send(1, &message(topic, &payload, qos, 5, false));
            net.send(1, &[0x62, 2, 0, 5]);
            let bytes = net.all(1);
            let packets = packets(&bytes);
            let publish = packets.iter().find(|(header, _)| header.kind == PacketType::Publish);
            let (header, body) = publish.expect("it comes");
            let publish = Publish::parse(header, body).expect("valid");
            assert_eq!((publish.topic, publish.payload), (topic.as_bytes(), &payload[..]));
            for kind in [PacketType::Puback, PacketType::Pubrec, PacketType::Pubcomp] {
                ack(&mut net, 1, kind, publish.packet_id.max(1));
            }
            net.all(1);
        }
    }
}
