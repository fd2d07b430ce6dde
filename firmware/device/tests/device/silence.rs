//! Strangers whose connections say nothing, and are made anew as soon as they are closed: whoever
//! has something to say gets in, and nobody who has said something gives way, but one of several
//! consoles of one host.

use umqtt_device::console::IDLE_TIMEOUT;
use umqtt_mqtt::Limits;

use crate::world::{End, PIECE, World, connect_packet, publish_packet};

const MQTT: u16 = 1883;
const CONSOLE: u16 = 7777;
const UPLOAD: u16 = 2000;
/// As the chip has them.
const LIMITS: Limits = Limits::SMALL.max_clients(16).max_waiting(16);
/// Connections the chip's network has room for.
const PLACES: usize = 20;
/// Milliseconds until a stranger who is closed is there again.
const ROUND_TRIP: u64 = 5;

const STRANGER: [u8; 4] = [192, 168, 4, 66];
const OWNER: [u8; 4] = [192, 168, 4, 7];

/// Strangers who want to hold so many connections.
struct Flood {
    port: u16,
    ends: Vec<Option<End>>,
    /// Connections they made.
    made: usize,
}

impl Flood {
    fn new(port: u16, strangers: usize) -> Flood {
        Flood { port, ends: vec![None; strangers], made: 0 }
    }

    /// All whose connection is closed, or who found no room, make another.
    fn renew(&mut self, world: &mut World) {
        for end in &mut self.ends {
            if world.listens(self.port) && end.is_none_or(|end| world.is_closed(end)) {
                *end = world.connect_at(self.port, STRANGER);
                self.made += usize::from(end.is_some());
            }
        }
    }

    /// Time passes, and they come back each [`ROUND_TRIP`].
    fn pass(&mut self, world: &mut World, ms: u64) {
        for _ in 0..ms / ROUND_TRIP {
            self.renew(world);
            world.advance(ROUND_TRIP);
        }
        self.renew(world);
    }
}

/// A connection made as soon as there is room, which is soon.
fn connect(world: &mut World, flood: &mut Flood, port: u16) -> End {
    for _ in 0..4 {
        if let Some(end) = world.connect_at(port, OWNER) {
            return end;
        }
        flood.pass(world, ROUND_TRIP);
    }
    panic!("there is no room on port {port}");
}

/// A client whose CONNECT comes a moment after its connection.
fn join(world: &mut World, flood: &mut Flood, id: &str) -> End {
    let end = connect(world, flood, MQTT);
    world.advance(2);
    world.send(end, connect_packet(id));
    assert_eq!(world.received(end), [0x20, 2, 0, 0], "{id}");
    end
}

/// A device with a network that has room for so many connections.
fn small(places: usize) -> World {
    let mut world = World::small(LIMITS, PIECE);
    world.net.places = places;
    world
}

#[test]
fn clients_get_into_the_broker_at_once_and_stay() {
    for (places, strangers) in [(usize::MAX, 16), (usize::MAX, 48), (PLACES, 16), (PLACES, 48)] {
        let mut world = small(places);
        let mut flood = Flood::new(MQTT, strangers);
        flood.pass(&mut world, 1_000);
        let clients: Vec<_> = (0..10)
            .map(|n| {
                flood.pass(&mut world, 100);
                join(&mut world, &mut flood, &format!("client {n}"))
            })
            .collect();
        flood.pass(&mut world, 1_000);
        assert!(flood.made > strangers, "{} connections", flood.made);
        for client in clients {
            world.send(client, publish_packet("t", "x"));
            assert!(!world.is_closed(client), "a client gives way to nobody");
        }
        assert_eq!(world.broker().clients_len(), 10);
        assert!(world.broker().stats().refused > 0, "they are counted");
    }
}

#[test]
fn the_owner_gets_to_the_console_and_has_the_time_to_type() {
    let mut world = small(PLACES);
    let mut flood = Flood::new(CONSOLE, 12);
    flood.pass(&mut world, 1_000);
    // By hand, from a host of its own.
    let owner = connect(&mut world, &mut flood, CONSOLE);
    flood.pass(&mut world, 5_000);
    assert!(world.ask(owner, "show stats").contains("System uptime"));
    // A program, whatever host it is on: it says at once what it wants.
    let program = world.connect_at(CONSOLE, STRANGER);
    let program = program.expect("the first of those in silence has given way");
    assert!(world.ask(program, "show stats").contains("System uptime"));
    // Both have given a command: they give way to nobody, for as long as they go on.
    for _ in 0..3 {
        world.advance(IDLE_TIMEOUT.as_millis() - 2_000);
        flood.pass(&mut world, 1_000);
        assert!(world.ask(owner, "show stats").contains("System uptime"));
        assert!(world.ask(program, "show stats").contains("System uptime"));
    }
    assert!(flood.made > 1_000, "{} connections", flood.made);
}

#[test]
fn what_is_no_command_is_no_better_than_silence() {
    let mut world = World::new();
    let strangers = [(); 4].map(|()| world.console());
    for (stranger, line) in strangers.iter().zip(["hello", "", "set", "unlock"]) {
        world.ask(*stranger, line);
        world.advance(10);
    }
    let owners = [(); 4].map(|()| {
        let owner = world.console();
        world.ask(owner, "time");
        owner
    });
    assert_eq!(strangers.map(|end| world.is_closed(end)), [true; 4]);
    let fifth = world.connect(CONSOLE);
    assert_eq!(world.text(fifth), "Too many console sessions\r\n");
    assert_eq!(owners.map(|end| world.is_closed(end)), [false; 4]);
}

#[test]
fn nobody_keeps_all_consoles_by_giving_commands() {
    let mut world = World::new();
    let at = |world: &mut World, address| {
        let end = world.connect_at(CONSOLE, address).unwrap();
        world.text(end);
        end
    };
    let strangers = [(); 4].map(|()| {
        let end = at(&mut world, STRANGER);
        world.ask(end, "time");
        world.advance(10);
        end
    });
    let open = |world: &mut World| strangers.map(|end| !world.is_closed(end));
    let fifth = world.connect_at(CONSOLE, STRANGER).unwrap();
    assert_eq!(world.text(fifth), "Too many console sessions\r\n", "it has its share");
    // The host that has none gets one, at once and to stay.
    let owner = at(&mut world, OWNER);
    assert_eq!(open(&mut world), [false, true, true, true]);
    assert!(world.ask(owner, "show stats").contains("System uptime"));
    for address in [STRANGER, OWNER] {
        let another = world.connect_at(CONSOLE, address).unwrap();
        assert_eq!(world.text(another), "Too many console sessions\r\n");
    }
    // So do others, until each host has one.
    for host in [8, 9] {
        let other = at(&mut world, [192, 168, 4, host]);
        world.ask(other, "time");
    }
    assert_eq!(open(&mut world), [false, false, false, true]);
    let last = world.connect_at(CONSOLE, [192, 168, 4, 10]).unwrap();
    assert_eq!(world.text(last), "Too many console sessions\r\n");
    assert!(!world.is_closed(owner));
}

#[test]
fn a_script_gets_to_the_port_that_waits_for_it() {
    let mut world = World::new();
    world.net.places = PLACES;
    let console = world.console();
    world.ask(console, "script 2000");
    let mut flood = Flood::new(UPLOAD, 12);
    flood.pass(&mut world, 5_000);
    let sender = connect(&mut world, &mut flood, UPLOAD);
    world.send(sender, "on init do\n");
    flood.pass(&mut world, 5_000);
    world.send(sender, " println \"new\"\n");
    world.finish(sender);
    assert!(world.text(console).contains("Syntax okay"));

    // Nor do they hold the port for longer than it waits.
    world.ask(console, "script 2000");
    let mut flood = Flood::new(UPLOAD, 12);
    for _ in 0..70 {
        world.advance(990);
        flood.pass(&mut world, 10);
    }
    assert!(!world.listens(UPLOAD));
    assert!(world.text(console).contains("Script upload failed"));
}

/// Bytes that have come and are not looked at yet are no silence.
#[test]
fn a_script_that_comes_with_its_connection_gives_way_to_nobody() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "script 2000");
    let sender = world.connect_quietly(UPLOAD);
    let stranger = world.connect_quietly(UPLOAD);
    world.send_quietly(sender, "on init do\n println \"new\"\n");
    world.settle();
    assert!(world.is_closed(stranger) && !world.is_closed(sender));
    world.finish(sender);
    assert!(world.text(console).contains("Syntax okay"));
}

#[test]
fn a_flood_of_one_port_keeps_nobody_from_the_other() {
    for (flooded, strangers) in [(CONSOLE, 40), (MQTT, 40)] {
        let mut world = small(PLACES);
        let mut flood = Flood::new(flooded, strangers);
        flood.pass(&mut world, 1_000);
        let clients: Vec<_> = (0..16)
            .map(|n| {
                flood.pass(&mut world, 50);
                join(&mut world, &mut flood, &format!("client {n}"))
            })
            .collect();
        let owner = connect(&mut world, &mut flood, CONSOLE);
        assert!(world.ask(owner, "show mqtt").contains("Current clients: 16"));
        flood.pass(&mut world, 1_000);
        assert!(clients.iter().all(|end| !world.is_closed(*end)) && !world.is_closed(owner));
    }
}
