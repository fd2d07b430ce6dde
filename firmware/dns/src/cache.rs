//! What name servers have answered.

use heapless::Vec;
use umqtt_net::{Duration, Instant};

use crate::addresses::Addresses;
use crate::error::ResolveError;
use crate::name::{Name, NameBuf};

/// The shortest time an answer is remembered, seconds: one use is no reason to ask twice.
pub const MIN_TTL: u32 = 1;
/// The longest time an address is remembered, seconds.
pub const MAX_TTL: u32 = 86_400;
/// How long it is remembered that there is no address if the server does not say, seconds.
pub const DEFAULT_NEGATIVE_TTL: u32 = 10;
/// The longest time it is remembered that there is no address, seconds.
pub const MAX_NEGATIVE_TTL: u32 = 300;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct CacheEntry {
    name: NameBuf,
    answer: Result<Addresses, ResolveError>,
    until: Instant,
}

impl CacheEntry {
    pub(crate) fn found(name: &NameBuf, all: Addresses, ttl: u32, now: Instant) -> CacheEntry {
        CacheEntry::new(name, Ok(all), ttl.clamp(MIN_TTL, MAX_TTL), now)
    }

    pub(crate) fn missing(
        name: &NameBuf,
        error: ResolveError,
        ttl: Option<u32>,
        now: Instant,
    ) -> CacheEntry {
        let ttl = ttl.unwrap_or(DEFAULT_NEGATIVE_TTL).clamp(MIN_TTL, MAX_NEGATIVE_TTL);
        CacheEntry::new(name, Err(error), ttl, now)
    }

    fn new(
        name: &NameBuf,
        answer: Result<Addresses, ResolveError>,
        ttl: u32,
        now: Instant,
    ) -> CacheEntry {
        let until = now.saturating_add(Duration::from_secs(ttl.into()));
        CacheEntry { name: name.clone(), answer, until }
    }
}

/// Up to `N` answers, one for each name. When it is full, the one that expires first makes room.
#[derive(Clone, Debug)]
pub(crate) struct Cache<const N: usize> {
    entries: Vec<CacheEntry, N>,
}

impl<const N: usize> Cache<N> {
    pub(crate) const fn new() -> Cache<N> {
        Cache { entries: Vec::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn get(
        &self,
        name: &Name<'_>,
        now: Instant,
    ) -> Option<Result<Addresses, ResolveError>> {
        let fresh = |entry: &&CacheEntry| now < entry.until && entry.name.name().is_same(name);
        self.entries.iter().find(fresh).map(|entry| entry.answer)
    }

    /// Whether nothing is remembered that still holds.
    pub(crate) fn is_empty(&self, now: Instant) -> bool {
        self.entries.iter().all(|entry| entry.until <= now)
    }

    pub(crate) fn insert(&mut self, entry: CacheEntry) {
        self.entries.retain(|other| !other.name.name().is_same(&entry.name.name()));
        if self.entries.is_full() {
            let first = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.until);
            let Some((first, _)) = first else { return };
            self.entries.swap_remove(first);
        }
        // There is room now.
        let _ = self.entries.push(entry);
    }
}
