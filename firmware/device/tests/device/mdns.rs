//! Multicast DNS: what the device says it is called and offers, where, and when that changes.

use umqtt_device::device::DeviceOptions;
use umqtt_device::net::Interface;
use umqtt_device::settings::Capability;
use umqtt_dns::wire::{DnsMessage, Item, Section, rtype};
use umqtt_dns::{Data, MDNS_GROUP, MDNS_PORT, NameBuf, Writer, mdns::MESSAGE_LEN};

use crate::world::World;

const NEIGHBOUR: &str = "10.0.0.99:5353";

fn options() -> DeviceOptions {
    let capabilities = DeviceOptions::ESP8266.capabilities.with(Capability::Mdns);
    DeviceOptions { capabilities, ..crate::world::options() }
}

/// A device that is a station at 10.0.0.7.
fn station() -> World {
    let mut world = World::with_datagrams(options());
    world.net.has_station_address = true;
    world
}

/// What the device has sent since last asked: `?` before questions.
fn sent(world: &mut World) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some((port, to, bytes)) = world.udp().sent.pop_front() {
        assert_eq!((port, to.port()), (MDNS_PORT, MDNS_PORT));
        let message = DnsMessage::parse(&bytes).unwrap();
        for item in message.items() {
            lines.push(match item.unwrap() {
                Item::Question(question) => format!("? {}", question.name),
                Item::Record(Section::Answer, record) => match (record.srv(), record.address()) {
                    (Some(srv), _) => format!("{} {}:{}", record.name, srv.target, srv.port),
                    (_, Some(address)) => format!("{} {address} {}", record.name, record.ttl),
                    _ => continue,
                },
                Item::Record(..) => continue,
            });
        }
    }
    lines
}

/// What is announced once the name is the device's.
fn announced(world: &mut World) -> Vec<String> {
    world.advance(5_000);
    let mut lines = sent(world);
    lines.retain(|line| !line.starts_with('?'));
    lines.sort();
    lines.dedup();
    lines
}

fn question(name: &str, qtype: u16) -> Vec<u8> {
    let mut buf = [0; MESSAGE_LEN];
    let mut writer = Writer::new(&mut buf, 0, 0).unwrap();
    writer.question(&NameBuf::from_text(name).unwrap().name(), qtype, 1).unwrap();
    let len = writer.finish();
    buf[..len].to_vec()
}

const ALL: [&str; 3] = [
    "mqtt._mqtt._tcp.local mqtt.local:1883",
    "mqtt._umqtt-console._tcp.local mqtt.local:7777",
    "mqtt.local 10.0.0.7 120",
];

#[test]
fn the_device_is_mqtt_local_where_its_owner_wants_that() {
    let mut world = station();
    let console = world.console();
    world.advance(60_000);
    assert_eq!(sent(&mut world), [""; 0], "nobody asked it to");
    assert_eq!(world.udp().ports.iter().flatten().count(), 0);
    world.ask(console, "set mdns_mode 1");
    let asks = sent(&mut world);
    assert!(asks.iter().all(|line| line.starts_with('?')), "{asks:?}");
    assert_eq!(world.udp().joined, [(MDNS_GROUP, Interface::Station)]);
    assert_eq!(announced(&mut world), ALL);
    let stats = world.ask(console, "show stats");
    assert!(stats.contains("mDNS: mqtt.local, sent 5, conflicts 0, refused 0\r\n"), "{stats}");

    assert!(world.send_datagram(MDNS_PORT, NEIGHBOUR, &question("MQTT.local", rtype::A)));
    assert_eq!(sent(&mut world), [ALL[2]]);

    world.ask(console, "set mdns_mode 0");
    assert_eq!(sent(&mut world)[0], "mqtt.local 10.0.0.7 0", "goodbye");
    assert_eq!(world.udp().ports.iter().flatten().count(), 0);
    assert!(!world.ask(console, "show stats").contains("mDNS"));
    world.advance(60_000);
    assert_eq!(sent(&mut world), [""; 0]);
}

#[test]
fn what_is_not_open_to_that_network_is_not_offered() {
    let mut world = station();
    let console = world.console();
    world.ask(console, "set mdns_mode 1");
    let _ = announced(&mut world);
    world.ask(console, "set broker_port 1884");
    let moved = ["mqtt._mqtt._tcp.local mqtt.local:1884", ALL[1], ALL[2]];
    assert_eq!(announced(&mut world), moved);
    world.ask(console, "set broker_access 1");
    assert_eq!(announced(&mut world), &moved[1..]);
    let serial = |world: &mut World, line: &str| world.type_in(&format!("{line}\n"));
    serial(&mut world, "set config_access 1");
    assert_eq!(announced(&mut world), &moved[2..]);
    serial(&mut world, "set mdns_mode 2");
    let own = [moved[0], moved[1], "mqtt.local 192.168.4.1 120"];
    let goodbye = "mqtt.local 10.0.0.7 0";
    assert_eq!(announced(&mut world), [moved[0], moved[1], goodbye, own[2]]);
}

#[test]
fn a_name_that_another_host_has_gets_a_number() {
    let mut world = station();
    let console = world.console();
    world.ask(console, "set mdns_mode 1");
    let mut buf = [0; MESSAGE_LEN];
    let mut writer = Writer::new(&mut buf, 0, 0x8400).unwrap();
    let name = NameBuf::from_text("mqtt.local").unwrap();
    let address = Data::A([10, 0, 0, 99].into());
    writer.record(Section::Answer, &name.name(), (rtype::A, 0x8001), 120, address).unwrap();
    let len = writer.finish();
    assert!(world.send_datagram(MDNS_PORT, NEIGHBOUR, &buf[..len]));
    let expected = ["mqtt-2._mqtt._tcp.local mqtt-2.local:1883", "mqtt-2.local 10.0.0.7 120"];
    let announced = announced(&mut world);
    assert!(expected.iter().all(|line| announced.iter().any(|it| it == line)), "{announced:?}");
    let stats = world.ask(console, "show stats");
    assert!(stats.contains("mDNS: mqtt-2.local, sent "), "{stats}");
    assert!(stats.contains("conflicts 1"), "{stats}");
}

#[test]
fn it_waits_for_port_and_address_and_says_so_once() {
    let mut world = World::with_datagrams(options());
    let console = world.console();
    world.ask(console, "set mdns_mode 1");
    world.advance(60_000);
    assert_eq!(sent(&mut world), [""; 0], "there is no address");
    world.udp().taken.push(MDNS_PORT);
    world.net.has_station_address = true;
    world.advance(60_000);
    assert_eq!(sent(&mut world), [""; 0]);
    let log = world.serial();
    assert_eq!(log.matches("no mDNS on port 5353: the port is in use").count(), 1, "{log}");
    world.udp().taken.clear();
    world.advance(10_000);
    assert_eq!(announced(&mut world), ALL);
    // The address is lost and comes back.
    world.net.has_station_address = false;
    world.advance(60_000);
    let _ = sent(&mut world);
    world.net.has_station_address = true;
    world.advance(10_000);
    assert_eq!(announced(&mut world), ALL);
}

#[test]
fn a_flood_of_questions_and_noise_takes_nobodys_turn() {
    let mut world = station();
    let console = world.console();
    world.ask(console, "set mdns_mode 1");
    let _ = announced(&mut world);
    let socket = umqtt_net::UdpId(0);
    let from = umqtt_device::net::Peer::from(NEIGHBOUR.parse::<std::net::SocketAddr>().unwrap());
    let asked = question("_mqtt._tcp.local", rtype::PTR);
    for n in 0..5_000_usize {
        let bytes = if n % 2 == 0 { asked.clone() } else { vec![n as u8; n % 600] };
        world.udp().to_device.push_back((socket, bytes, from));
    }
    world.net.events.push_back(umqtt_device::net::NetEvent::Datagram(socket));
    assert_eq!(world.ask(console, "set broker_user"), world.ask(console, "set broker_user"));
    world.advance(1_000);
    assert!(world.udp().to_device.is_empty(), "all of it is read");
    assert!(sent(&mut world).len() < 10, "few of them are answered");
    assert!(world.ask(console, "show stats").contains("mDNS: mqtt.local"));
}
