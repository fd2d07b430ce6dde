//! Peers that vanish without a word, or say half of what they should: others are served meanwhile,
//! and their places come back by their timeouts.

use std::time::{Duration, Instant};

use crate::client::{CONNECT, PUBLISH, SUBSCRIBE, packet, text};
use crate::device::{CONSOLE, Device, MQTT};
use crate::wire::{Connection, Wire};

const PROMPT: &[u8] = b"CMD>";
/// Others are served in this time, whatever is going on.
const SOON: Duration = Duration::from_secs(1);
/// How long somebody tries to get in.
const PATIENCE: Duration = Duration::from_secs(5);
/// Keep-alive of some of those who vanish, seconds: they are given up after one and a half times as
/// long.
const KEEP_ALIVE: u8 = 4;
/// The device's own timeout for a peer that answers nothing (`DEAD`), with a little to spare.
const DEAD: Duration = Duration::from_secs(70);

pub(crate) fn connect(name: &str, keep_alive: u8) -> Vec<u8> {
    packet(CONNECT, &[text("MQTT"), vec![4, 2, 0, keep_alive], text(name)].concat())
}

fn subscribe(filter: &str) -> Vec<u8> {
    packet(SUBSCRIBE, &[vec![0, 9], text(filter), vec![0]].concat())
}

fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    packet(PUBLISH, &[&text(topic)[..], payload].concat())
}

/// A client with a subscription.
fn client(wire: &mut Wire, host: usize, name: &str, keep_alive: u8, filter: &str) -> Connection {
    let connection = wire.connect(host, MQTT, 2048);
    wire.send(connection, &[connect(name, keep_alive), subscribe(filter)].concat());
    let answers = wire.receive(connection, SOON, |bytes| bytes.len() >= 9);
    assert_eq!(answers, [0x20, 2, 0, 0, 0x90, 3, 0, 9, 0], "{name}");
    connection
}

/// Somebody who is served: what it publishes comes back.
fn is_served(wire: &mut Wire, good: Connection, number: u32) {
    let message = publish("good", &number.to_be_bytes());
    wire.send(good, &message);
    let came = wire.receive(good, SOON, |bytes| bytes.len() >= message.len());
    assert_eq!(came, message, "message {number}");
}

/// What a console answers.
fn ask(wire: &mut Wire, console: Connection, command: &str) -> String {
    wire.send(console, format!("{command}\r\n").as_bytes());
    let reply = wire.receive(console, SOON, |bytes| bytes.ends_with(PROMPT));
    assert!(reply.ends_with(PROMPT), "{command}: {}", String::from_utf8_lossy(&reply));
    String::from_utf8_lossy(&reply).into_owned()
}

fn console(wire: &mut Wire, host: usize) -> Option<Connection> {
    let console = wire.connect(host, CONSOLE, 2048);
    let prompt = wire.receive(console, SOON, |bytes| bytes.ends_with(PROMPT));
    prompt.ends_with(PROMPT).then_some(console)
}

/// Somebody who tries again when nobody answers, as people and their clients do: until what is said
/// at first has its answer.
fn patient(
    wire: &mut Wire,
    host: usize,
    port: u16,
    says: &[u8],
    answered: impl Fn(&[u8]) -> bool,
) -> Connection {
    let start = Instant::now();
    loop {
        let connection = wire.connect(host, port, 2048);
        if wire.send_when_up(connection, says, SOON)
            && answered(&wire.receive(connection, SOON, &answered))
        {
            return connection;
        }
        assert!(start.elapsed() < PATIENCE, "nobody gets in at port {port}");
    }
}

/// Serves until there are so many clients; how long that took.
fn until_clients(
    wire: &mut Wire,
    good: Connection,
    figures: Connection,
    clients: u32,
    most: Duration,
) -> Duration {
    let start = Instant::now();
    let wanted = format!("Current clients: {clients}\r\n");
    for number in 0.. {
        is_served(wire, good, number);
        let shown = ask(wire, figures, "show mqtt");
        if shown.contains(&wanted) {
            return start.elapsed();
        }
        assert!(start.elapsed() < most, "not within {most:?}: {shown}");
        wire.run(Duration::from_millis(200));
    }
    unreachable!()
}

#[test]
fn peers_that_vanish_are_given_up_and_others_served_meanwhile() {
    let (device, mut wire) = Device::boot_on_wire();
    let (bad, good) = (wire.join(), wire.join());
    let served = client(&mut wire, good, "good", 0, "good");
    let figures = console(&mut wire, good).unwrap();
    ask(&mut wire, figures, "time"); // or it gives way to another

    // With a keep-alive and without one; a reader of a flood with a small window; consoles.
    for n in 0..6 {
        client(&mut wire, bad, &format!("brief{n}"), KEEP_ALIVE, "x");
    }
    for n in 0..4 {
        client(&mut wire, bad, &format!("long{n}"), 0, "x");
    }
    client(&mut wire, bad, "reader", 0, "flood");
    let silent = wire.connect(bad, MQTT, 2048);
    wire.run(SOON / 10);
    assert!(!wire.is_over(silent));
    while let Some(console) = console(&mut wire, bad) {
        ask(&mut wire, console, "time"); // or it gives way to the next
    }
    assert!(console(&mut wire, good).is_none());
    assert!(ask(&mut wire, figures, "show mqtt").contains("Current clients: 12\r\n"));

    wire.vanish(bad);
    for _ in 0..20 {
        wire.send(served, &publish("flood", &[b'x'; 200]));
    }
    // The brief ones go by their keep-alive, the reader as it takes nothing, the rest as they
    // answer nothing.
    let brief = until_clients(&mut wire, served, figures, 6, Duration::from_secs(10));
    assert!(brief > Duration::from_secs(3), "they had {KEEP_ALIVE} s: {brief:?}");
    let all = until_clients(&mut wire, served, figures, 1, DEAD);
    assert!(all > Duration::from_secs(20), "{all:?}");

    // Their places can be had again, those of the consoles too.
    let start = Instant::now();
    while console(&mut wire, good).is_none() {
        assert!(start.elapsed() < DEAD - all);
    }
    for n in 0..15 {
        client(&mut wire, good, &format!("new{n}"), 0, "x");
    }
    is_served(&mut wire, served, 0);
    assert!(!device.serial().contains("panic"));
}

/// More than there is room for in broker and network, each made anew as soon as it is closed, on
/// both ports.
#[test]
fn silence_keeps_nobody_out() {
    let (device, mut wire) = Device::boot_on_wire();
    let (bad, good) = (wire.join(), wire.join());
    let served = client(&mut wire, good, "good", 0, "good");
    let mut strangers: Vec<_> = (0..30)
        .map(|n| if n % 5 == 0 { CONSOLE } else { MQTT })
        .map(|port| (port, wire.connect(bad, port, 64)))
        .collect();
    let mut made = 0;
    let mut clients = Vec::new();
    for number in 0..10 {
        for (port, stranger) in &mut strangers {
            if wire.is_over(*stranger) {
                *stranger = wire.connect(bad, *port, 64);
                made += 1;
            }
        }
        wire.run(Duration::from_millis(100));
        let hello = connect(&format!("new{number}"), 0);
        clients.push(patient(&mut wire, good, MQTT, &hello, |all| all == [0x20, 2, 0, 0]));
        let owner = patient(&mut wire, good, CONSOLE, b"show mqtt\r\n", |all| {
            String::from_utf8_lossy(all).contains("Current clients:") && all.ends_with(PROMPT)
        });
        wire.send(owner, b"quit\r\n");
        is_served(&mut wire, served, number);
    }
    assert!(made > 30, "{made} connections");
    assert!(clients.into_iter().all(|client| !wire.is_over(client)));
    assert!(!device.serial().contains("panic"));
}

#[test]
fn connections_that_say_half_of_what_they_should_are_closed() {
    let (_device, mut wire) = Device::boot_on_wire();
    let (bad, good) = (wire.join(), wire.join());
    let served = client(&mut wire, good, "good", 0, "good");
    // It connects, begins a message and never ends it.
    let unfinished = client(&mut wire, good, "unfinished", 0, "x");
    wire.send(unfinished, &publish("x", &[b'x'; 500])[..300]);
    // It reads nothing of a flood: its window is full for ever.
    let reader = wire.connect(good, MQTT, 64);
    wire.send(reader, &[connect("reader", 0), subscribe("flood")].concat());
    let silent = wire.connect(bad, MQTT, 2048);
    let half = wire.connect(bad, MQTT, 2048);
    wire.send(half, &connect("half", 0)[..9]);

    let start = Instant::now();
    let mut closed = [None; 4];
    for number in 0.. {
        is_served(&mut wire, served, number);
        wire.send(served, &publish("flood", &[b'x'; 200]));
        for (at, connection) in closed.iter_mut().zip([silent, half, unfinished, reader]) {
            if at.is_none() && number > 0 && wire.is_over(connection) {
                *at = Some(start.elapsed().as_secs());
            }
        }
        if closed.iter().all(Option::is_some) {
            break;
        }
        assert!(start.elapsed() < DEAD, "{closed:?}");
        wire.run(Duration::from_millis(100));
    }
    let [silent, half, unfinished, reader] = closed.map(Option::unwrap_or_default);
    // `connect_timeout` is 10 s, and `stall_timeout` 20 s, which may be twice that.
    assert!((9..=12).contains(&silent) && (9..=12).contains(&half), "{silent} s, {half} s");
    assert!((18..=43).contains(&unfinished), "{unfinished} s");
    assert!((18..=43).contains(&reader), "{reader} s");
}
