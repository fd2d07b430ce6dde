//! Names on a wire with hosts of the test's own: one is the name server and the time server, others
//! ask for the device by multicast.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::device::{Device, MQTT, TIMEOUT};
use crate::half_open::connect;
use crate::wire::{DEVICE, Datagrams, Wire};

/// RFC 6762, section 3.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const MDNS: u16 = 5353;
const DNS: u16 = 53;
const NTP: u16 = 123;
/// Bytes of a message's header, and of what follows the name of a question.
const HEADER: usize = 12;
const QUESTION_END: usize = 4;
/// Type and class of an address.
const ADDRESS: [u8; 4] = [0, 1, 0, 1];

/// A name in a message.
fn name(text: &str) -> Vec<u8> {
    let labels =
        text.split('.').flat_map(|label| std::iter::once(label.len() as u8).chain(label.bytes()));
    labels.chain([0]).collect()
}

/// A question for an address.
fn question(id: u16, host: &str) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0], &name(host), &ADDRESS].concat()
}

/// Whether a message is a response.
fn is_response(message: &[u8]) -> bool {
    message[2] & 0x80 != 0
}

/// Whether it has a record that says this address of this host.
fn tells(message: &[u8], host: &str, address: Ipv4Addr) -> bool {
    // The name may be a pointer in front of the record.
    let record = [&[0, 4][..], &address.octets()].concat();
    is_response(message)
        && message.windows(name(host).len()).any(|part| part.eq_ignore_ascii_case(&name(host)))
        && message.windows(record.len()).any(|part| part == record)
}

/// A response to a question: an address for the host it asks for, for ten minutes.
fn answer(question: &[u8], address: Ipv4Addr) -> Vec<u8> {
    let end = question[HEADER..].iter().position(|byte| *byte == 0).unwrap();
    let question = &question[..HEADER + end + 1 + QUESTION_END];
    let mut answer = question.to_vec();
    answer[2..4].copy_from_slice(&[0x81, 0x80]);
    answer[4..12].copy_from_slice(&[0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend([0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4]);
    answer.extend(address.octets());
    answer
}

#[test]
fn a_time_server_s_name_is_looked_up_once_and_remembered() {
    let (mut device, mut wire) =
        Device::boot_on_wire_with(&format!("set dns {}\r\n", Wire::address(0)));
    let host = wire.join();
    let (dns, ntp) = (wire.bind(host, DNS), wire.bind(host, NTP));
    device.type_in("set ntp_server time.example\r\n");

    // The first question is lost: it is asked again, with another number from another port.
    let (first, lost) = wire.receive_from(dns, TIMEOUT).unwrap();
    assert_eq!(first[HEADER..], [name("time.example"), ADDRESS.to_vec()].concat());
    let (second, from) = wire.receive_from(dns, TIMEOUT).unwrap();
    assert_ne!(lost.1, from.1, "each question comes from a port of its own");
    assert_ne!(first[..2], second[..2], "and has a number of its own");
    // Who does not know the number is not believed, nor who answers something else.
    let mut forged = answer(&second, Wire::address(7));
    forged[1] ^= 1;
    wire.send_to(dns, &forged, from);
    let other = answer(
        &question(u16::from_be_bytes([second[0], second[1]]), "evil.example"),
        Wire::address(7),
    );
    wire.send_to(dns, &other, from);
    wire.send_to(dns, &answer(&second, Wire::address(host)), from);
    let (request, _) = wire.receive_from(ntp, TIMEOUT).unwrap();
    assert_eq!(request.len(), 48);

    // Another setting with the same name: the address is known.
    let other = wire.bind(host, 1123);
    device.type_in("set ntp_server TIME.example:1123\r\n");
    assert!(wire.receive_from(other, TIMEOUT).is_some());
    assert_eq!(wire.receive_from(dns, Duration::ZERO), None, "it is remembered");
}

/// A wire and a host on it that takes part in multicast DNS.
fn on_link() -> (Device, Wire, Datagrams) {
    let (device, mut wire) = Device::boot_on_wire();
    let host = wire.join();
    let socket = wire.bind(host, MDNS);
    wire.join_group(host, GROUP);
    (device, wire, socket)
}

/// Waits until the device has taken what was sent so far, and has answered it where it does so at
/// once: it takes frames in their order.
fn has_taken_all(wire: &mut Wire, client: &str) {
    let host = wire.join();
    let connection = wire.connect(host, MQTT, 2048);
    wire.send(connection, &connect(client, 0));
    let answer = wire.receive(connection, TIMEOUT, |bytes| bytes.len() >= 4);
    assert_eq!(answer, [0x20, 2, 0, 0]);
}

/// Waits for a message that is what is wanted.
fn heard(wire: &mut Wire, at: Datagrams, is: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let end = std::time::Instant::now() + TIMEOUT;
    while std::time::Instant::now() < end {
        let (message, _) = wire.receive_from(at, TIMEOUT)?;
        if is(&message) {
            return Some(message);
        }
    }
    None
}

#[test]
fn the_device_is_found_by_its_name_while_it_is_to_be() {
    let (mut device, mut wire, socket) = on_link();
    wire.send_to(socket, &question(0, "mqtt.local"), (GROUP, MDNS));
    has_taken_all(&mut wire, "before");
    assert_eq!(wire.receive_from(socket, Duration::ZERO), None, "it is off");

    device.type_in("set mdns_mode 1\r\n");
    let is_announcement = |message: &[u8]| tells(message, "mqtt.local", DEVICE);
    assert!(heard(&mut wire, socket, is_announcement).is_some());
    // One that knows nothing of multicast DNS asks from any port, and has the answer there.
    let other = wire.join();
    let plain = wire.bind(other, 40_000);
    wire.send_to(plain, &question(0x1234, "mqtt.local"), (GROUP, MDNS));
    let told = heard(&mut wire, plain, is_announcement).unwrap();
    assert_eq!(told[..2], [0x12, 0x34]);
    let services = [name("_mqtt._tcp.local"), vec![0, 12, 0, 1]].concat();
    let browse = [&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], &services[..]].concat();
    wire.send_to(plain, &browse, (GROUP, MDNS));
    let port = 1883_u16.to_be_bytes();
    let is_service = |message: &[u8]| message.windows(2).any(|part| part == port);
    assert!(heard(&mut wire, plain, is_service).is_some());

    device.type_in("set mdns_mode 0\r\n");
    // Its address, to be remembered no longer.
    let ended = [&[0, 1, 0x80, 1, 0, 0, 0, 0, 0, 4][..], &DEVICE.octets()].concat();
    let is_goodbye = |message: &[u8]| message.windows(ended.len()).any(|part| part == ended);
    assert!(heard(&mut wire, socket, is_goodbye).is_some());
    wire.send_to(plain, &question(1, "mqtt.local"), (GROUP, MDNS));
    has_taken_all(&mut wire, "after");
    assert_eq!(wire.receive_from(plain, Duration::ZERO), None, "it is off again");
}

#[test]
fn who_has_the_name_already_keeps_it() {
    let (mut device, mut wire, socket) = on_link();
    device.type_in("set mdns_mode 1\r\n");
    let is_probe = |message: &[u8]| !is_response(message);
    heard(&mut wire, socket, is_probe).unwrap();
    let taken = answer(&question(0, "mqtt.local"), Wire::address(0));
    wire.send_to(socket, &taken, (GROUP, MDNS));
    let is_other = |message: &[u8]| tells(message, "mqtt-2.local", DEVICE);
    assert!(heard(&mut wire, socket, is_other).is_some());
}
