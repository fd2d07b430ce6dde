//! Messages at QoS 0, retained messages, the local client.

mod net;

use net::{Net, hello, message};
use umqtt_mqtt::wire::{Connect, PacketType, Publish, Subscribe, Unsubscribe};
use umqtt_mqtt::{ConnId, Duration, Instant, Limits, PublishError, QoS, SubscribeError};

const QOS0: QoS = QoS::AtMostOnce;

#[test]
fn a_message_reaches_its_subscribers_and_nobody_else() {
    let mut net = Net::new();
    for (conn, id, filter) in [(1, "a", "t/+"), (2, "b", "t/1"), (3, "c", "u/#"), (4, "d", "#")] {
        net.join(conn, id);
        net.subscribe(conn, filter, QOS0);
    }
    net.publish(1, "t/1", b"hello");
    net.publish(1, "t/1/2", b"deeper");
    assert_eq!(net.messages(1), ["t/1=hello"]);
    assert_eq!(net.messages(2), ["t/1=hello"]);
    assert_eq!(net.messages(3), Vec::<String>::new());
    assert_eq!(net.messages(4), ["t/1=hello", "t/1/2=deeper"]);
}

/// [MQTT-3.3.5-1]
#[test]
fn overlapping_subscriptions_deliver_once() {
    let mut net = Net::new();
    net.join(1, "a");
    for filter in ["#", "t/+", "t/1"] {
        net.subscribe(1, filter, QOS0);
    }
    net.publish(1, "t/1", b"x");
    assert_eq!(net.messages(1), ["t/1=x"]);
}

/// [MQTT-3.10.4-2], [MQTT-3.10.4-4]
#[test]
fn unsubscribing_ends_it() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "t", QOS0);
    let mut packet = Vec::new();
    Unsubscribe::emit(5, &[b"t", b"never"], &mut packet);
    net.send(1, &packet);
    assert_eq!(net.all(1), [0xb0, 2, 0, 5]);
    net.publish(1, "t", b"x");
    assert_eq!(net.messages(1), Vec::<String>::new());
    assert_eq!(net.broker.subscriptions_len(), 0);
}

/// [MQTT-4.7.2-1], [MQTT-3.3.5-2]
#[test]
fn dollar_topics_are_not_for_wildcards_nor_sys_for_clients_to_write() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "#", QOS0);
    net.subscribe(1, "+/x", QOS0);
    net.publish(1, "$app/x", b"1");
    assert_eq!(net.messages(1), Vec::<String>::new());
    net.subscribe(1, "$app/#", QOS0);
    net.subscribe(1, "$SYS/#", QOS0);
    net.publish(1, "$app/x", b"2");
    net.publish(1, "$SYS/broker/time", b"fake");
    net.broker.publish(b"$SYS/broker/time", b"12:00:00", QOS0, false).unwrap();
    net.settle();
    assert_eq!(net.messages(1), ["$app/x=2", "$SYS/broker/time=12:00:00"]);
    assert_eq!(net.broker.stats().messages_denied, 1);
}

/// [MQTT-3.3.1-5], [MQTT-3.3.1-6], [MQTT-3.3.1-8], [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.8.4-3]
#[test]
fn retained_messages_wait_for_subscribers() {
    let mut net = Net::new();
    net.join(1, "a");
    net.join(2, "b");
    net.subscribe(2, "#", QOS0);
    net.publish_retained(1, "s/1", b"on");
    net.publish_retained(1, "s/2", b"off");
    net.publish_retained(1, "s/1", b"dim");
    assert_eq!(net.messages(2), ["s/1=on", "s/2=off", "s/1=dim"], "new messages are not marked");
    net.subscribe(1, "s/#", QOS0);
    assert_eq!(net.messages(1), ["!s/1=dim", "!s/2=off"]);
    net.subscribe(1, "s/#", QOS0);
    assert_eq!(net.messages(1), ["!s/1=dim", "!s/2=off"], "subscribing again sends them again");
    net.publish_retained(1, "s/1", b"");
    assert_eq!(net.messages(1), ["s/1="], "the deletion is delivered as a message");
    assert_eq!(net.broker.retained(b"#").map(|m| m.topic).collect::<Vec<_>>(), [b"s/2"]);
    net.broker.clear_retained();
    assert_eq!(net.broker.retained_len(), 0);
}

#[test]
fn more_retained_messages_than_a_queue_holds_all_arrive() {
    let limits = Limits::SMALL.max_queue_bytes(100).max_local_queue_bytes(100);
    let mut net = Net::with(limits);
    for n in 0..50 {
        let topic = format!("many/{n:02}");
        net.broker.retain(topic.as_bytes(), b"0123456789", QOS0).unwrap();
    }
    net.join(1, "a");
    net.subscribe(1, "many/+", QOS0);
    let got = net.messages(1);
    assert_eq!(
        (got.len(), &*got[0], &*got[49]),
        (50, "!many/00=0123456789", "!many/49=0123456789")
    );
    net.broker.subscribe(b"many/#", QOS0).unwrap();
    assert_eq!(net.local(), got);
    assert_eq!(net.broker.stats().messages_dropped, 0);
}

#[test]
fn looking_through_the_retained_messages_takes_turns_with_the_rest() {
    let mut net = Net::with(Limits::DESKTOP);
    for n in 0..10_000 {
        net.broker.retain(format!("many/{n:05}/x").as_bytes(), b"x", QOS0).unwrap();
    }
    net.broker.retain(b"many/z/y", b"the last", QOS0).unwrap();
    net.join(1, "a");
    net.subscribe(1, "+/+/y", QOS0);
    net.subscribe(1, "#", QOS0);
    net.publish(1, "live", b"at once");
    assert_eq!(net.messages(1), ["live=at once"], "not enough looks for one match yet");
    assert_eq!(net.broker.poll_at(), Some(net.now + Duration::from_millis(1)));
    net.pass(2);
    assert_eq!(net.messages(1)[0], "!many/z/y=the last");
    net.pass(10);
    assert_eq!(net.messages(1).last().unwrap(), "!many/z/y=the last");
    assert_eq!(
        net.broker.poll_at(),
        Some(Instant::from_millis(1_000) + Limits::DESKTOP.stall_timeout),
        "no more looks"
    );
    assert_eq!(net.broker.stats().messages_sent, 1 + 1 + 10_001);
}

#[test]
fn one_client_cannot_take_all_subscriptions() {
    let mut net = Net::with(Limits::SMALL.max_client_subscriptions(1));
    net.join(1, "a");
    net.subscribe(1, "a", QOS0);
    net.send(1, &[0x82, 6, 0, 1, 0, 1, b'b', 0]);
    assert_eq!(net.all(1), [0x90, 3, 0, 1, 0x80]);
    net.join(2, "b");
    net.subscribe(2, "b", QOS0);
    net.broker.subscribe(b"x", QOS0).unwrap();
    assert_eq!(net.broker.subscribe(b"y", QOS0), Err(SubscribeError::TooMany));
    assert_eq!(net.broker.stats().subscriptions_refused, 2);
    net.broker.subscribe(b"x", QOS0).unwrap();
    net.broker.unsubscribe_all();
    net.broker.subscribe(b"y", QOS0).unwrap();
}

#[test]
fn the_local_client_has_its_retained_messages_looked_for_within_the_same_bound() {
    let mut net = Net::with(Limits::DESKTOP);
    for n in 0..10_000 {
        net.broker.retain(format!("many/{n}").as_bytes(), b"x", QOS0).unwrap();
    }
    net.broker.retain(b"z/z", b"the last", QOS0).unwrap();
    net.broker.subscribe(b"+/z", QOS0).unwrap();
    assert_eq!(net.broker.poll_local(), None, "not enough looks for one match yet");
    // Again and again is no way to have more looked at.
    for _ in 0..1000 {
        net.broker.unsubscribe(b"+/z");
        net.broker.subscribe(b"+/z", QOS0).unwrap();
    }
    assert!(net.broker.poll_at().is_some_and(|at| at <= net.now + Duration::from_millis(1)));
    net.pass(3);
    let message = net.broker.poll_local().unwrap();
    assert_eq!((message.topic(), message.payload()), (&b"z/z"[..], &b"the last"[..]));
    assert_eq!((net.broker.poll_local(), net.broker.poll_at()), (None, None));
}

#[test]
fn retained_limits_keep_what_there_is() {
    let mut net = Net::with(Limits::SMALL.max_retained(2));
    net.join(1, "a");
    net.subscribe(1, "#", QOS0);
    for topic in ["a", "b", "c"] {
        net.publish_retained(1, topic, b"x");
    }
    assert_eq!(net.messages(1), ["a=x", "b=x", "c=x"], "delivered all the same");
    assert_eq!(net.broker.retained_len(), 2);
    assert_eq!(net.broker.publish(b"c", b"y", QOS0, true), Err(PublishError::NotRetained));
    assert_eq!(net.broker.publish(b"b", b"y", QOS0, true), Ok(()));
}

#[test]
fn a_slow_client_loses_messages_and_holds_up_nobody() {
    let mut net = Net::with(Limits::SMALL.max_queue_bytes(100));
    for (conn, id) in [(1, "fast"), (2, "slow")] {
        net.join(conn, id);
        net.subscribe(conn, "t", QOS0);
    }
    net.stalled.push(2);
    for n in 0..50 {
        net.publish(1, "t", format!("{n:02}").as_bytes()); // 7 bytes each
    }
    assert_eq!(net.messages(1).len(), 50);
    net.stalled.clear();
    net.drain(2);
    let got = net.messages(2);
    assert_eq!((got.len(), &*got[0], &*got[13]), (14, "t=36", "t=49"), "the newest stay");
    assert_eq!(net.broker.stats().messages_dropped, 36);
    net.publish(1, "t", b"later");
    assert_eq!(net.messages(2), ["t=later"]);
}

#[test]
fn a_message_larger_than_the_queue_gets_through_an_empty_one() {
    let mut net = Net::with(Limits::SMALL.max_queue_bytes(10));
    net.join(1, "a");
    net.subscribe(1, "t", QOS0);
    net.publish(1, "t", &[b'x'; 3000]);
    assert_eq!(net.messages(1)[0].len(), 3002);
}

#[test]
fn subscriptions_over_a_limit_are_refused_one_by_one() {
    let limits = Limits::SMALL.max_subscriptions(2).max_filter_levels(3);
    let mut net = Net::with(limits);
    net.join(1, "a");
    let filters: [(&[u8], QoS); 5] =
        [(b"a", QOS0), (b"1/2/3/4", QOS0), (b"b/2/3", QOS0), (b"c", QOS0), (b"a", QOS0)];
    let mut packet = Vec::new();
    Subscribe::emit(1, &filters, &mut packet);
    net.send(1, &packet);
    assert_eq!(net.all(1), [0x90, 7, 0, 1, 0, 0x80, 0, 0x80, 0]);
    assert_eq!(net.broker.subscribe(b"x", QOS0), Err(SubscribeError::TooMany));
    assert_eq!(net.broker.subscribe(b"1/2/3/4", QOS0), Err(SubscribeError::TooDeep));
}

#[test]
fn the_local_client_is_one_of_them() {
    let mut net = Net::new();
    net.join(1, "a");
    net.subscribe(1, "#", QOS0);
    net.publish_retained(1, "s/1", b"on");
    net.broker.subscribe(b"s/+", QoS::AtLeastOnce).unwrap();
    net.broker.publish(b"s/2", b"local", QOS0, false).unwrap();
    net.publish(1, "s/3", b"remote");
    net.broker.publish(b"other", b"x", QOS0, false).unwrap();
    net.settle();
    assert_eq!(net.local(), ["!s/1=on", "s/2=local", "s/3=remote"]);
    assert_eq!(net.messages(1), ["s/1=on", "s/2=local", "s/3=remote", "other=x"]);
    let seen = net.broker.subscriptions().map(|found| (found.client_id, found.filter, found.qos));
    let seen: Vec<_> = seen.collect();
    assert_eq!(seen, [("", b"s/+".to_vec(), QoS::AtLeastOnce), ("a", b"#".to_vec(), QOS0)]);
    assert!(net.broker.unsubscribe(b"s/+") && !net.broker.unsubscribe(b"s/+"));
    net.publish(1, "s/3", b"x");
    assert_eq!(net.local(), Vec::<String>::new());
}

#[test]
fn the_local_client_is_told_what_is_wrong() {
    let mut net = Net::new();
    let wrong = |result| matches!(result, Err(PublishError::Topic(_)));
    assert!(wrong(net.broker.publish(b"a/#", b"", QOS0, false)));
    assert!(wrong(net.broker.publish(b"", b"", QOS0, false)));
    let large = vec![0; Limits::SMALL.max_packet];
    assert_eq!(net.broker.publish(b"a", &large, QOS0, false), Err(PublishError::TooLarge));
    assert!(matches!(net.broker.subscribe(b"#/a", QOS0), Err(SubscribeError::Filter(_))));
}

#[test]
fn the_local_queue_is_bounded() {
    let mut net = Net::with(Limits::SMALL.max_local_queue_bytes(70));
    net.broker.subscribe(b"#", QOS0).unwrap();
    for n in 0..50 {
        net.broker.publish(b"t", format!("{n:02}").as_bytes(), QOS0, false).unwrap();
    }
    let got = net.local();
    assert_eq!((got.len(), &*got[9]), (10, "t=09"));
    net.broker.publish(b"t", b"x", QOS0, false).unwrap();
    net.broker.unsubscribe_all();
    assert_eq!((net.local().len(), net.broker.subscriptions_len()), (0, 0));
}

/// A message of a few bytes takes many times its length.
#[test]
fn short_messages_for_the_local_client_shut_nobody_out() {
    let mut net = Net::with(Limits::SMALL.max_memory(8 * 1024).max_local_queue_bytes(2 * 1024));
    net.broker.subscribe(b"#", QOS0).unwrap();
    net.join(1, "flooder");
    for _ in 0..500 {
        net.send(1, &message("t", b"", QOS0, 0, false));
    }
    assert!(net.broker.memory() < 4 * 1024, "{} bytes", net.broker.memory());
    net.join(2, "newcomer");
    net.publish_retained(2, "state", b"on");
    assert_eq!(net.broker.stats().retained_refused, 0);
    assert!(net.local().len() > 10);
}

/// [MQTT-4.3.2-2], [MQTT-4.3.3-2]
#[test]
fn inbound_qos_1_and_2_are_acknowledged_and_delivered_once() {
    let mut net = Net::new();
    net.join(1, "a");
    net.join(2, "b");
    net.subscribe(2, "#", QOS0);
    net.send(1, &message("t", b"1", QoS::AtLeastOnce, 10, false));
    assert_eq!(net.all(1), [0x40, 2, 0, 10]);
    let mut twice = message("t", b"2", QoS::ExactlyOnce, 11, false);
    net.send(1, &twice);
    twice[0] |= 8;
    net.send(1, &twice);
    assert_eq!(net.all(1), [0x50, 2, 0, 11, 0x50, 2, 0, 11]);
    net.send(1, &[0x62, 2, 0, 11]);
    assert_eq!(net.all(1), [0x70, 2, 0, 11]);
    assert_eq!(net.messages(2), ["t=1", "t=2"]);
    net.send(1, &message("t", b"3", QoS::ExactlyOnce, 11, false));
    assert_eq!(net.messages(2), ["t=3"], "a released id stands for a new message");
}

/// [MQTT-4.8.0-2]
#[test]
fn unreleased_messages_are_bounded() {
    let mut net = Net::with(Limits::SMALL.max_unreleased(2));
    net.join(1, "a");
    for id in 1..=2 {
        net.send(1, &message("t", b"", QoS::ExactlyOnce, id, false));
    }
    assert!(!net.is_closed(1));
    net.send(1, &message("t", b"", QoS::ExactlyOnce, 3, false));
    assert!(net.is_closed(1));
}

#[test]
fn outgoing_by_pieces_is_the_same_as_by_copy() {
    let mut net = Net::new();
    net.connect(1, Connect { clean_session: false, ..hello("a") });
    net.subscribe(1, "#", QoS::ExactlyOnce);
    net.stalled.push(1);
    net.publish_retained(1, "a/b", b"zero");
    for (id, qos) in [(1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)] {
        net.send(1, &message("a/b", b"more", qos, id, false));
    }
    let mut buffer = [0; 200];
    let n = net.broker.copy_outgoing(ConnId(1), &mut buffer);
    let mut pieces = Vec::new();
    loop {
        let piece = net.broker.outgoing(ConnId(1)).to_vec();
        if piece.is_empty() {
            break;
        }
        net.broker.sent(ConnId(1), piece.len());
        pieces.extend(piece);
    }
    assert_eq!(pieces, buffer[..n]);
    let kinds: Vec<_> = net::packets(&pieces)
        .iter()
        .map(|(header, body)| (header.kind, Publish::parse(header, body).ok().map(|p| p.packet_id)))
        .collect();
    let publish = |id| (PacketType::Publish, Some(id));
    let acks = [(PacketType::Puback, None), (PacketType::Pubrec, None)];
    assert_eq!(kinds, [&acks[..], &[publish(0), publish(1), publish(2)]].concat());
}
