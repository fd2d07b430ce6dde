//! Sections 3.1 and 3.2: what is in a CONNECT, and the CONNACK to it.

mod net;

use net::{Net, hello, message, peer, stay, will};
use umqtt_mqtt::wire::{Connect, Version, Will};
use umqtt_mqtt::{Broker, ConnId, Credentials, Hooks, Instant, Limits, QoS, Verdict};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// What came of a CONNECT.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// Accepted; session present.
    Accepted(bool),
    /// A CONNACK with another return code, and the connection was closed.
    Refused(u8),
    /// Closed without a word.
    Closed,
}

/// Sends bytes on a new connection.
#[track_caller]
fn offer(net: &mut Net, conn: u32, bytes: &[u8]) -> Answer {
    net.open(conn).expect("room");
    net.send(conn, bytes);
    let answer = net.all(conn);
    let closed = net.is_closed(conn);
    match answer[..] {
        [] if closed => Answer::Closed,
        [0x20, 2, present, 0] if !closed => Answer::Accepted(present == 1),
        [0x20, 2, 0, code] if closed => Answer::Refused(code),
        _ => panic!("{answer:x?}, closed: {closed}"),
    }
}

fn emit(connect: Connect<'_>) -> Vec<u8> {
    let mut packet = Vec::new();
    assert!(connect.emit(&mut packet));
    packet
}

/// A CONNECT of protocol name, level, flags, no keep-alive, and these fields.
fn raw(name: &[u8], level: u8, flags: u8, fields: &[&[u8]]) -> Vec<u8> {
    let mut body = vec![0, name.len() as u8];
    body.extend_from_slice(name);
    body.extend_from_slice(&[level, flags, 0, 0]);
    for field in fields {
        body.extend_from_slice(&[0, field.len() as u8]);
        body.extend_from_slice(field);
    }
    [&[0x10, body.len() as u8][..], &body].concat()
}

/// [MQTT-3.1.0-1]: each packet type, as soon as its first two bytes are there, and without an
/// answer.
#[test]
fn nothing_but_connect_comes_first() {
    for first in
        [0x20, 0x30, 0x32, 0x40, 0x50, 0x62, 0x70, 0x82, 0x90, 0xa2, 0xb0, 0xc0, 0xd0, 0xe0]
    {
        let mut net = Net::new();
        net.broker.subscribe(b"#", Q0).expect("room");
        assert_eq!(offer(&mut net, 1, &[first, 5]), Answer::Closed, "{first:#x}");
    }
    let mut net = Net::new();
    net.broker.subscribe(b"#", Q0).expect("room");
    let publish = message("t", b"x", Q0, 0, true);
    assert_eq!(offer(&mut net, 1, &[publish, emit(hello("a"))].concat()), Answer::Closed);
    assert_eq!((net.local(), net.broker.retained_len()), (Vec::new(), 0));
}

/// [MQTT-3.1.2-1]
#[test]
fn another_protocol_name_is_closed_without_an_answer() {
    for name in [&b"mqtt"[..], b"MQTX", b"MQTT5", b"", b"MQIsdP", b"HTTP"] {
        for level in [3, 4] {
            let packet = raw(name, level, 2, &[b"a"]);
            assert_eq!(offer(&mut Net::new(), 1, &packet), Answer::Closed, "{name:?}");
        }
    }
}

/// [MQTT-3.1.2-2], [MQTT-3.2.2-4], [MQTT-3.2.2-5]: also a CONNECT of MQTT 5, whose rest means
/// something else.
#[test]
fn another_protocol_level_is_refused_by_1() {
    for (name, own) in [(&b"MQTT"[..], 4), (b"MQIsdp", 3)] {
        // With the highest bit set it is a bridge.
        for level in (0..=255).filter(|level| level & 0x7f != own) {
            let packet = raw(name, level, 2, &[b"a"]);
            assert_eq!(offer(&mut Net::new(), 1, &packet), Answer::Refused(1), "{level}");
        }
    }
    assert_eq!(offer(&mut Net::new(), 1, &raw(b"MQIsdp", 4, 2, &[b"a"])), Answer::Refused(1));
    let mqtt_5 = b"\x10\x13\0\x04MQTT\x05\x02\0\x3c\x05\x11\0\0\0\x0a\0\x01a";
    assert_eq!(offer(&mut Net::new(), 1, mqtt_5), Answer::Refused(1));
}

/// [MQTT-3.1.2-3], [MQTT-3.1.2-9], [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-14],
/// [MQTT-3.1.2-15], [MQTT-3.1.2-18], [MQTT-3.1.2-19], [MQTT-3.1.2-20], [MQTT-3.1.2-21],
/// [MQTT-3.1.2-22], [MQTT-3.1.3-3],
/// [MQTT-3.1.4-1], [MQTT-3.1.4-4]: every combination of flags, with exactly the fields they
/// announce, one less, and one more.
#[test]
fn all_flags_with_and_without_their_fields() {
    for flags in 0..=255_u8 {
        let has = |bit| flags & bit != 0;
        let (has_will, user, password) = (has(0x04), has(0x80), has(0x40));
        let mut fields = vec![&b"a"[..]];
        fields.extend_from_slice(if has_will { &[b"will topic", b"will"] } else { &[] });
        fields.extend_from_slice(if user { &[b"user"] } else { &[] });
        fields.extend_from_slice(if password { &[b"password"] } else { &[] });

        let reserved = has(0x01);
        let will_qos_3 = flags & 0x18 == 0x18;
        let will_bits_alone = !has_will && flags & 0x38 != 0;
        let password_alone = password && !user;
        let sound = !(reserved || will_qos_3 || will_bits_alone || password_alone);
        let wanted = if sound { Answer::Accepted(false) } else { Answer::Closed };
        let whole = raw(b"MQTT", 4, flags, &fields);
        assert_eq!(offer(&mut Net::new(), 1, &whole), wanted, "{flags:08b}");

        let less = raw(b"MQTT", 4, flags, &fields[..fields.len() - 1]);
        assert_eq!(offer(&mut Net::new(), 1, &less), Answer::Closed, "{flags:08b}, a field less");
        fields.push(b"more");
        let more = raw(b"MQTT", 4, flags, &fields);
        assert_eq!(offer(&mut Net::new(), 1, &more), Answer::Closed, "{flags:08b}, a field more");
    }
}

/// Remembers what it was asked.
#[derive(Default)]
struct Witness(Vec<String>);

impl Hooks for Witness {
    fn on_auth(&mut self, who: &Credentials<'_>) -> Verdict {
        let password = who.password.map(|bytes| bytes.escape_ascii().to_string());
        self.0.push(format!("{} {:?} {:?}", who.client_id, who.user, password));
        Verdict::Accept
    }
}

/// [MQTT-3.1.3-1], [MQTT-3.1.2-19], [MQTT-3.1.2-21]: each field is what stands in its place.
#[test]
fn fields_come_in_their_order() {
    let mut broker = Broker::new(Limits::SMALL);
    let mut witness = Witness::default();
    broker.subscribe(b"#", Q0).expect("room");
    for (conn, flags, fields) in [
        (1, 0xc6, &[&b"id"[..], b"topic", b"last", b"user", b"p\0\xff"][..]),
        (2, 0x82, &[b"id2", b"user"]),
        (3, 0xc2, &[b"id3", b"", b""]),
    ] {
        let conn = ConnId(conn);
        broker.open(conn, peer(1), Instant::ZERO, &mut witness).expect("room");
        broker.receive(conn, &raw(b"MQTT", 4, flags, fields), Instant::ZERO, &mut witness);
        broker.closed(conn, Instant::ZERO);
    }
    let wanted = [
        r#"id Some("user") Some("p\\x00\\xff")"#,
        r#"id2 Some("user") None"#,
        r#"id3 Some("") Some("")"#,
    ];
    assert_eq!(witness.0, wanted);
    let last = broker.poll_local().expect("the will of the first");
    assert_eq!((last.topic(), last.payload()), (&b"topic"[..], &b"last"[..]));
}

/// [MQTT-3.1.3-5]
#[test]
fn names_of_1_to_23_letters_and_digits_are_allowed() {
    let all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let limits = Limits::SMALL.max_clients(100).max_memory(64 * 1024);
    let mut net = Net::with(limits);
    for (conn, start) in (0..all.len() - 22).enumerate() {
        net.join(conn as u32, &all[start..start + 23]);
    }
    for len in 1..23 {
        net.join(100 + len as u32, &all[..len]);
    }
    assert_eq!(net.broker.clients_len(), 40 + 22);
}

/// [MQTT-3.1.3-6]: it then has all that other clients have.
#[test]
fn a_nameless_client_gets_a_name_that_nobody_has() {
    let mut net = Net::new();
    net.join(1, "");
    let given = net.broker.clients().map(|client| client.id.to_owned()).next().expect("one");
    net.cut(1);
    // Somebody takes the next name the broker would give.
    let number = u32::from_str_radix(&given["auto-".len()..], 16).expect("a number");
    net.join(2, &format!("auto-{:08x}", number + 1));
    net.join(3, "");
    net.join(4, "");
    assert_eq!(net.broker.clients_len(), 3, "nobody was taken over");
    net.subscribe(3, "t", Q0);
    net.publish(4, "t", b"x");
    assert_eq!((net.messages(3), net.messages(4)), (vec!["t=x".to_owned()], Vec::new()));
}

/// [MQTT-3.1.3-8], [MQTT-3.1.3-9], [MQTT-3.2.2-4], [MQTT-3.2.2-5]
#[test]
fn a_name_that_is_not_allowed_is_refused_by_2() {
    let mut net = Net::new();
    assert_eq!(offer(&mut net, 1, &emit(stay(""))), Answer::Refused(2));
    let old = Connect { version: Version::V31, ..hello("") };
    assert_eq!(offer(&mut net, 1, &emit(old)), Answer::Refused(2), "MQTT 3.1 has no empty names");
    let long = "x".repeat(Limits::SMALL.max_client_id + 1);
    assert_eq!(offer(&mut net, 1, &emit(hello(&long))), Answer::Refused(2));
    assert_eq!(offer(&mut net, 1, &emit(hello(&long[1..]))), Answer::Accepted(false));
}

/// [MQTT-3.1.4-5], [MQTT-3.1.2-8]: the rest is not read, in the same piece or later; there is no
/// will either.
#[test]
fn what_follows_a_refused_connect_is_ignored() {
    for connect in [
        Connect { user: Some("intruder"), ..hello("a") },
        Connect { clean_session: false, ..hello("") },
    ] {
        let mut net = Net::new();
        net.broker.subscribe(b"#", Q0).expect("room");
        net.open(1).expect("room");
        net.stalled.push(1); // so that the connection lingers
        let message = message("t", b"x", Q0, 0, true);
        let packet = emit(Connect { will: will("gone", b"x"), ..connect });
        net.send(1, &[&packet[..], &message].concat());
        net.send(1, &message);
        net.stalled.clear();
        net.drain(1);
        net.settle();
        assert!(net.is_closed(1));
        assert_eq!((net.local(), net.broker.retained_len()), (Vec::new(), 0));
    }
}

/// [MQTT-3.2.0-1]: also before all that waited for the client.
#[test]
fn connack_comes_first() {
    let mut net = Net::new();
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q2);
    for qos in [Q2, Q1, Q0] {
        net.broker.publish(b"t", b"x", qos, false).expect("valid");
    }
    net.settle();
    net.send(1, &[0x50, 2, 0, 1]); // PUBREC, so that a PUBREL is due too
    net.cut(1);
    net.broker.publish(b"t", b"x", Q0, false).expect("valid");
    net.open(2).expect("room");
    net.send(2, &emit(stay("a")));
    assert_eq!(net.all(2)[..6], [0x20, 2, 1, 0, 0x62, 2]);
}

/// [MQTT-3.2.2-1], [MQTT-3.2.2-2], [MQTT-3.2.2-3], [MQTT-3.1.4-3], [MQTT-3.1.2-6]
#[test]
fn session_present_says_whether_there_was_one() {
    let mut net = Net::new();
    assert!(!net.connect(1, stay("a")), "a new one");
    net.cut(1);
    assert!(net.connect(2, stay("a")), "kept, though nothing is in it");
    net.cut(2);
    assert!(!net.connect(3, hello("a")), "clean, and it was there");
    net.cut(3);
    assert!(!net.connect(4, stay("a")), "the clean one has ended it");
    assert!(net.connect(5, stay("a")), "by takeover");
    net.cut(5);
    let old = Connect { version: Version::V31, ..stay("a") };
    assert!(!net.connect(6, old), "MQTT 3.1 has no such bit");
}

/// [MQTT-3.1.2-9], [MQTT-3.1.2-16], [MQTT-3.1.2-17]
#[test]
fn a_will_is_published_at_its_qos_and_retained_if_it_says_so() {
    for qos in [Q0, Q1, Q2] {
        for retain in [false, true] {
            let mut net = Net::new();
            net.broker.subscribe(b"#", Q2).expect("room");
            let last = Will { topic: b"gone", payload: b"\0\xff", qos, retain };
            net.connect(1, Connect { will: Some(last), ..hello("a") });
            net.cut(1);
            let message = net.broker.poll_local().expect("the will");
            assert_eq!((message.qos(), message.payload()), (qos, &b"\0\xff"[..]));
            assert!(!message.retain(), "the subscription was there before");
            let kept: Vec<_> = net.broker.retained(b"#").map(|m| (m.topic, m.qos)).collect();
            assert_eq!(kept, if retain { vec![(&b"gone"[..], qos)] } else { vec![] });
        }
    }
}

/// [MQTT-3.2.2-6]: no return code says what is wrong with these.
#[test]
fn where_no_return_code_fits_the_connection_is_closed() {
    let mut net = Net::new();
    let bad_will = Connect { will: will("a/+", b""), ..hello("a") };
    assert_eq!(offer(&mut net, 1, &emit(bad_will)), Answer::Closed);
    let long = "x".repeat(Limits::SMALL.max_topic + 1);
    let long_will = Connect { will: will(&long, b""), ..hello("a") };
    assert_eq!(offer(&mut net, 1, &emit(long_will)), Answer::Closed);
    let payload = vec![0; Limits::SMALL.max_packet];
    let large = Connect { will: will("a", &payload), ..hello("a") };
    assert_eq!(offer(&mut net, 1, &emit(large)), Answer::Closed);
}
