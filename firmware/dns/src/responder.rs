//! The name server of an access point: the device's own names, and a way to the station's server
//! for all others. It is no captive portal: a name that nobody knows gets no address.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use heapless::Vec;
use umqtt_net::{Duration, Instant, Peer};

use crate::name::NameBuf;
use crate::wire::{CLASS_ANY, CLASS_IN, DnsMessage, Question, Section, flags, rcode, rtype};
use crate::writer::{Data, Writer};
use crate::{OWN_NAME, PORT};

/// Seconds that clients may remember the device's address.
pub const OWN_TTL: u32 = 60;
/// How long an answer of the station's server is waited for.
pub const FORWARD_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of the longest message: what every stack can send, RFC 1035 section 2.3.4.
pub const MESSAGE_LEN: usize = 512;
/// Rate limit: queries that are answered in a second; more find no answer, and are repeated.
pub const QUERIES_PER_SECOND: u16 = 100;

/// What came, and what was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponderStats {
    /// Queries answered by the device itself, with an address or without.
    pub answered: u32,
    /// Queries that the station's server was asked.
    pub forwarded: u32,
    /// Answers of the station's server that were passed on.
    pub passed_on: u32,
    /// Queries for names the device does not know, without a server to ask.
    pub not_found: u32,
    /// Messages that were malformed.
    pub malformed: u32,
    /// Queries that found as many waiting as there can be, or came too fast.
    pub refused: u32,
    /// Answers that nobody waits for.
    pub unexpected: u32,
    /// Queries the station's server did not answer in time.
    pub timeouts: u32,
}

/// A datagram to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// To a client, from the port of name servers.
    Client {
        /// The length.
        len: usize,
        /// The client.
        to: Peer,
    },
    /// To the station's server, from a port of its own that was chosen by chance.
    Upstream {
        /// The length.
        len: usize,
        /// The server.
        to: SocketAddr,
    },
}

/// A query that the station's server was asked.
#[derive(Clone, Copy, Debug)]
struct Forward {
    client: Peer,
    client_id: u16,
    upstream_id: u16,
    /// The question, whose answer has to repeat it.
    question: u64,
    until: Instant,
}

/// A name server for the clients of an access point. Up to `FORWARDS` queries wait for the
/// station's server.
#[derive(Clone, Debug)]
pub struct Responder<const FORWARDS: usize> {
    address: Ipv4Addr,
    name: Option<NameBuf>,
    upstream: Option<Ipv4Addr>,
    forwards: Vec<Forward, FORWARDS>,
    second: u64,
    queries: u16,
    stats: ResponderStats,
}

impl<const FORWARDS: usize> Responder<FORWARDS> {
    /// A name server that answers `mqtt.local` with this address, the device's.
    pub fn new(address: Ipv4Addr) -> Responder<FORWARDS> {
        Responder {
            address,
            name: None,
            upstream: None,
            forwards: Vec::new(),
            second: 0,
            queries: 0,
            stats: ResponderStats::default(),
        }
    }

    /// Sets the device's address.
    pub fn set_address(&mut self, address: Ipv4Addr) {
        self.address = address;
    }

    /// Sets another name of the device, or none; false if it is no name, then there is none.
    pub fn set_name(&mut self, name: &str) -> bool {
        self.name = NameBuf::from_text(name);
        self.name.is_some() || name.is_empty()
    }

    /// Sets the server that is asked for other names. That of another network knows nothing of what
    /// the former was asked.
    pub fn set_upstream(&mut self, upstream: Option<Ipv4Addr>) {
        let usable = |server: &Ipv4Addr| !server.is_unspecified() && *server != self.address;
        let upstream = upstream.filter(usable);
        if upstream != self.upstream {
            self.upstream = upstream;
            self.forwards.clear();
        }
    }

    /// What came, and what was refused.
    pub const fn stats(&self) -> ResponderStats {
        self.stats
    }

    /// Queries that wait for the station's server.
    pub fn pending(&self) -> usize {
        self.forwards.len()
    }

    /// Takes a query that came to port 53, and writes what is to be sent into `buf`, which should
    /// have [`MESSAGE_LEN`] bytes. `random` is a random number. Only clients in the access point's
    /// network, and the device itself, are served.
    pub fn handle_query(
        &mut self,
        bytes: &[u8],
        from: Peer,
        now: Instant,
        random: u16,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        if !from.is_internal() || from.addr.port() == 0 {
            return None;
        }
        let Ok(message) = DnsMessage::parse(bytes) else {
            count(&mut self.stats.malformed);
            return None;
        };
        if message.is_response() {
            count(&mut self.stats.malformed);
            return None;
        }
        if !self.may_answer(now) {
            count(&mut self.stats.refused);
            return None;
        }
        if message.opcode() != 0 {
            return refuse(&message, rcode::NOT_IMPLEMENTED, from, buf);
        }
        let whole = message.items().all(|item| item.is_ok());
        let Some(question) = message.question().filter(|_| whole) else {
            count(&mut self.stats.malformed);
            return refuse(&message, rcode::FORMAT_ERROR, from, buf);
        };
        if question.qclass != CLASS_IN && question.qclass != CLASS_ANY {
            return self.answer(&message, &question, rcode::REFUSED, from, buf);
        }
        if self.is_own(&question) {
            count(&mut self.stats.answered);
            return self.answer(&message, &question, rcode::NO_ERROR, from, buf);
        }
        match self.upstream {
            // Names of the link are no business of a server elsewhere, RFC 6762 section 22.1.
            Some(upstream) if !question.name.ends_with("local") => {
                let server = SocketAddr::V4(SocketAddrV4::new(upstream, PORT));
                self.forward(&message, &question, from, now, (random, server), buf)
            }
            _ => {
                count(&mut self.stats.not_found);
                self.answer(&message, &question, rcode::NAME_ERROR, from, buf)
            }
        }
    }

    /// Takes what came to the port that the station's server was asked from, and writes what is to
    /// be sent to the client.
    pub fn handle_answer(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
        now: Instant,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        let forward = self.take_forward(bytes, from, now);
        let Some(forward) = forward.filter(|_| bytes.len() <= MESSAGE_LEN) else {
            count(&mut self.stats.unexpected);
            return None;
        };
        let into = buf.get_mut(..bytes.len())?;
        into.copy_from_slice(bytes);
        into.get_mut(..2)?.copy_from_slice(&forward.client_id.to_be_bytes());
        count(&mut self.stats.passed_on);
        Some(Transmit::Client { len: bytes.len(), to: forward.client })
    }

    /// Forgets the queries that were not answered in time; their clients ask again.
    pub fn handle_timeout(&mut self, now: Instant) {
        let before = self.forwards.len();
        self.forwards.retain(|forward| now < forward.until);
        let gone = u32::try_from(before - self.forwards.len()).unwrap_or_default();
        self.stats.timeouts = self.stats.timeouts.saturating_add(gone);
    }

    /// The next deadline.
    pub fn poll_at(&self) -> Option<Instant> {
        self.forwards.iter().map(|forward| forward.until).min()
    }

    fn may_answer(&mut self, now: Instant) -> bool {
        let second = now.as_millis() / 1000;
        if second != self.second {
            (self.second, self.queries) = (second, 0);
        }
        let may = self.queries < QUERIES_PER_SECOND;
        self.queries += u16::from(may);
        may
    }

    fn is_own(&self, question: &Question<'_>) -> bool {
        question.name.is_text(OWN_NAME)
            || self.name.as_ref().is_some_and(|own| own.name().is_same(&question.name))
    }

    /// Answers with the question and, if it is for it and all is well, the device's address.
    fn answer(
        &self,
        message: &DnsMessage<'_>,
        question: &Question<'_>,
        code: u16,
        to: Peer,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        let own = if code == rcode::NO_ERROR { flags::AUTHORITATIVE } else { 0 };
        let mut writer = Writer::new(buf, message.id(), response(message, code) | own).ok()?;
        writer.question(&question.name, question.qtype, question.qclass).ok()?;
        if code == rcode::NO_ERROR && matches!(question.qtype, rtype::A | rtype::ANY) {
            let address = Data::A(self.address);
            let kind = (rtype::A, CLASS_IN);
            writer.record(Section::Answer, &question.name, kind, OWN_TTL, address).ok()?;
        }
        Some(Transmit::Client { len: writer.finish(), to })
    }

    /// Asks the station's server the same question with another number, and nothing else: without
    /// the extensions of RFC 6891 its answer has [`MESSAGE_LEN`] bytes at most.
    fn forward(
        &mut self,
        message: &DnsMessage<'_>,
        question: &Question<'_>,
        client: Peer,
        now: Instant,
        (random, to): (u16, SocketAddr),
        buf: &mut [u8],
    ) -> Option<Transmit> {
        self.handle_timeout(now);
        let (client_id, asked) = (message.id(), fingerprint(question));
        // Who asks again waits once.
        self.forwards.retain(|forward| {
            forward.client != client || forward.client_id != client_id || forward.question != asked
        });
        let same_client = |forward: &&Forward| forward.client.addr.ip() == client.addr.ip();
        let share = FORWARDS.div_ceil(2);
        if self.forwards.is_full() || self.forwards.iter().filter(same_client).count() >= share {
            count(&mut self.stats.refused);
            return self.answer(message, question, rcode::SERVER_FAILURE, client, buf);
        }
        let mut upstream_id = random;
        while self.forwards.iter().any(|forward| forward.upstream_id == upstream_id) {
            upstream_id = upstream_id.wrapping_add(1);
        }
        let recursion = message.flags() & flags::RECURSION_DESIRED;
        let mut writer = Writer::new(buf, upstream_id, recursion).ok()?;
        writer.question(&question.name, question.qtype, question.qclass).ok()?;
        let until = now.saturating_add(FORWARD_TIMEOUT);
        let forward = Forward { client, client_id, upstream_id, question: asked, until };
        self.forwards.push(forward).ok()?;
        count(&mut self.stats.forwarded);
        Some(Transmit::Upstream { len: writer.finish(), to })
    }

    /// The query that this answers.
    fn take_forward(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) -> Option<Forward> {
        let upstream = SocketAddr::V4(SocketAddrV4::new(self.upstream?, PORT));
        if SocketAddr::new(from.ip().to_canonical(), from.port()) != upstream {
            return None;
        }
        let message = DnsMessage::parse(bytes).ok()?;
        if !message.is_response() || message.opcode() != 0 {
            return None;
        }
        let asked = fingerprint(&message.question()?);
        let place = self.forwards.iter().position(|forward| {
            forward.upstream_id == message.id() && forward.question == asked && now < forward.until
        })?;
        Some(self.forwards.swap_remove(place))
    }
}

/// Header alone: what was asked cannot be repeated.
fn refuse(message: &DnsMessage<'_>, code: u16, to: Peer, buf: &mut [u8]) -> Option<Transmit> {
    let writer = Writer::new(buf, message.id(), response(message, code)).ok()?;
    Some(Transmit::Client { len: writer.finish(), to })
}

fn response(message: &DnsMessage<'_>, code: u16) -> u16 {
    let repeated = message.flags() & (flags::OPCODE | flags::RECURSION_DESIRED);
    flags::RESPONSE | flags::RECURSION_AVAILABLE | repeated | code
}

/// 64 bits of a question, the case of its letters left out. FNV-1a: an answer that is made up has
/// to guess number and port whatever its question.
fn fingerprint(question: &Question<'_>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for label in question.name.labels() {
        hash = step(hash, label.len() as u8);
        hash = label.iter().fold(hash, |hash, byte| step(hash, byte.to_ascii_lowercase()));
    }
    for byte in question.qtype.to_be_bytes().into_iter().chain(question.qclass.to_be_bytes()) {
        hash = step(hash, byte);
    }
    hash
}

fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
