//! Names for the stations of the own network.

use umqtt_device::net::{Interface, Peer};
use umqtt_dns::wire::{DnsMessage, Section, rtype};
use umqtt_dns::{Data, MESSAGE_LEN, NameBuf, PORT, Writer};

use crate::world::{End, World, publish_packet};

const UPSTREAM: [u8; 4] = [10, 0, 0, 1];
/// Queries that wait for the station's server at a time, and of them those of one client.
const FORWARDS: usize = 16;
const OF_ONE: usize = 8;

fn question(id: u16, name: &str) -> Vec<u8> {
    let mut buf = [0; MESSAGE_LEN];
    let mut writer = Writer::new(&mut buf, id, 0x100).unwrap();
    writer.question(&NameBuf::from_text(name).unwrap().name(), rtype::A, 1).unwrap();
    let len = writer.finish();
    buf[..len].to_vec()
}

/// An answer to a question: a copy of it with an address.
fn answer(question: &[u8], name: &str, address: [u8; 4]) -> Vec<u8> {
    let id = u16::from_be_bytes([question[0], question[1]]);
    let mut buf = [0; MESSAGE_LEN];
    let mut writer = Writer::new(&mut buf, id, 0x8180).unwrap();
    let name = NameBuf::from_text(name).unwrap();
    writer.question(&name.name(), rtype::A, 1).unwrap();
    let data = Data::A(address.into());
    writer.record(Section::Answer, &name.name(), (rtype::A, 1), 60, data).unwrap();
    let len = writer.finish();
    buf[..len].to_vec()
}

fn client(last: u8, port: u16) -> Peer {
    Peer::new(([192, 168, 4, last], port).into(), Interface::AccessPoint)
}

fn server() -> Peer {
    Peer::new((UPSTREAM, PORT).into(), Interface::Station)
}

/// `id rcode address` of what was sent to clients, and what the station's server was asked, with
/// the port it was asked from.
fn sent(world: &mut World) -> (Vec<String>, Vec<(u16, Vec<u8>)>) {
    let (mut answers, mut asked) = (Vec::new(), Vec::new());
    while let Some((port, to, bytes)) = world.udp().sent.pop_front() {
        if port != PORT {
            assert_eq!(to, server().addr);
            asked.push((port, bytes));
            continue;
        }
        let message = DnsMessage::parse(&bytes).unwrap();
        let address = message.records(Section::Answer).find_map(|record| record.address());
        let address = address.map(|address| format!(" {address}")).unwrap_or_default();
        answers.push(format!("{} {}{address}", message.id(), message.rcode()));
    }
    (answers, asked)
}

fn ask(world: &mut World, id: u16, name: &str) -> Vec<String> {
    assert!(world.send_datagram_quietly(PORT, client(2, 4_000), &question(id, name)));
    world.settle();
    sent(world).0
}

fn stats(world: &mut World, console: End) -> String {
    let stats = world.ask(console, "show stats");
    stats.lines().find(|line| line.starts_with("DNS: ")).unwrap_or_default().to_owned()
}

/// A device whose station has a name server.
fn world() -> World {
    let mut world = World::new_access_point();
    world.net.name_server = Some(UPSTREAM.into());
    world.advance(10_000);
    world
}

#[test]
fn the_device_has_its_names_and_others_are_not_found_at_once() {
    let mut world = World::new_access_point();
    let console = world.console();
    assert_eq!(ask(&mut world, 1, "mqtt.local"), ["1 0 192.168.4.1"]);
    assert_eq!(ask(&mut world, 2, "Umqtt.Example"), ["2 3"]);
    world.ask(console, "set dns_name umqtt.example");
    assert_eq!(ask(&mut world, 3, "Umqtt.Example"), ["3 0 192.168.4.1"]);
    let line = "DNS: answered 2, forwarded 0, not found 1, no answer 0, refused 0, malformed 0, \
                unexpected 0";
    assert_eq!(stats(&mut world, console), line);
    world.serial();
    world.ask(console, "set dns_name a..b");
    world.ask(console, "set broker_user me");
    let log = world.serial();
    assert_eq!(log.matches("dns_name is no name that can be looked up").count(), 1, "{log}");
    assert_eq!(ask(&mut world, 4, "umqtt.example"), ["4 3"]);
    world.net.own_address = Some(([10, 9, 8, 1], 24));
    world.advance(10_000);
    assert_eq!(ask(&mut world, 5, "mqtt.local"), ["5 0 10.9.8.1"]);
}

#[test]
fn other_names_are_the_business_of_the_station_s_server() {
    let mut world = world();
    let console = world.console();
    assert_eq!(world.udp().ports.iter().flatten().count(), 2, "67 and 53");
    assert!(world.send_datagram_quietly(PORT, client(2, 4_000), &question(7, "a.example")));
    world.settle();
    let (answers, asked) = sent(&mut world);
    assert!(answers.is_empty());
    let [(port, query)] = &asked[..] else { panic!("{asked:?}") };
    let right = answer(query, "a.example", [1, 2, 3, 4]);

    // Whatever is not the answer of that server to that question is nobody's.
    let mut other_id = right.clone();
    other_id[1] ^= 1;
    let elsewhere = Peer::new(([10, 0, 0, 2], PORT).into(), Interface::Station);
    let other_port = Peer::new((UPSTREAM, 5_353).into(), Interface::Station);
    let spoofed = Peer::new((UPSTREAM, PORT).into(), Interface::AccessPoint);
    for (from, bytes) in [
        (server(), &other_id),
        (server(), &answer(query, "b.example", [6, 6, 6, 6])),
        (server(), query),
        (server(), &vec![7; 600]),
        (server(), &Vec::new()),
        (elsewhere, &right),
        (other_port, &right),
    ] {
        assert!(world.send_datagram_quietly(*port, from, bytes));
    }
    assert!(!world.send_datagram_quietly(*port, spoofed, &right), "it does not come in there");
    world.settle();
    assert_eq!(sent(&mut world), (Vec::new(), Vec::new()));
    assert!(stats(&mut world, console).ends_with("unexpected 7"), "{}", stats(&mut world, console));

    assert!(world.send_datagram_quietly(*port, server(), &right));
    world.settle();
    assert_eq!(sent(&mut world).0, ["7 0 1.2.3.4"]);
    assert!(!world.send_datagram_quietly(*port, server(), &right), "the port is closed");
    // The next comes from another one.
    world.send_datagram_quietly(PORT, client(2, 4_000), &question(8, "a.example"));
    world.settle();
    assert_ne!(sent(&mut world).1[0].0, *port);
    // Names of the link are no business of a server elsewhere.
    assert_eq!(ask(&mut world, 9, "printer.local"), ["9 3"]);
}

#[test]
fn who_waits_for_the_station_s_server_waits_in_a_bounded_table_for_a_bounded_time() {
    let mut world = world();
    let console = world.console();
    for id in 0..40 {
        for last in [2, 3, 4] {
            let query = question(id, &format!("n{id}.example"));
            assert!(world.send_datagram_quietly(PORT, client(last, 4_000), &query));
            world.settle();
        }
        world.advance(50);
    }
    let (answers, asked) = sent(&mut world);
    assert_eq!(asked.len(), FORWARDS);
    assert!(answers.len() > 40 && answers.iter().all(|it| it.ends_with(" 2")), "{answers:?}");
    assert_eq!(ask(&mut world, 99, "mqtt.local"), ["99 0 192.168.4.1"], "its own goes on");
    world.advance(6_000);
    let line = stats(&mut world, console);
    assert!(line.contains(&format!("no answer {FORWARDS},")), "{line}");
    assert_eq!(world.udp().ports.iter().flatten().count(), 2, "the port is closed");
    // One client alone has half of it.
    for id in 0..20 {
        world.send_datagram_quietly(PORT, client(2, 4_000), &question(id, "a.example"));
    }
    world.settle();
    assert_eq!(sent(&mut world).1.len(), OF_ONE);
}

#[test]
fn a_flood_of_queries_and_noise_keeps_nobody_from_the_broker() {
    let mut world = world();
    let console = world.console();
    let broker = world.client("c", "t");
    let from = client(66, 9);
    for n in 0..5_000_usize {
        let bytes = match n % 3 {
            0 => question(n as u16, "mqtt.local"),
            1 => vec![n as u8; n % 1_500],
            _ => question(n as u16, &format!("n{n}.example")),
        };
        world.send_datagram_quietly(PORT, from, &bytes);
        if n % 500 == 0 {
            world.send(broker, publish_packet("t", "x"));
            assert_eq!(world.messages(broker), ["t: x"]);
        }
    }
    world.settle();
    assert!(world.udp().to_device.is_empty(), "all of it is read");
    let (answers, asked) = sent(&mut world);
    assert!(answers.len() <= 100 && asked.len() <= OF_ONE, "{}", answers.len());
    let line = stats(&mut world, console);
    assert!(!line.contains("refused 0") && !line.contains("malformed 0"), "{line}");
    world.advance(1_000);
    assert_eq!(ask(&mut world, 7, "mqtt.local"), ["7 0 192.168.4.1"]);
}

#[test]
fn a_port_that_is_taken_is_said_once_and_is_had_later() {
    let mut world = World::new_access_point();
    let console = world.console();
    world.ask(console, "set ap_on 0");
    world.advance(5_000);
    assert_eq!(stats(&mut world, console), "");
    world.udp().taken.push(PORT);
    world.serial();
    world.ask(console, "set ap_on 1");
    world.advance(60_000);
    let log = world.serial();
    assert_eq!(log.matches("no DNS on port 53: the port is in use").count(), 1, "{log}");
    world.udp().taken.clear();
    world.advance(10_000);
    assert_eq!(ask(&mut world, 7, "mqtt.local"), ["7 0 192.168.4.1"]);
}

#[test]
fn a_station_that_leaves_its_network_has_no_server() {
    let mut world = world();
    world.send_datagram_quietly(PORT, client(2, 4_000), &question(7, "a.example"));
    world.settle();
    assert_eq!(sent(&mut world).1.len(), 1);
    world.net.name_server = None;
    world.advance(10_000);
    assert_eq!(ask(&mut world, 8, "a.example"), ["8 3"]);
    // One that is said to be in the own network is nobody's server.
    world.net.name_server = Some([192, 168, 4, 9].into());
    world.advance(10_000);
    assert_eq!(ask(&mut world, 9, "a.example"), ["9 3"]);
}
