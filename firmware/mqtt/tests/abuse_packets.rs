//! Packets that are too large, too many, out of place or none at all. In each story two bystanders
//! go on talking, and what the one says reaches the other at once.

mod bystanders;
mod net;

use bystanders::{Bystanders, publish_to, subscribe_to};
use net::{Net, hello, message};
use umqtt_mqtt::wire::{Connect, PacketType, Will, emit_ack, emit_bare};
use umqtt_mqtt::{Limits, QoS};

const MAX_TOPIC: usize = Limits::DESKTOP.max_topic;

/// With room for packets that hold more of a topic than is taken.
const SHORT_TOPICS: Limits = Limits::DESKTOP.max_topic(1024).max_filter_levels(16);

/// A client that has just joined sends this and is closed for it.
#[track_caller]
fn is_closed_for(net: &mut Net, good: &mut Bystanders, bytes: &[u8]) {
    net.join(1, "bad");
    net.send(1, bytes);
    assert!(net.is_closed(1));
    good.are_served(net);
}

#[test]
fn a_promise_of_256_mb_is_not_waited_for() {
    for limits in [Limits::SMALL, Limits::DESKTOP] {
        let mut net = Net::with(limits);
        let mut good = Bystanders::join(&mut net);
        for first in [0x30, 0x32, 0x82, 0xa2, 0xc0] {
            is_closed_for(&mut net, &mut good, &[first, 0xff, 0xff, 0xff, 0x7f]);
        }
        // Before CONNECT, too.
        net.open(1).expect("room");
        net.send(1, &[0x10, 0xff, 0xff, 0xff, 0x7f]);
        assert!(net.is_closed(1));
        assert_eq!(net.broker.stats().too_large, 6);
    }
}

#[test]
fn a_packet_at_the_limit_is_taken_and_one_beyond_it_is_not() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    let payload = vec![b'x'; Limits::SMALL.max_packet];
    let fits = Limits::SMALL.max_packet - 3 - 3;
    net.join(2, "sender");
    net.subscribe(2, "t", QoS::AtMostOnce);
    net.send(2, &publish_to("t", &payload[..fits]));
    assert_eq!(net.messages(2)[0].len(), 2 + fits);
    is_closed_for(&mut net, &mut good, &publish_to("t", &payload[..=fits]));
    assert_eq!(net.broker.stats().too_large, 1);
}

#[test]
fn topics_and_filters_of_64_kb_are_refused() {
    let mut net = Net::with(SHORT_TOPICS);
    let mut good = Bystanders::join(&mut net);
    for topic in ["x".repeat(65_535), "x/".repeat(32_767), "x".repeat(1025)] {
        is_closed_for(&mut net, &mut good, &publish_to(&topic, b""));
        let last =
            Will { topic: topic.as_bytes(), payload: b"", qos: QoS::AtMostOnce, retain: true };
        let mut connect = Vec::new();
        assert!(Connect { will: Some(last), ..hello("bad") }.emit(&mut connect));
        net.open(1).expect("room");
        net.send(1, &connect);
        assert!(net.is_closed(1));
        // A filter is refused by itself.
        net.join(1, "bad");
        net.send(1, &subscribe_to(&[topic.as_str(), "fine"]));
        assert_eq!(net.all(1), [0x90, 4, 0, 1, 0x80, 0]);
        good.are_served(&mut net);
        net.cut(1);
    }
    let stats = net.broker.stats();
    assert_eq!((stats.too_large, stats.subscriptions_refused), (6, 3));
    assert_eq!((stats.wills, net.broker.retained_len()), (0, 0));
}

/// As large as MQTT allows, and as deep as other brokers do.
#[test]
fn on_the_desktop_topics_of_64_kb_and_filters_of_200_levels_are_taken() {
    let mut net = Net::with(Limits::DESKTOP);
    let mut good = Bystanders::join(&mut net);
    net.join(1, "deep");
    net.join(2, "late");
    let long = "x".repeat(MAX_TOPIC);
    let two = "y/".to_owned() + &"z".repeat(MAX_TOPIC - 2);
    let levels = |level: &str| vec![level; 200].join("/");
    let deep = levels(&"d".repeat(326));
    let all = [&long, &two, &deep, &levels("+"), "y/+", &(levels("e") + "/f/g")];
    net.send(1, &subscribe_to(&all));
    assert_eq!(net.all(1), [0x90, 8, 0, 1, 0, 0, 0, 0, 0, 0x80]);
    for topic in [&long, &two, &deep] {
        assert_eq!(topic.len().clamp(65_000, MAX_TOPIC), topic.len());
        net.publish_retained(2, topic, b"here");
        assert_eq!(net.messages(1), [format!("{topic}=here")]);
        net.send(2, &subscribe_to(&[topic]));
        assert_eq!(net.all(2).len(), 5 + 4 + 2 + topic.len() + 4);
        good.are_served(&mut net);
    }
}

/// Each has to be compared with the topic: a lookup of few nodes could look at megabytes.
#[test]
fn filters_with_long_levels_that_match_in_many_ways_are_refused() {
    let mut net = Net::with(Limits::DESKTOP);
    let mut good = Bystanders::join(&mut net);
    net.join(1, "bomb");
    let long = "x".repeat(60_000);
    let mut granted = 0;
    for mask in 0..16 {
        let way = |bit| if mask >> bit & 1 == 1 { "+" } else { "a" };
        let filter = format!("{}/{}/{}/{}/{long}", way(0), way(1), way(2), way(3));
        net.send(1, &subscribe_to(&[filter]));
        granted += usize::from(net.all(1) == [0x90, 3, 0, 1, 0]);
    }
    // A thousand times 256 bytes at most: four of 60,000.
    assert_eq!(granted, 4);
    net.send(1, &publish_to(&format!("a/a/a/a/{long}"), b""));
    assert_eq!(net.messages(1).len(), 1);
    good.are_served(&mut net);
}

#[test]
fn a_topic_of_thousands_of_levels_is_a_topic_like_any_other() {
    let mut net = Net::with(Limits::DESKTOP);
    let mut good = Bystanders::join(&mut net);
    let deep = "x/".repeat(MAX_TOPIC / 2);
    net.join(1, "deep");
    for filter in ["#", "+/+/#", "x/x/x/x/+/#", "x/x"] {
        net.subscribe(1, filter, QoS::AtMostOnce);
    }
    net.send(1, &publish_to(&deep, b"down here"));
    assert_eq!(net.messages(1), [format!("{deep}=down here")]);
    net.publish_retained(1, &deep, b"kept");
    assert_eq!(net.broker.retained(b"+/+/#").count(), 1);
    good.are_served(&mut net);
}

#[test]
fn qos_2_messages_that_are_never_released_are_bounded() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "hoarder");
    let most = Limits::SMALL.max_unreleased as u16;
    for id in 1..=most + 1 {
        assert!(!net.is_closed(1));
        net.send(1, &message("t", b"x", QoS::ExactlyOnce, id, false));
        good.are_served(&mut net);
    }
    assert!(net.is_closed(1));
    assert_eq!(net.broker.stats().unreleased, 1);
    assert_eq!(net.all(1).len(), 4 * usize::from(most), "a PUBREC for each that was taken");
}

#[test]
fn acknowledgements_of_nothing_change_nothing() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "confused");
    for id in 1..=1000 {
        for (kind, answer) in [
            (PacketType::Puback, None),
            (PacketType::Pubrec, Some(PacketType::Pubrel)),
            (PacketType::Pubrel, Some(PacketType::Pubcomp)),
            (PacketType::Pubcomp, None),
        ] {
            net.send(1, &emit_ack(kind, id));
            let wanted = answer.map_or(Vec::new(), |answer| emit_ack(answer, id).to_vec());
            assert_eq!(net.all(1), wanted);
        }
        good.are_served(&mut net);
    }
    assert!(!net.is_closed(1));
    assert_eq!(net.broker.stats().unknown_acks, 4000);
}

#[test]
fn acknowledgements_that_belong_to_a_transfer_are_not_counted_as_unknown() {
    let mut net = Net::new();
    net.join(1, "orderly");
    net.subscribe(1, "t", QoS::ExactlyOnce);
    net.send(1, &message("t", b"x", QoS::ExactlyOnce, 5, false));
    for kind in [PacketType::Pubrel, PacketType::Pubrec, PacketType::Pubcomp] {
        net.send(1, &emit_ack(kind, if kind == PacketType::Pubrel { 5 } else { 1 }));
    }
    net.send(1, &message("t", b"x", QoS::AtLeastOnce, 6, false));
    net.send(1, &emit_ack(PacketType::Puback, 2));
    assert_eq!(net.broker.stats().unknown_acks, 0);
}

#[test]
fn pings_are_answered_one_by_one_and_those_who_do_not_read_the_answers_are_closed() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "pinger");
    let flood = emit_bare(PacketType::Pingreq).repeat(1000);
    for _ in 0..100 {
        net.send(1, &flood);
        assert_eq!(net.all(1), emit_bare(PacketType::Pingresp).repeat(1000));
        good.are_served(&mut net);
    }
    assert_eq!((net.broker.stats().pings, net.broker.stats().slow), (100_000, 0));
    net.stalled.push(1);
    let mut sent = 0;
    while net.broker.clients().any(|client| client.id == "pinger") && sent < 100 {
        net.send(1, &flood);
        good.are_served(&mut net);
        sent += 1;
    }
    assert_eq!(sent, 1 + Limits::SMALL.max_control_bytes / 2000);
    assert_eq!(net.broker.stats().slow, 1);
    net.pass(5_000);
    assert!(net.is_closed(1));
}

#[test]
fn garbage_closes_its_connection() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    let web = b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n";
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for garbage in [&web[..], tls, &[0; 100], &[0xff; 100], b"\r\n\r\n"] {
        is_closed_for(&mut net, &mut good, garbage);
        net.open(1).expect("room");
        net.send(1, garbage);
        assert!(net.is_closed(1) && net.all(1).is_empty());
        good.are_served(&mut net);
    }
    assert_eq!(net.broker.stats().protocol_errors, 10);
}

#[test]
fn messages_to_the_brokers_own_topics_are_thrown_away() {
    let mut net = Net::new();
    let mut good = Bystanders::join(&mut net);
    net.join(1, "pretender");
    net.subscribe(1, "$SYS/#", QoS::AtMostOnce);
    for _ in 0..100 {
        net.publish_retained(1, "$SYS/broker/clients/connected", b"1000000");
        good.are_served(&mut net);
    }
    assert!(net.messages(1).is_empty() && !net.is_closed(1));
    assert_eq!((net.broker.stats().messages_denied, net.broker.retained_len()), (100, 0));
}
