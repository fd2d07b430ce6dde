//! Looking for services on a link, in virtual time.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::SocketAddr;

use common::link::Link;
use common::{Build, dump};
use umqtt_dns::mdns::{Browser, CONSOLE_SERVICE, Found, MESSAGE_LEN, MQTT_SERVICE};
use umqtt_net::{Duration, Instant};

const KINDS: [&str; 2] = [MQTT_SERVICE, CONSOLE_SERVICE];

fn from() -> SocketAddr {
    "10.0.0.9:5353".parse().unwrap()
}

fn browser<const N: usize>() -> Browser<N> {
    Browser::new(&KINDS, 7, Instant::ZERO)
}

/// The questions that are asked at that time.
fn asked<const N: usize>(browser: &mut Browser<N>, at: u64) -> Vec<String> {
    let mut buf = [0; MESSAGE_LEN];
    match browser.poll_transmit(Instant::from_millis(at), &mut buf) {
        Some((len, _)) => dump(&buf[..len]),
        None => Vec::new(),
    }
}

fn text(found: &Found) -> String {
    let host = found.host.as_ref().map(|(host, port)| format!("{host}:{port}"));
    let txt: Vec<_> = found.entries().map(String::from_utf8_lossy).collect();
    format!("{} {host:?} {:?} {txt:?}", found.instance, found.address)
}

#[test]
fn the_hosts_of_a_link_are_found() {
    let mut link = Link::established();
    link.add(2, "mqtt");
    link.add(3, "cellar");
    link.pass(20_000);
    link.take();
    let mut browser: Browser<16> = browser();
    let mut buf = [0; MESSAGE_LEN];
    let (len, to) = browser.poll_transmit(Instant::ZERO, &mut buf).unwrap();
    assert_eq!(to, "224.0.0.251:5353".parse().unwrap());
    link.hear(&buf[..len], "10.0.0.50:40000");
    link.pass(1_000);
    for sent in link.take() {
        assert_eq!(sent.to, "10.0.0.50:40000".parse().unwrap());
        assert!(browser.handle_datagram(&sent.bytes, (sent.from, 5353).into()));
    }
    let mut found: Vec<_> = browser.found().iter().map(text).collect();
    found.sort();
    let line = |name: &str, last: u8, service: &str, port: u16, txt: &str| {
        format!("{name}.{service}.local Some(\"{name}.local:{port}\") Some(10.0.0.{last}) [{txt}]")
    };
    let txt = r#""version=0.1.0", "id=ESP_1""#;
    let expected = [
        line("cellar", 3, MQTT_SERVICE, 1883, txt),
        line("cellar", 3, CONSOLE_SERVICE, 7777, "\"\""),
        line("mqtt-2", 2, MQTT_SERVICE, 1883, txt),
        line("mqtt-2", 2, CONSOLE_SERVICE, 7777, "\"\""),
        line("mqtt", 1, MQTT_SERVICE, 1883, txt),
        line("mqtt", 1, CONSOLE_SERVICE, 7777, "\"\""),
    ];
    assert_eq!(found, expected);
    assert!(browser.found().iter().all(Found::is_complete));
    let mqtt = browser.found().iter().find(|found| found.kind == 0).unwrap();
    assert_eq!(mqtt.txt("Version"), Some(&b"0.1.0"[..]));
    assert_eq!(mqtt.txt("vers"), None);
    assert_eq!(asked(&mut browser, 1000).len(), 2, "nothing is missing");
}

#[test]
fn it_asks_again_and_again() {
    let mut browser: Browser<4> = browser();
    let expected = ["? _mqtt._tcp.local PTR", "? _umqtt-console._tcp.local PTR"];
    let mut times = Vec::new();
    for at in (0..20_000).step_by(100) {
        let questions = asked(&mut browser, at);
        if !questions.is_empty() {
            assert_eq!(questions, expected);
            times.push(at);
        }
    }
    assert_eq!(times, [0, 1000, 3000, 7000, 15_000]);
    assert_eq!(browser.poll_at(), Instant::ZERO + Duration::from_secs(31));
}

#[test]
fn what_is_missing_is_asked_for() {
    let mut browser: Browser<4> = browser();
    asked(&mut browser, 0);
    let pointer = Build::reply(0).ptr("_mqtt._tcp.local", 10, "a._mqtt._tcp.local");
    assert!(browser.handle_datagram(&pointer.bytes(), from()));
    let questions = asked(&mut browser, 1000);
    assert_eq!(questions[2..], ["? a._mqtt._tcp.local SRV", "? a._mqtt._tcp.local TXT"]);
    let service = Build::reply(0).srv("a._mqtt._tcp.local", 10, "a.local", 1883);
    let service = service.txt("a._mqtt._tcp.local", 10, &["x=1"]);
    assert!(browser.handle_datagram(&service.bytes(), from()));
    assert_eq!(asked(&mut browser, 3000)[2..], ["? a.local A"]);
    let address = Build::reply(0).a("a.local", 10, [10, 0, 0, 9]);
    assert!(browser.handle_datagram(&address.bytes(), from()));
    assert_eq!(asked(&mut browser, 7000).len(), 2);
    assert!(browser.found()[0].is_complete());
    assert!(browser.handle_datagram(&service.bytes(), from()));
    assert!(browser.found()[0].is_complete(), "that is nothing new");
    // It moves to another host.
    let service = Build::reply(0).srv("a._mqtt._tcp.local", 10, "b.local", 1883);
    assert!(browser.handle_datagram(&service.bytes(), from()));
    assert_eq!(browser.found()[0].address, None);
    let gone = Build::reply(0).ptr("_mqtt._tcp.local", 0, "a._mqtt._tcp.local");
    assert!(browser.handle_datagram(&gone.bytes(), from()));
    assert!(browser.found().is_empty());
}

#[test]
fn what_is_no_answer() {
    let mut browser: Browser<4> = browser();
    let answer = Build::reply(7).ptr("_mqtt._tcp.local", 10, "a._mqtt._tcp.local");
    let whole = answer.bytes();
    assert!(!browser.handle_datagram(&whole, "10.0.0.9:40000".parse().unwrap()));
    for len in 0..whole.len() {
        assert!(!browser.handle_datagram(&whole[..len], from()), "{len} bytes");
    }
    let other = Build::reply(8).ptr("_mqtt._tcp.local", 10, "a._mqtt._tcp.local");
    assert!(!browser.handle_datagram(&other.bytes(), from()), "another number");
    let query = Build::query(7).ask("_mqtt._tcp.local", simple_dns::TYPE::PTR);
    assert!(!browser.handle_datagram(&query.bytes(), from()));
    browser.ask("10.0.0.1:4444".parse().unwrap());
    assert!(!browser.handle_datagram(&whole, from()), "another host was asked");
    assert!(browser.found().is_empty());
    assert!(browser.handle_datagram(&whole, "10.0.0.1:4444".parse().unwrap()));
    let printer = Build::reply(7).ptr("_ipp._tcp.local", 10, "a._ipp._tcp.local");
    browser.handle_datagram(&printer.bytes(), "10.0.0.1:4444".parse().unwrap());
    assert_eq!(browser.found().len(), 1, "nobody has asked for printers");
}

#[test]
fn there_is_a_bound() {
    let mut browser: Browser<4> = browser();
    for n in 0..100 {
        let name = format!("n{n}._mqtt._tcp.local");
        let answer = Build::reply(7).ptr("_mqtt._tcp.local", 10, &name);
        assert!(browser.handle_datagram(&answer.bytes(), from()));
    }
    assert_eq!((browser.found().len(), browser.overlooked()), (4, 96));
}
