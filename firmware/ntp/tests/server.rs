//! What the server answers.

#![allow(clippy::unwrap_used, missing_docs)]

use umqtt_net::Instant;
use umqtt_ntp::{ANSWERS_PER_SECOND, LEN, Leap, Mode, Packet, Server, ServerClock, Timestamp};

const NOON: u64 = 1_800_000_000_000;

fn clock() -> ServerClock {
    ServerClock {
        unix_millis: NOON,
        set_unix_millis: NOON - 60_000,
        stratum: 3,
        reference_id: [192, 0, 2, 1],
        root_delay: 5,
        root_dispersion: 7,
    }
}

fn ask(server: &mut Server, at: u64, clock: &ServerClock, bytes: &[u8]) -> Option<[u8; LEN]> {
    server.handle_datagram(Instant::from_millis(at), Some(clock), bytes)
}

#[test]
fn a_request_is_answered() {
    let request = Packet { poll: 6, version: 3, ..Packet::request(99) };
    let answer = ask(&mut Server::default(), 0, &clock(), &request.to_bytes()).unwrap();
    let expected = Packet {
        leap: Leap::None,
        version: 3,
        mode: Mode::Server,
        stratum: 3,
        poll: 6,
        precision: -10,
        root_delay: 5,
        root_dispersion: 7,
        reference_id: [192, 0, 2, 1],
        reference: Timestamp::from_unix_millis(NOON - 60_000),
        origin: Timestamp::from_bits(99),
        receive: Timestamp::from_unix_millis(NOON),
        transmit: Timestamp::from_unix_millis(NOON),
    };
    assert_eq!(Packet::parse(&answer), Some(expected));
}

#[test]
fn what_is_no_request_is_not_answered() {
    let mut server = Server::default();
    let request = Packet::request(99);
    let good = request.to_bytes();
    assert!(server.handle_datagram(Instant::ZERO, None, &good).is_none(), "no clock, no time");
    for stratum in [0, 16, 255] {
        assert!(ask(&mut server, 0, &ServerClock { stratum, ..clock() }, &good).is_none());
    }
    assert!(ask(&mut server, 0, &clock(), &good[..47]).is_none());
    assert!(ask(&mut server, 0, &clock(), b"").is_none());
    for (version, mode) in [
        (0, Mode::Client),
        (5, Mode::Client),
        (4, Mode::Server),
        (4, Mode::Broadcast),
        (4, Mode::SymmetricActive),
        (4, Mode::Control),
        (2, Mode::Private),
        (4, Mode::Reserved),
    ] {
        let other = Packet { version, mode, ..request }.to_bytes();
        assert!(ask(&mut server, 0, &clock(), &other).is_none(), "{version} {mode:?}");
    }
    assert_eq!((server.stats().answered, server.stats().refused), (0, 14));
    assert!(ask(&mut server, 0, &clock(), &good).is_some());
    // What follows is not looked at, and not answered: no answer is longer than what asked for it.
    assert!(ask(&mut server, 0, &clock(), &[&good[..], &[0; 400]].concat()).is_some());
}

#[test]
fn a_second_has_so_many_answers() {
    let mut server = Server::default();
    let request = Packet::request(99).to_bytes();
    let mut answers = |from: u64, to: u64| {
        (from..to).filter(|at| ask(&mut server, *at, &clock(), &request).is_some()).count()
    };
    let bound = usize::from(ANSWERS_PER_SECOND);
    assert_eq!(answers(10_000, 10_999), bound);
    assert_eq!(answers(11_000, 11_020), 20, "the next second");
    assert_eq!(answers(11_020, 11_999), bound - 20);
    assert_eq!(answers(60_000, 60_001), 1);
    let stats = server.stats();
    assert_eq!(stats.answered, 2 * u32::from(ANSWERS_PER_SECOND) + 1);
    assert_eq!(stats.answered + stats.refused, 999 + 20 + 979 + 1);
}
