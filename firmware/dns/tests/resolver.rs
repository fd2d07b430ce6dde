//! Looking names up, in virtual time.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use common::{Build, dump};
use simple_dns::{PacketFlag, RCODE, TYPE};
use umqtt_dns::{
    ANSWER_TIMEOUT, ATTEMPTS, Addresses, Lookup, MAX_ADDRESSES, MAX_ALIASES, QUERY_LEN, QueryId,
    ResolveError, Resolver,
};
use umqtt_net::{Duration, Instant};

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const ADDRESS: [u8; 4] = [192, 0, 2, 7];

struct Story {
    resolver: Resolver<3, 2>,
    now: Instant,
    random: u64,
}

impl Story {
    fn new() -> Story {
        let mut resolver = Resolver::new();
        resolver.set_servers(&[FIRST, SECOND]);
        Story { resolver, now: Instant::from_millis(1000), random: 0x1234_5678_9abc_def0 }
    }

    fn resolve(&mut self, host: &str) -> QueryId {
        match self.resolver.resolve(host, self.now).unwrap() {
            Lookup::Pending(query) => query,
            Lookup::Known(all) => panic!("{all:?} are known"),
        }
    }

    fn known(&mut self, host: &str) -> Option<Ipv4Addr> {
        match self.resolver.resolve(host, self.now) {
            Ok(Lookup::Known(all)) => Some(all.first()),
            Ok(Lookup::Pending(query)) => {
                self.resolver.cancel(query);
                None
            }
            Err(_) => None,
        }
    }

    /// The question that is sent now, and to whom.
    fn asked(&mut self) -> Option<(Vec<u8>, SocketAddr)> {
        let mut buf = [0; QUERY_LEN];
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let sent = self.resolver.poll_transmit(self.now, self.random, &mut buf)?;
        Some((buf[..sent.len].to_vec(), sent.to))
    }

    fn tell(&mut self, message: &Build, from: SocketAddr) -> bool {
        self.resolver.handle_datagram(&message.bytes(), from, self.now)
    }

    /// The result, of a look-up of which one message answers the only question.
    fn answered(
        &mut self,
        host: &str,
        with: impl Fn(Build) -> Build,
    ) -> Result<Ipv4Addr, ResolveError> {
        let query = self.resolve(host);
        let (question, to) = self.asked().unwrap();
        assert!(self.tell(&with(Build::reply_to(&question)), to));
        let (id, result) = self.resolver.poll_event().unwrap();
        assert_eq!(id, query);
        assert_eq!(self.resolver.poll_at(), None);
        result.map(|all| all.first())
    }

    fn pass(&mut self, duration: Duration) {
        self.now += duration;
        self.resolver.handle_timeout(self.now);
    }
}

fn one(address: [u8; 4]) -> Addresses {
    Ipv4Addr::from(address).into()
}

#[test]
fn all_addresses_of_a_host_are_told_up_to_a_bound() {
    let mut story = Story::new();
    for (count, told) in [(1_u8, 1), (3, 3), (6, MAX_ADDRESSES)] {
        let host = format!("host{count}.example");
        let query = story.resolve(&host);
        let (question, to) = story.asked().unwrap();
        let mut message = Build::reply_to(&question);
        for n in 0..count {
            message = message.a(&host, u32::from(60 - n), [10, 0, 0, n]);
        }
        assert!(story.tell(&message, to));
        let all: Vec<Ipv4Addr> = (0..told as u8).map(|n| [10, 0, 0, n].into()).collect();
        let (id, found) = story.resolver.poll_event().unwrap();
        assert_eq!((id, found.unwrap().as_slice()), (query, &all[..]));
        // They are remembered together, as long as all of them hold.
        story.pass(Duration::from_secs(u64::from(60 - count)));
        assert!(!story.resolver.is_idle(story.now));
        let Ok(Lookup::Known(known)) = story.resolver.resolve(&host, story.now) else { panic!() };
        assert_eq!(known.as_slice(), &all[..]);
        story.pass(Duration::from_secs(1));
        assert!(story.resolver.is_idle(story.now));
    }
}

#[test]
fn a_name_is_asked_for_and_remembered() {
    let mut story = Story::new();
    let query = story.resolve("broker.example.");
    assert_eq!(story.resolver.poll_at(), Some(Instant::ZERO), "there is something to send");
    let (question, to) = story.asked().unwrap();
    assert_eq!(to, (FIRST, 53).into());
    assert_eq!(dump(&question), ["? broker.example A"]);
    assert_eq!(question[2..4], [1, 0], "recursion is desired");
    assert_eq!(story.asked(), None);
    assert_eq!(story.resolver.poll_event(), None);
    assert!(story.tell(&Build::reply_to(&question).a("broker.example", 60, ADDRESS), to));
    assert_eq!(story.resolver.poll_event(), Some((query, Ok(one(ADDRESS)))));
    assert_eq!(story.resolver.poll_event(), None);

    assert_eq!(story.known("BROKER.example"), Some(ADDRESS.into()));
    story.pass(Duration::from_millis(59_999));
    assert_eq!(story.known("broker.example"), Some(ADDRESS.into()));
    story.pass(Duration::from_millis(1));
    assert_eq!(story.known("broker.example"), None);
}

#[test]
fn addresses_are_not_looked_up() {
    let mut story = Story::new();
    assert_eq!(story.known("192.0.2.7"), Some(ADDRESS.into()));
    for host in ["", "a..b", "\u{fc}.example", &"a.".repeat(80)] {
        assert_eq!(story.resolver.resolve(host, story.now), Err(ResolveError::InvalidName));
    }
    story.resolver.set_servers(&[Ipv4Addr::UNSPECIFIED]);
    assert_eq!(story.resolver.resolve("a", story.now), Err(ResolveError::NoServer));
}

#[test]
fn what_does_not_answer_the_question_is_not_believed() {
    let mut story = Story::new();
    let query = story.resolve("broker.example");
    let (question, to) = story.asked().unwrap();
    let good = || Build::reply_to(&question).a("broker.example", 60, ADDRESS);
    let id = u16::from_be_bytes([question[0], question[1]]);
    let forged = Build::reply(id.wrapping_add(1)).ask("broker.example", TYPE::A);
    assert!(!story.tell(&forged.a("broker.example", 60, ADDRESS), to), "another number");
    let forged = Build::reply(id).ask("other.example", TYPE::A);
    assert!(!story.tell(&forged.a("broker.example", 60, ADDRESS), to), "another name");
    let forged = Build::reply(id).ask("broker.example", TYPE::AAAA);
    assert!(!story.tell(&forged.a("broker.example", 60, ADDRESS), to), "another type");
    let forged = Build::reply(id).a("broker.example", 60, ADDRESS);
    assert!(!story.tell(&forged, to), "without the question");
    assert!(!story.tell(&good(), (SECOND, 53).into()), "another server");
    assert!(!story.tell(&good(), (FIRST, 54).into()), "another port");
    let question_again = Build::query(id).ask("broker.example", TYPE::A);
    assert!(!story.tell(&question_again, to), "a question");
    let whole = good().bytes();
    for len in 0..whole.len() {
        assert!(!story.resolver.handle_datagram(&whole[..len], to, story.now), "{len} bytes");
    }
    assert_eq!(story.resolver.poll_event(), None);
    assert!(story.resolver.handle_datagram(&whole, to, story.now));
    assert_eq!(story.resolver.poll_event(), Some((query, Ok(one(ADDRESS)))));
    assert!(!story.resolver.handle_datagram(&whole, to, story.now), "nobody waits any more");
}

#[test]
fn the_case_of_letters_is_a_part_of_the_question_if_it_is_to_be() {
    let mut story = Story::new();
    story.resolver.set_mixed_case(true);
    story.resolve("broker.example");
    let (question, to) = story.asked().unwrap();
    assert_ne!(dump(&question), ["? broker.example A"]);
    let id = u16::from_be_bytes([question[0], question[1]]);
    let lower = Build::reply(id).ask("broker.example", TYPE::A);
    assert!(!story.tell(&lower.a("broker.example", 60, ADDRESS), to));
    assert!(story.tell(&Build::reply_to(&question).a("broker.example", 60, ADDRESS), to));
    assert_eq!(story.resolver.poll_event().unwrap().1, Ok(one(ADDRESS)));
}

#[test]
fn both_servers_are_asked_in_turn() {
    let mut story = Story::new();
    let query = story.resolve("broker.example");
    let mut numbers = Vec::new();
    for attempt in 0..ATTEMPTS {
        let (question, to) = story.asked().unwrap();
        numbers.push(u16::from_be_bytes([question[0], question[1]]));
        let server = if attempt % 2 == 0 { FIRST } else { SECOND };
        assert_eq!(to, (server, 53).into());
        assert_eq!(story.resolver.poll_at(), Some(story.now + ANSWER_TIMEOUT));
        story.pass(ANSWER_TIMEOUT - Duration::from_millis(1));
        assert_eq!(story.asked(), None);
        story.pass(Duration::from_millis(1));
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), usize::from(ATTEMPTS), "a number is used once");
    assert_eq!(story.resolver.poll_event(), Some((query, Err(ResolveError::Timeout))));
    assert_eq!(story.asked(), None);
    assert_eq!(story.known("broker.example"), None, "that nobody answered is not remembered");
}

#[test]
fn a_server_that_refuses_has_the_other_one_asked() {
    let mut story = Story::new();
    story.resolve("broker.example");
    let (question, to) = story.asked().unwrap();
    assert!(story.tell(&Build::reply_to(&question).code(RCODE::ServerFailure), to));
    let (question, to) = story.asked().unwrap();
    assert_eq!(to, (SECOND, 53).into());
    assert!(story.tell(&Build::reply_to(&question).a("broker.example", 60, ADDRESS), to));
    assert_eq!(story.resolver.poll_event().unwrap().1, Ok(one(ADDRESS)));

    let query = story.resolve("other.example");
    for _ in 0..ATTEMPTS {
        let (question, to) = story.asked().unwrap();
        story.tell(&Build::reply_to(&question).code(RCODE::Refused), to);
    }
    assert_eq!(story.resolver.poll_event(), Some((query, Err(ResolveError::Refused))));
}

#[test]
fn that_there_is_no_such_name_is_remembered_for_a_while() {
    let mut story = Story::new();
    let none = story.answered("none.example", |m| m.code(RCODE::NameError).soa(30, 900));
    assert_eq!(none, Err(ResolveError::NotFound));
    let resolve = |story: &mut Story, host| story.resolver.resolve(host, story.now);
    assert_eq!(resolve(&mut story, "none.example"), Err(ResolveError::NotFound));
    let six = story.answered("six.example", |m| m.soa(100_000, 100_000));
    assert_eq!(six, Err(ResolveError::NoAddress));
    story.pass(Duration::from_secs(30));
    assert!(resolve(&mut story, "none.example").is_ok(), "as long as the server says");
    assert_eq!(resolve(&mut story, "six.example"), Err(ResolveError::NoAddress));
    story.pass(Duration::from_secs(270));
    assert!(resolve(&mut story, "six.example").is_ok(), "five minutes at most");
}

#[test]
fn aliases_are_followed() {
    let mut story = Story::new();
    let found = story.answered("a.example", |m| {
        m.a("c.example", 300, ADDRESS)
            .cname("b.example", 20, "c.example")
            .cname("a.example", 300, "b.example")
            .a("evil.example", 300, [6, 6, 6, 6])
    });
    assert_eq!(found, Ok(ADDRESS.into()));
    story.pass(Duration::from_secs(19));
    assert_eq!(story.known("a.example"), Some(ADDRESS.into()));
    story.pass(Duration::from_secs(1));
    assert_eq!(story.known("a.example"), None, "the shortest time counts");

    let ring = |m: Build| m.cname("a.example", 9, "b.example").cname("b.example", 9, "a.example");
    assert_eq!(story.answered("a.example", ring), Err(ResolveError::TooManyAliases));
    let nothing = |m: Build| m.cname("a.example", 9, "b.example").soa(9, 9);
    assert_eq!(story.answered("a.example", nothing), Err(ResolveError::NoAddress));
}

#[test]
fn an_alias_that_the_server_has_not_followed_is_asked_for() {
    let mut story = Story::new();
    let query = story.resolve("n0.example");
    for n in 0..MAX_ALIASES {
        let (question, to) = story.asked().unwrap();
        assert_eq!(dump(&question), [format!("? n{n}.example A")]);
        let alias = Build::reply_to(&question);
        let (from, into) = (format!("n{n}.example"), format!("n{}.example", n + 1));
        assert!(story.tell(&alias.cname(&from, 9, &into), to));
    }
    let (question, to) = story.asked().unwrap();
    assert!(story.tell(&Build::reply_to(&question).cname("n8.example", 9, "n9.example"), to));
    assert_eq!(story.resolver.poll_event(), Some((query, Err(ResolveError::TooManyAliases))));
}

#[test]
fn records_of_other_classes_are_none() {
    let mut story = Story::new();
    let query = story.resolve("a.example");
    let (question, to) = story.asked().unwrap();
    let mut answer = Build::reply_to(&question).a("a.example", 9, ADDRESS).bytes();
    // Type, class, time to live, length and the address are the last 14 bytes.
    let class = answer.len() - 11;
    answer[class] = 3;
    assert!(story.resolver.handle_datagram(&answer, to, story.now));
    assert_eq!(story.resolver.poll_event(), Some((query, Err(ResolveError::NoAddress))));
}

#[test]
fn an_answer_that_is_cut_short() {
    let mut story = Story::new();
    story.resolve("broker.example");
    let (question, to) = story.asked().unwrap();
    assert!(story.tell(&Build::reply_to(&question).flag(PacketFlag::TRUNCATION), to));
    let (question, to) = story.asked().unwrap();
    assert_eq!(to, (SECOND, 53).into());
    let partly = Build::reply_to(&question).flag(PacketFlag::TRUNCATION);
    assert!(story.tell(&partly.a("broker.example", 9, ADDRESS), to), "it has an address");
    assert_eq!(story.resolver.poll_event().unwrap().1, Ok(one(ADDRESS)));
}

#[test]
fn there_are_bounds() {
    let mut story = Story::new();
    let first = story.resolve("a.example");
    story.resolve("b.example");
    story.resolve("c.example");
    let full = story.resolver.resolve("d.example", story.now);
    assert_eq!(full, Err(ResolveError::Full));
    story.resolver.cancel(first);
    story.resolve("d.example");

    // Two answers are remembered: those that hold longest.
    let mut story = Story::new();
    for (host, ttl) in [("a", 50), ("b", 10), ("c", 70)] {
        story.answered(host, |m| m.a(host, ttl, ADDRESS)).unwrap();
    }
    let known = ["a", "b", "c"].map(|host| story.known(host).is_some());
    assert_eq!(known, [true, false, true]);
    // No longer than a day, and not less than a second.
    story.answered("d", |m| m.a("d", u32::MAX, ADDRESS)).unwrap();
    story.answered("e", |m| m.a("e", 0, ADDRESS)).unwrap();
    assert_eq!(story.known("e"), Some(ADDRESS.into()));
    story.pass(Duration::from_secs(86_400));
    assert_eq!(story.known("d"), None);
}

#[test]
fn other_servers_know_other_names() {
    let mut story = Story::new();
    story.answered("a", |m| m.a("a", 500, ADDRESS)).unwrap();
    story.resolver.set_servers(&[FIRST, SECOND]);
    assert!(story.known("a").is_some());
    let query = story.resolve("b");
    story.resolver.set_servers(&[SECOND]);
    assert_eq!(story.known("a"), None);
    assert_eq!(story.asked().unwrap().1, (SECOND, 53).into());
    story.resolver.set_servers(&[]);
    story.pass(ANSWER_TIMEOUT);
    assert_eq!(story.asked(), None);
    assert_eq!(story.resolver.poll_event(), Some((query, Err(ResolveError::NoServer))));
}

#[test]
fn names_of_the_link_are_asked_for_by_multicast() {
    let mut story = Story::new();
    story.resolver.set_servers(&[]);
    let query = story.resolve("lamp.local");
    let (question, to) = story.asked().unwrap();
    assert_eq!(to, "224.0.0.251:5353".parse().unwrap());
    let answer = Build::reply_to(&question).a("lamp.local", 10, ADDRESS);
    assert!(!story.tell(&answer, "10.0.0.77:53".parse().unwrap()));
    assert!(story.tell(&answer, "10.0.0.77:5353".parse().unwrap()));
    assert_eq!(story.resolver.poll_event(), Some((query, Ok(one(ADDRESS)))));
}
