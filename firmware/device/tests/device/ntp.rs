//! Network time: when the device asks, what that makes of its clock, and what it tells others.

use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::Capability;
use umqtt_ntp::{Mode, Packet, Timestamp};

use crate::world::{End, World};

/// 2026-11-29 06:59:50 UTC, a Sunday.
const MORNING: u64 = 1_795_935_590_000;
const SERVER: &str = "10.0.0.1:123";

/// A chip's device, without a clock.
fn chip() -> World {
    let capabilities =
        DeviceOptions::ESP8266.capabilities.with(Capability::Ntp).with(Capability::TimeServer);
    let options = DeviceOptions { capabilities, time_server: "", ..crate::world::options() };
    World::with_datagrams(options)
}

/// What the device asks next: from which port, whom, and with which number.
fn asked(world: &mut World) -> Option<(u16, String, Timestamp)> {
    let (port, to, bytes) = world.udp().sent.pop_front()?;
    let request = Packet::parse(&bytes).unwrap();
    assert_eq!(request.mode, Mode::Client);
    Some((port, to.to_string(), request.transmit))
}

fn answer(origin: Timestamp, unix_millis: u64) -> Packet {
    Packet {
        mode: Mode::Server,
        stratum: 2,
        origin,
        receive: Timestamp::from_unix_millis(unix_millis),
        transmit: Timestamp::from_unix_millis(unix_millis),
        ..Packet::request(1)
    }
}

/// Answers what the device asks at this moment.
fn answers(world: &mut World, unix_millis: u64) {
    let (port, to, origin) = asked(world).expect("the device asks");
    let answer = answer(origin, unix_millis).to_bytes();
    assert!(world.send_datagram(port, &to, &answer));
}

/// The clock is corrected by a server that is asked now.
fn correct(world: &mut World, console: End, unix_millis: u64) {
    world.udp().sent.clear();
    world.ask(console, "set ntp_server 10.0.0.1");
    answers(world, unix_millis);
}

#[test]
fn the_clock_is_set_when_the_network_comes_up_and_at_each_interval() {
    let mut world = chip();
    let console = world.console();
    assert_eq!(asked(&mut world), None, "there is no server by itself");
    assert_eq!(world.ask(console, "time"), "xxx 99:99:99\r\n");
    world.link(false);
    world.ask(console, "set ntp_interval 60");
    world.ask(console, "set ntp_server 10.0.0.1");
    let _ = asked(&mut world);
    world.link(true);
    answers(&mut world, MORNING);
    assert_eq!(world.ask(console, "time"), "Sun 06:59:50\r\n");
    assert!(world.serial().contains("Clock set by 10.0.0.1:123"));
    let stats = world.ask(console, "show stats");
    let line = "Clock synchronized: 0 s ago by 10.0.0.1:123, stratum 2, offset unknown\r\n";
    assert!(stats.contains(line), "{stats}");
    assert_eq!(asked(&mut world), None);
    world.advance(59_999);
    assert_eq!(asked(&mut world), None);
    world.advance(1);
    // 40 ms behind: no line in the log.
    answers(&mut world, MORNING + 60_040);
    let stats = world.ask(console, "show stats");
    assert!(stats.contains("stratum 2, offset 40 ms\r\n"), "{stats}");
    assert!(!world.serial().contains("Clock set by"));
    assert_eq!(world.udp().ports.iter().flatten().count(), 0, "no socket waits for nothing");
}

#[test]
fn the_time_is_published_each_second_once_the_clock_is_known() {
    let mut world = chip();
    let console = world.console();
    let watcher = world.client("w", "$SYS/broker/time");
    world.advance(20_000);
    assert_eq!(world.messages(watcher), [""; 0]);
    correct(&mut world, console, MORNING);
    world.advance(10_000);
    let _ = world.messages(watcher);
    world.advance(3_000);
    let times = world.messages(watcher);
    let seconds = ["$SYS/broker/time: 07:00:01", "$SYS/broker/time: 07:00:02"];
    assert!(times.len() == 3 && times[..2] == seconds, "{times:?}");
}

#[test]
fn who_does_not_answer_is_asked_again_from_other_ports() {
    let mut world = chip();
    let console = world.console();
    world.ask(console, "set ntp_server 10.0.0.1:1123");
    let mut ports = Vec::new();
    for wait in [1_000, 2_000, 4_000, 8_000] {
        let (port, to, _) = asked(&mut world).unwrap();
        assert_eq!(to, "10.0.0.1:1123");
        ports.push(port);
        assert_eq!(world.udp().ports.iter().flatten().count(), 1);
        world.advance(wait);
    }
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 4);
    assert_eq!(asked(&mut world), None, "a round is over");
    assert!(world.serial().contains("Time server 10.0.0.1:1123: no answer"));
    let stats = world.ask(console, "show stats");
    assert!(stats.contains("Clock not synchronized\r\nNTP: asked 4, no answer 4, refused 0\r\n"));
    world.advance(15_000);
    answers(&mut world, MORNING);
    assert_eq!(world.ask(console, "time"), "Sun 06:59:50\r\n");
}

#[test]
fn answers_of_others_and_answers_to_nothing_are_not_believed() {
    let mut world = chip();
    let console = world.console();
    world.ask(console, "set ntp_server 10.0.0.1");
    let (port, to, origin) = asked(&mut world).unwrap();
    assert_eq!(to, SERVER);
    let good = answer(origin, MORNING).to_bytes();
    let other = answer(Timestamp::from_bits(origin.to_bits() ^ 1), MORNING).to_bytes();
    for (from, bytes) in [("10.0.0.2:123", &good[..]), (SERVER, &other), (SERVER, &good[..40])] {
        assert!(world.send_datagram(port, from, bytes));
    }
    assert_eq!(world.ask(console, "time"), "xxx 99:99:99\r\n");
    assert!(world.ask(console, "show stats").contains("refused 3\r\n"));
    assert!(world.send_datagram(port, SERVER, &good));
    assert_eq!(world.ask(console, "time"), "Sun 06:59:50\r\n");
    assert!(!world.send_datagram(port, SERVER, &good), "nobody waits there any more");
}

#[test]
fn a_server_that_denies_is_not_asked_again_until_it_is_set() {
    let mut world = chip();
    let console = world.console();
    world.ask(console, "set ntp_server 10.0.0.1");
    let (port, _, origin) = asked(&mut world).unwrap();
    let kiss = Packet { stratum: 0, reference_id: *b"DENY", ..answer(origin, MORNING) };
    world.send_datagram(port, SERVER, &kiss.to_bytes());
    assert!(world.serial().contains("Time server 10.0.0.1: refused with DENY"));
    world.advance(7 * 86_400_000);
    assert_eq!(asked(&mut world), None);
    let console = world.console();
    assert!(world.ask(console, "show stats").contains(", denied by the server\r\n"));
    world.ask(console, "set ntp_server 10.0.0.1");
    assert!(asked(&mut world).is_some());
}

#[test]
fn names_are_looked_up_for_each_round() {
    let mut world = chip();
    let console = world.console();
    world.ask(console, "set ntp_server time.example");
    assert_eq!(world.answer_lookup(Some([10, 0, 0, 7].into())), "time.example");
    let (port, to, origin) = asked(&mut world).unwrap();
    assert_eq!(to, "10.0.0.7:123");
    world.send_datagram(port, &to, &answer(origin, MORNING).to_bytes());
    world.advance(300_000);
    assert_eq!(world.answer_lookup(None), "time.example");
    assert!(world.serial().contains("Time server time.example: its name is not found"));
    world.advance(15_000);
    world.answer_lookup(Some([10, 0, 0, 8].into()));
    assert_eq!(asked(&mut world).unwrap().1, "10.0.0.8:123");
    // Another server: the look-up under way is for nobody.
    world.advance(60_000);
    while asked(&mut world).is_some() {}
    let console = world.console();
    world.ask(console, "set ntp_server a.example:1123");
    world.ask(console, "set ntp_server 10.0.0.1");
    assert_eq!(asked(&mut world).unwrap().1, SERVER);
}

#[test]
fn what_the_owner_sets_counts_until_the_next_synchronisation() {
    let mut world = chip();
    let console = world.console();
    correct(&mut world, console, MORNING);
    world.ask(console, "set ntp_time 12:00:00");
    assert_eq!(world.ask(console, "time"), "Sun 12:00:00\r\n");
    world.advance(299_000);
    assert_eq!(world.ask(console, "time"), "Sun 12:04:59\r\n");
    world.advance(1_000);
    answers(&mut world, MORNING + 300_000);
    assert_eq!(world.ask(console, "time"), "Sun 07:04:50\r\n");
    // The zone is taken off what the server said, whenever it is set.
    world.ask(console, "set ntp_timezone 2");
    assert_eq!(world.ask(console, "time"), "Sun 09:04:50 UTC+2\r\n");
}

const ALARM: &str =
    "on init do\n setalarm 1 \"07:00\"\non alarm 1 do\n println \"ring \" | $timestamp\n";

fn rings(world: &mut World) -> usize {
    world.serial().matches("ring ").count()
}

#[test]
fn alarms_ring_once_whatever_the_corrections() {
    let mut world = chip();
    world.install(ALARM);
    let console = world.console();
    // Set by hand, and then to a date: still ahead.
    world.ask(console, "set ntp_time 06:50:00");
    correct(&mut world, console, MORNING);
    world.advance(1_000);
    assert_eq!(rings(&mut world), 0);
    world.advance(10_000);
    assert_eq!(rings(&mut world), 1);
    // Back over it, and over it again.
    correct(&mut world, console, MORNING);
    assert_eq!(world.ask(console, "time"), "Sun 06:59:50\r\n");
    world.advance(60_000);
    assert_eq!(rings(&mut world), 0, "once a day");
    world.ask(console, "set ntp_interval 604800");
    correct(&mut world, console, MORNING + 10_000);
    world.advance(86_400_000);
    assert_eq!(rings(&mut world), 1, "the next day");
    let console = world.console();
    // Forward over it: late is better than not at all.
    correct(&mut world, console, MORNING + 2 * 86_400_000 - 60_000);
    assert_eq!(rings(&mut world), 0);
    correct(&mut world, console, MORNING + 2 * 86_400_000 + 60_000);
    assert_eq!(rings(&mut world), 1);
    world.advance(60_000);
    assert_eq!(rings(&mut world), 0);
}

#[test]
fn days_change_as_ever_where_other_clocks_end() {
    // 2036-02-07 06:28:16, a Thursday, and 2038-01-19 03:14:08, a Tuesday.
    for (second, before, after) in [
        (2_085_978_496, "Thu 06:28:15\r\n", "Thu 06:28:16\r\n"),
        (2_147_483_648, "Tue 03:14:07\r\n", "Tue 03:14:08\r\n"),
    ] {
        let mut world = chip();
        let console = world.console();
        correct(&mut world, console, (second - 1) * 1_000);
        assert_eq!(world.ask(console, "time"), before);
        world.advance(1_000);
        assert_eq!(world.ask(console, "time"), after);
        correct(&mut world, console, second * 1_000);
        let stats = world.ask(console, "show stats");
        assert!(stats.contains(", offset 0 ms\r\n"), "{stats}");
        assert_eq!(world.ask(console, "time"), after);
    }
}

#[test]
fn a_board_with_a_clock_asks_nobody_unless_it_is_told_to() {
    let mut world = World::with_datagrams(crate::world::options());
    world.wires.borrow_mut().clock = Some(MORNING);
    world.advance(3_600_000);
    let console = world.console();
    assert!(world.udp().sent.is_empty() && world.net.lookups.is_empty());
    assert!(world.ask(console, "show").contains("ntp_server: none\r\n"));
    assert!(!world.ask(console, "show stats").contains("ynchronized"));
    assert_eq!(world.ask(console, "time"), "Sun 07:59:50\r\n");
    // Told to, it believes the server more, until there is none again.
    correct(&mut world, console, MORNING);
    assert_eq!(world.ask(console, "time"), "Sun 06:59:50\r\n");
    assert!(world.ask(console, "show stats").contains("offset -3600000 ms\r\n"));
    world.ask(console, "set ntp_server none");
    assert_eq!(world.ask(console, "time"), "Sun 07:59:50\r\n");
}

#[test]
fn others_are_told_the_time_once_it_is_known() {
    let mut world = chip();
    let console = world.console();
    let request = Packet::request(42).to_bytes();
    assert!(!world.send_datagram(123, "10.0.0.9:5000", &request), "off by itself");
    world.ask(console, "set ntp_port 123");
    assert!(world.send_datagram(123, "10.0.0.9:5000", &request));
    assert!(world.udp().sent.is_empty(), "it does not know the time");
    world.ask(console, "set ntp_time 12:00:00");
    assert!(world.send_datagram(123, "10.0.0.9:5000", &request));
    assert!(world.udp().sent.is_empty(), "nor what day it is, nor the zone");
    correct(&mut world, console, MORNING);
    world.advance(1_500);
    assert!(world.send_datagram(123, "10.0.0.9:5000", &request));
    let (port, to, bytes) = world.udp().sent.pop_front().unwrap();
    assert_eq!((port, to.to_string()), (123, "10.0.0.9:5000".into()));
    let said = Packet::parse(&bytes).unwrap();
    assert_eq!((said.mode, said.stratum, said.origin.to_bits()), (Mode::Server, 3, 42));
    assert_eq!(said.reference_id, [10, 0, 0, 1]);
    assert_eq!(said.transmit.to_unix_millis(), MORNING + 1_500);
    assert_eq!(said.reference.to_unix_millis(), MORNING);
    for _ in 0..100 {
        world.send_datagram(123, "10.0.0.9:5000", &request);
    }
    assert!(world.udp().sent.len() <= usize::from(umqtt_ntp::ANSWERS_PER_SECOND));
    let stats = world.ask(console, "show stats");
    assert!(stats.contains("NTP service: answered 32, refused 71\r\n"), "{stats}");
    world.ask(console, "set ntp_port 0");
    assert!(!world.send_datagram(123, "10.0.0.9:5000", &request), "off again");
}
