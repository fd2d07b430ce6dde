//! Which services there are on a link.

use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use heapless::Vec;
use umqtt_net::{Duration, Instant};

use super::MAX_MESSAGE;
use crate::name::{Name, NameBuf};
use crate::wire::{CLASS_FLAG, CLASS_IN, DnsMessage, Item, Record, rtype};
use crate::writer::Writer;
use crate::{MDNS_GROUP, MDNS_PORT};

/// The time from the first question to the second; it doubles from then on.
pub const FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// The longest time between questions.
pub const MAX_INTERVAL: Duration = Duration::from_secs(3600);
/// Bytes that are kept of what is said of a service.
pub const MAX_FOUND_TXT: usize = 255;

/// A service that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// Its kind, by its place among those the browser looks for.
    pub kind: usize,
    /// Its whole name.
    pub instance: NameBuf,
    /// Host and port, once they are known.
    pub host: Option<(NameBuf, u16)>,
    /// The host's address, once it is known.
    pub address: Option<Ipv4Addr>,
    txt: Option<Vec<u8, MAX_FOUND_TXT, u8>>,
}

impl Found {
    /// Whether everything is known.
    pub const fn is_complete(&self) -> bool {
        self.host.is_some() && self.address.is_some() && self.txt.is_some()
    }

    /// What is said of it under this key, RFC 6763 section 6.
    pub fn txt(&self, key: &str) -> Option<&[u8]> {
        self.entries().find_map(|entry| {
            let (found, rest) = entry.split_at_checked(key.len())?;
            let value = rest.strip_prefix(b"=")?;
            found.eq_ignore_ascii_case(key.as_bytes()).then_some(value)
        })
    }

    /// All that is said of it.
    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.txt.as_deref().unwrap_or_default();
        core::iter::from_fn(move || {
            let (len, after) = rest.split_first()?;
            let (entry, after) = after.split_at_checked(usize::from(*len))?;
            rest = after;
            Some(entry)
        })
    }
}

/// Looks for services of some kinds, up to `N` of them.
#[derive(Clone, Debug)]
pub struct Browser<const N: usize> {
    kinds: &'static [&'static str],
    to: SocketAddr,
    id: u16,
    next_at: Instant,
    interval: Duration,
    found: Vec<Found, N>,
    overlooked: u32,
}

impl<const N: usize> Browser<N> {
    /// A browser for these kinds of services, such as `_mqtt._tcp`, that begins now. `id` is a
    /// random number, for those that answer by unicast.
    pub fn new(kinds: &'static [&'static str], id: u16, now: Instant) -> Browser<N> {
        Browser {
            kinds,
            to: SocketAddr::V4(SocketAddrV4::new(MDNS_GROUP, MDNS_PORT)),
            id,
            next_at: now,
            interval: FIRST_INTERVAL,
            found: Vec::new(),
            overlooked: 0,
        }
    }

    /// Asks one host in place of the group: where no multicast leads to.
    pub fn ask(&mut self, host: SocketAddr) {
        self.to = host;
    }

    /// What was found.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// Services for which there was no room.
    pub const fn overlooked(&self) -> u32 {
        self.overlooked
    }

    /// When to ask next.
    pub const fn poll_at(&self) -> Instant {
        self.next_at
    }

    /// Writes the next question if it is time, of [`MESSAGE_LEN`](super::MESSAGE_LEN) bytes at
    /// most: which services there are, and what is still missing of those that were found.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<(usize, SocketAddr)> {
        if now < self.next_at {
            return None;
        }
        self.next_at = now.saturating_add(self.interval);
        let longer = self.interval.saturating_mul(2);
        self.interval = if longer > MAX_INTERVAL { MAX_INTERVAL } else { longer };
        let mut writer = Writer::new(buf, self.id, 0).ok()?;
        let mut ask = |name: &NameBuf, qtype| writer.question(&name.name(), qtype, CLASS_IN).ok();
        for kind in self.kinds {
            if let Some(kind) = kind_name(kind) {
                ask(&kind, rtype::PTR);
            }
        }
        for found in self.found.iter().filter(|found| !found.is_complete()) {
            match &found.host {
                None => ask(&found.instance, rtype::SRV),
                Some((host, _)) if found.address.is_none() => ask(host, rtype::A),
                Some(_) => None,
            };
            if found.txt.is_none() {
                ask(&found.instance, rtype::TXT);
            }
        }
        Some((writer.finish(), self.to))
    }

    /// Takes a datagram; false if it is no answer.
    pub fn handle_datagram(&mut self, bytes: &[u8], from: SocketAddr) -> bool {
        let Ok(message) = DnsMessage::parse(bytes) else { return false };
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let group = matches!(self.to.ip(), IpAddr::V4(ip) if ip.is_multicast());
        let expected = if group { from.port() == self.to.port() } else { from == self.to };
        if bytes.len() > MAX_MESSAGE
            || !message.is_response()
            || !expected
            || (message.id() != 0 && message.id() != self.id)
            || message.items().any(|item| item.is_err())
        {
            return false;
        }
        // Names of services first, then what is said of them, then addresses of their hosts: they
        // stand in any order.
        for wanted in [&[rtype::PTR][..], &[rtype::SRV, rtype::TXT], &[rtype::A]] {
            for item in message.items() {
                if let Ok(Item::Record(_, record)) = item
                    && wanted.contains(&record.rtype)
                    && record.class & !CLASS_FLAG == CLASS_IN
                {
                    self.take(&record);
                }
            }
        }
        true
    }

    fn take(&mut self, record: &Record<'_>) {
        match record.rtype {
            rtype::PTR => self.take_instance(record),
            rtype::SRV => {
                let srv = record.srv().filter(|_| record.ttl > 0);
                for found in instances(&mut self.found, &record.name) {
                    let Some(srv) = srv else { continue };
                    let host = NameBuf::from_name(&srv.target).map(|host| (host, srv.port));
                    if host != found.host {
                        (found.host, found.address) = (host, None);
                    }
                }
            }
            rtype::TXT if record.ttl > 0 => {
                for found in instances(&mut self.found, &record.name) {
                    let data = record.data();
                    let kept = data.get(..MAX_FOUND_TXT).unwrap_or(data);
                    found.txt = Some(Vec::from_slice(kept).unwrap_or_default());
                }
            }
            rtype::A if record.ttl > 0 => {
                let is_host = |found: &&mut Found| {
                    found.host.as_ref().is_some_and(|(host, _)| host.name().is_same(&record.name))
                };
                for found in self.found.iter_mut().filter(is_host) {
                    found.address = record.address();
                }
            }
            _ => {}
        }
    }

    fn take_instance(&mut self, record: &Record<'_>) {
        let is_kind =
            |kind: &&str| kind_name(kind).is_some_and(|kind| kind.name().is_same(&record.name));
        let Some(kind) = self.kinds.iter().position(is_kind) else { return };
        let Some(instance) = record.target() else { return };
        let known = |found: &Found| found.instance.name().is_same(&instance);
        if record.ttl == 0 {
            return self.found.retain(|found| !known(found));
        }
        if self.found.iter().any(known) {
            return;
        }
        let Some(instance) = NameBuf::from_name(&instance) else { return };
        let found = Found { kind, instance, host: None, address: None, txt: None };
        if self.found.push(found).is_err() {
            self.overlooked = self.overlooked.saturating_add(1);
        }
    }
}

fn instances<'f>(found: &'f mut [Found], name: &Name<'_>) -> impl Iterator<Item = &'f mut Found> {
    found.iter_mut().filter(move |found| found.instance.name().is_same(name))
}

fn kind_name(kind: &str) -> Option<NameBuf> {
    NameBuf::from_labels(kind.split('.').chain(["local"]).map(str::as_bytes))
}
