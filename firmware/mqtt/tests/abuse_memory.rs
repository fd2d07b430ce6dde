//! All places of a small broker but two are taken by clients who use as much of its memory as they
//! can. The two others go on talking, and what the one says reaches the other at once.

mod bystanders;
mod net;

use bystanders::{Bystanders, publish_to, subscribe_to};
use net::{Net, hello, message, stay};
use umqtt_mqtt::wire::{Connect, Will};
use umqtt_mqtt::{ConnId, Limits, QoS};

const SMALL: Limits = Limits::SMALL;
const BAD: u32 = SMALL.max_clients as u32 - 2;

/// Within its bound, but for what is always allowed.
#[track_caller]
fn is_bounded(net: &Net) {
    let memory = net.broker.memory();
    assert!(memory <= SMALL.max_memory + 64 * SMALL.max_clients, "{memory} bytes");
}

#[test]
fn readers_that_take_nothing_do_not_use_up_the_memory_of_the_others() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let mut net = Net::new();
        let mut good = Bystanders::join(&mut net);
        for conn in 0..BAD {
            net.join(conn, &format!("deaf {conn}"));
            net.subscribe(conn, &format!("flood/{conn}"), qos);
            net.stalled.push(conn);
        }
        for n in 0..1000 {
            let flood = format!("flood/{}", n / 7 % BAD);
            net.broker.publish(flood.as_bytes(), &[b'x'; 100], qos, false).ok();
            good.are_served(&mut net);
            is_bounded(&net);
        }
        assert!(net.broker.stats().messages_dropped > 700);
        net.pass(2 * SMALL.stall_timeout.as_millis());
        assert_eq!((net.broker.stats().slow, net.broker.clients_len()), (u64::from(BAD), 2));
    }
}

#[test]
fn packets_that_are_begun_do_not_use_up_the_memory_of_the_others() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    let packet = publish_to("t", &[b'x'; 4000]);
    for conn in 0..BAD {
        net.join(conn, &format!("drip {conn}"));
    }
    for piece in packet[..3990].chunks(100) {
        for conn in 0..BAD {
            net.send(conn, piece);
            good.are_served(&mut net);
            is_bounded(&net);
        }
    }
    let closed = (0..BAD).filter(|conn| net.is_closed(*conn)).count() as u64;
    assert!(closed > 0 && closed < u64::from(BAD), "{closed} of {BAD} are too many");
    assert_eq!(net.broker.stats().no_memory, closed);
}

#[test]
fn what_is_kept_leaves_memory_for_what_passes_through() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    let long = "x".repeat(SMALL.max_topic - 4);
    for n in 0..30 {
        net.open(n).expect("room");
        let last = Will {
            topic: long.as_bytes(),
            payload: &[b'x'; 2300],
            qos: QoS::AtMostOnce,
            retain: false,
        };
        let mut packet = Vec::new();
        let id = format!("keeper {n}");
        Connect { will: Some(last), ..hello(&id) }.emit(&mut packet);
        net.send(n, &packet);
        net.send(n, &subscribe_to(&[format!("{long}/{n}")]));
        net.send(n, &message(&format!("kept/{n}"), &[b'x'; 700], QoS::AtMostOnce, 0, true));
        good.are_served(&mut net);
        is_bounded(&net);
    }
    let stats = net.broker.stats();
    assert!(net.broker.clients_len() < SMALL.max_clients, "it is the memory that refused them");
    let counted = (stats.refused, stats.subscriptions_refused, stats.retained_refused);
    assert!(counted.0 > 0 && counted.1 > 0 && counted.2 > 0, "{counted:?}");
}

#[test]
fn all_of_it_at_once_leaves_the_others_alone() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    for round in 0..40 {
        for conn in 0..BAD {
            if net.is_closed(conn) || round == 0 {
                let _ = net.open(conn);
                let mut packet = Vec::new();
                hello(&format!("bad {conn}")).emit(&mut packet);
                net.send(conn, &packet);
                net.stalled.retain(|stalled| *stalled != conn);
                if conn % 2 == 0 {
                    net.send(conn, &subscribe_to(&["flood/#"]));
                    net.stalled.push(conn);
                }
            }
            net.send(conn, &publish_to(&format!("flood/{conn}"), &[b'x'; 900]));
            net.send(conn, &message(&format!("flood/{conn}"), b"kept", QoS::AtMostOnce, 0, true));
            net.send(conn, &subscribe_to(&[format!("{round}/{conn}/+")]));
            net.send(conn, &publish_to("t", &[b'x'; 2000])[..1500 - 30 * round as usize]);
            good.are_served(&mut net);
            is_bounded(&net);
        }
        net.pass(1_000);
    }
}

#[test]
fn those_who_have_a_session_can_come_back_however_much_is_kept() {
    let mut net = Net::new();
    for conn in 0..4 {
        assert!(!net.connect(conn, stay(&format!("keeper {conn}"))), "it is new");
        net.subscribe(conn, &format!("queued/{conn}"), QoS::AtLeastOnce);
        net.cut(conn);
    }
    // What waits for them may take memory that is only lent, and so more than may be kept.
    net.broker.lend_memory(2 * SMALL.max_memory);
    for n in 0..1000 {
        let topic = format!("kept/{n}");
        net.broker.publish(topic.as_bytes(), &[b'x'; 100], QoS::AtMostOnce, true).ok();
        let topic = format!("queued/{}", n % 4);
        net.broker.publish(topic.as_bytes(), &[b'x'; 1000], QoS::AtLeastOnce, false).ok();
    }
    net.broker.lend_memory(0);
    let memory = net.broker.memory();
    assert!(memory > SMALL.max_memory / 8 * 7, "{memory} bytes do not keep out strangers");
    for (conn, connect) in [(10, stay("keeper 0")), (11, hello("keeper 1"))] {
        net.open(conn).expect("room");
        let mut packet = Vec::new();
        connect.emit(&mut packet);
        net.send(conn, &packet);
        assert!(!net.is_closed(conn), "{conn}");
    }
    assert_eq!(net.broker.stats().sessions_displaced, 0, "those who come back displace nobody");
}

/// Sessions of those who are away hold so much that there is no memory for a client: the one that
/// was away for longest makes room, and no other.
#[test]
fn those_who_have_left_shut_nobody_out() {
    let mut net = Net::new();
    for conn in 0..4 {
        assert!(!net.connect(conn, stay(&format!("keeper {conn}"))), "it is new");
        net.subscribe(conn, &format!("queued/{conn}"), QoS::AtLeastOnce);
        net.cut(conn);
    }
    for n in 0..400 {
        let topic = format!("kept/{n}");
        net.broker.publish(topic.as_bytes(), &[b'x'; 100], QoS::AtMostOnce, true).ok();
        let topic = format!("queued/{}", n % 4);
        net.broker.publish(topic.as_bytes(), &[b'x'; 1000], QoS::AtLeastOnce, false).ok();
    }
    let memory = net.broker.memory();
    assert!(memory > SMALL.max_memory / 8 * 7, "{memory} bytes keep nobody out");
    let mut packet = Vec::new();
    hello("newcomer").emit(&mut packet);
    net.open(10).expect("room");
    net.send(10, &packet);
    assert!(!net.is_closed(10), "{:?}", net.broker.stats());
    assert_eq!(net.broker.stats().sessions_displaced, 1);
    assert!(!net.connect(11, stay("keeper 0")), "it was away for longest");
    assert!(net.connect(12, stay("keeper 1")), "it has lost nothing");
}

/// One who does not fit whoever makes room displaces nobody.
#[test]
fn who_does_not_fit_all_the_same_displaces_nobody() {
    let mut net = Net::new();
    for conn in 0..2 {
        assert!(!net.connect(conn, stay(&format!("keeper {conn}"))), "it is new");
        net.cut(conn);
    }
    let keepers = net.broker.memory();
    let come = |net: &mut Net, conn: u32, will: usize| {
        let (topic, payload) = (&b"will"[..], &vec![b'w'; will][..]);
        let will = Will { topic, payload, qos: QoS::AtMostOnce, retain: false };
        let mut packet = Vec::new();
        Connect { will: Some(will), ..hello(&format!("client {conn}")) }.emit(&mut packet);
        net.open(conn).expect("room");
        net.send(conn, &packet);
        !net.is_closed(conn)
    };
    let most = SMALL.max_memory / 8 * 7;
    let mut conn = 10;
    while most - net.broker.memory() > 2_000 {
        let will = (most - net.broker.memory() - 1_500).min(3_900);
        assert!(come(&mut net, conn, will), "{will}");
        conn += 1;
    }
    let left = most - net.broker.memory();
    assert!(left + keepers < 3_500, "{left} and {keepers}");
    assert!(!come(&mut net, conn, 3_900));
    assert_eq!(net.broker.stats().sessions_displaced, 0);
}

/// What waits for memory for too long makes those give way who hold it, in this order, and in the
/// end everybody.
#[test]
fn memory_that_is_needed_is_given_by_those_who_hold_the_most() {
    let mut net = Net::new();
    for conn in 0..5 {
        net.join(conn, &format!("client {conn}"));
    }
    net.broker.subscribe(b"local", QoS::AtMostOnce).unwrap();
    net.broker.publish(b"local", b"for the script", QoS::AtMostOnce, false).unwrap();
    // One is away with a session, one has begun a packet, one does not take what waits for it.
    net.connect(5, stay("away"));
    net.broker.closed(ConnId(5), net.now);
    net.send(1, &publish_to("t", &[b'x'; 600])[..500]);
    net.subscribe(2, "flood", QoS::AtMostOnce);
    net.stalled.push(2);
    net.broker.publish(b"flood", &[b'x'; 200], QoS::AtMostOnce, false).unwrap();

    let relieve = |net: &mut Net| {
        let before = net.broker.memory();
        let given = net.broker.relieve(net.now);
        assert_eq!(given, net.broker.memory() < before, "what is given is free");
        let names = net.broker.clients().map(|client| client.conn.0).collect::<Vec<_>>();
        let waits = net.broker.local_waiting();
        (given, names, net.broker.stored_sessions_len(), waits)
    };
    assert_eq!(relieve(&mut net), (true, vec![0, 2, 3, 4], 1, 1), "the one that holds the most");
    assert_eq!(relieve(&mut net), (true, vec![0, 3, 4], 1, 1), "the next");
    assert_eq!(relieve(&mut net), (true, vec![0, 3, 4], 0, 1), "a session");
    assert_eq!(relieve(&mut net), (true, vec![0, 3, 4], 0, 0), "what waits for the local client");
    let stats = net.broker.stats();
    let dropped = stats.messages_dropped;
    assert_eq!((stats.no_memory, stats.sessions_displaced, dropped), (2, 1, 1), "all are counted");
    for left in [2, 1, 0] {
        let (given, names, ..) = relieve(&mut net);
        assert!(given && names.len() == left);
    }
    assert_eq!(relieve(&mut net), (false, vec![], 0, 0), "there is nothing left");
}
