//! Hosts on a link, in virtual time: RFC 6762 and RFC 6763.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::link::{Link, address, network, services};
use common::{Build, dump};
use simple_dns::{PacketFlag, TYPE};
use umqtt_dns::mdns::{self, MAX_SERVICES, MESSAGE_LEN, Responder, Service, UNICASTS_PER_SECOND};
use umqtt_net::{Duration, Instant, Interface, Peer};

const ALL: [&str; 9] = [
    "= mqtt.local A 120 10.0.0.1 !",
    "= mqtt._mqtt._tcp.local SRV 120 mqtt.local:1883 !",
    "= mqtt._mqtt._tcp.local TXT 4500 id=ESP_1 version=0.1.0 !",
    "= _mqtt._tcp.local PTR 4500 mqtt._mqtt._tcp.local",
    "= _services._dns-sd._udp.local PTR 4500 _mqtt._tcp.local",
    "= mqtt._umqtt-console._tcp.local SRV 120 mqtt.local:7777 !",
    "= mqtt._umqtt-console._tcp.local TXT 4500  !",
    "= _umqtt-console._tcp.local PTR 4500 mqtt._umqtt-console._tcp.local",
    "= _services._dns-sd._udp.local PTR 4500 _umqtt-console._tcp.local",
];
const NOTHING_ELSE: &str = "+ mqtt.local NSEC 120 mqtt.local [A] !";

fn millis(at: Instant, since: Instant) -> u64 {
    at.saturating_duration_since(since).as_millis()
}

#[test]
fn a_host_asks_for_its_name_and_says_what_there_is() {
    let mut link = Link::new();
    let start = link.now;
    link.add(1, "mqtt");
    assert!(!link.hosts[0].responder.is_established());
    link.pass(5_000);
    let sent = link.take();
    assert_eq!(sent.len(), 5, "three probes, two announcements");
    assert!(sent.iter().all(|sent| sent.is_multicast()));
    for probe in &sent[..3] {
        assert_eq!(
            probe.lines(),
            [
                "? mqtt.local ANY QU",
                "? mqtt._mqtt._tcp.local ANY QU",
                "? mqtt._umqtt-console._tcp.local ANY QU",
                "~ mqtt.local A 120 10.0.0.1",
                "~ mqtt._mqtt._tcp.local TXT 4500 id=ESP_1 version=0.1.0",
                "~ mqtt._mqtt._tcp.local SRV 120 mqtt.local:1883",
                "~ mqtt._umqtt-console._tcp.local TXT 4500 ",
                "~ mqtt._umqtt-console._tcp.local SRV 120 mqtt.local:7777",
            ]
        );
    }
    for announcement in &sent[3..] {
        let mut expected = ALL.to_vec();
        expected.push(NOTHING_ELSE);
        assert_eq!(announcement.lines(), expected);
        assert_eq!(announcement.bytes[..4], [0, 0, 0x84, 0], "number 0, authoritative");
        assert!(announcement.bytes.len() <= MESSAGE_LEN);
    }
    let first = millis(sent[0].at, start);
    assert!(first < 250, "it waits for a moment that chance decides");
    let later: Vec<_> = sent.iter().map(|sent| millis(sent.at, start) - first).collect();
    assert_eq!(later, [0, 250, 500, 750, 1750]);
    assert!(link.hosts[0].responder.is_established());
    assert_eq!(link.hosts[0].responder.poll_at(), None, "it has nothing to do");
}

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
fn a_service_with_another_host_is_a_conflict() {
    let good = |port, host| Build::reply(0).srv("mqtt._mqtt._tcp.local", 120, host, port);
    for (port, host, conflicts) in
        [(1883, "mqtt.local", 0), (1884, "mqtt.local", 1), (1883, "lamp.local", 1)]
    {
        let mut link = Link::established();
        link.ask(&good(port, host));
        assert_eq!(link.hosts[0].responder.stats().conflicts, conflicts, "{host}:{port}");
    }
}

#[test]
fn a_long_name_gives_way_to_its_number() {
    let mut link = Link::new();
    let label = "l".repeat(32);
    link.add(1, &label);
    link.pass(5_000);
    let second = link.add(2, &label);
    link.pass(5_000);
    assert_eq!(link.name(second), format!("{}-2.local", "l".repeat(30)));
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
fn the_second_one_takes_another_name() {
    let mut link = Link::established();
    let second = link.add(2, "mqtt");
    link.pass(10_000);
    assert_eq!((link.name(0), link.name(second)), ("mqtt.local".into(), "mqtt-2.local".into()));
    let third = link.add(3, "MQTT");
    link.pass(10_000);
    assert_eq!(link.name(third), "MQTT-3.local");
    assert!(link.hosts.iter().all(|host| host.responder.is_established()));
    assert_eq!(link.hosts[0].responder.stats().conflicts, 0, "the first one is left alone");
    link.take();
    link.ask(&Build::multicast_query().ask("mqtt-2.local", TYPE::A));
    link.pass(0);
    assert_eq!(link.take()[0].lines()[0], "= mqtt-2.local A 120 10.0.0.2 !");
    link.ask(&Build::multicast_query().ask("_mqtt._tcp.local", TYPE::PTR));
    link.pass(1_000);
    let names: Vec<_> = link.take().iter().map(|sent| sent.lines()[0].clone()).collect();
    assert_eq!(names.len(), 3);
    assert!(names.contains(&"= _mqtt._tcp.local PTR 4500 mqtt-2._mqtt._tcp.local".into()));
}

#[test]
fn of_two_that_want_a_name_at_once_the_greater_address_gets_it() {
    // Whichever begins, and whatever chance decides.
    for (first, second) in [(1, 2), (2, 1), (7, 200), (200, 7), (100, 101)] {
        let mut link = Link::new();
        let first = link.add(first, "mqtt");
        let second = link.add(second, "mqtt");
        link.pass(20_000);
        let (winner, loser) = match link.hosts[first].address > link.hosts[second].address {
            true => (first, second),
            false => (second, first),
        };
        assert!(link.hosts.iter().all(|host| host.responder.is_established()));
        assert_eq!(link.name(winner), "mqtt.local");
        assert_eq!(link.name(loser), "mqtt-2.local");
    }
}

#[test]
fn whoever_proposes_less_gives_way() {
    for (proposed, waits) in [
        ([10, 0, 0, 8], true),
        ([10, 0, 0, 7], false),
        ([10, 0, 0, 6], false),
        ([9, 9, 9, 9], false),
    ] {
        let mut link = Link::new();
        link.add(7, "mqtt");
        link.pass(300);
        let probes = link.take().len();
        assert!((1..=2).contains(&probes));
        let probe = Build::multicast_query().ask_any("mqtt.local");
        link.ask(&probe.propose_a("mqtt.local", proposed).flush());
        link.pass(900);
        assert_eq!(link.take().is_empty(), waits, "{proposed:?}");
        link.pass(3_000);
        assert_eq!(link.name(0), "mqtt.local", "nobody has taken it");
        assert!(link.hosts[0].responder.is_established());
    }
}

#[test]
fn a_host_without_an_ipv4_address_has_the_name_too() {
    let mut link = Link::new();
    link.add(1, "mqtt");
    link.pass(300);
    link.ask(&Build::reply(0).aaaa("mqtt.local", 120));
    link.pass(5_000);
    assert_eq!(link.name(0), "mqtt-2.local");
    // Later it is no contradiction: a proxy may tell what it knows.
    link.ask(&Build::reply(0).aaaa("mqtt-2.local", 120));
    link.pass(5_000);
    assert!(link.hosts[0].responder.is_established());
    assert_eq!(link.hosts[0].responder.stats().conflicts, 1);
}

#[test]
fn twenty_hosts_find_names() {
    let mut link = Link::new();
    for last in 1..=20 {
        link.add(last, "mqtt");
    }
    link.pass(300_000);
    let mut names: Vec<_> = (0..20).map(|host| link.name(host)).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 20, "{names:?}");
    assert!(link.hosts.iter().all(|host| host.responder.is_established()));
}

#[test]
fn two_links_become_one() {
    let mut link = Link::new();
    let second = link.add(1, "mqtt");
    let other = link.add(2, "mqtt");
    link.hosts[other].deaf = true;
    link.pass(10_000);
    assert_eq!((link.name(second), link.name(other)), ("mqtt.local".into(), "mqtt.local".into()));
    link.hosts[other].deaf = false;
    // The first question that both answer makes them notice.
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
    link.pass(30_000);
    let mut names = [link.name(second), link.name(other)];
    names.sort();
    assert_eq!(names, ["mqtt-2.local", "mqtt.local"]);
    assert!(link.hosts.iter().all(|host| host.responder.is_established()));
}

#[test]
fn a_host_that_always_objects_is_asked_less_and_less_often() {
    let mut link = Link::new();
    link.add(1, "mqtt");
    let mut probes = 0;
    for _ in 0..600 {
        link.pass(100);
        for sent in link.take() {
            probes += 1;
            assert!(sent.is_probe());
            let name = sent.lines()[0].split(' ').nth(1).unwrap().to_string();
            link.ask(&Build::reply(0).a(&name, 120, [10, 0, 0, 66]));
        }
    }
    assert!((20..40).contains(&probes), "{probes} probes in a minute");
    // Once a name was found, the next conflict is the first one again.
    link.pass(20_000);
    assert!(link.hosts[0].responder.is_established());
    let name = link.name(0);
    link.ask(&Build::reply(0).a(&name, 120, [10, 0, 0, 66]));
    link.take();
    link.pass(300);
    assert!(link.take()[0].is_probe());
}

#[test]
fn a_probe_for_a_name_is_answered_at_once() {
    let mut link = Link::established();
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
    link.pass(300);
    link.take();
    // A second since the last multicast has not passed, but a probe waits for no more than that.
    let probe = Build::multicast_query().ask_any("mqtt.local");
    link.ask(&probe.propose_a("mqtt.local", [10, 0, 0, 99]));
    link.pass(0);
    let sent = link.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].lines()[0], ALL[0]);
}

#[test]
fn what_others_say_of_the_same_records_is_no_conflict() {
    let mut link = Link::new();
    link.add(1, "mqtt");
    link.pass(300);
    // Somebody passes on what he knows of us, as a proxy does.
    link.ask(&Build::reply(0).a("mqtt.local", 120, [10, 0, 0, 1]));
    link.pass(10_000);
    assert_eq!(link.name(0), "mqtt.local");
    // A host that goes has had the name.
    link.hosts[0].responder.set_address(None, link.now);
    link.hosts[0].responder.set_address(network(address(1)), link.now);
    link.pass(300);
    link.ask(&Build::reply(0).a("mqtt.local", 0, [10, 0, 0, 3]));
    link.pass(10_000);
    assert_eq!(link.name(0), "mqtt.local");
}

#[test]
fn nobody_else_ends_a_record() {
    let mut link = Link::established();
    link.ask(&Build::reply(0).ptr("_mqtt._tcp.local", 0, "mqtt._mqtt._tcp.local"));
    link.pass(0);
    assert_eq!(link.take()[0].lines()[0], ALL[3], "it is still there");
}

#[test]
fn a_host_says_goodbye() {
    let mut link = Link::established();
    link.hosts[0].responder.shut_down();
    assert_eq!(link.hosts[0].responder.poll_at(), Some(Instant::ZERO));
    link.pass(0);
    let sent = link.take();
    assert_eq!(sent.len(), 1);
    let expected: Vec<_> =
        ALL.iter().map(|line| line.replace(" 120 ", " 0 ").replace(" 4500 ", " 0 ")).collect();
    assert_eq!(sent[0].lines(), expected);
    assert_eq!(link.hosts[0].responder.poll_at(), None);
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
    link.pass(5_000);
    assert!(link.take().is_empty());
    // Who had no name yet has nothing to end.
    let mut link = Link::new();
    link.add(1, "mqtt");
    link.hosts[0].responder.shut_down();
    link.pass(5_000);
    assert!(link.take().is_empty());
}

#[test]
fn another_address_is_another_beginning() {
    let mut link = Link::established();
    let second = link.add(2, "mqtt");
    link.pass(10_000);
    assert_eq!(link.name(second), "mqtt-2.local");
    link.take();
    link.hosts[0].responder.set_address(network(address(1)), link.now);
    link.pass(5_000);
    assert!(link.take().is_empty(), "it is the same as before");
    link.hosts[0].responder.set_address(None, link.now);
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
    link.pass(5_000);
    assert!(link.take().is_empty(), "without an address it is silent");
    link.hosts[second].address = address(30);
    link.hosts[second].responder.set_address(network(address(30)), link.now);
    link.pass(5_000);
    let sent = link.take();
    assert_eq!(sent.len(), 5);
    assert_eq!(sent[4].lines()[0], "= mqtt.local A 120 10.0.0.30 !", "the name is free now");
}

#[test]
fn services_change() {
    let mut link = Link::established();
    let service = [Service::new("_http._tcp", 80)];
    link.hosts[0].responder.set_services(&service, link.now);
    link.pass(5_000);
    let sent = link.take();
    assert_eq!(sent.len(), 5);
    assert_eq!(sent[4].lines()[1], "= mqtt._http._tcp.local SRV 120 mqtt.local:80 !");
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
    let mut responder = Responder::new(Interface::Station, &label, &services, 1).unwrap();
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
fn what_is_no_name() {
    let new = |label: &str| Responder::new(Interface::Station, label, &services(), 1);
    assert!(new("").is_none());
    assert!(new(&"x".repeat(33)).is_none());
    assert!(new(&"x".repeat(32)).is_some());
    // A service whose kind is none is left out.
    let bad = [Service::new("", 1), Service::new("_a..b", 1), Service::new("_ok._tcp", 1)];
    let mut responder = Responder::new(Interface::Station, "mqtt", &bad, 1).unwrap();
    responder.set_address(network(address(1)), Instant::ZERO);
    let now = Instant::ZERO + Duration::from_secs(1);
    let mut buf = [0; MESSAGE_LEN];
    let (len, _) = responder.poll_transmit(now, &mut buf).unwrap();
    assert_eq!(dump(&buf[..len]).len(), 5);
    assert_eq!(mdns::MQTT_SERVICE, "_mqtt._tcp");
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

#[test]
fn two_devices_of_the_same_computer_share_no_name() {
    let mut link = Link::established();
    link.add(1, "mqtt");
    let other = [Service::new(mdns::MQTT_SERVICE, 1884)];
    let now = link.now;
    link.hosts[1].responder.set_services(&other, now);
    link.pass(10_000);
    assert_eq!((link.name(0), link.name(1)), ("mqtt.local".into(), "mqtt-2.local".into()));
    assert!(link.hosts.iter().all(|host| host.responder.is_established()));
    link.take();
    link.hosts[1].responder.set_services(&other, now);
    link.pass(5_000);
    assert!(link.take().is_empty(), "the same services are no news");
}
