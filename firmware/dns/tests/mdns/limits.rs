//! Names that are none, and messages that cost too much.

use crate::common::link::{Link, address, network, services};
use crate::common::{Build, dump};
use simple_dns::TYPE;
use umqtt_dns::mdns::{self, MESSAGE_LEN, MdnsResponder, Service};
use umqtt_net::{Duration, Instant, Interface};

#[test]
fn what_is_no_name() {
    let new = |label: &str| MdnsResponder::new(Interface::Station, label, &services(), 1);
    assert!(new("").is_none());
    assert!(new(&"x".repeat(33)).is_none());
    assert!(new(&"x".repeat(32)).is_some());
    // A service whose kind is none is left out.
    let bad = [Service::new("", 1), Service::new("_a..b", 1), Service::new("_ok._tcp", 1)];
    let mut responder = MdnsResponder::new(Interface::Station, "mqtt", &bad, 1).unwrap();
    responder.set_address(network(address(1)), Instant::ZERO);
    let now = Instant::ZERO + Duration::from_secs(1);
    let mut buf = [0; MESSAGE_LEN];
    let (len, _) = responder.poll_transmit(now, &mut buf).unwrap();
    assert_eq!(dump(&buf[..len]).len(), 5);
    assert_eq!(mdns::MQTT_SERVICE, "_mqtt._tcp");
}

/// A message of so many bytes: a question for the host, and what is said in a record of nobody's.
fn padded(len: usize) -> Vec<u8> {
    let mut bytes = Build::multicast_query().ask("mqtt.local", TYPE::A).bytes();
    bytes[11] = 1;
    bytes.extend(b"\x01x\0\0\x10\0\x01\0\0\0\x78");
    let rest = len - bytes.len() - 2;
    bytes.extend((rest as u16).to_be_bytes());
    bytes.resize(len, 0);
    bytes
}

#[test]
fn a_message_longer_than_any_may_be_is_not_read() {
    let mut link = Link::established();
    for (len, answers) in [(mdns::MAX_MESSAGE, 1), (mdns::MAX_MESSAGE + 1, 0), (65_507, 0)] {
        link.hear(&padded(len), "10.0.0.99:5353");
        link.pass(2_000);
        assert_eq!(link.take().len(), answers, "{len} bytes");
    }
    assert_eq!(link.hosts[0].responder.stats().ignored, 2);
}

/// A question for each of many names, of which each is the end of a ladder: a pointer to a pointer,
/// and so on.
fn ladders(rungs: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    bytes.extend(b"\0\0\x10\0\x01\0\0\0\x78");
    bytes.extend((rungs as u16 * 2 + 1).to_be_bytes());
    let mut last = bytes.len() as u16;
    bytes.push(0);
    for _ in 0..rungs {
        let to = std::mem::replace(&mut last, bytes.len() as u16);
        bytes.extend((0xc000 | to).to_be_bytes());
    }
    let mut records = 1_u16;
    while bytes.len() + 12 <= mdns::MAX_MESSAGE {
        bytes.extend((0xc000 | last).to_be_bytes());
        bytes.extend(b"\0\x10\0\x01\0\0\0\x78\0\0");
        records += 1;
    }
    bytes[6..8].copy_from_slice(&records.to_be_bytes());
    bytes
}

#[test]
fn names_that_are_ladders_of_pointers_are_not_climbed() {
    let mut link = Link::established();
    link.hear(&ladders(umqtt_dns::MAX_POINTERS - 1), "10.0.0.99:5353");
    assert_eq!(link.hosts[0].responder.stats().ignored, 0);
    link.hear(&ladders(4000), "10.0.0.99:5353");
    assert_eq!(link.hosts[0].responder.stats().ignored, 1);
    link.ask(&Build::multicast_query().ask("mqtt.local", TYPE::A));
    link.pass(0);
    assert_eq!(link.take().len(), 1, "others are answered");
}
