//! Hosts on a link, in virtual time: RFC 6762 and RFC 6763.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "mdns/answers.rs"]
mod answers;
mod common;
#[path = "mdns/conflicts.rs"]
mod conflicts;
#[path = "mdns/limits.rs"]
mod limits;

use common::Build;
use common::link::{Link, address, network};
use simple_dns::TYPE;
use umqtt_dns::mdns::{MESSAGE_LEN, Service};
use umqtt_net::Instant;

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
