//! Network time from a server of the test's own, which the device reaches through the emulator's
//! network: the clock it sets, and what sets none.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::device::{Console, Device, eventually, max_clients};
use crate::hostile::memory::hungry_script;
use crate::hostile::shares::keep_their_limits;

/// Seconds from 1900, where the protocol begins, to 1970.
const SINCE_1900: u32 = 2_208_988_800;
/// Sunday, 15 June 2025, 07:04:57, as seconds since 1970.
const SUNDAY: u32 = 1_749_971_097;
/// Bytes of a packet.
const LEN: usize = 48;

/// What the server does.
#[derive(Clone, Copy)]
enum Manner {
    Silent,
    Right,
    /// Answers to something else than was asked.
    Lying,
    /// Says that its clock is not set.
    Unset,
    /// Wants not to be asked.
    Denying,
}

const MANNERS: [Manner; 5] =
    [Manner::Silent, Manner::Right, Manner::Lying, Manner::Unset, Manner::Denying];

/// A time server on this computer.
struct Server {
    port: u16,
    manner: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
    /// Ports it was asked from.
    from: Arc<Mutex<Vec<u16>>>,
}

impl Server {
    fn start(manner: Manner) -> Server {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let server = Server {
            port: socket.local_addr().unwrap().port(),
            manner: Arc::new(AtomicU8::new(manner as u8)),
            asked: Arc::default(),
            from: Arc::default(),
        };
        let (manner, asked) = (Arc::clone(&server.manner), Arc::clone(&server.asked));
        let ports = Arc::clone(&server.from);
        thread::spawn(move || {
            let mut request = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut request) {
                ports.lock().unwrap().push(from.port());
                asked.fetch_add(1, Ordering::SeqCst);
                let manner = MANNERS[usize::from(manner.load(Ordering::SeqCst))];
                answer(&socket, from, &request[..length], manner);
            }
        });
        server
    }

    fn becomes(&self, manner: Manner) {
        self.manner.store(manner as u8, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// As the device knows it.
    fn setting(&self) -> String {
        format!("set ntp_server 10.0.2.2:{}", self.port)
    }
}

/// Answers a request (RFC 5905, section 7.3), in this manner.
fn answer(socket: &UdpSocket, to: SocketAddr, request: &[u8], manner: Manner) {
    assert_eq!(request.len(), LEN, "a request");
    let mut bytes = [0; LEN];
    // No leap second, version 4, a server; stratum 2.
    (bytes[0], bytes[1]) = (0x24, 2);
    let now = SUNDAY + SINCE_1900;
    for at in [16, 32, 40] {
        bytes[at..at + 4].copy_from_slice(&now.to_be_bytes());
    }
    bytes[24..32].copy_from_slice(&request[40..48]);
    match manner {
        Manner::Silent => return,
        Manner::Right => {}
        Manner::Lying => bytes[31] ^= 1,
        Manner::Unset => bytes[0] |= 0xc0,
        Manner::Denying => {
            bytes[1] = 0;
            bytes[12..16].copy_from_slice(b"DENY");
        }
    }
    socket.send_to(&bytes, to).unwrap();
}

/// Waits until `show stats` has this.
fn until_stats_say(console: &mut Console, what: &str) {
    eventually(what, || console.ask_for("show stats", "  margin").contains(what).then_some(()));
}

#[test]
fn a_server_sets_the_clock_and_the_alarm_rings() {
    let device = Device::boot();
    let mut console = device.console();
    let verdict = device.push(
        b"on init do\n setalarm 1 \"07:05\"\non alarm 1 do\n println \"it is \" | $timestamp\n",
    );
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    until_stats_say(&mut console, "Clock not set");

    let server = Server::start(Manner::Right);
    console.ask(&server.setting());
    until_stats_say(&mut console, &format!("ago by 10.0.2.2:{}, stratum 2", server.port));
    let time = console.ask_for("time", "Sun ");
    assert!(time.contains("Sun 07:0"), "{time}");
    device.has_said("it is 07:05:0");
}

#[test]
fn a_server_that_lies_sets_no_clock_and_an_honest_answer_later_does() {
    let device = Device::boot();
    let mut console = device.console();
    let server = Server::start(Manner::Lying);
    console.ask(&server.setting());
    eventually("two requests", || (server.asked() >= 2).then_some(()));
    let stats = console.ask_for("show stats", "  margin");
    assert!(stats.contains("Clock not set"), "{stats}");
    assert!(!stats.contains("refused 0\n"), "{stats}");
    server.becomes(Manner::Right);
    until_stats_say(&mut console, "Clock set: Sun 07:0");
    let mut ports = server.from.lock().unwrap().clone();
    let all = ports.len();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), all, "each request comes from a port of its own");
}

#[test]
fn a_server_that_wants_not_to_be_asked_or_has_no_time_sets_no_clock() {
    let device = Device::boot();
    let mut console = device.console();
    let denying = Server::start(Manner::Denying);
    console.ask(&denying.setting());
    until_stats_say(&mut console, "denied by the server");
    let unset = Server::start(Manner::Unset);
    console.ask(&unset.setting());
    eventually("a request", || (unset.asked() > 0).then_some(()));
    until_stats_say(&mut console, "refused 2");
    let stats = console.ask_for("show stats", "  margin");
    assert!(stats.contains("Clock not set"), "{stats}");
    assert_eq!(denying.asked(), 1);
}

#[test]
fn a_silent_server_keeps_no_script_from_being_compiled() {
    let device = Device::boot();
    let mut console = device.console();
    let server = Server::start(Manner::Silent);
    console.ask(&server.setting());
    eventually("a request", || (server.asked() > 0).then_some(()));
    for _ in 0..3 {
        let verdict = device.push(hungry_script().as_bytes());
        assert!(verdict.contains("Syntax okay"), "{verdict}");
    }
    keep_their_limits(&mut console, "a server that says nothing");
    server.becomes(Manner::Right);
    until_stats_say(&mut console, "Clock set: Sun 07:0");
}

#[test]
fn all_clients_there_may_be_find_room_beside_the_services() {
    let device = Device::boot();
    let mut console = device.console();
    console.ask("set mdns_mode 1");
    until_stats_say(&mut console, "mDNS: mqtt.local, sent");
    let server = Server::start(Manner::Silent);
    console.ask(&server.setting());
    eventually("a request", || (server.asked() > 0).then_some(()));

    let mut clients: Vec<_> =
        (0..max_clients()).map(|number| device.client(&format!("client{number}"))).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.subscribe(&format!("to/{number}"), 0);
    }
    let count = clients.len();
    for number in 0..count {
        let (topic, data) = (format!("to/{number}"), format!("message {number}"));
        clients[(number + 1) % count].publish(&topic, data.as_bytes());
        let came = clients[number].next();
        assert_eq!((came.topic, came.payload), (topic, data.into_bytes()));
    }
    keep_their_limits(&mut console, "a full house beside all services");
    let stats = console.ask_for("show stats", "  margin");
    let rows = stats.lines().skip_while(|line| !line.starts_with("Memory"));
    println!("{}", rows.collect::<Vec<_>>().join("\n"));
}
