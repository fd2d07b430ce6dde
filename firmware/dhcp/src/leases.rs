//! Who has which address.

use heapless::Vec;
use umqtt_net::{Duration, Instant};

use crate::client_key::ClientKey;

/// The last byte of the addresses that are leased: all of a /24 but the device's own.
pub const FIRST_HOST: u8 = 2;
/// The last address that is leased.
pub const LAST_HOST: u8 = 254;
/// Offers that are remembered. Forgetting one costs nobody anything: a request for an address that
/// is free is granted, offered or not.
pub const MAX_OFFERS: usize = 4;
/// How long an offered address is not offered to others.
pub const OFFER_TIME: Duration = Duration::from_secs(10);
/// Addresses that are set aside at a time because somebody else was found to use them.
pub const MAX_DECLINED: usize = 4;
/// How long an address is set aside.
pub const DECLINE_TIME: Duration = Duration::from_secs(600);

/// An address that a client has, or had: an expired lease is remembered until its place or its
/// address is needed, so that the client gets the same address again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The client.
    pub client: ClientKey,
    /// The last byte of the address.
    pub host: u8,
    /// When it expires or did so.
    pub until: Instant,
}

impl Lease {
    /// Whether the client may use the address.
    pub fn is_active(&self, now: Instant) -> bool {
        now < self.until
    }
}

#[derive(Clone, Debug)]
struct Offer {
    client: ClientKey,
    host: u8,
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Declined {
    host: u8,
    until: Instant,
}

/// Up to `N` leases. No two are of one client, no two of one address, and an active one makes room
/// for nobody.
#[derive(Clone, Debug)]
pub(crate) struct LeaseTable<const N: usize> {
    /// The last byte of the device's own address.
    own: u8,
    leases: Vec<Lease, N>,
    offers: Vec<Offer, MAX_OFFERS>,
    declined: Vec<Declined, MAX_DECLINED>,
}

impl<const N: usize> LeaseTable<N> {
    /// A table without leases. The device's own address is not given to anybody.
    pub(crate) const fn new(own: u8) -> LeaseTable<N> {
        LeaseTable { own, leases: Vec::new(), offers: Vec::new(), declined: Vec::new() }
    }

    /// Whether it is an address that may be leased.
    fn is_leasable(&self, host: u8) -> bool {
        (FIRST_HOST..=LAST_HOST).contains(&host) && host != self.own
    }

    pub(crate) fn iter(&self) -> core::slice::Iter<'_, Lease> {
        self.leases.iter()
    }

    fn position(&self, client: &ClientKey) -> Option<usize> {
        self.leases.iter().position(|lease| lease.client.is_same_client(client))
    }

    pub(crate) fn lease_of(&self, client: &ClientKey) -> Option<&Lease> {
        self.leases.get(self.position(client)?)
    }

    /// Whether the client may have this address.
    pub(crate) fn is_free(&self, host: u8, client: &ClientKey, now: Instant) -> bool {
        let in_use = |lease: &Lease| {
            lease.host == host && lease.is_active(now) && !lease.client.is_same_client(client)
        };
        self.is_leasable(host)
            && !self.declined.iter().any(|declined| declined.host == host && now < declined.until)
            && !self.leases.iter().any(in_use)
    }

    fn is_offered(&self, host: u8, client: &ClientKey, now: Instant) -> bool {
        self.offers.iter().any(|offer| {
            offer.host == host && now < offer.until && !offer.client.is_same_client(client)
        })
    }

    /// The place of the lease that expired first.
    fn first_expired(&self, now: Instant) -> Option<usize> {
        let expired = self.leases.iter().enumerate().filter(|(_, lease)| !lease.is_active(now));
        expired.min_by_key(|(_, lease)| lease.until).map(|(place, _)| place)
    }

    /// Chooses an address for a client and remembers that it was offered: the one it has or had,
    /// the one it asks for, one that nobody has had, one whose lease has expired. `None` if all
    /// leases are in use.
    pub(crate) fn offer(
        &mut self,
        client: &ClientKey,
        requested: Option<u8>,
        now: Instant,
    ) -> Option<u8> {
        let had = self.lease_of(client).map(|lease| lease.host);
        if had.is_none() && self.leases.is_full() {
            self.first_expired(now)?;
        }
        let pending =
            self.offers.iter().find(|offer| offer.client.is_same_client(client)).map(|o| o.host);
        let offerable =
            |host: &u8| self.is_free(*host, client, now) && !self.is_offered(*host, client, now);
        let wanted = [had, requested, pending].into_iter().flatten().find(offerable);
        let host = wanted.or_else(|| self.unused(client, now))?;

        self.offers.retain(|offer| now < offer.until && !offer.client.is_same_client(client));
        if self.offers.is_full() {
            self.offers.remove(0);
        }
        let offer = Offer { client: client.clone(), host, until: now.saturating_add(OFFER_TIME) };
        // There is room: an older one was forgotten.
        let _ = self.offers.push(offer);
        Some(host)
    }

    fn unused(&self, client: &ClientKey, now: Instant) -> Option<u8> {
        let pool = u32::from(LAST_HOST - FIRST_HOST) + 1;
        // Where the search begins depends on the client alone: it is likely to get its address
        // again from a device that has forgotten all of its leases.
        let start = client.hash() % pool;
        let hosts = (0..pool).map(|step| FIRST_HOST + ((start + step) % pool) as u8);
        let offerable =
            |host: &u8| self.is_free(*host, client, now) && !self.is_offered(*host, client, now);
        let never_had = |host: &u8| !self.leases.iter().any(|lease| lease.host == *host);
        hosts.clone().find(|host| never_had(host) && offerable(host)).or_else(|| {
            let expired = self.leases.iter().filter(|lease| offerable(&lease.host));
            expired.min_by_key(|lease| lease.until).map(|lease| lease.host)
        })
    }

    /// Gives an address to a client; false if it is not free, or if there are too many leases.
    pub(crate) fn bind(
        &mut self,
        client: &ClientKey,
        host: u8,
        until: Instant,
        now: Instant,
    ) -> bool {
        if !self.is_free(host, client, now) {
            return false;
        }
        if self.position(client).is_none() && self.leases.is_full() {
            // The lease of another that has expired goes first, that of this address if it has one.
            let same = self.leases.iter().position(|lease| lease.host == host);
            let Some(place) = same.or_else(|| self.first_expired(now)) else { return false };
            self.leases.swap_remove(place);
        }
        self.leases.retain(|lease| lease.host != host && !lease.client.is_same_client(client));
        self.withdraw_offer(client);
        self.leases.push(Lease { client: client.clone(), host, until }).is_ok()
    }

    /// The client has chosen another server's offer.
    pub(crate) fn withdraw_offer(&mut self, client: &ClientKey) {
        self.offers.retain(|offer| !offer.client.is_same_client(client));
    }

    /// Ends a client's lease of this address; it is remembered. False if it has none.
    pub(crate) fn release(&mut self, client: &ClientKey, host: u8, now: Instant) -> bool {
        let Some(place) = self.position(client) else { return false };
        let lease = &mut self.leases[place];
        let found = lease.host == host && lease.is_active(now);
        if found {
            lease.until = now;
        }
        found
    }

    /// Sets an address aside that a client has leased and found to be in use. False if it has not.
    pub(crate) fn decline(&mut self, client: &ClientKey, host: u8, now: Instant) -> bool {
        let Some(place) = self.position(client) else { return false };
        if self.leases[place].host != host {
            return false;
        }
        self.leases.swap_remove(place);
        self.declined.retain(|declined| now < declined.until);
        if self.declined.is_full() {
            self.declined.remove(0);
        }
        let _ = self.declined.push(Declined { host, until: now.saturating_add(DECLINE_TIME) });
        true
    }

    /// Adds a lease as it was saved. False if it contradicts another one; what there is no room for
    /// is left out.
    pub(crate) fn restore(&mut self, lease: Lease) -> bool {
        let contradicts =
            |l: &Lease| l.host == lease.host || l.client.is_same_client(&lease.client);
        if !self.is_leasable(lease.host) || self.leases.iter().any(contradicts) {
            return false;
        }
        let _ = self.leases.push(lease);
        true
    }
}
