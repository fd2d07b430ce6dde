//! Hosts that want the same name.

use super::ALL;
use crate::common::Build;
use crate::common::link::{Link, address, network};
use simple_dns::TYPE;
use umqtt_dns::mdns::{self, Service};

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
