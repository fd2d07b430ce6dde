//! Subscriptions and retained messages that are too many, or cost too much. In each story two
//! bystanders go on talking, and what the one says reaches the other at once.

mod bystanders;
mod net;

use bystanders::{Bystanders, publish_to, subscribe_to};
use net::{Net, message, packets};
use umqtt_mqtt::wire::{FixedHeader, PacketType, Suback};
use umqtt_mqtt::{ConnId, Limits, QoS};

const SMALL: Limits = Limits::SMALL;
const DESKTOP: Limits = Limits::DESKTOP;

/// Subscribes to filters, a thousand in a packet; whether each was granted.
fn subscribe_all<F: AsRef<[u8]>>(net: &mut Net, conn: u32, filters: &[F]) -> Vec<bool> {
    let mut granted = Vec::new();
    for some in filters.chunks(1000) {
        net.send(conn, &subscribe_to(some));
        let bytes = net.all(conn);
        let subacks = packets(&bytes);
        let suback = subacks.iter().find(|(h, _)| h.kind == PacketType::Suback);
        let suback = suback.and_then(|(_, body)| Suback::parse(body).ok()).expect("an answer");
        granted.extend(suback.granted().map(|qos| qos.is_some()));
    }
    granted
}

/// The filters that match `a/a/a...` in every way there is: `a` or `+` at each level.
fn all_ways(levels: u32) -> Vec<String> {
    let way = |mask: u32| {
        let level = |bit| if mask >> bit & 1 == 1 { "+" } else { "a" };
        (0..levels).map(level).collect::<Vec<_>>().join("/")
    };
    (0..1 << levels).map(way).collect()
}

#[test]
fn hundreds_of_filters_in_one_packet_are_granted_as_far_as_there_is_room() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    let filters: Vec<_> = (0..600).map(|n| format!("{n}")).collect();
    net.join(1, "one");
    let granted = subscribe_all(&mut net, 1, &filters);
    let most = SMALL.max_client_subscriptions;
    assert!(granted[..most].iter().all(|g| *g) && !granted[most..].iter().any(|g| *g));
    good.are_served(&mut net);
    // Others still get theirs, and together no more than there are.
    for conn in 2..4 {
        net.join(conn, &conn.to_string());
        subscribe_all(&mut net, conn, &filters);
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.subscriptions_len(), SMALL.max_subscriptions);
    assert_eq!(
        net.broker.stats().subscriptions_refused,
        3 * 600 + 1 - SMALL.max_subscriptions as u64
    );
}

#[test]
fn the_same_filter_again_and_again_is_one_subscription() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "one");
    let granted = subscribe_all(&mut net, 1, &vec!["#"; 1000]);
    assert!(granted.iter().all(|g| *g));
    assert_eq!((net.broker.subscriptions_len(), net.broker.stats().subscribed), (2, 1001));
    net.send(1, &publish_to("t", b"x"));
    assert_eq!(net.messages(1), ["t=x"]);
    good.are_served(&mut net);
}

#[test]
fn filters_of_too_many_levels_are_refused() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "deep");
    let most = SMALL.max_filter_levels;
    let plus = |levels: usize| vec!["+"; levels].join("/");
    let filters = [plus(most), plus(most + 1), plus(500), "/".repeat(1000)];
    assert_eq!(subscribe_all(&mut net, 1, &filters), [true, false, false, false]);
    assert_eq!(net.broker.stats().subscriptions_refused, 3);
    good.are_served(&mut net);
}

#[test]
fn filters_that_make_one_lookup_cost_too_much_are_refused() {
    for (limits, levels) in [(SMALL, 10), (DESKTOP, 12)] {
        let limits = limits.max_client_subscriptions(10_000).max_subscriptions(10_000);
        let mut net = Net::with(limits.max_packet(1 << 20).max_memory(1 << 20));
        let mut good = Bystanders::join(&mut net);
        net.join(1, "bomb");
        let bomb = all_ways(levels);
        let granted = subscribe_all(&mut net, 1, &bomb).iter().filter(|g| **g).count();
        // Each filter that is granted costs at least the node it ends in, and at most one for each
        // level.
        let least = limits.max_lookup / levels as usize;
        assert!((least..limits.max_lookup).contains(&granted), "{granted}");
        let refused = (bomb.len() - granted) as u64;
        assert_eq!(net.broker.stats().subscriptions_refused, refused);
        // The topic with the dearest lookup is delivered all the same, once.
        let dearest = vec!["a"; levels as usize].join("/");
        net.send(1, &publish_to(&dearest, b"x"));
        assert_eq!(net.messages(1), [format!("{dearest}=x")]);
        // What costs nothing more is still granted to others.
        net.join(2, "other");
        let ordinary: Vec<_> = (0..50).map(|n| format!("house/{n}")).collect();
        assert!(subscribe_all(&mut net, 2, &ordinary).iter().all(|g| *g));
        good.are_served(&mut net);
        // And all of it once the bomb is gone.
        net.cut(1);
        assert!(subscribe_all(&mut net, 2, &["+/house/+", "a/+/#", "#"]).iter().all(|g| *g));
    }
}

#[test]
fn ten_thousand_ordinary_wildcard_filters_are_granted() {
    let mut net = Net::with(DESKTOP);
    let mut good = Bystanders::join(&mut net);
    net.join(1, "dashboard");
    let mut filters: Vec<_> = (0..9_000).map(|n| format!("site/{}/+/{n}/#", n % 90)).collect();
    filters.extend(["#", "+/+/temperature", "site/+/meter/#", "$SYS/#"].map(String::from));
    assert!(subscribe_all(&mut net, 1, &filters).iter().all(|g| *g));
    good.are_served(&mut net);
}

#[test]
fn thousands_of_known_filters_in_one_packet_keep_nobody_waiting() {
    let mut net = Net::with(DESKTOP);
    let mut good = Bystanders::join(&mut net);
    net.join(1, "again");
    net.publish_retained(1, "kept", b"x");
    // None of them finds the message, and all of them are still to look for it.
    net.stalled.push(1);
    let filters: Vec<_> = (0..DESKTOP.max_client_subscriptions).map(|n| format!("{n}/+")).collect();
    for _ in 0..10 {
        net.broker.receive(ConnId(1), &subscribe_to(&filters), net.now, &mut net::Door);
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.subscriptions_len(), filters.len() + 1);
    assert_eq!(net.broker.stats().subscriptions_refused, 0);
}

#[test]
fn retained_bombs_meet_their_count_and_their_bytes() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "bomb");
    for n in 0..200 {
        net.publish_retained(1, &format!("many/{n}"), b"x");
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.retained_len(), SMALL.max_retained);
    assert_eq!(net.broker.stats().retained_refused, 200 - SMALL.max_retained as u64);
    net.broker.clear_retained();
    let large = vec![b'x'; 2000];
    for n in 0..20 {
        net.publish_retained(1, &format!("large/{n}"), &large);
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.retained_len(), SMALL.max_retained_bytes / 2012);
    assert!(!net.is_closed(1), "its messages were delivered, only not kept");
}

#[test]
fn retained_messages_are_replayed_as_the_subscriber_reads_them() {
    let mut net = Net::with(DESKTOP.max_queue_bytes(1000).max_queue_messages(1000));
    let mut good = Bystanders::join(&mut net);
    for n in 0..5_000 {
        let payload = [b'x'; 20];
        net.broker.retain(format!("many/{n:04}").as_bytes(), &payload, QoS::AtMostOnce).unwrap();
    }
    net.join(1, "loop");
    net.stalled.push(1);
    // It asks for all of them a thousand times and reads nothing.
    for _ in 0..1000 {
        net.send(1, &subscribe_to(&["many/#"]));
        good.are_served(&mut net);
        let mut buffer = vec![0; 1 << 20];
        let waiting = net.broker.copy_outgoing(ConnId(1), &mut buffer);
        let replies = 5 * 1000;
        assert!(waiting <= 1000 / 2 + replies, "{waiting} bytes wait");
    }
    // The last request counts: it gets each message once more, and some of them before that.
    net.stalled.clear();
    net.drain(1);
    net.settle();
    net.pass(100);
    let bytes = net.all(1);
    let publishes = |(header, _): &&(FixedHeader, &[u8])| header.kind == PacketType::Publish;
    let messages = packets(&bytes).iter().filter(publishes).count();
    assert!((5_000..5_100).contains(&messages), "{messages} messages");
    good.are_served(&mut net);
}

#[test]
fn looks_at_retained_messages_are_rationed_fairly() {
    let mut net = Net::with(DESKTOP);
    let mut good = Bystanders::join(&mut net);
    for n in 0..50_000 {
        net.broker.retain(format!("many/{n:05}/x").as_bytes(), b"x", QoS::AtMostOnce).unwrap();
    }
    net.broker.retain(b"many/z/wanted", b"here", QoS::AtMostOnce).unwrap();
    // Twenty who make it look at all of them, over and over, and one who asks once.
    for conn in 0..21 {
        net.join(conn, &conn.to_string());
    }
    net.send(20, &subscribe_to(&["+/+/wanted"]));
    assert_eq!(net.take(20, 5), [0x90, 3, 0, 1, 0]);
    let mut waited = 0;
    while net.all(20).is_empty() {
        for conn in 0..20 {
            net.send(conn, &subscribe_to(&["+/+/nothing"]));
            net.all(conn);
        }
        good.are_served(&mut net);
        net.pass(1);
        waited += 1;
        assert!(waited < 1000, "it is never its turn");
    }
    assert!(net.broker.stats().scans_put_off > waited);
}

#[test]
fn a_message_for_a_full_queue_is_dropped_for_that_client_alone() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    for (conn, id) in [(1, "deaf"), (2, "sharp"), (3, "sender")] {
        net.join(conn, id);
        net.subscribe(conn, "q/1", QoS::AtLeastOnce);
    }
    net.stalled.push(1);
    for id in 1..200 {
        net.send(3, &message("q/1", &[b'x'; 100], QoS::AtLeastOnce, id, false));
        for conn in [2, 3] {
            for (header, body) in packets(&net.all(conn)) {
                if header.kind == PacketType::Publish {
                    let id = &body[5..7];
                    net.send(conn, &[0x40, 2, id[0], id[1]]);
                }
            }
        }
        good.are_served(&mut net);
    }
    let stats = net.broker.stats();
    assert!(stats.messages_dropped > 0);
    assert_eq!(stats.messages_sent + stats.messages_dropped, 199 * 3 + 199);
}

/// A client in many groups of one filter gets each message once for each: that is bounded as what a
/// lookup costs.
#[test]
fn many_groups_of_one_filter_are_bounded() {
    let mut net = Net::with(DESKTOP);
    net.join(99, "source");
    net.join(1, "greedy");
    let most = DESKTOP.max_lookup;
    let names: Vec<_> = (0..most).map(|n| format!("$share/{n}/#")).collect();
    let granted = subscribe_all(&mut net, 1, &names).iter().filter(|granted| **granted).count();
    assert_eq!(granted, most - 2, "the root and the filter's own node");
    net.publish(99, "t", b"x");
    assert_eq!(net.messages(1).len(), granted);
    // More members of the groups there are cost nothing more.
    net.join(2, "late");
    net.subscribe(2, "$share/5/#", QoS::AtMostOnce);
    net.cut(1);
    net.cut(2);
    net.join(3, "next");
    net.subscribe(3, "$share/5/#", QoS::AtMostOnce);
    assert_eq!(net.broker.subscriptions_len(), 1);
}
