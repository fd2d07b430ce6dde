//! A host on a link: claims its name, announces its services, answers.

use core::cmp::Ordering;
use core::net::{IpAddr, SocketAddr, SocketAddrV4};

use heapless::Vec;
use umqtt_net::{Duration, Instant, Interface, InterfaceAddr, Peer};

use super::messages::{self, Legacy, Unicast};
use super::record_set::{OwnRecord, RECORDS, RecordSet};
use super::tie_break;
use super::zone::{Lifetime, Service, Zone};
use crate::name::NameBuf;
use crate::wire::{CLASS_FLAG, CLASS_IN, Item, Message, Question, Record, Section, flags, rtype};
use crate::{MDNS_GROUP, MDNS_PORT};

/// Probes before a name is taken.
pub const PROBES: u8 = 3;
/// The time between probes.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(250);
/// Announcements of a new name.
pub const ANNOUNCEMENTS: u8 = 2;
/// The time between announcements, and the shortest one between two multicasts of a record.
pub const MIN_MULTICAST_INTERVAL: Duration = Duration::from_secs(1);
/// How long the one that loses a tie-break waits, RFC 6762 section 8.2.
const TIE_BREAK_DELAY: Duration = Duration::from_secs(1);
/// After so many conflicts in [`CONFLICT_WINDOW`] each further one costs [`CONFLICT_DELAY`], until
/// a name is found.
const MAX_CONFLICTS: u8 = 15;
const CONFLICT_WINDOW: Duration = Duration::from_secs(10);
const CONFLICT_DELAY: Duration = Duration::from_secs(5);
/// Answers by unicast that wait to be sent.
pub const UNICAST_REPLIES: usize = 4;
/// Own messages that are known when they come back.
const HEARD_BACK: usize = 4;
/// Rate limit: answers by unicast in a second; more are not given.
pub const UNICASTS_PER_SECOND: u8 = 20;

/// What came and what was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponderStats {
    /// Messages sent to the group.
    pub multicasts: u32,
    /// Messages sent to one who asked.
    pub unicasts: u32,
    /// Times that another host had the name, or got it.
    pub conflicts: u32,
    /// What was no message, or came from elsewhere than the link.
    pub ignored: u32,
    /// Answers that were not given because there were too many.
    pub refused: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no address.
    Down,
    /// Asks whether anybody has the names, as many as fit into a message; those before `next` were
    /// asked for already.
    Probing { sent: u8, next: u8, at: Instant },
    /// Says what there is.
    Announcing { sent: u8, at: Instant },
    /// Answers.
    Established,
    /// Says that it ends.
    Leaving,
}

/// A host with its services on one link. The address of each interface has one of its own.
#[derive(Clone, Debug)]
pub struct Responder {
    interface: Interface,
    zone: Zone,
    /// The address and its network, once there is one.
    network: Option<InterfaceAddr>,
    state: State,
    /// What is to be multicast, not before that.
    pending: RecordSet,
    pending_at: Instant,
    /// Of these what a probe asked for: it cannot wait a second.
    urgent: RecordSet,
    /// When each record was multicast last.
    sent_at: [Option<Instant>; RECORDS],
    unicasts: Vec<Unicast, UNICAST_REPLIES>,
    second: u64,
    unicasts_in_second: u8,
    conflicts: u8,
    conflicts_since: Instant,
    random: u32,
    /// Checksums of what was multicast last: who shares a computer with others hears oneself.
    heard_back: [u32; HEARD_BACK],
    stats: ResponderStats,
}

/// Commands and getters.
impl Responder {
    /// A host that would like to be called `label.local`, with these services, on the link of an
    /// interface. `None` if the label has no byte, or more than
    /// [`MAX_HOST_LABEL`](super::MAX_HOST_LABEL). `seed` is a random number: hosts that are
    /// switched on together shall not speak at the same time.
    pub fn new(
        interface: Interface,
        label: &str,
        services: &[Service],
        seed: u32,
    ) -> Option<Responder> {
        let mut zone = Zone::new(label)?;
        zone.set_services(services);
        Some(Responder {
            interface,
            zone,
            network: None,
            state: State::Down,
            pending: RecordSet::EMPTY,
            pending_at: Instant::ZERO,
            urgent: RecordSet::EMPTY,
            sent_at: [None; RECORDS],
            unicasts: Vec::new(),
            second: 0,
            unicasts_in_second: 0,
            conflicts: 0,
            conflicts_since: Instant::ZERO,
            random: seed | 1,
            heard_back: [0; HEARD_BACK],
            stats: ResponderStats::default(),
        })
    }

    /// The host's name as it is now: with a number if others had it before.
    pub fn host_name(&self) -> Option<NameBuf> {
        self.zone.name(super::zone::OwnName::Host)
    }

    /// Whether the name is the host's.
    pub const fn is_established(&self) -> bool {
        matches!(self.state, State::Announcing { .. } | State::Established)
    }

    /// What came and what was sent.
    pub const fn stats(&self) -> ResponderStats {
        self.stats
    }

    /// Sets the address; with another one than before, the host asks for its name anew. Without one
    /// it is silent.
    pub fn set_address(&mut self, network: Option<InterfaceAddr>, now: Instant) {
        let network = network.filter(|network| network.address.is_ipv4());
        if network == self.network {
            return;
        }
        self.network = network;
        self.zone.reset_name();
        self.forget();
        self.state = State::Down;
        if let Some(IpAddr::V4(address)) = network.map(|network| network.address) {
            self.zone.address = address;
            let delay = self.random_delay(0, 250);
            self.probe_after(delay, now);
        }
    }

    /// Sets the services, and says what there is now if that is something else.
    pub fn set_services(&mut self, services: &[Service], now: Instant) {
        if !self.zone.set_services(services) {
            return;
        }
        if self.state != State::Down {
            self.forget();
            self.probe_after(Duration::ZERO, now);
        }
    }

    /// Says goodbye: what others remember of the host ends. [`Responder::poll_transmit`] has the
    /// message; from then on the host is silent until it gets an address.
    pub fn shut_down(&mut self) {
        self.state = if self.is_established() { State::Leaving } else { State::Down };
        self.network = None;
        self.forget();
    }

    fn forget(&mut self) {
        self.pending = RecordSet::EMPTY;
        self.urgent = RecordSet::EMPTY;
        self.sent_at = [None; RECORDS];
        self.unicasts.clear();
    }

    fn probe_after(&mut self, delay: Duration, now: Instant) {
        self.pending = RecordSet::EMPTY;
        self.urgent = RecordSet::EMPTY;
        self.unicasts.clear();
        self.state = State::Probing { sent: 0, next: 0, at: now.saturating_add(delay) };
    }

    /// Xorshift: so many milliseconds, the last one not included.
    fn random_delay(&mut self, from: u32, to: u32) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        Duration::from_millis(u64::from(from + self.random % (to - from)))
    }
}

/// Inputs.
impl Responder {
    /// Takes a datagram that came to port 5353.
    pub fn handle_datagram(&mut self, bytes: &[u8], from: Peer, now: Instant) {
        let Some(network) = self.network.filter(|_| from.interface == self.interface) else {
            return;
        };
        let ip = from.addr.ip().to_canonical();
        // Another program of this computer has the address too.
        let own = ip == network.address && self.heard_back.contains(&messages::checksum(bytes));
        // RFC 6762 section 11: what comes from elsewhere is none of this link's.
        let on_link = network.contains(ip) || matches!(ip, IpAddr::V4(ip) if ip.is_link_local());
        let message = Message::parse(bytes).ok().filter(|m| m.opcode() == 0 && m.rcode() == 0);
        match message {
            Some(message) if !own && on_link => {
                if message.is_response() {
                    self.handle_response(&message, from.addr, now);
                } else {
                    self.handle_query(&message, SocketAddr::new(ip, from.addr.port()), now);
                }
            }
            // Everybody hears oneself.
            Some(_) if own => {}
            _ => count(&mut self.stats.ignored),
        }
    }

    /// Acts on deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Probing { sent: PROBES, at, .. } if at <= now => {
                self.state = State::Announcing { sent: 0, at: now };
                self.conflicts = 0;
            }
            _ => {}
        }
        if let State::Announcing { sent, at } = self.state
            && at <= now
        {
            self.state = match sent {
                ANNOUNCEMENTS => State::Established,
                _ => {
                    self.schedule(self.zone.all(), now);
                    let next = now.saturating_add(MIN_MULTICAST_INTERVAL);
                    State::Announcing { sent: sent + 1, at: next }
                }
            };
        }
    }

    fn handle_response(&mut self, message: &Message<'_>, from: SocketAddr, now: Instant) {
        if from.port() != MDNS_PORT {
            return count(&mut self.stats.ignored);
        }
        let mut conflict = false;
        for item in message.items() {
            let Ok(Item::Record(section, record)) = item else { continue };
            if section == Section::Authority || record.class & !CLASS_FLAG != CLASS_IN {
                continue;
            }
            if let Some(own) = self.zone.find(&record) {
                // Somebody says that it ends, or is about to forget it.
                if self.is_established() && record.ttl < Zone::ttl(own) / 2 {
                    self.schedule(RecordSet::of(own), now);
                }
            } else if record.ttl > 0 {
                conflict |= self.contradicts(&record);
            }
        }
        if !conflict {
            return;
        }
        count(&mut self.stats.conflicts);
        match self.state {
            State::Probing { .. } => {
                self.zone.rename();
                let delay = self.conflict_delay(now);
                self.probe_after(delay, now);
            }
            // RFC 6762 section 9: whoever answers the probes keeps the name.
            State::Announcing { .. } | State::Established => {
                let delay = self.conflict_delay(now);
                self.probe_after(delay, now);
            }
            State::Down | State::Leaving => {}
        }
    }

    /// Whether another host has what is to be ours alone: while it is not yet, any record of that
    /// name.
    fn contradicts(&self, record: &Record<'_>) -> bool {
        let probing = matches!(self.state, State::Probing { .. });
        let ours = |rtype: u16| matches!(rtype, rtype::A | rtype::SRV | rtype::TXT);
        (probing || ours(record.rtype))
            && self.zone.unique_names().any(|(name, _)| {
                self.zone.name(name).is_some_and(|name| name.name().is_same(&record.name))
            })
    }

    fn conflict_delay(&mut self, now: Instant) -> Duration {
        let rare = now.saturating_duration_since(self.conflicts_since) > CONFLICT_WINDOW;
        if rare && self.conflicts < MAX_CONFLICTS {
            (self.conflicts, self.conflicts_since) = (0, now);
        }
        self.conflicts = self.conflicts.saturating_add(1);
        match self.conflicts {
            ..MAX_CONFLICTS => self.random_delay(0, 250),
            _ => CONFLICT_DELAY,
        }
    }

    fn handle_query(&mut self, message: &Message<'_>, from: SocketAddr, now: Instant) {
        if let State::Probing { sent: 1.., .. } = self.state {
            if tie_break::compare(&self.zone, message) == Ordering::Less {
                count(&mut self.stats.conflicts);
                self.probe_after(TIE_BREAK_DELAY, now);
            }
            return;
        }
        if !self.is_established() {
            return;
        }
        let legacy = from.port() != MDNS_PORT;
        let (mut multicast, mut unicast) = (RecordSet::EMPTY, RecordSet::EMPTY);
        let (mut known, mut asked): (_, Option<Question<'_>>) = (RecordSet::EMPTY, None);
        let (mut questions, mut probe) = (false, false);
        for item in message.items() {
            match item {
                Ok(Item::Question(question)) => {
                    questions = true;
                    let answers = self.zone.answers(&question);
                    if !answers.is_empty() {
                        asked.get_or_insert(question);
                    }
                    let welcome = legacy || question.qclass & CLASS_FLAG != 0;
                    for record in answers.iter() {
                        let recent = legacy || self.was_multicast_lately(record, now);
                        let set = if welcome && recent { &mut unicast } else { &mut multicast };
                        set.add(RecordSet::of(record));
                    }
                }
                Ok(Item::Record(Section::Answer, record)) => {
                    let fresh = |own: &OwnRecord| record.ttl >= Zone::ttl(*own) / 2;
                    if let Some(own) = self.zone.find(&record).filter(fresh) {
                        known.add(RecordSet::of(own));
                    }
                }
                Ok(Item::Record(Section::Authority, _)) => probe = true,
                Ok(Item::Record(Section::Additional, _)) => {}
                Err(_) => return count(&mut self.stats.ignored),
            }
        }
        if !questions {
            // More of what is known to the one that asked before, RFC 6762 section 7.2.
            self.pending.remove(known);
            return;
        }
        let unicast = unicast.without(known);
        if !unicast.is_empty() {
            let legacy = asked.filter(|_| legacy).and_then(|question| {
                Some(Legacy {
                    id: message.id(),
                    name: NameBuf::from_name(&question.name)?,
                    qtype: question.qtype,
                    qclass: question.qclass,
                })
            });
            self.reply(Unicast { to: from, records: unicast, legacy }, now);
        }
        let multicast = multicast.without(known);
        if multicast.is_empty() {
            return;
        }
        let shared = multicast.iter().any(|record| !record.is_unique());
        let delay = match (probe, message.flags() & flags::TRUNCATED != 0, shared) {
            (true, ..) => Duration::ZERO,
            (_, true, _) => self.random_delay(400, 500),
            (_, _, true) => self.random_delay(20, 120),
            _ => Duration::ZERO,
        };
        if probe {
            self.urgent.add(multicast);
        }
        self.schedule(multicast, now.saturating_add(delay));
    }

    /// Whether everybody may be expected to remember a record, RFC 6762 section 5.4.
    fn was_multicast_lately(&self, record: OwnRecord, now: Instant) -> bool {
        let quarter = Duration::from_secs(u64::from(Zone::ttl(record) / 4));
        self.sent_at[record.index()].is_some_and(|at| now.saturating_duration_since(at) < quarter)
    }

    fn reply(&mut self, unicast: Unicast, now: Instant) {
        let second = now.as_millis() / 1000;
        if second != self.second {
            (self.second, self.unicasts_in_second) = (second, 0);
        }
        if self.unicasts_in_second < UNICASTS_PER_SECOND && self.unicasts.push(unicast).is_ok() {
            self.unicasts_in_second += 1;
        } else {
            count(&mut self.stats.refused);
        }
    }

    /// Has records multicast; what waits already does not wait longer.
    fn schedule(&mut self, records: RecordSet, at: Instant) {
        self.pending_at = if self.pending.is_empty() { at } else { self.pending_at.min(at) };
        self.pending.add(records);
    }
}

/// Outputs.
impl Responder {
    /// Writes the next message, of [`MESSAGE_LEN`](super::MESSAGE_LEN) bytes at most, to be sent
    /// from port 5353. To be called until there is none.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<(usize, Peer)> {
        let (len, to) = self.next_message(now, buf)?;
        self.heard_back.rotate_right(1);
        self.heard_back[0] = messages::checksum(&buf[..len]);
        Some((len, to))
    }

    fn next_message(&mut self, now: Instant, buf: &mut [u8]) -> Option<(usize, Peer)> {
        match self.state {
            State::Down => return None,
            State::Leaving => {
                self.state = State::Down;
                let len = messages::goodbye(&self.zone, buf)?;
                return Some((len, self.group()));
            }
            State::Probing { sent, next, at } => {
                if at > now || sent >= PROBES {
                    return None;
                }
                let probe = messages::probe(&self.zone, usize::from(next), buf);
                let all = self.zone.unique_names().count();
                let next = probe.map_or(all, |(_, next)| next);
                self.state = if next < all {
                    State::Probing { sent, next: next as u8, at }
                } else {
                    let at = now.saturating_add(PROBE_INTERVAL);
                    State::Probing { sent: sent + 1, next: 0, at }
                };
                count(&mut self.stats.multicasts);
                return probe.map(|(len, _)| (len, self.group()));
            }
            State::Announcing { .. } | State::Established => {}
        }
        if !self.unicasts.is_empty() {
            let unicast = self.unicasts.remove(0);
            let len = messages::unicast(&self.zone, &unicast, buf)?;
            count(&mut self.stats.unicasts);
            return Some((len, Peer::new(unicast.to, self.interface)));
        }
        let len = self.write_multicast(now, buf)?;
        count(&mut self.stats.multicasts);
        Some((len, self.group()))
    }

    /// The next deadline.
    pub fn poll_at(&self) -> Option<Instant> {
        let state = match self.state {
            State::Down => return None,
            State::Leaving => Some(Instant::ZERO),
            State::Probing { at, .. } | State::Announcing { at, .. } => Some(at),
            State::Established => None,
        };
        let unicast = (!self.unicasts.is_empty()).then_some(Instant::ZERO);
        let multicast = (!self.pending.is_empty()).then_some(self.pending_at);
        [state, unicast, multicast].into_iter().flatten().min()
    }

    fn group(&self) -> Peer {
        let group = SocketAddrV4::new(MDNS_GROUP, MDNS_PORT);
        Peer::new(SocketAddr::V4(group), self.interface)
    }

    /// What is due, as far as it fits; the rest follows at once. What was multicast less than a
    /// second ago follows after that.
    fn write_multicast(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        if self.pending.is_empty() || self.pending_at > now {
            return None;
        }
        let mut writer = messages::response(buf, 0)?;
        let mut sent = RecordSet::EMPTY;
        let mut again_at: Option<Instant> = None;
        for record in self.pending.iter() {
            let at = self.may_multicast_at(record);
            if at > now {
                again_at = Some(again_at.map_or(at, |other| other.min(at)));
                continue;
            }
            let written = self.zone.write(&mut writer, Section::Answer, record, Lifetime::Full);
            if written.is_ok() {
                sent.add(RecordSet::of(record));
            } else if writer.is_empty() {
                // It will never fit.
                self.pending.remove(RecordSet::of(record));
            } else {
                again_at = Some(now);
            }
        }
        let answers = sent;
        for record in self.zone.additional(answers).iter() {
            let fits = self.may_multicast_at(record) <= now
                && self
                    .zone
                    .write(&mut writer, Section::Additional, record, Lifetime::Full)
                    .is_ok();
            if fits {
                sent.add(RecordSet::of(record));
            }
        }
        for record in sent.iter() {
            self.sent_at[record.index()] = Some(now);
        }
        self.pending.remove(sent);
        self.urgent.remove(sent);
        self.pending_at = again_at.unwrap_or(now);
        let len = writer.finish();
        (!sent.is_empty()).then_some(len)
    }

    fn may_multicast_at(&self, record: OwnRecord) -> Instant {
        let urgent = self.urgent.contains(record);
        let interval = if urgent { PROBE_INTERVAL } else { MIN_MULTICAST_INTERVAL };
        self.sent_at[record.index()].map_or(Instant::ZERO, |at| at.saturating_add(interval))
    }
}

fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
