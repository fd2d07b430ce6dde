//! Chapters 1 and 2: strings, the fixed header, packet ids.

mod net;

use net::{Net, ack, got, hello, message, packets, stay};
use umqtt_mqtt::wire::{PacketType, Publish, Unsubscribe, emit_ack};
use umqtt_mqtt::{Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// A packet of a first byte and a body of less than 128 bytes.
fn packet(first: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    [&[first, body.len() as u8][..], &body].concat()
}

/// Bytes behind their length.
fn field(bytes: &[u8]) -> Vec<u8> {
    [&[0, bytes.len() as u8][..], bytes].concat()
}

/// A packet for every place of a string, with this string in it: its name, whether it is a CONNECT,
/// its bytes.
fn wherever_strings_are(text: &[u8]) -> Vec<(&'static str, bool, Vec<u8>)> {
    let (ok, bad) = (field(b"ok"), field(text));
    let connect = |flags: u8, rest: &[&[u8]]| {
        packet(0x10, &[&[b"\0\x04MQTT\x04", &[flags, 0, 0][..]].concat(), &rest.concat()])
    };
    vec![
        ("client id", true, connect(0x02, &[&bad])),
        ("will topic", true, connect(0x06, &[&ok, &bad, &ok])),
        ("user name", true, connect(0x82, &[&ok, &bad])),
        ("topic name", false, packet(0x30, &[&bad, b"payload"])),
        ("filter to subscribe", false, packet(0x82, &[b"\0\x01", &bad, b"\0"])),
        ("second filter", false, packet(0x82, &[b"\0\x01", &ok, b"\0", &bad, b"\0"])),
        ("filter to unsubscribe", false, packet(0xa2, &[b"\0\x01", &bad])),
    ]
}

/// Whether a packet closes its connection; what was answered does not matter.
fn closes(connect: bool, bytes: &[u8]) -> bool {
    let mut net = Net::new();
    if connect {
        net.open(1).expect("room");
    } else {
        net.join(1, "a");
    }
    net.send(1, bytes);
    assert!(!net.is_closed(1) || net.all(1).is_empty(), "closed without a word");
    net.is_closed(1)
}

/// [MQTT-1.5.3-1], [MQTT-3.1.3-4], [MQTT-3.1.3-10], [MQTT-3.1.3-11], [MQTT-3.3.2-1],
/// [MQTT-3.8.3-1], [MQTT-3.10.3-1]
#[test]
fn ill_formed_utf_8_closes_wherever_it_is() {
    for (why, text) in [
        ("a stray byte", &b"a\xff"[..]),
        ("a stray continuation", b"\x80"),
        ("cut short", b"a\xe2\x82"),
        ("overlong", b"\xc0\xaf"),
        ("overlong U+0000", b"\xc0\x80"),
        ("surrogate U+D800", b"\xed\xa0\x80"),
        ("surrogate U+DFFF", b"\xed\xbf\xbf"),
        ("a pair of surrogates", b"\xed\xa0\x81\xed\xb0\x81"),
        ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
    ] {
        for (place, connect, bytes) in wherever_strings_are(text) {
            assert!(closes(connect, &bytes), "{why} in the {place}");
        }
    }
}

/// [MQTT-1.5.3-2], [MQTT-4.7.3-2]
#[test]
fn the_null_character_closes_wherever_it_is() {
    for text in [&b"\0"[..], b"a\0b"] {
        for (place, connect, bytes) in wherever_strings_are(text) {
            assert!(closes(connect, &bytes), "{place}");
        }
    }
}

/// Section 1.5.3 leaves open what becomes of control characters and non-characters. Most clients
/// close their connection when they receive one, so one such topic would cut off all its
/// subscribers: who sends it is closed.
#[test]
fn control_characters_and_non_characters_close() {
    let mut texts: Vec<String> =
        ["\u{1}", "a\u{1f}", "\u{7f}/b", "\u{80}", "\u{9f}", "\u{fdd0}", "\u{fdef}"]
            .map(String::from)
            .into();
    for plane in 0..=16_u32 {
        for last in [0xfffe, 0xffff] {
            texts.extend(char::from_u32(plane << 16 | last).map(|c| format!("a{c}")));
        }
    }
    assert_eq!(texts.len(), 7 + 34);
    for text in texts {
        for (place, connect, bytes) in wherever_strings_are(text.as_bytes()) {
            assert!(closes(connect, &bytes), "{} in the {place}", text.escape_unicode());
        }
    }
}

/// Section 1.5.3
#[test]
fn all_other_characters_are_taken_as_they_are() {
    for text in
        [" ", "~", "a b", "\u{a0}", "\u{fdcf}", "\u{fdf0}", "\u{fffd}", "\u{feff}", "\u{1f980}"]
    {
        for (place, connect, bytes) in wherever_strings_are(text.as_bytes()) {
            assert!(!closes(connect, &bytes), "{} in the {place}", text.escape_unicode());
        }
    }
}

/// [MQTT-1.5.3-3]
#[test]
fn a_byte_order_mark_is_a_character() {
    let mut net = Net::new();
    net.join(1, "\u{feff}a");
    net.join(2, "a");
    assert_eq!(net.broker.clients_len(), 2, "two names");
    net.subscribe(1, "\u{feff}t", Q0);
    net.subscribe(2, "t", Q0);
    net.publish(1, "\u{feff}t", b"marked");
    net.publish(1, "t", b"plain");
    assert_eq!(net.messages(1), ["\u{feff}t=marked"]);
    assert_eq!(net.messages(2), ["t=plain"]);
}

/// The client's packets with the flags they must have.
fn client_packets() -> Vec<(PacketType, u8, &'static [u8])> {
    vec![
        (PacketType::Puback, 0, b"\0\x01"),
        (PacketType::Pubrec, 0, b"\0\x01"),
        (PacketType::Pubrel, 2, b"\0\x01"),
        (PacketType::Pubcomp, 0, b"\0\x01"),
        (PacketType::Subscribe, 2, b"\0\x01\0\x01t\0"),
        (PacketType::Unsubscribe, 2, b"\0\x01\0\x01t"),
        (PacketType::Pingreq, 0, b""),
        (PacketType::Disconnect, 0, b""),
    ]
}

/// [MQTT-2.2.2-1], [MQTT-2.2.2-2], [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1], [MQTT-3.14.1-1]
#[test]
fn every_wrong_flag_of_every_packet_closes() {
    for (kind, right, body) in client_packets() {
        for flags in 0..16 {
            let mut net = Net::new();
            net.join(1, "a");
            net.send(1, &packet((kind as u8) << 4 | flags, &[body]));
            let disconnected = kind == PacketType::Disconnect && flags == right;
            assert_eq!(net.is_closed(1), flags != right || disconnected, "{kind:?} {flags:04b}");
            let faults = u64::from(flags != right);
            assert_eq!(net.broker.stats().protocol_errors, faults, "{kind:?} {flags:04b}");
        }
    }
    let mut connect = Vec::new();
    hello("a").emit(&mut connect);
    for flags in 1..16 {
        connect[0] = 0x10 | flags;
        assert!(closes(true, &connect), "CONNECT {flags:04b}");
    }
}

/// [MQTT-2.2.2-1]: the flags of all the broker says; reading them checks them.
#[test]
fn the_broker_s_own_flags_are_right() {
    let mut net = Net::new();
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q2);
    for qos in [Q0, Q1, Q2] {
        net.send(1, &message("t", b"x", qos, 9, true));
    }
    for (kind, flags, body) in client_packets() {
        if kind != PacketType::Disconnect {
            net.send(1, &packet((kind as u8) << 4 | flags, &[body]));
        }
    }
    let bytes = net.all(1);
    let mut kinds: Vec<_> = packets(&bytes).iter().map(|(header, _)| header.kind as u8).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, [3, 4, 5, 6, 7, 9, 11, 13], "one of each, CONNACK was taken before");
}

/// [MQTT-2.3.1-1]
#[test]
fn packet_id_0_closes() {
    for (kind, flags, body) in client_packets() {
        if body.is_empty() {
            continue;
        }
        let zero = [b"\0\0", &body[2..]].concat();
        assert!(closes(false, &packet((kind as u8) << 4 | flags, &[&zero])), "{kind:?}");
    }
    for qos in [Q1, Q2] {
        assert!(closes(false, &message("t", b"x", qos, 0, false)));
    }
}

/// [MQTT-2.3.1-5], [MQTT-3.3.2-1]: at QoS 0 the payload follows the topic at once, both ways.
#[test]
fn qos_0_has_no_packet_id() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "t", Q2);
    net.send(1, b"\x30\x06\0\x01t\0\x01x");
    assert_eq!(net.all(1), b"\x30\x06\0\x01t\0\x01x");
}

/// [MQTT-2.3.1-6], [MQTT-2.3.1-7], [MQTT-3.8.4-2], [MQTT-3.10.4-4], [MQTT-4.3.2-2], [MQTT-4.3.3-2]
#[test]
fn answers_carry_the_id_of_what_they_answer() {
    let mut net = Net::new();
    net.join(1, "a");
    for id in [1, 2, 255, 256, 0x7fff, 0x8000, u16::MAX] {
        let [high, low] = id.to_be_bytes();
        net.send(1, &message("t", b"x", Q1, id, false));
        net.send(1, &message("t", b"x", Q2, id, false));
        ack(&mut net, 1, PacketType::Pubrel, id);
        net.send(1, &[0x82, 6, high, low, 0, 1, b'u', 0]);
        let mut unsubscribe = Vec::new();
        Unsubscribe::emit(id, &[b"u"], &mut unsubscribe);
        net.send(1, &unsubscribe);
        let wanted = [
            &emit_ack(PacketType::Puback, id)[..],
            &emit_ack(PacketType::Pubrec, id),
            &emit_ack(PacketType::Pubcomp, id),
            &[0x90, 3, high, low, 0],
            &emit_ack(PacketType::Unsuback, id),
        ];
        assert_eq!(net.all(1), wanted.concat(), "{id}");
    }
}

/// [MQTT-2.3.1-4], [MQTT-2.3.1-1], [MQTT-4.3.2-1], [MQTT-4.3.3-1]: through all ids and beyond,
/// those still in use are left out, and 0.
#[test]
fn the_broker_takes_unused_packet_ids() {
    let mut net = Net::with(Limits::SMALL.max_inflight(3));
    net.join(1, "a");
    net.subscribe(1, "t", Q2);
    let publish = |net: &mut Net, qos| {
        net.broker.publish(b"t", b"x", qos, false).expect("valid");
        net.settle();
        let bytes = net.all(1);
        let packets = packets(&bytes);
        let (header, body) = packets.first().expect("it is delivered");
        Publish::parse(header, body).expect("valid").packet_id
    };
    assert_eq!((publish(&mut net, Q1), publish(&mut net, Q2)), (1, 2));
    ack(&mut net, 1, PacketType::Pubrec, 2); // still in use until PUBCOMP
    net.all(1);
    for round in 0..65_600_u32 {
        let id = publish(&mut net, Q1);
        assert!(id > 2, "id {id} in round {round}");
        ack(&mut net, 1, PacketType::Puback, id);
    }
    ack(&mut net, 1, PacketType::Puback, 1);
    ack(&mut net, 1, PacketType::Pubcomp, 2);
    assert_eq!(got(&mut net, 1), Vec::<String>::new());
    let reused = (0..65_600).map(|_| {
        let id = publish(&mut net, Q1);
        ack(&mut net, 1, PacketType::Puback, id);
        id
    });
    assert!(reused.filter(|id| *id <= 2).count() >= 2, "and are used again when free");
}
