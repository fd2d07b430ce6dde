//! The name server of the access point, in virtual time.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use common::{Build, code, dump};
use simple_dns::{RCODE, TYPE};
use umqtt_dns::{
    FORWARD_TIMEOUT, MESSAGE_LEN, QUERIES_PER_SECOND, Responder, ResponderStats, Transmit,
};
use umqtt_net::{Duration, Instant, Interface, Peer};

const OWN: Ipv4Addr = Ipv4Addr::new(192, 168, 4, 1);
const UPSTREAM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn client(last: u8) -> Peer {
    let addr = SocketAddr::from(([192, 168, 4, last], 40_000));
    Peer::new(addr, Interface::AccessPoint)
}

struct Story {
    responder: Responder<4>,
    now: Instant,
    random: u16,
}

impl Story {
    fn new() -> Story {
        let mut responder = Responder::new(OWN);
        assert!(responder.set_name("device.lan"));
        Story { responder, now: Instant::from_millis(5000), random: 77 }
    }

    fn with_upstream() -> Story {
        let mut story = Story::new();
        story.responder.set_upstream(Some(UPSTREAM));
        story
    }

    fn send(&mut self, bytes: &[u8], from: Peer) -> Option<(Vec<u8>, Transmit)> {
        let mut buf = [0xaa; MESSAGE_LEN];
        self.random = self.random.wrapping_mul(25_173).wrapping_add(13_849);
        let sent = self.responder.handle_query(bytes, from, self.now, self.random, &mut buf)?;
        let (Transmit::Client { len, .. } | Transmit::Upstream { len, .. }) = sent;
        Some((buf[..len].to_vec(), sent))
    }

    /// The answer that the client gets at once.
    fn ask(&mut self, query: &Build) -> Vec<u8> {
        let query = query.bytes();
        let (answer, sent) = self.send(&query, client(2)).unwrap();
        assert_eq!(sent, Transmit::Client { len: answer.len(), to: client(2) });
        assert_eq!(answer[..2], query[..2]);
        answer
    }

    /// The question that the station's server is asked.
    fn forwarded(&mut self, query: &Build, from: Peer) -> Vec<u8> {
        let (question, sent) = self.send(&query.bytes(), from).unwrap();
        assert_eq!(sent, Transmit::Upstream { len: question.len(), to: (UPSTREAM, 53).into() });
        question
    }

    fn answer(&mut self, bytes: &[u8], from: Ipv4Addr) -> Option<(Vec<u8>, Transmit)> {
        let mut buf = [0; 2 * MESSAGE_LEN];
        let from = SocketAddr::from((from, 53));
        let sent = self.responder.handle_answer(bytes, from, self.now, &mut buf)?;
        let (Transmit::Client { len, .. } | Transmit::Upstream { len, .. }) = sent;
        Some((buf[..len].to_vec(), sent))
    }

    fn stats(&self) -> ResponderStats {
        self.responder.stats()
    }
}

#[test]
fn own_names_have_the_own_address() {
    let mut story = Story::with_upstream();
    for name in ["mqtt.local", "MQTT.Local", "device.lan"] {
        let answer = story.ask(&Build::query(9).ask(name, TYPE::A));
        assert_eq!(dump(&answer), [format!("? {name} A"), format!("= {name} A 60 192.168.4.1")]);
        assert_eq!(answer[2..4], [0x85, 0x80], "authoritative, recursion desired and available");
        let answer = story.ask(&Build::query(9).ask_any(name));
        assert_eq!(dump(&answer)[1], format!("= {name} A 60 192.168.4.1"));
        for qtype in [TYPE::AAAA, TYPE::MX, TYPE::TXT] {
            let answer = story.ask(&Build::query(9).ask(name, qtype));
            assert_eq!(dump(&answer).len(), 1, "no data");
            assert_eq!(code(&answer), RCODE::NoError);
        }
    }
    assert_eq!(story.stats().answered, 15);
    assert_eq!(story.stats().forwarded, 0);
}

#[test]
fn without_a_server_other_names_are_not_found_at_once() {
    let mut story = Story::new();
    let answer = story.ask(&Build::query(9).ask("example.com", TYPE::A));
    assert_eq!(code(&answer), RCODE::NameError);
    assert_eq!(dump(&answer), ["? example.com A"]);
    story.responder.set_upstream(Some(OWN));
    story.ask(&Build::query(9).ask("example.com", TYPE::A));
    story.responder.set_upstream(Some(Ipv4Addr::UNSPECIFIED));
    story.ask(&Build::query(9).ask("example.com", TYPE::A));
    story.responder.set_upstream(Some(UPSTREAM));
    story.ask(&Build::query(9).ask("printer.local", TYPE::A));
    assert_eq!(story.stats().not_found, 4);
    assert!(!story.responder.set_name("a..b"), "no name");
    let answer = story.forwarded(&Build::query(9).ask("device.lan", TYPE::A), client(2));
    assert_eq!(dump(&answer), ["? device.lan A"], "it has no such name any more");
    assert!(story.responder.set_name(""), "none");
}

#[test]
fn other_names_are_asked_of_the_station_s_server() {
    let mut story = Story::with_upstream();
    let query = Build::query(0xabcd).ask("Example.com", TYPE::AAAA);
    let question = story.forwarded(&query, client(2));
    assert_eq!(dump(&question), ["? Example.com AAAA"]);
    assert_ne!(question[..2], [0xab, 0xcd], "with another number");
    assert_eq!(question[2..4], [1, 0]);
    assert_eq!(story.responder.poll_at(), Some(story.now + FORWARD_TIMEOUT));
    let reply = Build::reply_to(&question).a("Example.com", 60, [192, 0, 2, 1]).bytes();
    let (answer, sent) = story.answer(&reply, UPSTREAM).unwrap();
    assert_eq!(sent, Transmit::Client { len: answer.len(), to: client(2) });
    assert_eq!(answer[..2], [0xab, 0xcd]);
    assert_eq!(answer[2..], reply[2..]);
    assert_eq!(story.responder.pending(), 0);
    assert_eq!(story.answer(&reply, UPSTREAM), None, "once");
}

#[test]
fn answers_of_others_are_not_passed_on() {
    let mut story = Story::with_upstream();
    let question = story.forwarded(&Build::query(1).ask("example.com", TYPE::A), client(2));
    let id = u16::from_be_bytes([question[0], question[1]]);
    let address = [6, 6, 6, 6];
    let good = Build::reply_to(&question).a("example.com", 60, address).bytes();
    assert_eq!(story.answer(&good, Ipv4Addr::new(10, 0, 0, 2)), None, "another server");
    let from = SocketAddr::from((UPSTREAM, 54));
    let mut buf = [0; MESSAGE_LEN];
    assert_eq!(story.responder.handle_answer(&good, from, story.now, &mut buf), None);
    for forged in [
        Build::reply(id ^ 1).ask("example.com", TYPE::A),
        Build::reply(id).ask("example.org", TYPE::A),
        Build::reply(id).ask("example.com", TYPE::AAAA),
        Build::reply(id),
        Build::query(id).ask("example.com", TYPE::A),
    ] {
        let forged = forged.a("example.com", 60, address).bytes();
        assert_eq!(story.answer(&forged, UPSTREAM), None);
    }
    assert_eq!(story.stats().unexpected, 7);
    assert!(story.answer(&good, UPSTREAM).is_some());

    let question = story.forwarded(&Build::query(1).ask("example.com", TYPE::A), client(2));
    let mut long = Build::reply_to(&question).bytes();
    long.resize(MESSAGE_LEN + 1, 0);
    assert_eq!(story.answer(&long, UPSTREAM), None, "it is longer than a client expects");
}

#[test]
fn a_query_waits_for_a_while() {
    let mut story = Story::with_upstream();
    let question = story.forwarded(&Build::query(1).ask("example.com", TYPE::A), client(2));
    story.now += FORWARD_TIMEOUT;
    let late = Build::reply_to(&question).bytes();
    assert_eq!(story.answer(&late, UPSTREAM), None, "too late");
    story.responder.handle_timeout(story.now);
    assert_eq!((story.responder.pending(), story.stats().timeouts), (0, 1));
    assert_eq!(story.responder.poll_at(), None);
}

#[test]
fn queries_that_wait_have_their_bound() {
    let mut story = Story::with_upstream();
    let query = |n: u16| Build::query(n).ask("example.com", TYPE::A);
    // Half of the places are for one client, and who asks again has one.
    for n in [1, 1, 1, 2] {
        story.forwarded(&query(n), client(2));
    }
    assert_eq!(story.responder.pending(), 2);
    assert_eq!(code(&story.ask(&query(3))), RCODE::ServerFailure);
    story.forwarded(&query(1), client(3));
    story.forwarded(&query(1), client(4));
    let (refused, _) = story.send(&query(1).bytes(), client(5)).unwrap();
    assert_eq!(code(&refused), RCODE::ServerFailure);
    assert_eq!(story.stats().refused, 2);
    story.now += FORWARD_TIMEOUT;
    story.forwarded(&query(1), client(5));
    assert_eq!(story.responder.pending(), 1);
    // Another server knows nothing of it.
    story.responder.set_upstream(None);
    assert_eq!(story.responder.pending(), 0);
}

#[test]
fn numbers_of_waiting_queries_differ() {
    let mut story = Story::with_upstream();
    let mut numbers = Vec::new();
    for last in 2..6 {
        let mut buf = [0; MESSAGE_LEN];
        let query = Build::query(1).ask("example.com", TYPE::A).bytes();
        story.responder.handle_query(&query, client(last), story.now, 0xffff, &mut buf).unwrap();
        numbers.push(u16::from_be_bytes([buf[0], buf[1]]));
    }
    assert_eq!(numbers, [0xffff, 0, 1, 2]);
}

#[test]
fn what_is_malformed() {
    let mut story = Story::with_upstream();
    let whole = Build::query(7).ask("example.com", TYPE::A).bytes();
    for len in 0..12 {
        assert_eq!(story.send(&whole[..len], client(2)), None, "{len} bytes");
    }
    for len in 12..whole.len() {
        let (answer, _) = story.send(&whole[..len], client(2)).unwrap();
        assert_eq!((answer.len(), code(&answer)), (12, RCODE::FormatError), "{len} bytes");
    }
    let two = Build::query(7).ask("a", TYPE::A).ask("b", TYPE::A).bytes();
    let none = Build::query(7).bytes();
    let ring = [&whole[..12], b"\xc0\x0c\0\x01\0\x01"].concat();
    for bytes in [two, none, ring] {
        let (answer, _) = story.send(&bytes, client(2)).unwrap();
        assert_eq!((answer.len(), code(&answer)), (12, RCODE::FormatError));
    }
    let reply = Build::reply(7).ask("mqtt.local", TYPE::A).bytes();
    assert_eq!(story.send(&reply, client(2)), None, "an answer is no question");
    let mut status = whole.clone();
    status[2] |= 0x10;
    let (answer, _) = story.send(&status, client(2)).unwrap();
    assert_eq!(code(&answer), RCODE::NotImplemented);
    let mut chaos = Build::query(7).ask("mqtt.local", TYPE::A).bytes();
    let last = chaos.len() - 1;
    chaos[last] = 3;
    let (answer, _) = story.send(&chaos, client(2)).unwrap();
    assert_eq!(code(&answer), RCODE::Refused);
}

#[test]
fn only_own_clients_are_served() {
    let mut story = Story::new();
    let query = Build::query(7).ask("mqtt.local", TYPE::A).bytes();
    let stranger = Peer::new("10.0.0.9:40000".parse().unwrap(), Interface::Station);
    assert_eq!(story.send(&query, stranger), None);
    let itself = Peer::new("127.0.0.1:40000".parse().unwrap(), Interface::Loopback);
    assert!(story.send(&query, itself).is_some());
    let nobody = Peer::new("192.168.4.2:0".parse().unwrap(), Interface::AccessPoint);
    assert_eq!(story.send(&query, nobody), None);
}

#[test]
fn answers_have_their_rate() {
    let mut story = Story::new();
    let query = Build::query(7).ask("mqtt.local", TYPE::A).bytes();
    let answered = (0..1000).filter(|_| story.send(&query, client(2)).is_some()).count();
    assert_eq!(answered, usize::from(QUERIES_PER_SECOND));
    story.now += Duration::from_secs(1);
    assert!(story.send(&query, client(2)).is_some());
}
