//! Asking name servers for the address of a host, RFC 1034 section 5 and RFC 5452.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use heapless::Vec;
use umqtt_net::{Duration, Instant};

use crate::addresses::Addresses;
use crate::cache::{Cache, CacheEntry};
use crate::error::ResolveError;
use crate::name::{Name, NameBuf};
use crate::wire::{CLASS_IN, DnsMessage, Record, Section, flags, rcode, rtype};
use crate::writer::Writer;
use crate::{MDNS_GROUP, MDNS_PORT, PORT};

/// Name servers that are asked in turn.
pub const MAX_SERVERS: usize = 2;
/// How often a question is sent, to whichever server.
pub const ATTEMPTS: u8 = 4;
/// How long an answer is waited for.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Aliases that are followed from a name to its address.
pub const MAX_ALIASES: u8 = 8;
/// Bytes of the longest question.
pub const QUERY_LEN: usize = 12 + crate::MAX_OWNED_NAME + 4;

/// A look-up that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryId(u32);

/// What is known at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The addresses.
    Known(Addresses),
    /// [`Resolver::poll_event`] will tell.
    Pending(QueryId),
}

/// A question to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingQuery {
    /// Its length.
    pub len: usize,
    /// Where it goes.
    pub to: SocketAddr,
    /// The look-up it belongs to.
    pub query: QueryId,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Send,
    Waiting(Instant),
    Done(Result<Addresses, ResolveError>),
}

#[derive(Clone, Debug)]
struct Query {
    id: QueryId,
    name: NameBuf,
    /// The last question's number.
    message_id: u16,
    state: State,
    attempt: u8,
    aliases: u8,
}

/// Looks up to `QUERIES` names up at a time and remembers `CACHE` answers.
#[derive(Clone, Debug)]
pub struct Resolver<const QUERIES: usize, const CACHE: usize> {
    servers: Vec<Ipv4Addr, MAX_SERVERS>,
    queries: Vec<Query, QUERIES>,
    cache: Cache<CACHE>,
    next_id: u32,
    mixed_case: bool,
}

impl<const QUERIES: usize, const CACHE: usize> Default for Resolver<QUERIES, CACHE> {
    fn default() -> Self {
        Resolver::new()
    }
}

/// Commands.
impl<const QUERIES: usize, const CACHE: usize> Resolver<QUERIES, CACHE> {
    /// A resolver that knows no server yet.
    pub const fn new() -> Resolver<QUERIES, CACHE> {
        Resolver {
            servers: Vec::new(),
            queries: Vec::new(),
            cache: Cache::new(),
            next_id: 0,
            mixed_case: false,
        }
    }

    /// Sets the name servers; those beyond [`MAX_SERVERS`] are not asked. What is remembered is
    /// forgotten if they are others than before: another network has other names.
    pub fn set_servers(&mut self, servers: &[Ipv4Addr]) {
        let usable = servers.iter().copied().filter(|server| !server.is_unspecified());
        let servers: Vec<_, MAX_SERVERS> = usable.take(MAX_SERVERS).collect();
        if servers != self.servers {
            self.servers = servers;
            self.cache.clear();
        }
    }

    /// Asks with letters in random case, which an answer has to repeat: 0x20 encoding. Servers that
    /// do not repeat it are not believed, so it is off unless asked for.
    pub fn set_mixed_case(&mut self, mixed_case: bool) {
        self.mixed_case = mixed_case;
    }

    /// Looks up a host: an address as it stands, or a name, of which what is remembered is taken.
    /// Names that end in `local` are asked for by multicast, RFC 6762 section 5.1.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve(&mut self, host: &str, now: Instant) -> Result<Lookup, ResolveError> {
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Ok(Lookup::Known(address.into()));
        }
        let name = NameBuf::from_text(host).filter(|_| host.is_ascii());
        let name = name.ok_or(ResolveError::InvalidName)?;
        if let Some(answer) = self.cache.get(&name.name(), now) {
            return answer.map(Lookup::Known);
        }
        if self.servers.is_empty() && !is_local(&name.name()) {
            return Err(ResolveError::NoServer);
        }
        let id = QueryId(self.next_id);
        let query = Query { id, name, message_id: 0, state: State::Send, attempt: 0, aliases: 0 };
        self.queries.push(query).map_err(|_| ResolveError::Full)?;
        self.next_id = self.next_id.wrapping_add(1);
        Ok(Lookup::Pending(id))
    }

    /// Gives a look-up up. No event follows.
    pub fn cancel(&mut self, query: QueryId) {
        self.queries.retain(|other| other.id != query);
    }
}

/// Inputs.
impl<const QUERIES: usize, const CACHE: usize> Resolver<QUERIES, CACHE> {
    /// Takes a datagram; false if it answers nothing that was asked. Whoever has not seen the
    /// question has to guess its number, its port and its letters' case.
    pub fn handle_datagram(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) -> bool {
        let Ok(message) = DnsMessage::parse(bytes) else { return false };
        let Some(question) = message.question() else { return false };
        if !message.is_response()
            || message.opcode() != 0
            || (question.qtype, question.qclass) != (rtype::A, CLASS_IN)
        {
            return false;
        }
        let (servers, mixed_case) = (&self.servers, self.mixed_case);
        let asked = self.queries.iter_mut().find(|query| {
            let name = query.name.name();
            matches!(query.state, State::Waiting(_))
                && query.message_id == message.id()
                && answers(query, servers, from)
                && if mixed_case {
                    name.is_identical(&question.name)
                } else {
                    name.is_same(&question.name)
                }
        });
        let Some(query) = asked else { return false };
        if message.items().any(|item| item.is_err()) {
            return false;
        }
        query.handle_answer(&message, &mut self.cache, now);
        true
    }

    /// Asks again what was not answered.
    pub fn handle_timeout(&mut self, now: Instant) {
        for query in &mut self.queries {
            if matches!(query.state, State::Waiting(until) if until <= now) {
                query.retry(ResolveError::Timeout);
            }
        }
    }
}

/// Outputs.
impl<const QUERIES: usize, const CACHE: usize> Resolver<QUERIES, CACHE> {
    /// Writes the next question, of [`QUERY_LEN`] bytes at most. It is to be sent from a port that
    /// is chosen by chance, best a new one each time; `random` is a random number.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        random: u64,
        buf: &mut [u8],
    ) -> Option<OutgoingQuery> {
        let mixed_case = self.mixed_case;
        let query = self.queries.iter_mut().find(|query| matches!(query.state, State::Send))?;
        let Some(to) = query.server(&self.servers) else {
            query.state = State::Done(Err(ResolveError::NoServer));
            return None;
        };
        query.message_id = random as u16;
        if mixed_case {
            query.name.mix_case((random >> 16) as u32);
        }
        query.state = State::Waiting(now.saturating_add(ANSWER_TIMEOUT));
        let mut writer = Writer::new(buf, query.message_id, flags::RECURSION_DESIRED).ok()?;
        writer.question(&query.name.name(), rtype::A, CLASS_IN).ok()?;
        Some(OutgoingQuery { len: writer.finish(), to, query: query.id })
    }

    /// The next look-up that has ended.
    pub fn poll_event(&mut self) -> Option<(QueryId, Result<Addresses, ResolveError>)> {
        let done = |query: &Query| matches!(query.state, State::Done(_));
        let place = self.queries.iter().position(done)?;
        match self.queries.remove(place) {
            Query { id, state: State::Done(result), .. } => Some((id, result)),
            _ => None,
        }
    }

    /// Whether nothing is looked up, and nothing remembered that still holds: another resolver
    /// would do as well.
    pub fn is_idle(&self, now: Instant) -> bool {
        self.queries.is_empty() && self.cache.is_empty(now)
    }

    /// The next deadline; [`Instant::ZERO`] while there is something to send or to tell.
    pub fn poll_at(&self) -> Option<Instant> {
        let deadline = |query: &Query| match query.state {
            State::Waiting(until) => until,
            State::Send | State::Done(_) => Instant::ZERO,
        };
        self.queries.iter().map(deadline).min()
    }
}

fn is_local(name: &Name<'_>) -> bool {
    name.ends_with("local")
}

/// Whether an answer to this question may come from there.
fn answers(query: &Query, servers: &[Ipv4Addr], from: SocketAddr) -> bool {
    match query.server(servers) {
        Some(SocketAddr::V4(to)) if to.ip().is_multicast() => from.port() == to.port(),
        Some(to) => to == SocketAddr::new(from.ip().to_canonical(), from.port()),
        None => false,
    }
}

impl Query {
    fn server(&self, servers: &[Ipv4Addr]) -> Option<SocketAddr> {
        if is_local(&self.name.name()) {
            return Some(SocketAddr::new(IpAddr::V4(MDNS_GROUP), MDNS_PORT));
        }
        let turn = usize::from(self.attempt).checked_rem(servers.len())?;
        Some(SocketAddr::new(IpAddr::V4(*servers.get(turn)?), PORT))
    }

    fn retry(&mut self, error: ResolveError) {
        self.attempt += 1;
        self.state = if self.attempt < ATTEMPTS { State::Send } else { State::Done(Err(error)) };
    }

    fn handle_answer<const CACHE: usize>(
        &mut self,
        message: &DnsMessage<'_>,
        cache: &mut Cache<CACHE>,
        now: Instant,
    ) {
        match message.rcode() {
            rcode::NO_ERROR => {}
            rcode::NAME_ERROR => return self.fail(ResolveError::NotFound, message, cache, now),
            _ => return self.retry(ResolveError::Refused),
        }
        let asked = self.name.clone();
        let mut name = asked.name();
        let mut ttl = u32::MAX;
        let mut aliases = self.aliases;
        loop {
            let records = || {
                let records = message.records(Section::Answer);
                records.filter(|record| record.class == CLASS_IN && record.name.is_same(&name))
            };
            let mut found: Option<(Addresses, u32)> = None;
            for record in records() {
                let Some(address) = record.address() else { continue };
                match &mut found {
                    Some((all, least)) => {
                        all.push(address);
                        *least = record.ttl.min(*least);
                    }
                    None => found = Some((address.into(), record.ttl)),
                }
            }
            if let Some((all, own_ttl)) = found {
                cache.insert(CacheEntry::found(&asked, all, ttl.min(own_ttl), now));
                self.state = State::Done(Ok(all));
                return;
            }
            let is_alias = |record: &Record<'_>| record.rtype == rtype::CNAME;
            let alias = records().find(is_alias).and_then(|r| Some((r.target()?, r.ttl)));
            let Some((target, own_ttl)) = alias else { break };
            aliases += 1;
            if aliases > MAX_ALIASES {
                self.state = State::Done(Err(ResolveError::TooManyAliases));
                return;
            }
            (name, ttl) = (target, ttl.min(own_ttl));
        }
        let followed = aliases > self.aliases;
        let authoritative = message.records(Section::Authority).any(|r| r.rtype == rtype::SOA);
        if followed && !authoritative {
            // The server has not followed the alias: it is asked for that.
            self.aliases = aliases;
            match NameBuf::from_name(&name) {
                Some(name) => (self.name, self.state) = (name, State::Send),
                None => self.state = State::Done(Err(ResolveError::InvalidName)),
            }
        } else if message.flags() & flags::TRUNCATED != 0 {
            self.retry(ResolveError::Refused);
        } else {
            self.fail(ResolveError::NoAddress, message, cache, now);
        }
    }

    fn fail<const CACHE: usize>(
        &mut self,
        error: ResolveError,
        message: &DnsMessage<'_>,
        cache: &mut Cache<CACHE>,
        now: Instant,
    ) {
        self.state = State::Done(Err(error));
        let ttl = message.records(Section::Authority).find_map(|record| record.negative_ttl());
        cache.insert(CacheEntry::missing(&self.name, error, ttl, now));
    }
}
