//! A host on a link: claims its name, announces its services, answers.

use core::cmp::Ordering;
use core::net::{IpAddr, SocketAddr, SocketAddrV4};

use umqtt_net::{Duration, Instant, Interface, InterfaceAddr, Peer};

use super::MAX_MESSAGE;
use super::conflicts::Conflicts;
use super::jitter::Jitter;
use super::messages::{self, Legacy, Unicast};
use super::multicasts::{MIN_MULTICAST_INTERVAL, Multicasts, PROBE_INTERVAL};
use super::record_set::{OwnRecord, RecordSet};
use super::stats::{MdnsStats, count};
use super::tie_break;
use super::unicasts::Unicasts;
use super::zone::{Service, Zone};
use crate::name::NameBuf;
use crate::wire::{
    CLASS_FLAG, CLASS_IN, DnsMessage, Item, Question, Record, Section, flags, rtype,
};
use crate::{MDNS_GROUP, MDNS_PORT};

/// Probes before a name is taken.
pub const PROBES: u8 = 3;
/// Announcements of a new name.
pub const ANNOUNCEMENTS: u8 = 2;
/// How long the one that loses a tie-break waits, RFC 6762 section 8.2.
const TIE_BREAK_DELAY: Duration = Duration::from_secs(1);
/// Own messages that are known when they come back.
const HEARD_BACK: usize = 4;

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
pub struct MdnsResponder {
    interface: Interface,
    zone: Zone,
    /// The address and its network, once there is one.
    network: Option<InterfaceAddr>,
    state: State,
    multicasts: Multicasts,
    unicasts: Unicasts,
    conflicts: Conflicts,
    jitter: Jitter,
    /// Checksums of what was multicast last: who shares a computer with others hears oneself.
    heard_back: [u32; HEARD_BACK],
    stats: MdnsStats,
}

/// Commands and getters.
impl MdnsResponder {
    /// A host that would like to be called `label.local`, with these services, on the link of an
    /// interface. `None` if the label has no byte, or more than
    /// [`MAX_HOST_LABEL`](super::MAX_HOST_LABEL). `seed` is a random number: hosts that are
    /// switched on together shall not speak at the same time.
    pub fn new(
        interface: Interface,
        label: &str,
        services: &[Service],
        seed: u32,
    ) -> Option<MdnsResponder> {
        let mut zone = Zone::new(label)?;
        zone.set_services(services);
        Some(MdnsResponder {
            interface,
            zone,
            network: None,
            state: State::Down,
            multicasts: Multicasts::new(),
            unicasts: Unicasts::new(),
            conflicts: Conflicts::new(),
            jitter: Jitter::new(seed),
            heard_back: [0; HEARD_BACK],
            stats: MdnsStats::default(),
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
    pub const fn stats(&self) -> MdnsStats {
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
            let delay = self.jitter.delay(0, 250);
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

    /// Says goodbye: what others remember of the host ends. [`MdnsResponder::poll_transmit`] has
    /// the message; from then on the host is silent until it gets an address.
    pub fn shut_down(&mut self) {
        self.state = if self.is_established() { State::Leaving } else { State::Down };
        self.network = None;
        self.forget();
    }

    fn forget(&mut self) {
        self.multicasts.forget();
        self.unicasts.clear();
    }

    fn probe_after(&mut self, delay: Duration, now: Instant) {
        self.multicasts.clear();
        self.unicasts.clear();
        self.state = State::Probing { sent: 0, next: 0, at: now.saturating_add(delay) };
    }
}

/// Inputs.
impl MdnsResponder {
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
        let message = DnsMessage::parse(bytes).ok().filter(|message| {
            bytes.len() <= MAX_MESSAGE && message.opcode() == 0 && message.rcode() == 0
        });
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
                self.conflicts.clear();
            }
            _ => {}
        }
        if let State::Announcing { sent, at } = self.state
            && at <= now
        {
            self.state = match sent {
                ANNOUNCEMENTS => State::Established,
                _ => {
                    self.multicasts.schedule(self.zone.all(), now);
                    let next = now.saturating_add(MIN_MULTICAST_INTERVAL);
                    State::Announcing { sent: sent + 1, at: next }
                }
            };
        }
    }

    fn handle_response(&mut self, message: &DnsMessage<'_>, from: SocketAddr, now: Instant) {
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
                    self.multicasts.schedule(RecordSet::of(own), now);
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
                let delay = self.conflicts.next_delay(now, &mut self.jitter);
                self.probe_after(delay, now);
            }
            // RFC 6762 section 9: whoever answers the probes keeps the name.
            State::Announcing { .. } | State::Established => {
                let delay = self.conflicts.next_delay(now, &mut self.jitter);
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

    fn handle_query(&mut self, message: &DnsMessage<'_>, from: SocketAddr, now: Instant) {
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
                        let recent = legacy || self.multicasts.was_sent_lately(record, now);
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
            self.multicasts.remove(known);
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
            // The link's addresses are of IPv4: others were ignored.
            let SocketAddr::V4(to) = from else { return };
            if !self.unicasts.push(Unicast { to, records: unicast, legacy }, now) {
                count(&mut self.stats.refused);
            }
        }
        let multicast = multicast.without(known);
        if multicast.is_empty() {
            return;
        }
        let shared = multicast.iter().any(|record| !record.is_unique());
        let delay = match (probe, message.flags() & flags::TRUNCATED != 0, shared) {
            (true, ..) => Duration::ZERO,
            (_, true, _) => self.jitter.delay(400, 500),
            (_, _, true) => self.jitter.delay(20, 120),
            _ => Duration::ZERO,
        };
        if probe {
            self.multicasts.hasten(multicast);
        }
        self.multicasts.schedule(multicast, now.saturating_add(delay));
    }
}

/// Outputs.
impl MdnsResponder {
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
        if let Some(unicast) = self.unicasts.pop() {
            let len = messages::unicast(&self.zone, &unicast, buf)?;
            count(&mut self.stats.unicasts);
            return Some((len, Peer::new(unicast.to.into(), self.interface)));
        }
        let len = self.multicasts.write(&self.zone, now, buf)?;
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
        [state, unicast, self.multicasts.poll_at()].into_iter().flatten().min()
    }

    fn group(&self) -> Peer {
        let group = SocketAddrV4::new(MDNS_GROUP, MDNS_PORT);
        Peer::new(SocketAddr::V4(group), self.interface)
    }
}
