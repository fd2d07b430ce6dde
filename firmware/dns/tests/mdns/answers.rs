//! What is asked, what is answered, to whom and how often.

use super::{ALL, NOTHING_ELSE, millis};
use crate::common::Build;
use crate::common::link::{Link, address, network};
use simple_dns::{PacketFlag, TYPE};
use umqtt_dns::mdns::{MAX_SERVICES, MdnsResponder, Service, UNICASTS_PER_SECOND};
use umqtt_net::{Instant, Interface, Peer};

#[test]
fn questions_are_answered() {
    let mut link = Link::established();
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
    link.pass(0);
    let sent = link.take();
    assert_eq!(sent.len(), 1, "nobody else has the name: at once");
    assert_eq!(sent[0].lines(), [ALL[0], NOTHING_ELSE]);
    assert!(sent[0].is_multicast());

    link.pass(2_000);
    link.ask(&Build::multicast_query().ask("_MQTT._tcp.local", TYPE::PTR));
    let asked = link.now;
    link.pass(1_000);
    let sent = link.take();
    assert_eq!(sent.len(), 1);
    let expected = [
        ALL[3],
        "+ mqtt.local A 120 10.0.0.1 !",
        "+ mqtt._mqtt._tcp.local SRV 120 mqtt.local:1883 !",
        "+ mqtt._mqtt._tcp.local TXT 4500 id=ESP_1 version=0.1.0 !",
    ];
    assert_eq!(sent[0].lines(), expected);
    let delay = millis(sent[0].at, asked);
    assert!((20..120).contains(&delay), "others may answer too: after {delay} ms");

    link.pass(2_000);
    link.ask(&Build::multicast_query().ask("_services._dns-sd._udp.local", TYPE::PTR));
    link.pass(1_000);
    assert_eq!(link.take()[0].lines(), [ALL[4], ALL[8]]);

    link.pass(2_000);
    link.ask(&Build::multicast_query().ask("mqtt._mqtt._tcp.local", TYPE::SRV));
    link.pass(0);
    assert_eq!(link.take()[0].lines(), [ALL[1], "+ mqtt.local A 120 10.0.0.1 !"]);
    link.pass(2_000);
    link.ask(&Build::multicast_query().ask("mqtt._mqtt._tcp.local", TYPE::TXT));
    link.pass(0);
    assert_eq!(link.take()[0].lines(), [ALL[2]]);
    link.pass(2_000);
    link.ask(&Build::multicast_query().ask_any("mqtt._mqtt._tcp.local"));
    link.pass(0);
    assert_eq!(link.take()[0].lines(), [ALL[1], ALL[2], "+ mqtt.local A 120 10.0.0.1 !"]);
}

#[test]
fn that_there_is_no_other_address_is_an_answer_too() {
    let mut link = Link::established();
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::AAAA));
    link.pass(0);
    assert_eq!(link.take()[0].lines(), ["= mqtt.local NSEC 120 mqtt.local [A] !"]);
    let others = ["lamp.local", "local", "mqtt", "a.mqtt.local", "_http._tcp.local"];
    for name in others {
        link.ask(&Build::multicast_query().ask_any(name));
    }
    link.pass(5_000);
    assert!(link.take().is_empty(), "that is for others to answer");
}

#[test]
fn what_the_one_that_asks_knows_is_not_said() {
    let mut link = Link::established();
    let knows = |ttl| {
        let query = Build::multicast_query().ask("_mqtt._tcp.local", TYPE::PTR);
        query.ptr("_mqtt._tcp.local", ttl, "mqtt._mqtt._tcp.local")
    };
    link.ask(&knows(2250));
    link.pass(1_000);
    assert!(link.take().is_empty());
    link.ask(&knows(2249));
    link.pass(1_000);
    assert_eq!(link.take().len(), 1, "it is about to forget it");
    let another = Build::multicast_query().ask("_mqtt._tcp.local", TYPE::PTR).ptr(
        "_mqtt._tcp.local",
        4500,
        "lamp._mqtt._tcp.local",
    );
    link.ask(&another);
    link.pass(1_000);
    assert_eq!(link.take().len(), 1, "it knows another one");
}

#[test]
fn more_of_what_is_known_may_follow() {
    let mut link = Link::established();
    let query = Build::multicast_query().ask("_mqtt._tcp.local", TYPE::PTR);
    link.ask(&query.flag(PacketFlag::TRUNCATION));
    link.pass(300);
    assert!(link.take().is_empty(), "it waits for the rest");
    link.ask(&Build::multicast_query().ptr("_mqtt._tcp.local", 4500, "mqtt._mqtt._tcp.local"));
    link.pass(1_000);
    assert!(link.take().is_empty());

    let query = Build::multicast_query().ask("_mqtt._tcp.local", TYPE::PTR);
    link.ask(&query.flag(PacketFlag::TRUNCATION));
    link.pass(500);
    assert_eq!(link.take().len(), 1);
}

#[test]
fn a_record_is_multicast_once_a_second() {
    let mut link = Link::established();
    for _ in 0..499 {
        link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
        link.pass(10);
    }
    let sent = link.take();
    assert_eq!(sent.len(), 5, "in five seconds");
    for pair in sent.windows(2) {
        assert_eq!(millis(pair[1].at, pair[0].at), 1000);
    }
}

#[test]
fn what_was_multicast_is_not_added_to_other_answers() {
    let mut link = Link::established();
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
    link.pass(100);
    link.ask(&Build::multicast_query().ask("mqtt._mqtt._tcp.local", TYPE::SRV));
    link.pass(100);
    let sent = link.take();
    assert_eq!((sent.len(), sent[1].lines()), (2, vec![ALL[1].to_string()]));
}

#[test]
fn whoever_wants_it_is_answered_alone() {
    let mut link = Link::established();
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A).unicast());
    link.pass(0);
    let sent = link.take();
    assert_eq!(sent[0].to, "10.0.0.99:5353".parse().unwrap(), "all others know it");
    assert_eq!(sent[0].lines(), [ALL[0], NOTHING_ELSE]);
    let knows = Build::multicast_query().ask("mqtt.local", TYPE::A).unicast();
    link.ask(&knows.a("mqtt.local", 120, [10, 0, 0, 1]));
    link.pass(1_000);
    assert!(link.take().is_empty(), "it knows it");
    // A quarter of its time after the last multicast everybody hears it again.
    link.pass(30_000);
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A).unicast());
    link.pass(0);
    assert!(link.take()[0].is_multicast());
}

#[test]
fn those_that_know_nothing_of_multicast_are_answered_as_by_a_name_server() {
    let mut link = Link::established();
    let query = Build::query(0xabcd).ask("Mqtt.local", TYPE::A);
    link.hear(&query.bytes(), "10.0.0.50:40000");
    link.pass(0);
    let sent = link.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].to, "10.0.0.50:40000".parse().unwrap());
    assert_eq!(sent[0].bytes[..2], [0xab, 0xcd]);
    let expected =
        ["? Mqtt.local A", "= mqtt.local A 10 10.0.0.1", "+ mqtt.local NSEC 10 mqtt.local [A]"];
    assert_eq!(sent[0].lines(), expected);
}

#[test]
fn answers_to_one_have_their_rate() {
    let mut link = Link::established();
    link.now = Instant::from_millis(100_000);
    for _ in 0..1000 {
        let query = Build::query(1).ask("mqtt.local", TYPE::A);
        link.hear(&query.bytes(), "10.0.0.50:40000");
        link.deliver();
    }
    assert_eq!(link.take().len(), usize::from(UNICASTS_PER_SECOND));
    assert_eq!(link.hosts[0].responder.stats().refused, 1000 - 20);
}

#[test]
fn what_comes_from_elsewhere_is_not_answered() {
    let mut link = Link::established();
    let query = Build::query(1).ask("mqtt.local", TYPE::A).bytes();
    let conflict = Build::reply(0).a("mqtt.local", 120, [10, 0, 0, 7]).bytes();
    for (from, interface) in [
        ("10.0.1.50:5353", Interface::Station),
        ("8.8.8.8:40000", Interface::Station),
        ("10.0.0.50:5353", Interface::AccessPoint),
        ("127.0.0.1:5353", Interface::Loopback),
    ] {
        for bytes in [&query, &conflict] {
            let from = Peer::new(from.parse().unwrap(), interface);
            link.hosts[0].responder.handle_datagram(bytes, from, link.now);
        }
    }
    // Answers come from the port of multicast DNS.
    link.hear(&conflict, "10.0.0.50:40000");
    link.hear(b"", "10.0.0.50:5353");
    link.pass(3_000);
    assert!(link.take().is_empty());
    assert!(link.hosts[0].responder.is_established());
    // An address of the link without a network is one of the link.
    link.hear(&query, "169.254.7.7:40000");
    link.pass(0);
    assert_eq!(link.take().len(), 1);
}

#[test]
fn everything_fits_in_a_message_or_in_several() {
    let long = "x".repeat(90);
    let service = |kind| Service::new(kind, 1).txt(&long).txt(&long);
    let kinds = ["_a123456789._tcp", "_b123456789._tcp", "_c123456789._tcp", "_d123456789._tcp"];
    let services = kinds.map(service);
    let label = "l".repeat(32);
    let mut link = Link::new();
    link.add(1, "mqtt");
    let mut responder = MdnsResponder::new(Interface::Station, &label, &services, 1).unwrap();
    responder.set_address(network(address(1)), link.now);
    link.hosts[0].responder = responder;
    link.pass(10_000);
    assert!(link.hosts[0].responder.is_established());
    let sent = link.take();
    let lines: Vec<_> = sent.iter().filter(|s| !s.is_probe()).flat_map(|s| s.lines()).collect();
    let answers = lines.iter().filter(|line| line.starts_with('=')).count();
    assert_eq!(answers, 2 * (1 + 4 * MAX_SERVICES), "each twice");
    assert!(sent.iter().filter(|s| s.is_probe()).count() >= 3);
}

#[test]
fn programs_of_the_same_computer_are_answered() {
    let mut link = Link::established();
    let query = Build::multicast_query().ask("mqtt.local", TYPE::A);
    for from in ["10.0.0.1:5353", "10.0.0.1:40000"] {
        link.hear(&query.bytes(), from);
        link.pass(2_000);
        assert_eq!(link.take().len(), 1, "{from}");
    }
    assert_eq!(link.hosts[0].responder.stats().ignored, 0);
}
