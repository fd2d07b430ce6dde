//! What the broker takes of the heap, measured, is what `docs/memory.md` and its own arithmetic
//! say.

use allocation_counter::{AllocationInfo, measure};
use umqtt_mqtt::wire::{Connect, Publish, Subscribe, Unsubscribe, Version};
use umqtt_mqtt::{AllowAll, Broker, ConnId, Duration, Instant, Interface, Limits, Peer, QoS};

const DOC: &str = include_str!("../docs/memory.md");
const DESKTOP: Limits = Limits::DESKTOP.max_queue_bytes(1 << 30);

/// Bytes on a 64-bit machine, of the row of the document's table that begins like this.
fn documented(row: &str) -> i64 {
    let line = DOC.lines().find(|line| line.starts_with(&format!("| {row}"))).expect(row);
    let cell = line.trim_matches('|').split('|').nth(2).expect("a 64-bit column");
    cell.trim().parse().expect("a number")
}

fn packet(fill: impl FnOnce(&mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut packet = Vec::new();
    assert!(fill(&mut packet));
    packet
}

/// Comes in, with a client id of 16 bytes.
fn connect(broker: &mut Broker, number: u32, clean_session: bool) {
    let peer = Peer::new(([127, 0, 0, 1], 1).into(), Interface::Station);
    let client_id = format!("client-{number:09}");
    let connect = Connect {
        version: Version::V311,
        bridge: false,
        client_id: &client_id,
        clean_session,
        keep_alive: 60,
        will: None,
        user: None,
        password: None,
    };
    broker.open(ConnId(number), peer, Instant::ZERO, &mut AllowAll).expect("room");
    broker.receive(ConnId(number), &packet(|p| connect.emit(p)), Instant::ZERO, &mut AllowAll);
    flush(broker);
}

fn subscribe(broker: &mut Broker, number: u32, filter: &str, qos: QoS) {
    let packet = packet(|p| Subscribe::emit(1, &[(filter.as_bytes(), qos)], p));
    broker.receive(ConnId(number), &packet, Instant::ZERO, &mut AllowAll);
    flush(broker);
}

fn message(topic: &[u8], payload: &[u8], qos: QoS, packet_id: u16) -> Vec<u8> {
    let publish = Publish { topic, payload, qos, retain: false, dup: false, packet_id };
    packet(|p| publish.emit(p))
}

/// Everybody reads all there is.
fn flush(broker: &mut Broker) {
    let mut buffer = [0; 4096];
    while let Some(conn) = broker.poll_writable() {
        loop {
            let n = broker.copy_outgoing(conn, &mut buffer);
            if n == 0 {
                break;
            }
            broker.sent(conn, n);
        }
    }
    while broker.poll_close().is_some() {}
}

/// What a step leaves allocated, and by how much the broker's own count moved; the count is never
/// short by more than the vectors that stay behind for the next time.
fn cost(broker: &mut Broker, step: impl FnOnce(&mut Broker)) -> (AllocationInfo, i64) {
    let before = broker.memory() as i64;
    let info = measure(|| step(broker));
    (info, broker.memory() as i64 - before)
}

#[test]
fn an_idle_client_costs_what_is_documented_and_the_next_thousand_no_more() {
    let mut broker = Broker::new(DESKTOP.max_clients(10_000));
    connect(&mut broker, 0, true);
    for filter in ["all/#", "house/+/state"] {
        subscribe(&mut broker, 0, filter, QoS::AtMostOnce);
    }
    let mut thousands = Vec::new();
    for thousand in 0..4 {
        let (info, counted) = cost(&mut broker, |broker| {
            for number in 1..=1000 {
                let number = thousand * 1000 + number;
                connect(broker, number, true);
                subscribe(broker, number, "all/#", QoS::AtMostOnce);
                subscribe(broker, number, "house/+/state", QoS::AtMostOnce);
            }
        });
        thousands.push((info.bytes_current, counted));
    }
    let one = documented("idle client") + 2 * documented("subscription to a filter");
    for (measured, counted) in &thousands {
        assert_eq!(*counted, 1000 * one, "the document");
        assert!(*measured <= counted + 64 * 1024, "{measured} {counted}");
    }
    // Linear: the tables grow by an eighth at a time, so no thousand costs much more than another.
    let measured: i64 = thousands.iter().map(|(measured, _)| measured).sum();
    assert!(measured <= 4 * 1000 * one, "{measured}");
}

/// A look for retained messages that is over is not counted any more.
#[test]
fn a_subscription_costs_the_same_where_messages_are_retained() {
    let mut broker = Broker::new(DESKTOP);
    connect(&mut broker, 0, true);
    subscribe(&mut broker, 0, "all/#", QoS::AtMostOnce);
    broker.publish(b"other", b"kept", QoS::AtMostOnce, true).unwrap();
    let (_, counted) = cost(&mut broker, |broker| {
        connect(broker, 1, true);
        subscribe(broker, 1, "all/#", QoS::AtMostOnce);
    });
    let one = documented("idle client") + documented("subscription to a filter");
    assert_eq!(counted, one);
}

#[test]
fn a_group_costs_what_is_documented_and_leaves_nothing() {
    let mut broker = Broker::new(DESKTOP);
    (0..6).for_each(|number| connect(&mut broker, number, true));
    subscribe(&mut broker, 0, "all/#", QoS::AtMostOnce);
    let start = broker.memory() as i64;
    let (info, counted) = cost(&mut broker, |broker| {
        for group in 0..500 {
            for number in 0..6 {
                subscribe(broker, number, &format!("$share/{group:08}/all/#"), QoS::AtLeastOnce);
            }
        }
    });
    let group = documented("group that shares a subscription") + 8;
    // What each of the six subscribes to is a list of its own, with room for 512.
    let lists = 6 * (512 * 4 + 8);
    assert_eq!(counted, 500 * (group + 6 * 8) + lists, "the document");
    assert!(info.bytes_current <= counted + 16 * 1024, "{} {counted}", info.bytes_current);
    (1..6).for_each(|number| broker.closed(ConnId(number), Instant::from_millis(2)));
    for group in 0..500 {
        let filter = format!("$share/{group:08}/all/#");
        let packet = packet(|out| Unsubscribe::emit(7, &[filter.as_bytes()], out));
        broker.receive(ConnId(0), &packet, Instant::from_millis(3), &mut AllowAll);
        flush(&mut broker);
    }
    assert_eq!((broker.subscriptions_len(), broker.memory() < start as usize), (1, true));
}

#[test]
fn memory_comes_back_when_all_have_left() {
    let mut broker = Broker::new(DESKTOP);
    let start = broker.memory();
    let (info, _) = cost(&mut broker, |broker| {
        for number in 0..500 {
            connect(broker, number, true);
            subscribe(
                broker,
                number,
                &format!("own/{number}/a-level-of-many-bytes"),
                QoS::AtLeastOnce,
            );
            subscribe(broker, number, "all", QoS::ExactlyOnce);
        }
        for number in 0..500 {
            let packet = message(b"all", &[7; 300], QoS::AtLeastOnce, 1);
            broker.receive(ConnId(number), &packet, Instant::from_millis(1), &mut AllowAll);
        }
        for number in 0..500 {
            broker.closed(ConnId(number), Instant::from_millis(2));
        }
        flush(broker);
    });
    assert_eq!(broker.memory(), start);
    // What a lookup and the list of closed connections keep for the next time.
    assert!(info.bytes_current < 16 * 1024, "{}", info.bytes_current);
}

#[test]
fn a_payload_is_stored_once_for_all_who_wait() {
    const LEN: usize = 100_000;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let measured = [1, 100].map(|subscribers| {
            let mut broker = Broker::new(DESKTOP);
            connect(&mut broker, 1000, true);
            for number in 0..subscribers {
                connect(&mut broker, number, true);
                subscribe(&mut broker, number, "big", qos);
            }
            let first = message(b"big", b"", QoS::AtMostOnce, 0);
            broker.receive(ConnId(1000), &first, Instant::from_millis(1), &mut AllowAll);
            flush(&mut broker);
            let packet = message(b"big", &[1; LEN], qos, 1);
            let (info, counted) = cost(&mut broker, |broker| {
                broker.receive(ConnId(1000), &packet, Instant::from_millis(1), &mut AllowAll);
            });
            assert!(info.bytes_current <= counted, "{} {counted}", info.bytes_current);
            info.bytes_current as usize
        });
        assert!((LEN..LEN + 1024).contains(&measured[0]), "{measured:?}");
        // Each further one costs its places in queues, not the payload.
        assert!(measured[1] - measured[0] < 99 * 512, "{measured:?}");
    }
}

#[test]
fn a_queued_message_and_a_stored_session_cost_what_is_documented() {
    let mut broker = Broker::new(DESKTOP.session_expiry(Duration::MAX));
    connect(&mut broker, 1000, true);
    connect(&mut broker, 0, false);
    subscribe(&mut broker, 0, "t", QoS::AtLeastOnce);
    let connected = broker.memory() as i64;
    broker.closed(ConnId(0), Instant::from_millis(1));
    let stored = documented("stored session");
    assert_eq!(connected - broker.memory() as i64, documented("idle client") - stored);
    // In an empty queue and behind others; short enough to be in one block with its counts.
    let packet = message(b"t", &[0; 16], QoS::AtLeastOnce, 1);
    let before = broker.memory() as i64;
    let (info, counted) = cost(&mut broker, |broker| {
        for _ in 0..1024 {
            broker.receive(ConnId(1000), &packet, Instant::from_millis(1), &mut AllowAll);
            flush(broker);
        }
    });
    assert!(info.bytes_current <= counted, "{} {counted}", info.bytes_current);
    let each = documented("queued message of 20 bytes") + documented("place of a message");
    let all = broker.memory() as i64 - before;
    assert!((1024 * each..1024 * each + 1024).contains(&all), "{all} {each}");
}

#[test]
fn a_retained_message_costs_what_is_documented() {
    let mut broker = Broker::new(DESKTOP);
    let (info, counted) = cost(&mut broker, |broker| {
        for number in 0..1000 {
            broker
                .publish(format!("a/{number:03}").as_bytes(), b"12345678901", QoS::AtMostOnce, true)
                .expect("room");
        }
    });
    assert_eq!(counted, 1000 * documented("retained message of 20 bytes"));
    assert!(info.bytes_current <= counted, "{} {counted}", info.bytes_current);
}

#[test]
fn a_packet_has_a_buffer_only_while_it_is_partial() {
    let mut broker = Broker::new(DESKTOP);
    connect(&mut broker, 0, true);
    let whole = message(b"nobody", &[1; 60_000], QoS::AtMostOnce, 0);
    broker.receive(ConnId(0), &whole, Instant::from_millis(1), &mut AllowAll); // the lookup keeps its list for the next time
    let start = broker.memory();
    let info =
        measure(|| broker.receive(ConnId(0), &whole, Instant::from_millis(1), &mut AllowAll));
    assert_eq!((info.count_total, broker.memory()), (0, start), "whole ones are not copied");
    let (info, counted) = cost(&mut broker, |broker| {
        broker.receive(ConnId(0), &whole[..100], Instant::from_millis(2), &mut AllowAll);
    });
    assert!((100..200).contains(&info.bytes_current), "what came, not what is promised");
    assert!(info.bytes_current <= counted + 8, "{} {counted}", info.bytes_current);
    for piece in whole[100..].chunks(100) {
        broker.receive(ConnId(0), piece, Instant::from_millis(3), &mut AllowAll);
    }
    assert_eq!(broker.memory(), start);
}

#[test]
fn a_topic_is_stored_once_however_many_subscribe() {
    let deep = "a/level/that/is/too/long/to/be/stored-in-the-place-of-its-node/state";
    let mut broker = Broker::new(DESKTOP);
    for number in 0..200 {
        connect(&mut broker, number, true);
    }
    let (_, first) = cost(&mut broker, |broker| subscribe(broker, 0, deep, QoS::AtMostOnce));
    let (rest, counted) = cost(&mut broker, |broker| {
        for number in 1..200 {
            subscribe(broker, number, deep, QoS::AtMostOnce);
        }
    });
    assert!(first > deep.len() as i64);
    assert_eq!(counted, 199 * documented("subscription to a filter"));
    assert!(rest.bytes_current <= counted, "{} {counted}", rest.bytes_current);
}

/// Twenty subscribers who read at once: no delivery allocates, and no message that is short.
#[test]
fn steady_traffic_allocates_nothing_per_delivery() {
    for (qos, long) in [(QoS::AtMostOnce, 100), (QoS::AtMostOnce, 1000)] {
        let mut broker = Broker::new(DESKTOP);
        connect(&mut broker, 1000, true);
        for number in 0..20 {
            connect(&mut broker, number, true);
            subscribe(&mut broker, number, "a/+", qos);
        }
        let packets: Vec<_> =
            (0..long).map(|len| message(b"a/b", &vec![b'x'; len], qos, 1)).collect();
        let mut round = |count| {
            for packet in packets.iter().cycle().take(count) {
                broker.receive(ConnId(1000), packet, Instant::from_millis(1), &mut AllowAll);
                flush(&mut broker);
            }
        };
        round(100);
        let info = measure(|| round(10_000));
        assert_eq!(broker.stats().messages_sent, 20 * 10_100);
        if long == 100 {
            assert_eq!(info.count_total, 0, "short ones");
        } else {
            assert!(
                info.count_total <= 2 * 10_000,
                "one block and its counts: {}",
                info.count_total
            );
        }
    }
}

/// Whatever happens, the heap holds no more than the broker counts, and that no more than it may.
#[test]
fn the_count_is_never_short_and_never_over_the_limit() {
    let limits = Limits::SMALL.max_memory(64 * 1024).max_retained(2000).max_retained_bytes(1 << 20);
    let (mut broker, mut held, mut seed) = (Broker::new(limits), 0, 1_u64);
    let start = broker.memory() as i64;
    let mut dice = |sides: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % sides
    };
    let mut most = 0;
    for _ in 0..20_000 {
        let (who, what, size) = (dice(12) as u32, dice(12), dice(1500) as usize);
        let qos = QoS::from_u8(dice(3) as u8).expect("one of three");
        let info = measure(|| {
            let conn = ConnId(who);
            match what {
                0 | 1 => {
                    let peer = Peer::new(([127, 0, 0, 1], 1).into(), Interface::Station);
                    if broker.open(conn, peer, Instant::from_millis(1), &mut AllowAll).is_ok() {
                        let hello = [
                            &b"\x10\x0e\0\x04MQTT\x04"[..],
                            &[(size & 2) as u8, 0, 0, 0, 2, b'a', b'a' + who as u8],
                        ];
                        broker.receive(
                            conn,
                            &hello.concat(),
                            Instant::from_millis(1),
                            &mut AllowAll,
                        );
                    }
                }
                2 => broker.closed(conn, Instant::from_millis(1)),
                3 | 4 => {
                    let filter = format!("t/{}", size % 20);
                    let filters = [(filter.as_bytes(), qos)];
                    let packet = packet(|p| Subscribe::emit(1, &filters, p));
                    broker.receive(conn, &packet, Instant::from_millis(1), &mut AllowAll);
                }
                5 => {
                    let publish = message(b"t/1", &vec![1; size], QoS::AtMostOnce, 0);
                    broker.receive(
                        conn,
                        &publish[..publish.len() - 1],
                        Instant::from_millis(1),
                        &mut AllowAll,
                    );
                }
                6 => flush(&mut broker),
                7 => drop(broker.publish(format!("t/{size}").as_bytes(), b"kept", qos, true)),
                _ => {
                    let topic = format!("t/{}", size % 20);
                    let id = if qos == QoS::AtMostOnce { 0 } else { 9 };
                    broker.receive(
                        conn,
                        &message(topic.as_bytes(), &vec![1; size], qos, id),
                        Instant::from_millis(1),
                        &mut AllowAll,
                    );
                }
            }
        });
        held += info.bytes_current;
        let counted = broker.memory() as i64;
        most = most.max(counted);
        // Blocks of messages kept for the next ones, the first piece of each arena, and short
        // lists.
        assert!(held <= counted - start + 3 * 4096 + 20 * 1024, "{held} held, {counted} counted");
        // One answer, one delivery for each, or one piece of a packet may still pass after the last
        // look.
        assert!(counted <= 64 * 1024 + 4096, "{counted}");
    }
    assert!(most > 48 * 1024, "the limit was never near: {most}");
    let stats = broker.stats();
    assert!(stats.messages_dropped > 0 && stats.no_memory + stats.subscriptions_refused > 0);
}
