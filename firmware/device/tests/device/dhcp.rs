//! Addresses for the stations of the own network.

use std::net::Ipv4Addr;

use umqtt_device::net::{Interface, Peer};
use umqtt_device::storage::ram::RamFlash;

use crate::world::{End, World, options, publish_packet};

const SERVER: u16 = 67;
const LEASES: u32 = 32;
const LEASE_TIME: u64 = 7_200_000;

/// What a station sends.
#[derive(Clone, Copy)]
enum Say {
    Discover,
    /// Asks for an address.
    Request([u8; 4]),
    /// Renews the lease of an address.
    Renew([u8; 4]),
}

fn message(station: u32, say: Say) -> Vec<u8> {
    let mut bytes = vec![0; 240];
    bytes[..3].copy_from_slice(&[1, 1, 6]);
    bytes[4..8].copy_from_slice(&station.to_be_bytes());
    bytes[28..34].copy_from_slice(&[&[2, 0][..], &station.to_be_bytes()].concat());
    bytes[236..].copy_from_slice(&[99, 130, 83, 99]);
    match say {
        Say::Discover => bytes.extend([53, 1, 1]),
        Say::Request(address) => {
            bytes.extend([53, 1, 3, 50, 4]);
            bytes.extend(address);
        }
        Say::Renew(address) => {
            bytes[12..16].copy_from_slice(&address);
            bytes.extend([53, 1, 3]);
        }
    }
    bytes.push(255);
    bytes
}

fn station() -> Peer {
    Peer::new(([0, 0, 0, 0], 68).into(), Interface::AccessPoint)
}

/// The type of an answer, and the address in it.
fn answers(world: &mut World) -> Vec<(u8, [u8; 4])> {
    let mut all = Vec::new();
    while let Some((port, to, bytes)) = world.udp().sent.pop_front() {
        if port == SERVER {
            assert_eq!(to.port(), 68);
            all.push((bytes[242], bytes[16..20].try_into().unwrap()));
        }
    }
    all
}

/// What a station hears.
fn ask(world: &mut World, number: u32, say: Say) -> Option<(u8, [u8; 4])> {
    assert!(world.send_datagram_quietly(SERVER, station(), &message(number, say)));
    world.settle();
    answers(world).pop()
}

/// A station gets its address.
fn join(world: &mut World, number: u32) -> Option<[u8; 4]> {
    let (offer, address) = ask(world, number, Say::Discover)?;
    assert_eq!(offer, 2);
    let (ack, same) = ask(world, number, Say::Request(address))?;
    assert_eq!((ack, same), (5, address));
    Some(address)
}

fn text(address: [u8; 4]) -> String {
    Ipv4Addr::from(address).to_string()
}

fn stats(world: &mut World, console: End) -> String {
    let stats = world.ask(console, "show stats");
    stats.lines().find(|line| line.starts_with("DHCP: ")).unwrap_or_default().to_owned()
}

fn new_flash() -> RamFlash {
    RamFlash::new(options().layout.sectors())
}

/// The message goes through the broker.
fn assert_serves(world: &mut World, client: End) {
    world.send(client, publish_packet("t", "x"));
    assert_eq!(world.messages(client), ["t: x"]);
}

#[test]
fn a_station_has_its_address_also_after_the_power_was_gone() {
    let mut world = World::new_access_point();
    let console = world.console();
    let address = join(&mut world, 7).unwrap();
    assert_eq!(address[..3], [192, 168, 4]);
    let shown = world.ask(console, "show stats");
    let counted = "DHCP: 1 of 32 leases, offered 1, granted 1, refused 0, malformed 0, \
                   no lease left 0, too many 0\r\n";
    let lease = format!("  {} 02:00:00:00:00:07, 7200 s left\r\n", text(address));
    assert!(shown.contains(&format!("{counted}{lease}")), "{shown}");
    world.advance(3_000);

    let mut world = World::access_point(world.into_flash());
    assert_eq!(ask(&mut world, 8, Say::Request(address)), Some((6, [0; 4])), "it is another's");
    assert_eq!(ask(&mut world, 7, Say::Renew(address)), Some((5, address)));
    let console = world.console();
    let shown = world.ask(console, "show stats");
    assert!(shown.contains(&format!("  {} 02:00", text(address))), "{shown}");
    // It runs out if nobody renews it.
    world.advance(LEASE_TIME);
    let console = world.console();
    assert!(stats(&mut world, console).starts_with("DHCP: 0 of 32 leases"));
}

#[test]
fn leases_that_are_damaged_in_the_flash_are_forgotten() {
    let mut world = World::new_access_point();
    let address = join(&mut world, 7).unwrap();
    world.advance(3_000);
    let mut flash = world.into_flash();
    let lease = [2, 0, 0, 0, 0, 7];
    let bytes = flash.bytes_mut();
    let at = bytes.windows(6).position(|found| found == lease).expect("it is saved");
    bytes[at] ^= 1;
    let mut world = World::access_point(flash);
    // Whoever remembers the address gets it again.
    assert_eq!(ask(&mut world, 8, Say::Request(address)), Some((5, address)));
    assert_eq!(ask(&mut world, 7, Say::Renew(address)), Some((6, [0; 4])));
}

#[test]
fn the_33rd_station_waits_until_a_lease_runs_out() {
    let mut world = World::new_access_point();
    let console = world.console();
    for number in 1..=LEASES {
        world.advance(1_000);
        join(&mut world, number).unwrap();
    }
    assert_eq!(ask(&mut world, 33, Say::Discover), None);
    let line = stats(&mut world, console);
    assert!(line.contains("32 of 32 leases") && line.contains("no lease left 1"), "{line}");
    // The first of them is not renewed.
    world.advance(LEASE_TIME - u64::from(LEASES) * 1_000);
    assert_eq!(ask(&mut world, 33, Say::Discover), None);
    world.advance(1_000);
    assert!(join(&mut world, 33).is_some());
    assert_eq!(ask(&mut world, 34, Say::Discover), None, "the others have theirs");
}

#[test]
fn strangers_noise_and_floods_keep_nobody_from_the_broker() {
    let mut world = World::new_access_point();
    let client = world.client("c", "t");
    let console = world.console();
    let address = join(&mut world, 7).unwrap();
    // From the network that was joined, nobody is heard.
    let outside = Peer::new(([10, 0, 0, 66], 68).into(), Interface::Station);
    assert!(!world.send_datagram_quietly(SERVER, outside, &message(8, Say::Discover)));
    for n in 0..5_000_usize {
        let noise = match n % 4 {
            0 => message(n as u32, Say::Discover),
            1 => vec![n as u8; n % 1_500],
            2 => [message(n as u32, Say::Discover), vec![n as u8; 1_200]].concat(),
            // The broadcast address, nobody's, and one that is another's.
            _ => message(n as u32, Say::Request([[255; 4], [0; 4], address][n / 4 % 3])),
        };
        world.send_datagram_quietly(SERVER, station(), &noise);
        if n % 500 == 0 {
            assert_serves(&mut world, client);
        }
    }
    world.settle();
    assert!(world.udp().to_device.is_empty(), "all of it is read");
    assert!(answers(&mut world).len() < 200, "few of them are answered");
    let line = stats(&mut world, console);
    let counted = |what: &str| -> u32 {
        let (_, rest) = line.split_once(what).unwrap();
        rest.trim().split(',').next().unwrap().parse().unwrap()
    };
    assert!(counted("malformed") > 10 && counted("too many") > 4_000, "{line}");
    world.advance(1_000);
    assert_eq!(ask(&mut world, 7, Say::Renew(address)), Some((5, address)), "it has its lease");
    assert_serves(&mut world, client);
}

#[test]
fn made_up_stations_do_not_wear_the_flash_out() {
    let mut flash = new_flash();
    let meter = flash.meter();
    let mut world = World::access_point(flash);
    world.advance(1_000);
    let before = meter.get();
    join(&mut world, 1).unwrap();
    world.advance(5_000);
    let once = meter.get() - before;
    assert!(once > 0, "it is saved");
    // One comes and goes each second, for ten minutes.
    for _ in 0..600 {
        let [.., last] = join(&mut world, 2).unwrap();
        let mut release = message(2, Say::Renew([192, 168, 4, last]));
        release.pop();
        *release.last_mut().unwrap() = 7;
        release.extend([54, 4, 192, 168, 4, 1, 255]);
        world.send_datagram_quietly(SERVER, station(), &release);
        world.advance(1_000);
    }
    // A minute lies between two times.
    let written = meter.get() - before - once;
    assert!(written <= once * 3 * 11, "{written} bytes, of {once} each");
}

#[test]
fn without_the_own_network_there_is_no_server() {
    let mut world = World::new_access_point();
    let console = world.console();
    let address = join(&mut world, 7).unwrap();
    world.ask(console, "set ap_on 0");
    world.advance(5_000);
    assert!(!world.send_datagram_quietly(SERVER, station(), &message(7, Say::Discover)));
    assert_eq!(stats(&mut world, console), "");
    world.ask(console, "set ap_on 1");
    world.advance(3_000);
    // It is the same server, which has its leases.
    assert_eq!(ask(&mut world, 7, Say::Renew(address)), Some((5, address)));
    assert!(stats(&mut world, console).starts_with("DHCP: 1 of 32 leases, offered 1, granted 2"));
}

#[test]
fn an_address_that_comes_after_the_access_point_is_found_within_a_second() {
    let mut world = World::new_access_point();
    let console = world.console();
    world.ask(console, "set ap_on 0");
    world.net.own_address = None;
    world.advance(5_000);
    world.ask(console, "set ap_on 1");
    world.advance(30_000);
    assert!(!world.send_datagram_quietly(SERVER, station(), &message(7, Say::Discover)));
    world.net.own_address = Some(([192, 168, 4, 1], 24));
    world.advance(1_000);
    assert!(join(&mut world, 7).is_some());
}

#[test]
fn a_port_that_is_taken_is_said_once_and_the_broker_serves() {
    let mut world = World::new_access_point();
    let console = world.console();
    let client = world.client("c", "t");
    world.ask(console, "set ap_on 0");
    world.advance(5_000);
    world.udp().taken.push(SERVER);
    world.serial();
    world.ask(console, "set ap_on 1");
    world.advance(60_000);
    let log = world.serial();
    assert_eq!(log.matches("no DHCP on port 67: the port is in use").count(), 1, "{log}");
    assert_serves(&mut world, client);
    world.udp().taken.clear();
    world.advance(10_000);
    assert!(join(&mut world, 1).is_some());
}

#[test]
fn an_address_that_is_not_that_of_the_settings_is_said_once() {
    let mut world = World::new_access_point();
    let console = world.console();
    let first = join(&mut world, 7).unwrap();
    world.serial();
    world.net.own_address = Some(([10, 9, 8, 77], 24));
    world.advance(60_000);
    let log = world.serial();
    let line = "the own network has the address 10.9.8.77, not 192.168.4.1";
    assert_eq!(log.matches(line).count(), 1, "{log}");
    // It serves there.
    assert_eq!(ask(&mut world, 7, Say::Renew(first)), Some((6, [0; 4])));
    assert_eq!(join(&mut world, 7).unwrap()[..3], [10, 9, 8]);
    world.net.own_address = Some(([10, 9, 8, 1], 16));
    world.advance(60_000);
    let log = world.serial();
    let line = "no DHCP in the own network: it is a /16, not a /24";
    assert_eq!(log.matches(line).count(), 1, "{log}");
    assert_eq!(stats(&mut world, console), "");
    world.net.own_address = None;
    world.advance(60_000);
    world.net.own_address = Some(([192, 168, 4, 1], 24));
    world.advance(10_000);
    assert!(join(&mut world, 7).is_some());
    assert_eq!(world.serial().matches("own network").count(), 0);
}

#[test]
fn a_factory_reset_forgets_the_leases() {
    let mut world = World::new_access_point();
    let console = world.console();
    let address = join(&mut world, 7).unwrap();
    world.advance(3_000);
    let _ = world.ask(console, "reset factory");
    world.advance(2_000);
    assert!(world.wires.borrow().restarted);
    let mut world = World::access_point(world.into_flash());
    assert_eq!(ask(&mut world, 8, Say::Request(address)), Some((5, address)));
}
