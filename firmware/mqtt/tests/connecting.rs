//! Who comes in, who is turned away, and how connections end.

mod net;

use net::{Net, hello, peer, will};
use umqtt_mqtt::wire::{Connect, Version};
use umqtt_mqtt::{ConnId, Instant, Limits, QoS, Refused};

const PINGREQ: &[u8] = &[0xc0, 0];
const DISCONNECT: &[u8] = &[0xe0, 0];

fn connect_packet(id: &str) -> Vec<u8> {
    let mut packet = Vec::new();
    assert!(hello(id).emit(&mut packet));
    packet
}

/// Sends a CONNECT and gives the return code.
fn code(net: &mut Net, conn: u32, connect: Connect<'_>) -> u8 {
    let mut packet = Vec::new();
    assert!(connect.emit(&mut packet));
    raw_code(net, conn, &packet)
}

fn raw_code(net: &mut Net, conn: u32, packet: &[u8]) -> u8 {
    net.open(conn).expect("room for one more");
    net.send(conn, packet);
    let answer = net.all(conn);
    assert_eq!((answer.len(), &answer[..3]), (4, &[0x20, 2, 0][..]));
    assert_eq!(net.is_closed(conn), answer[3] != 0);
    answer[3]
}

/// [MQTT-3.1.2-2], [MQTT-3.1.3-8], [MQTT-3.1.3-9], [MQTT-3.1.4-4], [MQTT-3.2.2-5]
#[test]
fn return_codes() {
    let mut net = Net::new();
    assert_eq!(code(&mut net, 1, hello("a")), 0);
    assert_eq!(code(&mut net, 2, Connect { version: Version::V31, ..hello("b") }), 0);
    assert_eq!(raw_code(&mut net, 3, b"\x10\x0d\0\x04MQTT\x05\x02\0\0\0\0\x01i"), 1);
    assert_eq!(code(&mut net, 4, Connect { clean_session: false, ..hello("") }), 2);
    assert_eq!(code(&mut net, 4, Connect { version: Version::V31, ..hello("") }), 2);
    assert_eq!(code(&mut net, 4, hello(&"x".repeat(65))), 2);
    assert_eq!(code(&mut net, 5, Connect { user: Some("me"), ..hello("c") }), 4);
    assert_eq!(code(&mut net, 5, Connect { user: Some("intruder"), ..hello("c") }), 5);
    let me = Connect { user: Some("me"), password: Some(b"secret"), ..hello("c") };
    assert_eq!(code(&mut net, 5, me), 0);
    assert_eq!(net.broker.stats().refused, 6);
    assert_eq!(net.broker.clients().map(|c| c.id).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn the_hook_turns_connections_away_before_they_cost_anything() {
    let mut net = Net::new();
    let refused = net.broker.open(ConnId(1), peer(666), Instant::ZERO, &mut net::Door);
    assert_eq!(refused, Err(Refused::ByHook));
    assert_eq!(net.broker.poll_at(), None);
    net.open(1).unwrap();
    assert_eq!(net.open(1), Err(Refused::AlreadyOpen));
}

/// [MQTT-3.1.3-6]
#[test]
fn clients_without_a_name_get_one_each() {
    let mut net = Net::new();
    net.join(1, "");
    net.join(2, "");
    let ids: Vec<_> = net.broker.clients().map(|c| c.id.to_owned()).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1] && !ids[0].is_empty(), "{ids:?}");
}

#[test]
fn a_full_broker_refuses_a_client_but_not_its_own_and_hears_whoever_comes() {
    let mut net = Net::with(Limits::SMALL.max_clients(2).max_waiting(2));
    net.join(1, "a");
    net.join(2, "b");
    assert_eq!(code(&mut net, 3, hello("c")), 3);
    net.join(4, "a");
    assert!(net.is_closed(1));
    net.open(5).unwrap();
    net.open(6).unwrap();
    net.open(7).unwrap();
    net.settle();
    assert_eq!([5, 6, 7].map(|conn| net.is_closed(conn)), [true, false, false]);
    assert_eq!(net.broker.clients_len(), 2);
    assert_eq!(net.broker.stats().refused, 2);
}

/// An id that is closed and given to the next connection at once sorts where the one closed did.
#[test]
fn who_makes_room_may_have_any_id() {
    let mut net = Net::with(Limits::SMALL.max_waiting(3));
    for (opened, gone) in
        [(5, None), (9, None), (2, None), (7, Some(5)), (5, Some(9)), (1, Some(2))]
    {
        net.open(opened).unwrap();
        net.settle();
        if let Some(gone) = gone {
            assert!(net.is_closed(gone), "{gone} for {opened}");
        }
    }
    for conn in [7, 5, 1] {
        net.send(conn, &connect_packet(&conn.to_string()));
        assert_eq!(net.all(conn), [0x20, 2, 0, 0]);
    }
}

/// Whoever asks for nothing to be closed in between does not make the list of that grow.
#[test]
fn as_many_wait_to_be_closed_as_may_wait() {
    let mut net = Net::with(Limits::SMALL.max_waiting(2));
    for conn in 0..4 {
        net.open(conn).unwrap();
    }
    assert_eq!(net.open(4), Err(Refused::TooMany));
    net.settle();
    net.open(4).unwrap();
    assert_eq!(Net::with(Limits::SMALL.max_waiting(0)).open(1), Err(Refused::TooMany));
}

/// [MQTT-3.1.0-1], [MQTT-3.1.0-2]
#[test]
fn connect_has_to_come_in_time_and_first_and_once() {
    let mut net = Net::new();
    net.open(1).unwrap();
    net.pass(9_999);
    assert!(!net.is_closed(1));
    net.pass(1);
    assert!(net.is_closed(1));

    net.open(2).unwrap();
    net.send(2, PINGREQ);
    assert!(net.is_closed(2) && net.all(2).is_empty());

    net.join(3, "a");
    let mut again = Vec::new();
    hello("a").emit(&mut again);
    net.send(3, &again);
    assert!(net.is_closed(3));
}

/// [MQTT-3.1.2-24]
#[test]
fn keep_alive_is_one_and_a_half_times_what_was_promised() {
    let mut net = Net::new();
    net.join(9, "watcher");
    net.subscribe(9, "#", QoS::AtMostOnce);
    net.connect(1, Connect { keep_alive: 10, will: will("gone", b"1"), ..hello("a") });
    for _ in 0..5 {
        net.pass(14_999);
        net.send(1, PINGREQ);
        assert_eq!(net.take(1, 2), [0xd0, 0]);
    }
    net.pass(14_999);
    assert!(!net.is_closed(1) && net.messages(9).is_empty());
    net.pass(1);
    assert!(net.is_closed(1));
    assert_eq!(net.messages(9), ["gone=1"]);
    net.pass(10_000_000);
    assert!(!net.is_closed(9), "keep-alive 0 promises nothing");
}

/// [MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT-3.14.4-3]
#[test]
fn the_will_is_for_those_who_do_not_take_their_leave() {
    let mut net = Net::new();
    net.join(9, "watcher");
    net.subscribe(9, "#", QoS::AtMostOnce);
    let with_will = Connect { will: will("gone", b"a"), ..hello("a") };
    net.connect(1, with_will);
    net.send(1, DISCONNECT);
    assert!(net.is_closed(1));
    assert_eq!(net.messages(9), Vec::<String>::new());

    net.connect(1, with_will);
    net.cut(1);
    assert_eq!(net.messages(9), ["gone=a"]);

    net.connect(1, with_will);
    net.send(1, &[0xff]);
    assert!(net.is_closed(1));
    assert_eq!(net.messages(9), ["gone=a"]);

    net.connect(1, with_will);
    assert!(net.broker.disconnect("a", net.now));
    net.settle();
    assert_eq!(net.messages(9), ["gone=a"]);
    assert!(!net.broker.disconnect("a", net.now));
}

/// [MQTT-3.1.2-17]
#[test]
fn a_retained_will_stays() {
    let mut net = Net::new();
    let mut last = will("state/a", b"off").unwrap();
    last.retain = true;
    net.connect(1, Connect { will: Some(last), ..hello("a") });
    net.cut(1);
    assert_eq!(net.broker.retained(b"state/+").next().unwrap().payload, b"off");
}

/// [MQTT-3.1.4-2], [MQTT-3.1.2-6]
#[test]
fn a_newcomer_with_the_same_id_takes_over() {
    let mut net = Net::new();
    net.join(9, "watcher");
    net.subscribe(9, "gone", QoS::AtMostOnce);
    net.connect(1, Connect { will: will("gone", b"1"), ..hello("a") });
    net.subscribe(1, "t", QoS::AtMostOnce);
    net.connect(2, Connect { will: will("gone", b"2"), ..hello("a") });
    assert!(net.is_closed(1) && !net.is_closed(2));
    assert_eq!(net.messages(9), ["gone=1"]);
    net.publish(9, "t", b"x");
    assert_eq!(net.messages(2), Vec::<String>::new(), "clean session: nothing is inherited");
    net.cut(1); // the news comes late, and means nothing now
    assert_eq!(net.messages(9), Vec::<String>::new());
    assert_eq!(net.broker.stats().takeovers, 1);
}

/// [MQTT-4.8.0-1]
#[test]
fn malformed_packets_close_their_connection_alone() {
    let mut net = Net::new();
    net.join(9, "witness");
    for (what, bytes) in [
        ("type 0", &[0x00, 0][..]),
        ("type 15", &[0xf0, 0]),
        ("server's packet", &[0x20, 2, 0, 0]),
        ("flags", &[0x80, 5, 0, 1, 0, 1, b'a', 0]),
        ("length of five bytes", &[0x30, 0x80, 0x80, 0x80, 0x80, 1]),
        ("too large, header only", &[0x30, 0x80, 0x80, 0x01]),
        ("qos 3", &[0x36, 5, 0, 1, b'a', 0, 1]),
        ("publish to a wildcard", &[0x30, 3, 0, 1, b'#']),
        ("empty topic", &[0x30, 2, 0, 0]),
        ("packet id 0", &[0x32, 5, 0, 1, b'a', 0, 0]),
        ("no filter", &[0x82, 2, 0, 1]),
        ("bad filter", &[0x82, 7, 0, 1, 0, 2, b'a', b'#', 0]),
        ("ping with a body", &[0xc0, 1, 0]),
        ("disconnect with a body", &[0xe0, 1, 0]),
        ("topic beyond the end", &[0x30, 3, 0, 9, b'a']),
    ] {
        net.join(1, "a");
        net.send(1, bytes);
        assert!(net.is_closed(1), "{what}");
        net.send(9, PINGREQ);
        assert_eq!(net.take(9, 2), [0xd0, 0], "{what}");
    }
    let stats = net.broker.stats();
    assert_eq!((stats.protocol_errors, stats.too_large), (14, 1));
}

#[test]
fn a_packet_is_handled_as_soon_as_its_last_byte_is_there() {
    let mut net = Net::new();
    net.open(1).expect("room");
    let mut packet = Vec::new();
    hello("a").emit(&mut packet);
    for byte in packet {
        assert!(net.all(1).is_empty());
        net.send(1, &[byte]);
    }
    assert_eq!(net.all(1), [0x20, 2, 0, 0]);
    net.send(1, &PINGREQ[..1]);
    net.send(1, &PINGREQ[1..]);
    assert_eq!(net.all(1), [0xd0, 0]);
}

#[test]
fn mqtt_3_1_may_repeat_its_subscribe() {
    let mut net = Net::new();
    net.connect(1, Connect { version: Version::V31, ..hello("old") });
    net.send(1, &[0x8a, 6, 0, 1, 0, 1, b'a', 0]);
    assert_eq!(net.all(1), [0x90, 3, 0, 1, 0]);
}

#[test]
fn a_client_that_does_not_read_its_answers_is_closed() {
    let mut net = Net::with(Limits::SMALL.max_control_bytes(100));
    net.join(1, "deaf");
    net.stalled.push(1);
    for _ in 0..50 {
        net.send(1, PINGREQ);
    }
    assert!(!net.is_closed(1));
    net.send(1, PINGREQ);
    net.pass(4_999);
    assert!(!net.is_closed(1), "its answers may still be sent");
    net.pass(1);
    assert!(net.is_closed(1), "but not for ever");
}

#[test]
fn nothing_is_left_of_clients_that_are_gone() {
    let mut net = Net::with(Limits::SMALL.max_clients(3));
    for round in 0..200 {
        let id = format!("client {round}");
        net.connect(round, Connect { keep_alive: 5, will: will("w", b"w"), ..hello(&id) });
        net.subscribe(round, "a/+/b", QoS::AtMostOnce);
        match round % 3 {
            0 => net.cut(round),
            1 => net.send(round, DISCONNECT),
            _ => net.pass(7_500),
        }
        assert_eq!((net.broker.clients_len(), net.broker.subscriptions_len()), (0, 0));
        assert_eq!((net.broker.stored_sessions_len(), net.broker.poll_at()), (0, None));
    }
}
