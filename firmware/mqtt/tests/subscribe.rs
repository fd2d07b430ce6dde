//! Sections 3.8 to 3.13: SUBSCRIBE, UNSUBSCRIBE, PINGREQ, and their answers.

mod net;

use net::{Net, ack, got, hello, message, stay};
use umqtt_mqtt::wire::{Connect, PacketType, Subscribe, Unsubscribe, Version};
use umqtt_mqtt::{Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// Sends a SUBSCRIBE with packet id 7; the return codes.
#[track_caller]
fn subscribe(net: &mut Net, conn: u32, filters: &[(&str, QoS)]) -> Vec<u8> {
    let filters: Vec<_> = filters.iter().map(|(f, qos)| (f.as_bytes(), *qos)).collect();
    let mut packet = Vec::new();
    assert!(Subscribe::emit(7, &filters, &mut packet));
    net.send(conn, &packet);
    let head = net.take(conn, 4);
    assert_eq!(head, [0x90, 2 + filters.len() as u8, 0, 7]);
    net.take(conn, filters.len())
}

/// Sends an UNSUBSCRIBE with packet id 8 and takes its answer.
#[track_caller]
fn unsubscribe(net: &mut Net, conn: u32, filters: &[&str]) {
    let filters: Vec<_> = filters.iter().map(|filter| filter.as_bytes()).collect();
    let mut packet = Vec::new();
    assert!(Unsubscribe::emit(8, &filters, &mut packet));
    net.send(conn, &packet);
    assert_eq!(net.take(conn, 4), [0xb0, 2, 0, 8]);
}

fn publish(net: &mut Net, topic: &str, payload: &str, qos: QoS) {
    net.broker.publish(topic.as_bytes(), payload.as_bytes(), qos, false).expect("valid");
    net.settle();
}

fn closes(bytes: &[u8]) -> bool {
    let mut net = Net::new();
    net.join(1, "a");
    net.send(1, bytes);
    assert!(!net.is_closed(1) || net.all(1).is_empty(), "closed without an answer");
    net.is_closed(1)
}

/// [MQTT-3.8.3-3], [MQTT-3.10.3-2], [MQTT-4.8.0-1]
#[test]
fn no_filter_at_all_closes() {
    assert!(closes(&[0x82, 2, 0, 1]) && closes(&[0xa2, 2, 0, 1]));
    assert!(closes(&[0x82, 0]) && closes(&[0xa2, 0]), "not even a packet id");
}

/// [MQTT-3.8.3-4]
#[test]
fn all_but_0_1_and_2_behind_a_filter_closes() {
    for options in 0..=255 {
        let one = [0x82, 6, 0, 1, 0, 1, b'a', options];
        let second = [0x82, 10, 0, 1, 0, 1, b'a', 0, 0, 1, b'b', options];
        assert_eq!((closes(&one), closes(&second)), (options > 2, options > 2), "{options:#x}");
    }
}

/// [MQTT-3.8.3-1], [MQTT-3.10.3-1], [MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1]: the whole
/// packet, as the standard has no other answer to what is no filter.
#[test]
fn what_is_no_filter_closes() {
    for filter in ["", "a#", "#a", "a/#/b", "#/", "a+", "+a", "a/+b", "a/b+/c", "++", "a/##"] {
        let field = [&[0, filter.len() as u8][..], filter.as_bytes()].concat();
        let body = [&[0, 1][..], &field].concat();
        assert!(closes(&[&[0xa2, body.len() as u8][..], &body].concat()), "{filter:?}");
        let body = [&[0, 1, 0, 1, b'a', 0][..], &field, &[0]].concat();
        assert!(closes(&[&[0x82, body.len() as u8][..], &body].concat()), "{filter:?}");
    }
    for cut_short in [&[0x82, 6, 0, 1, 0, 3, b'a', 0][..], &[0xa2, 5, 0, 1, 0, 2, b'a']] {
        assert!(closes(cut_short));
    }
}

/// [MQTT-3.8.4-1], [MQTT-3.8.4-4], [MQTT-3.8.4-5], [MQTT-3.9.3-1], [MQTT-3.9.3-2]: one answer, a
/// code for each filter in their order, what was granted or 0x80.
#[test]
fn each_filter_has_its_return_code() {
    let limits = Limits::SMALL.max_filter_levels(2).max_client_subscriptions(4);
    let mut net = Net::with(limits);
    net.join(1, "a");
    let filters = [
        ("a", Q2),
        ("b", Q0),
        ("a/b/c", Q1), // too many levels
        ("c", Q1),
        ("b", Q1), // again
        ("d", Q0),
        ("e", Q0), // one too many
        ("a", Q0), // again
    ];
    assert_eq!(subscribe(&mut net, 1, &filters), [2, 0, 0x80, 1, 1, 0, 0x80, 0]);
    assert!(net.all(1).is_empty());
    let granted: Vec<_> = net.broker.subscriptions().map(|s| (s.filter, s.qos as u8)).collect();
    let wanted = [("a", 0), ("b", 1), ("c", 1), ("d", 0)];
    assert_eq!(granted, wanted.map(|(f, qos)| (f.as_bytes().to_vec(), qos)));
}

/// [MQTT-3.8.4-3], [MQTT-3.3.1-6], [MQTT-3.3.1-8]: the new quality of service counts, retained
/// messages come again, and there is still one subscription.
#[test]
fn the_same_filter_again_replaces() {
    let mut net = Net::new();
    net.join(1, "a");
    net.broker.retain(b"t", b"kept", Q2).expect("room");
    for (qos, id) in [(Q0, 0), (Q2, 1), (Q1, 2)] {
        assert_eq!(subscribe(&mut net, 1, &[("t", qos)]), [qos as u8]);
        let at = qos as u8;
        assert_eq!(got(&mut net, 1), [format!("!kept@{at}#{id}")]);
        ack(&mut net, 1, PacketType::Pubrec, 1);
        ack(&mut net, 1, PacketType::Pubcomp, 1);
        ack(&mut net, 1, PacketType::Puback, 2);
        net.all(1);
    }
    publish(&mut net, "t", "live", Q2);
    assert_eq!(got(&mut net, 1), ["live@1#3"]);
    assert_eq!(net.broker.subscriptions_len(), 1);
}

/// [MQTT-3.8.4-3]: messages go on coming while a subscription is replaced, also those on their way.
#[test]
fn replacing_does_not_interrupt() {
    let mut net = Net::with(Limits::SMALL.max_inflight(1));
    net.join(1, "a");
    net.subscribe(1, "t", Q1);
    for payload in ["1", "2", "3"] {
        publish(&mut net, "t", payload, Q1);
    }
    let mut packet = Vec::new();
    Subscribe::emit(7, &[(b"t", Q0)], &mut packet);
    net.send(1, &packet);
    publish(&mut net, "t", "4", Q1);
    let mut seen = got(&mut net, 1);
    for id in 1..=3 {
        ack(&mut net, 1, PacketType::Puback, id);
        seen.extend(got(&mut net, 1));
    }
    assert_eq!(seen, ["1@1#1", "Suback#7", "4@0#0", "2@1#2", "3@1#3"]);
}

/// [MQTT-3.8.4-6]: every combination.
#[test]
fn a_message_comes_at_the_smaller_qos() {
    for published in [Q0, Q1, Q2] {
        for granted in [Q0, Q1, Q2] {
            let mut net = Net::new();
            net.join(1, "a");
            net.join(2, "b");
            net.subscribe(2, "t", granted);
            net.send(1, &message("t", b"x", published, 5, false));
            let at = published.min(granted) as u8;
            assert_eq!(got(&mut net, 2), [format!("x@{at}#{}", u8::from(at > 0))]);
        }
    }
}

/// [MQTT-3.3.5-1]: once, at the highest of all filters that match.
#[test]
fn overlapping_filters_bring_one_message_at_the_highest() {
    for filters in [["#", "t/+", "t/1"], ["t/1", "#", "t/+"], ["t/+", "t/1", "t/#"]] {
        let mut net = Net::new();
        net.join(1, "a");
        let with_qos: Vec<_> = filters.into_iter().zip([Q1, Q2, Q0]).collect();
        subscribe(&mut net, 1, &with_qos);
        publish(&mut net, "t/1", "x", Q2);
        assert_eq!(got(&mut net, 1), ["x@2#1"]);
        unsubscribe(&mut net, 1, &filters[1..2]);
        publish(&mut net, "t/1", "y", Q2);
        assert_eq!(got(&mut net, 1), ["y@1#2"]);
    }
}

/// [MQTT-3.10.4-1]: character by character; nothing is read into a wildcard.
#[test]
fn unsubscribing_needs_the_very_filter() {
    let mut net = Net::new();
    net.join(1, "a");
    let filters = [("a/+", Q0), ("a/#", Q0), ("a/b", Q0), ("\u{e9}", Q0)];
    subscribe(&mut net, 1, &filters);
    unsubscribe(&mut net, 1, &["#", "a", "a/", "A/b", "+/b", "a/b/c", "a/c", "e\u{301}", "/a/b"]);
    assert_eq!(net.broker.subscriptions_len(), 4);
    for (left, (filter, _)) in filters.iter().enumerate().rev() {
        let before = net.broker.subscriptions_len();
        assert_eq!(before, left + 1);
        unsubscribe(&mut net, 1, &[filter]);
    }
    assert_eq!(net.broker.subscriptions_len(), 0);
}

/// [MQTT-3.10.4-2], [MQTT-3.10.4-3]: what is on its way is still brought to its end, and nothing
/// new comes.
#[test]
fn unsubscribing_ends_what_is_new_only() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "t", Q2);
    publish(&mut net, "t", "1", Q1);
    publish(&mut net, "t", "2", Q2);
    assert_eq!(got(&mut net, 1), ["1@1#1", "2@2#2"]);
    unsubscribe(&mut net, 1, &["t"]);
    for qos in [Q0, Q1, Q2] {
        publish(&mut net, "t", "new", qos);
    }
    ack(&mut net, 1, PacketType::Puback, 1);
    ack(&mut net, 1, PacketType::Pubrec, 2);
    ack(&mut net, 1, PacketType::Pubcomp, 2);
    assert_eq!(got(&mut net, 1), ["Pubrel#2"]);
}

/// [MQTT-3.10.4-3]: over a broken connection too.
#[test]
fn what_was_sent_before_unsubscribing_is_sent_again() {
    let mut net = Net::new();
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q1);
    publish(&mut net, "t", "1", Q1);
    got(&mut net, 1);
    unsubscribe(&mut net, 1, &["t"]);
    net.cut(1);
    net.connect(2, stay("a"));
    assert_eq!(got(&mut net, 2), ["+1@1#1"]);
}

/// [MQTT-3.10.4-4], [MQTT-3.10.4-5], [MQTT-3.10.4-6]: one answer, whether there was anything to end
/// or not.
#[test]
fn each_unsubscribe_has_one_answer() {
    let mut net = Net::new();
    net.join(1, "a");
    unsubscribe(&mut net, 1, &["never"]);
    subscribe(&mut net, 1, &[("a", Q0), ("b", Q0), ("c", Q0)]);
    unsubscribe(&mut net, 1, &["a", "never", "c", "a"]);
    assert!(net.all(1).is_empty());
    let left: Vec<_> = net.broker.subscriptions().map(|s| s.filter).collect();
    assert_eq!(left, [b"b".to_vec()]);
}

/// [MQTT-3.12.4-1]
#[test]
fn each_ping_has_its_answer() {
    let mut net = Net::new();
    net.join(1, "a");
    net.send(1, &[0xc0, 0, 0xc0, 0, 0xc0, 0]);
    assert_eq!(net.all(1), [0xd0, 0, 0xd0, 0, 0xd0, 0]);
}

/// [MQTT-4.8.0-1]: what only a server sends, and bodies that must not be.
#[test]
fn packets_out_of_place_close() {
    for bytes in [
        &[0x20, 2, 0, 0][..],
        &[0x90, 3, 0, 1, 0],
        &[0xb0, 2, 0, 1],
        &[0xd0, 0],
        &[0xc0, 1, 0],
        &[0xe0, 1, 0],
        &[0x40, 3, 0, 1, 0],
        &[0x40, 1, 0],
        &[0x00, 0],
        &[0xf0, 0],
    ] {
        assert!(closes(bytes), "{bytes:x?}");
    }
}

/// MQTT 3.1, sections 2.1 and 3.8: DUP may be set, and the upper bits behind a filter mean nothing.
#[test]
fn mqtt_3_1_is_read_by_its_own_rules() {
    let mut net = Net::new();
    net.connect(1, Connect { version: Version::V31, ..hello("old") });
    net.send(1, &[0x8a, 6, 0, 1, 0, 1, b'a', 0xfe]);
    net.send(1, &[0x82, 6, 0, 2, 0, 1, b'a', 0x41]);
    assert_eq!(net.all(1), [0x90, 3, 0, 1, 2, 0x90, 3, 0, 2, 1]);
    net.send(1, &[0xaa, 5, 0, 3, 0, 1, b'a', 0x6a, 2, 0, 9]);
    assert_eq!(net.all(1), [0xb0, 2, 0, 3, 0x70, 2, 0, 9]);
    net.send(1, &[0x38, 3, 0, 1, b'a']);
    assert!(!net.is_closed(1), "DUP at QoS 0");
    net.send(1, &[0x82, 6, 0, 2, 0, 1, b'a', 3]);
    assert!(net.is_closed(1), "but no QoS 3");
}
