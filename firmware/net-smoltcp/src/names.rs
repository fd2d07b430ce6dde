//! The resolver, there while a name is looked up or an answer is remembered.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use umqtt_dns::{
    Addresses, Lookup, MAX_SERVERS, OutgoingQuery, QUERY_LEN, QueryId, ResolveError, Resolver,
};
use umqtt_net::Instant;

/// Names looked up at a time.
pub const MAX_LOOKUPS: usize = 2;
/// Answers that are remembered.
pub const MAX_REMEMBERED: usize = 2;

/// The resolver and what it needs.
pub(crate) struct Names {
    servers: heapless::Vec<Ipv4Addr, MAX_SERVERS>,
    /// One or none.
    resolver: Vec<Resolver<MAX_LOOKUPS, MAX_REMEMBERED>>,
    /// Where the random numbers come from.
    state: u64,
    /// Answers to nothing that was asked.
    pub(crate) refused: u32,
}

impl Names {
    /// Without a server. The seed is a random number.
    pub(crate) fn new(seed: u64) -> Names {
        Names { servers: heapless::Vec::new(), resolver: Vec::new(), state: seed, refused: 0 }
    }

    /// Sets the name servers; those beyond the resolver's bound are not asked.
    pub(crate) fn set_servers(&mut self, servers: impl Iterator<Item = Ipv4Addr>) {
        self.servers = servers.take(MAX_SERVERS).collect();
        if let [resolver] = &mut self.resolver[..] {
            resolver.set_servers(&self.servers);
        }
    }

    /// The one that is asked first.
    #[cfg(feature = "udp")]
    pub(crate) fn first_server(&self) -> Option<Ipv4Addr> {
        self.servers.first().copied()
    }

    pub(crate) fn resolve(&mut self, host: &str, now: Instant) -> Result<Lookup, ResolveError> {
        if self.resolver.is_empty() {
            self.resolver.try_reserve_exact(1).map_err(|_| ResolveError::Full)?;
            self.resolver.push(Resolver::new());
        }
        let Some(resolver) = self.resolver.first_mut() else { return Err(ResolveError::Full) };
        resolver.set_servers(&self.servers);
        resolver.resolve(host, now)
    }

    /// Whether there may be an answer to take.
    pub(crate) fn is_asking(&self) -> bool {
        self.poll_at().is_some()
    }

    /// What is looked up is for nobody any more; the last one takes the resolver with it.
    pub(crate) fn cancel(&mut self, query: QueryId, now: Instant) {
        if let Some(resolver) = self.resolver.first_mut() {
            resolver.cancel(query);
        }
        self.drop_idle(now);
    }

    fn drop_idle(&mut self, now: Instant) {
        if self.resolver.first().is_some_and(|resolver| resolver.is_idle(now)) {
            self.resolver = Vec::new();
        }
    }

    pub(crate) fn handle_datagram(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) {
        if let Some(resolver) = self.resolver.first_mut()
            && !resolver.handle_datagram(bytes, from, now)
        {
            self.refused = self.refused.saturating_add(1);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(resolver) = self.resolver.first_mut() {
            resolver.handle_timeout(now);
        }
        self.drop_idle(now);
    }

    /// The next look-up that has ended.
    pub(crate) fn poll_event(&mut self) -> Option<(QueryId, Result<Addresses, ResolveError>)> {
        self.resolver.first_mut()?.poll_event()
    }

    /// The next question.
    pub(crate) fn poll_transmit(
        &mut self,
        now: Instant,
        buf: &mut [u8; QUERY_LEN],
    ) -> Option<OutgoingQuery> {
        let random = self.random();
        self.resolver.first_mut()?.poll_transmit(now, random, buf)
    }

    pub(crate) fn poll_at(&self) -> Option<Instant> {
        self.resolver.first()?.poll_at()
    }

    /// Bytes of the heap.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.resolver[..])
    }

    /// A random number, as hard to guess as the seed.
    pub(crate) fn random(&mut self) -> u64 {
        // splitmix64
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
