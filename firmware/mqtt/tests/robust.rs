//! Any bytes whatever, in any pieces: nothing but that connection suffers.

mod net;

use net::{Net, hello, message, will};
use proptest::prelude::*;
use umqtt_mqtt::wire::{Connect, PacketType, Subscribe, Unsubscribe, emit_ack, emit_bare};
use umqtt_mqtt::{ConnId, Duration, Limits, QoS, Stats};

/// Small, so that random input reaches every one of them.
const TIGHT: Limits = Limits::SMALL
    .max_clients(3)
    .max_waiting(2)
    .max_stored_sessions(2)
    .max_subscriptions(6)
    .max_client_subscriptions(3)
    .max_filter_levels(4)
    .max_lookup(16)
    .max_topic(40)
    .max_retained(3)
    .max_retained_bytes(60)
    .max_packet(80)
    .max_queue_messages(3)
    .max_queue_bytes(60)
    .max_offline_qos0(1)
    .max_control_bytes(64)
    .max_inflight(2)
    .max_unreleased(2)
    .max_local_queue_bytes(60)
    .max_memory(1 << 20)
    .max_client_id(8)
    .connect_timeout(Duration::from_millis(1_000))
    .stall_timeout(Duration::from_millis(3_000))
    .session_expiry(Duration::from_millis(5_000));

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)]
}

fn filter() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("#"), Just("a"), Just("a/+"), Just("+/b/#"), Just("$SYS/#"), Just("a/b/c/d/e")]
}

fn topic() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("a/b"), Just("b/b/b"), Just("$SYS/x"), Just("/")]
}

fn any_connect() -> impl Strategy<Value = Vec<u8>> {
    (prop_oneof![Just(""), Just("a"), Just("b"), Just("far too long")], any::<[bool; 2]>(), 0u16..3)
        .prop_map(|(id, [clean_session, has_will], keep_alive)| {
            let will = if has_will { will("a", b"will") } else { None };
            let mut packet = Vec::new();
            Connect { clean_session, will, keep_alive, ..hello(id) }.emit(&mut packet);
            packet
        })
}

/// Mostly well-formed packets, so that the deeper states are reached.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let ack = prop_oneof![
        Just(PacketType::Puback),
        Just(PacketType::Pubrec),
        Just(PacketType::Pubrel),
        Just(PacketType::Pubcomp),
    ];
    prop_oneof![
        2 => any_connect(),
        6 => (topic(), qos(), 1u16..4, any::<bool>(), 0usize..70).prop_map(
            |(topic, qos, id, retain, len)| message(topic, &vec![b'x'; len], qos, id, retain)
        ),
        4 => (filter(), qos()).prop_map(|(filter, qos)| {
            let mut packet = Vec::new();
            Subscribe::emit(1, &[(filter.as_bytes(), qos)], &mut packet);
            packet
        }),
        2 => filter().prop_map(|filter| {
            let mut packet = Vec::new();
            Unsubscribe::emit(1, &[filter.as_bytes()], &mut packet);
            packet
        }),
        6 => (ack, 1u16..5).prop_map(|(kind, id)| emit_ack(kind, id).to_vec()),
        1 => Just(emit_bare(PacketType::Pingreq).to_vec()),
        1 => Just(emit_bare(PacketType::Disconnect).to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..20),
    ]
}

/// A conversation: a CONNECT most of the time, packets, and now and then a byte that is wrong.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let packets = proptest::collection::vec(packet(), 0..15);
    let damage = proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    (any_connect(), packets, damage).prop_map(|(first, packets, damage)| {
        let mut stream = [first, packets.concat()].concat();
        if let Some((place, byte)) = damage {
            let place = place.index(stream.len());
            stream[place] = byte;
        }
        stream
    })
}

/// All that can be seen of a broker after one conversation handed over in pieces.
#[derive(Debug, PartialEq)]
struct Outcome {
    answers: Vec<u8>,
    closed: bool,
    stats: Stats,
    local: Vec<String>,
    retained: Vec<(Vec<u8>, Vec<u8>)>,
    subscriptions: Vec<(String, Vec<u8>, QoS)>,
}

fn outcome(stream: &[u8], cuts: &[usize]) -> Outcome {
    // Nothing is taken out in between, so that the pieces make no difference to the queues.
    let mut net = Net::with(TIGHT.max_control_bytes(1 << 20));
    net.broker.subscribe(b"#", QoS::ExactlyOnce).expect("room");
    net.open(1).expect("room");
    net.stalled.push(1);
    let mut rest = stream;
    for cut in cuts {
        let (piece, tail) = rest.split_at((*cut).min(rest.len()));
        net.broker.receive(ConnId(1), piece, net.now, &mut net::Door);
        rest = tail;
    }
    net.broker.receive(ConnId(1), rest, net.now, &mut net::Door);
    net.drain(1);
    net.settle();
    let broker = &net.broker;
    let (mut stats, closed) = (*broker.stats(), net.is_closed(1));
    stats.bytes_received = 0;
    Outcome {
        stats,
        closed,
        retained: broker.retained(b"#").map(|m| (m.topic.into(), m.payload.into())).collect(),
        subscriptions: broker
            .subscriptions()
            .map(|s| (s.client_id.to_owned(), s.filter, s.qos))
            .collect(),
        answers: net.all(1),
        local: net.local(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_pieces_a_stream_comes_in_do_not_matter(
        stream in stream(),
        cuts in proptest::collection::vec(0usize..12, 0..40),
    ) {
        let whole = outcome(&stream, &[]);
        prop_assert_eq!(&outcome(&stream, &cuts), &whole);
        prop_assert_eq!(&outcome(&stream, &vec![1; stream.len()]), &whole);
    }

    #[test]
    fn any_bytes_at_worst_close_their_connection(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut net = Net::with(TIGHT);
        net.join(9, "witness");
        net.subscribe(9, "w", QoS::AtMostOnce);
        net.open(1).expect("room");
        net.send(1, &bytes);
        net.publish(9, "w", b"alive");
        prop_assert_eq!(net.messages(9), ["w=alive"]);
    }

    /// Several clients, time passing, connections breaking, limits everywhere: nothing panics,
    /// every count stays within its limit, and when all is over nothing is left behind.
    #[test]
    fn a_crowd_stays_within_the_limits(
        steps in proptest::collection::vec((0u32..5, 0u8..10, packet(), any::<bool>()), 0..120),
    ) {
        let mut net = Net::with(TIGHT);
        net.broker.subscribe(b"a/#", QoS::AtLeastOnce).expect("room");
        for (conn, what, packet, stall) in steps {
            match what {
                0 => net.cut(conn),
                1 => net.pass(700),
                2 => {
                    net.stalled.retain(|c| *c != conn);
                    if stall {
                        net.stalled.push(conn);
                    }
                }
                3..5 => {
                    if net.open(conn).is_ok() {
                        let mut hello_packet = Vec::new();
                        let name = ["a", "b", "c", "d", "e"][conn as usize];
                        let keep_alive = conn as u16;
                        let stay = Connect { clean_session: stall, keep_alive, ..hello(name) };
                        stay.emit(&mut hello_packet);
                        net.send(conn, &hello_packet);
                    }
                }
                5 => {
                    net.broker.publish(b"a/b", &packet[..1], QoS::ExactlyOnce, stall).ok();
                    net.settle();
                }
                _ => net.send(conn, &packet),
            }
            let broker = &net.broker;
            prop_assert!(broker.clients_len() <= TIGHT.max_clients);
            prop_assert_eq!(broker.clients().count(), broker.clients_len());
            prop_assert!(broker.stored_sessions_len() <= TIGHT.max_stored_sessions);
            prop_assert!(broker.subscriptions_len() <= TIGHT.max_subscriptions);
            prop_assert_eq!(broker.subscriptions().count(), broker.subscriptions_len());
            prop_assert!(broker.retained_len() <= TIGHT.max_retained);
            prop_assert!(broker.poll_at().is_none_or(|at| at > net.now));
        }
        for conn in 0..5 {
            net.cut(conn);
        }
        net.pass(TIGHT.session_expiry.as_millis());
        net.broker.unsubscribe_all();
        let broker = &net.broker;
        prop_assert_eq!((broker.clients_len(), broker.stored_sessions_len()), (0, 0));
        prop_assert_eq!((broker.subscriptions_len(), broker.poll_at()), (0, None));
    }
}
