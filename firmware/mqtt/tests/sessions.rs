//! Sections 3.1.2, 3.14 and 4.1: how long sessions, wills and connections last.

mod net;

use net::{Door, Net, ack, got, hello, message, stay, will};
use umqtt_mqtt::wire::{Connect, PacketType, Unsubscribe};
use umqtt_mqtt::{ConnId, Duration, Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;
const PINGREQ: &[u8] = &[0xc0, 0];
const DISCONNECT: &[u8] = &[0xe0, 0];

fn publish(net: &mut Net, payload: &str, qos: QoS) {
    net.broker.publish(b"t", payload.as_bytes(), qos, false).expect("a valid message");
    net.settle();
}

type End = fn(&mut Net);

/// All the ways a connection ends but DISCONNECT. The client is connection 1, named `a`, keep-alive
/// 10 s.
const ENDS: [(&str, End); 8] = [
    ("the network closes", |net| net.cut(1)),
    ("keep-alive", |net| net.pass(15_000)),
    ("no MQTT", |net| net.send(1, &[0xff])),
    ("DISCONNECT with wrong flags", |net| net.send(1, &[0xe1, 0])),
    ("a second CONNECT", |net| {
        let mut again = Vec::new();
        hello("a").emit(&mut again);
        net.send(1, &again);
    }),
    ("a packet over the limit", |net| net.send(1, &[0x30, 0xff, 0xff, 0x7f])),
    ("takeover", |net| {
        net.connect(2, hello("a"));
    }),
    ("the program closes it", |net| {
        assert!(net.broker.disconnect("a", net.now));
        net.settle();
    }),
];

/// [MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT-3.1.0-2], [MQTT-3.1.4-2], [MQTT-3.14.1-1],
/// [MQTT-4.8.0-1]: once, and not again at the end of a later connection.
#[test]
fn the_will_is_published_whatever_ends_the_connection() {
    for (what, end) in ENDS {
        for clean_session in [true, false] {
            let mut net = Net::new();
            net.broker.subscribe(b"gone", Q0).expect("room");
            let with_will = Connect { will: will("gone", b"a"), keep_alive: 10, ..hello("a") };
            net.connect(1, Connect { clean_session, ..with_will });
            assert_eq!(net.local(), Vec::<String>::new());
            end(&mut net);
            assert!(what == "the network closes" || net.is_closed(1), "{what}");
            assert_eq!(net.local(), ["gone=a"], "{what}");
            net.connect(3, Connect { clean_session, ..hello("a") });
            net.cut(3);
            assert_eq!(net.local(), Vec::<String>::new(), "{what}");
        }
    }
}

/// [MQTT-3.1.2-12]
#[test]
fn without_a_will_nothing_is_published() {
    for (what, end) in ENDS {
        let mut net = Net::new();
        net.broker.subscribe(b"#", Q0).expect("room");
        net.connect(1, Connect { keep_alive: 10, ..hello("a") });
        end(&mut net);
        assert_eq!(net.local(), Vec::<String>::new(), "{what}");
    }
}

/// [MQTT-3.14.4-3], [MQTT-3.1.2-10]
#[test]
fn disconnect_discards_the_will_and_closes() {
    let mut net = Net::new();
    net.broker.subscribe(b"#", Q0).expect("room");
    for clean_session in [true, false] {
        net.connect(1, Connect { will: will("gone", b"a"), clean_session, ..hello("a") });
        net.send(1, &[DISCONNECT, &message("t", b"after it", Q0, 0, false)].concat());
        assert!(net.is_closed(1));
        net.pass(100_000);
        net.connect(2, Connect { clean_session, ..hello("a") });
        net.cut(2);
        assert_eq!(net.local(), Vec::<String>::new());
    }
}

/// [MQTT-3.1.2-24]: pieces of a packet are none.
#[test]
fn only_whole_packets_keep_a_connection_alive() {
    let mut net = Net::new();
    net.connect(1, Connect { keep_alive: 4, ..hello("a") });
    let long = message("t", b"0123456789", Q0, 0, false);
    for byte in &long[..5] {
        net.pass(1_000);
        net.send(1, &[*byte]);
    }
    net.pass(999);
    assert!(!net.is_closed(1));
    net.pass(1);
    assert!(net.is_closed(1), "six seconds after CONNECT");
    assert_eq!(net.broker.stats().keep_alive_timeouts, 1);

    // The packet counts from its last byte, together with what follows it.
    net.connect(2, Connect { keep_alive: 4, ..hello("b") });
    net.pass(3_000);
    net.send(2, &long[..5]);
    net.pass(2_000);
    net.send(2, &[&long[5..], &PINGREQ[..1]].concat());
    net.pass(5_999);
    assert!(!net.is_closed(2));
    net.pass(1);
    assert!(net.is_closed(2));
}

/// [MQTT-3.1.2-24], [MQTT-3.12.4-1]: from the CONNECT on, not from the network connection.
#[test]
fn keep_alive_counts_from_connect() {
    let mut net = Net::new();
    net.open(1).expect("room");
    net.pass(9_000);
    let mut packet = Vec::new();
    Connect { keep_alive: 2, ..hello("a") }.emit(&mut packet);
    net.send(1, &packet);
    net.all(1);
    net.pass(2_999);
    net.send(1, PINGREQ);
    assert_eq!(net.all(1), [0xd0, 0]);
    net.pass(2_999);
    assert!(!net.is_closed(1));
    net.pass(1);
    assert!(net.is_closed(1));
}

/// [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-4.1.0-1], [MQTT-4.1.0-2], [MQTT-4.5.0-1]: with all that
/// belongs to it, whichever way its connection ended.
#[test]
fn a_session_is_kept_with_all_its_parts() {
    let ends: [(&str, End); 3] = [
        ENDS[0],
        ("DISCONNECT", |net| net.send(1, DISCONNECT)),
        ("no MQTT", |net| net.send(1, &[0])),
    ];
    for (what, end) in ends {
        let mut net = Net::new();
        net.broker.subscribe(b"up", Q0).expect("room");
        net.connect(1, stay("a"));
        net.subscribe(1, "t", Q2);
        publish(&mut net, "1", Q1);
        publish(&mut net, "2", Q2);
        publish(&mut net, "3", Q2);
        ack(&mut net, 1, PacketType::Pubrec, 2);
        net.send(1, &message("up", b"unreleased", Q2, 9, false));
        got(&mut net, 1);
        end(&mut net);
        for (payload, qos) in [("4", Q1), ("5", Q2)] {
            publish(&mut net, payload, qos);
        }
        net.pass(3_600_000);

        assert!(net.connect(2, stay("a")), "{what}");
        let mut again = message("up", b"unreleased", Q2, 9, false);
        again[0] |= 8;
        net.send(2, &again);
        publish(&mut net, "6", Q0); // the subscription
        let wanted = ["Pubrel#2", "Pubrec#9", "+1@1#1", "+3@2#3", "4@1#4", "6@0#0"];
        let mut seen = got(&mut net, 2);
        seen.sort_by_key(|line| !line.starts_with("Pub")); // what else there is keeps its order
        assert_eq!(seen, wanted, "{what}");
        for id in [1, 4] {
            ack(&mut net, 2, PacketType::Puback, id);
        }
        assert_eq!(got(&mut net, 2), ["5@2#5"], "{what}");
        assert_eq!(net.local(), ["up=unreleased"], "{what}");
    }
}

/// [MQTT-3.1.2-6]: nothing of it goes into the next one, either way.
#[test]
fn a_clean_session_shares_nothing_with_others() {
    let mut net = Net::new();
    net.broker.subscribe(b"up", Q0).expect("room");
    let fill = |net: &mut Net, conn| {
        net.subscribe(conn, "t", Q2);
        publish(net, "in flight", Q1);
        net.send(conn, &message("up", b"x", Q2, 9, false));
        net.cut(conn);
        publish(net, "while away", Q1);
    };
    for (first, second) in
        [(stay("a"), hello("a")), (hello("a"), hello("a")), (hello("a"), stay("a"))]
    {
        net.connect(1, first);
        fill(&mut net, 1);
        assert!(!net.connect(2, second));
        publish(&mut net, "x", Q1);
        net.send(2, &message("up", b"the id is free", Q2, 9, false));
        assert_eq!(got(&mut net, 2), ["Pubrec#9"]);
        assert_eq!(net.local(), ["up=x", "up=the id is free"]);
        net.cut(2);
        assert!(!net.connect(3, hello("a")));
        net.cut(3);
    }
    assert_eq!((net.broker.stored_sessions_len(), net.broker.subscriptions_len()), (0, 1));
}

/// [MQTT-3.1.2-7]
#[test]
fn retained_messages_outlive_the_session() {
    let mut net = Net::with(Limits::SMALL.session_expiry(Duration::from_millis(1_000)));
    net.connect(1, hello("a"));
    net.publish_retained(1, "clean", b"x");
    net.send(1, DISCONNECT);
    net.connect(2, stay("b"));
    net.publish_retained(2, "kept", b"x");
    net.cut(2);
    net.pass(1_000);
    assert_eq!(net.broker.stored_sessions_len(), 0);
    assert_eq!(net.broker.retained(b"#").count(), 2);
}

/// [MQTT-3.1.3-2]: the name alone says whose session it is, and names are told apart byte by byte.
#[test]
fn a_session_belongs_to_a_name() {
    let mut net = Net::new();
    for (conn, name) in [(1, "a"), (2, "A"), (3, "a "), (4, "\u{e9}"), (5, "e\u{301}")] {
        let limits = Limits::SMALL.max_stored_sessions(9);
        net.broker.set_limits(limits);
        assert!(!net.connect(conn, stay(name)), "{name}");
        net.subscribe(conn, &format!("to/{conn}"), Q0);
    }
    for conn in 1..=5 {
        net.cut(conn);
    }
    assert!(net.connect(9, Connect { user: Some("somebody else"), ..stay("A") }));
    net.broker.publish(b"to/1", b"x", Q0, false).expect("valid");
    net.broker.publish(b"to/2", b"x", Q0, false).expect("valid");
    net.settle();
    assert_eq!(net.messages(9), ["to/2=x"]);
}

#[test]
fn the_session_away_for_longest_makes_room_for_a_new_one() {
    let mut net = Net::with(Limits::SMALL.max_stored_sessions(3));
    for (conn, name) in [(1, "a"), (2, "b"), (3, "c")] {
        assert!(!net.connect(conn, stay(name)));
        net.subscribe(conn, name, Q1);
    }
    // All are connected: there is no place.
    let mut connect = Vec::new();
    stay("d").emit(&mut connect);
    net.open(4).expect("room");
    net.send(4, &connect);
    assert_eq!(net.all(4), [0x20, 2, 0, 3]);
    // In this order they go, and one comes back.
    net.cut(2);
    net.cut(1);
    net.cut(3);
    assert!(net.connect(5, stay("b")));
    net.cut(5);
    assert!(!net.connect(6, stay("d")), "in the place of a");
    assert_eq!((net.broker.stats().sessions_displaced, net.broker.subscriptions_len()), (1, 2));
    assert!(!net.connect(7, stay("e")), "in the place of c");
    assert!(net.connect(8, stay("b")), "it was there last");
    net.cut(6);
    assert!(!net.connect(9, stay("a")), "in the place of d");
    assert_eq!(net.broker.stats().sessions_displaced, 3);
    // Those that are not stored need none.
    net.join(10, "f");
    net.join(11, "g");
}

/// [MQTT-3.1.4-2], [MQTT-3.1.2-4]: the session goes on; the old connection gets nothing more and
/// can do nothing more.
#[test]
fn take_over_moves_the_session() {
    let mut net = Net::new();
    net.broker.subscribe(b"up", Q0).expect("room");
    net.connect(1, stay("a"));
    net.subscribe(1, "t", Q1);
    publish(&mut net, "1", Q1);
    assert_eq!(got(&mut net, 1), ["1@1#1"]);
    assert!(net.connect(2, stay("a")));
    assert!(net.is_closed(1));
    net.broker.receive(ConnId(1), &message("up", b"late", Q0, 0, false), net.now, &mut Door);
    publish(&mut net, "2", Q1);
    assert_eq!((got(&mut net, 1), net.local()), (Vec::new(), Vec::new()));
    assert_eq!(got(&mut net, 2), ["+1@1#1", "2@1#2"]);
    let mut packet = Vec::new();
    Unsubscribe::emit(5, &[b"t"], &mut packet);
    net.send(2, &packet);
    assert_eq!(net.broker.subscriptions_len(), 1, "only the program's");
}
