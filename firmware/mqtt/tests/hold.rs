//! Messages of QoS 1 and 2 are held back while a subscriber that is connected has no room for them.

mod net;

use net::{Door, Net, ack, got, message, stay};
use umqtt_mqtt::wire::PacketType;
use umqtt_mqtt::{ConnId, Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// A subscriber to `t` with room for two messages, of which one may be in flight, and a publisher.
fn full(qos: QoS) -> Net {
    let mut net = Net::with(Limits::SMALL.max_queue_messages(2).max_inflight(1));
    net.join(1, "reader");
    net.subscribe(1, "t", qos);
    net.join(2, "sender");
    net
}

/// How many of these bytes of the sender are left when no more are taken.
fn offer(net: &mut Net, bytes: &[u8]) -> usize {
    let mut left = bytes;
    while !left.is_empty() {
        let taken = net.broker.receive_or_hold(ConnId(2), left, net.now, &mut Door);
        net.settle();
        left = &left[taken..];
        if taken == 0 {
            assert!(net.broker.is_holding());
            break;
        }
    }
    left.len()
}

fn dropped(net: &Net) -> u64 {
    net.broker.stats().messages_dropped
}

/// However the bytes are cut: each message comes once, in its order, and none is acknowledged
/// before it is queued.
#[test]
fn each_comes_once_in_its_order() {
    for qos in [Q1, Q2] {
        for step in 1..40 {
            let mut net = full(qos);
            let mut left: Vec<u8> =
                (1..=9).flat_map(|n| message("t", &[b'0' + n; 5], qos, n.into(), false)).collect();
            let (mut came, mut answers) = (Vec::new(), 0);
            while came.len() < 9 {
                let piece = left.len().min(step);
                let rest = offer(&mut net, &left[..piece]);
                left.drain(..piece - rest);
                for packet in got(&mut net, 1) {
                    let id = packet.rsplit('#').next().unwrap().parse().unwrap();
                    if packet.starts_with("Pubrel") {
                        ack(&mut net, 1, PacketType::Pubcomp, id);
                        continue;
                    }
                    came.push(packet[..5].to_owned());
                    let kind = if qos == Q1 { PacketType::Puback } else { PacketType::Pubrec };
                    ack(&mut net, 1, kind, id);
                }
                answers += got(&mut net, 2).len();
                assert!(answers <= came.len() + 3);
            }
            let wanted: Vec<String> = (1..=9).map(|n: u8| n.to_string().repeat(5)).collect();
            assert_eq!((came, left, dropped(&net)), (wanted, vec![], 0));
            assert_eq!((answers, net.broker.stats().messages_received), (9, 9));
        }
    }
}

/// For half a second; then it is dropped, and further ones at once, until half of the queue is
/// taken.
#[test]
fn who_acknowledges_nothing_holds_up_nobody_for_long() {
    let mut net = full(Q1);
    let messages = |range: std::ops::Range<u16>| {
        range.flat_map(|n| message("t", b"x", Q1, n, false)).collect()
    };
    let first: Vec<u8> = messages(1..9);
    let left = offer(&mut net, &first);
    assert_eq!(left, 5 * message("t", b"x", Q1, 1, false).len());
    let rest = &first[first.len() - left..];
    net.pass(400);
    assert_eq!(offer(&mut net, rest), left);
    assert_eq!((got(&mut net, 2).len(), dropped(&net)), (3, 0));
    net.pass(300);
    assert_eq!(offer(&mut net, rest), 0);
    assert_eq!((got(&mut net, 2).len(), dropped(&net)), (5, 5), "dropped and acknowledged");
    net.pass(10_000);
    let more: Vec<u8> = messages(10..13);
    assert_eq!(offer(&mut net, &more), 0);
    assert_eq!(dropped(&net), 8);
    for _ in 0..3 {
        let id = got(&mut net, 1).last().unwrap().rsplit('#').next().unwrap().parse().unwrap();
        ack(&mut net, 1, PacketType::Puback, id);
    }
    let again: Vec<u8> = messages(20..25);
    assert!(offer(&mut net, &again) > 0, "it reads");
    assert_eq!(dropped(&net), 8);
}

/// Nor for those at QoS 0, for one that is away, for a client's own, or where the caller does not
/// know of it.
#[test]
fn others_are_not_held_back() {
    let burst: Vec<u8> = (1..9).flat_map(|n| message("t", b"x", Q1, n, false)).collect();
    let mut net = full(Q0);
    assert_eq!(offer(&mut net, &burst), 0);
    let mut net = full(Q1);
    net.cut(1);
    net.connect(1, stay("reader"));
    net.subscribe(1, "t", Q1);
    net.cut(1);
    assert_eq!((offer(&mut net, &burst), dropped(&net)), (0, 6));
    let mut net = full(Q1);
    net.send(2, &burst);
    assert_eq!(dropped(&net), 6);
    let mut net = full(Q1);
    net.cut(1);
    net.subscribe(2, "t", Q1);
    assert_eq!((offer(&mut net, &burst), dropped(&net)), (0, 6));
    assert!(!net.broker.is_holding());
}

/// What a session takes with it that makes room for another.
#[test]
fn what_is_lost_with_a_session_is_counted() {
    let mut net = Net::with(Limits::SMALL.max_stored_sessions(1).max_inflight(2));
    net.connect(1, stay("away"));
    net.subscribe(1, "t", Q1);
    net.cut(1);
    net.join(2, "sender");
    net.send(2, &(1..6).flat_map(|n| message("t", b"x", Q1, n, false)).collect::<Vec<_>>());
    assert_eq!(dropped(&net), 0);
    net.connect(3, stay("new"));
    assert_eq!((dropped(&net), net.broker.stats().sessions_displaced), (5, 1));
    // And with a connection that gives way.
    net.subscribe(3, "t", Q1);
    net.join(4, "clean");
    net.subscribe(4, "t", Q1);
    net.send(2, &(1..6).flat_map(|n| message("t", b"x", Q1, n, false)).collect::<Vec<_>>());
    while net.broker.clients_len() > 0 {
        net.broker.relieve(net.now);
    }
    assert_eq!(dropped(&net), 15, "what the one has not acknowledged, and what the other had");
}
