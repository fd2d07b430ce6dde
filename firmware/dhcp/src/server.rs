//! What a server answers, RFC 2131 section 4.3.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use umqtt_net::{Duration, Instant, Interface, Peer};

use crate::client_key::ClientKey;
use crate::lease_codec::{self, RestoreError};
use crate::leases::{Lease, LeaseTable};
use crate::message::{DhcpRequest, MessageType, ReplyHeader, ReplyWriter, option};
use crate::{CLIENT_PORT, DEFAULT_LEASES};

/// How long a lease runs if nothing else is said.
pub const DEFAULT_LEASE_TIME: Duration = Duration::from_secs(7200);
/// The shortest time of a lease: clients renew at half of it.
pub const MIN_LEASE_TIME: Duration = Duration::from_secs(60);
/// The longest time of a lease.
pub const MAX_LEASE_TIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// Rate limit: messages that are looked at in a second. Their senders repeat the others.
pub const MESSAGES_PER_SECOND: u16 = 64;

/// What came and what was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Addresses offered.
    pub offers: u32,
    /// Leases granted and renewed, and clients told what they asked to know.
    pub acks: u32,
    /// Requests for addresses that the client cannot have.
    pub naks: u32,
    /// Leases given back.
    pub releases: u32,
    /// Addresses that somebody else was found to use.
    pub declines: u32,
    /// What was no message of a client.
    pub malformed: u32,
    /// Messages for another server.
    pub other_server: u32,
    /// Messages that came through a relay.
    pub relayed: u32,
    /// Messages that did not come from the access point's network.
    pub other_interface: u32,
    /// Clients for which there was no lease left.
    pub exhausted: u32,
    /// Messages beyond [`MESSAGES_PER_SECOND`].
    pub flooded: u32,
}

/// An answer that waits for [`Server::poll_transmit`].
#[derive(Clone, Debug)]
struct Reply {
    message_type: MessageType,
    client: ClientKey,
    header: ReplyHeader,
    to: Ipv4Addr,
}

/// A server for up to `N` clients in the /24 network of its own address. It has no deadlines: what
/// has expired is found when it matters.
#[derive(Clone, Debug)]
pub struct Server<const N: usize = DEFAULT_LEASES> {
    own: Ipv4Addr,
    lease_time: Duration,
    leases: LeaseTable<N>,
    reply: Option<Reply>,
    changed: bool,
    stats: ServerStats,
    /// The second in which the last message came, and how many came in it.
    second: u64,
    messages: u16,
}

/// Getters.
impl<const N: usize> Server<N> {
    /// The device's address, which is also that of the router and of the DNS server.
    pub const fn address(&self) -> Ipv4Addr {
        self.own
    }

    /// The leases, also those that have expired and are remembered.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.iter()
    }

    /// How many leases clients have.
    pub fn active_leases(&self, now: Instant) -> usize {
        self.leases.iter().filter(|lease| lease.is_active(now)).count()
    }

    /// The address of a lease.
    pub const fn address_of(&self, lease: &Lease) -> Ipv4Addr {
        self.at(lease.host)
    }

    /// What came and what was refused.
    pub const fn stats(&self) -> ServerStats {
        self.stats
    }

    const fn at(&self, host: u8) -> Ipv4Addr {
        let [a, b, c, _] = self.own.octets();
        Ipv4Addr::new(a, b, c, host)
    }

    fn host_of(&self, address: Ipv4Addr) -> Option<u8> {
        let [.., host] = address.octets();
        (self.at(host) == address && address != self.own).then_some(host)
    }
}

impl<const N: usize> Server<N> {
    /// A server without leases, whose own address is `address`, in a /24 network.
    pub const fn new(address: Ipv4Addr) -> Server<N> {
        Server {
            own: address,
            lease_time: DEFAULT_LEASE_TIME,
            leases: LeaseTable::new(address.octets()[3]),
            reply: None,
            changed: false,
            stats: ServerStats {
                offers: 0,
                acks: 0,
                naks: 0,
                releases: 0,
                declines: 0,
                malformed: 0,
                other_server: 0,
                relayed: 0,
                other_interface: 0,
                exhausted: 0,
                flooded: 0,
            },
            second: 0,
            messages: 0,
        }
    }

    /// Sets the time of leases from now on, at least [`MIN_LEASE_TIME`] and at most
    /// [`MAX_LEASE_TIME`].
    pub fn set_lease_time(&mut self, lease_time: Duration) {
        self.lease_time = lease_time.clamp(MIN_LEASE_TIME, MAX_LEASE_TIME);
    }

    /// Moves to another network: all leases end.
    pub fn set_address(&mut self, address: Ipv4Addr) {
        if self.own != address {
            self.own = address;
            self.leases = LeaseTable::new(address.octets()[3]);
            self.reply = None;
            self.changed = true;
        }
    }

    /// Whether leases should be saved again: clients have come or gone since this was last asked.
    /// Renewing is no change.
    pub const fn take_changed(&mut self) -> bool {
        core::mem::replace(&mut self.changed, false)
    }

    /// Writes the active leases with a checksum, for [`Server::from_bytes`]; `None` if `buf` has
    /// less room than [`saved_len`](crate::saved_len) of `N` and they do not fit.
    pub fn to_bytes(&self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        lease_codec::to_bytes(&self.leases, self.own, now, buf)
    }

    /// Takes the leases that were saved before a restart in place of those there are. Each one runs
    /// for a whole lease time.
    ///
    /// # Errors
    /// [`RestoreError`]; the leases stay as they were.
    pub fn restore(&mut self, now: Instant, bytes: &[u8]) -> Result<(), RestoreError> {
        self.leases =
            lease_codec::from_bytes(bytes, self.own, now.saturating_add(self.lease_time))?;
        Ok(())
    }

    /// A server with the leases that were saved.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn from_bytes(
        address: Ipv4Addr,
        now: Instant,
        bytes: &[u8],
    ) -> Result<Server<N>, RestoreError> {
        let mut server = Server::new(address);
        server.restore(now, bytes)?;
        Ok(server)
    }
}

/// Datagrams.
impl<const N: usize> Server<N> {
    /// Takes a datagram that came to port 67. If it is to be answered, [`Server::poll_transmit`]
    /// has the answer until the next datagram.
    pub fn handle_datagram(&mut self, bytes: &[u8], from: Peer, now: Instant) {
        self.reply = None;
        if from.interface != Interface::AccessPoint {
            return count(&mut self.stats.other_interface);
        }
        if !self.may_take(now) {
            return count(&mut self.stats.flooded);
        }
        let Some(request) = DhcpRequest::parse(bytes) else {
            return count(&mut self.stats.malformed);
        };
        // Neither nobody's address nor that of a group.
        if request.mac == [0; 6] || request.mac[0] & 1 != 0 {
            return count(&mut self.stats.malformed);
        }
        if !request.relay_addr.is_unspecified() {
            return count(&mut self.stats.relayed);
        }
        let client = ClientKey::of(&request);
        if request.server_id.is_some_and(|server| server != self.own) {
            self.leases.withdraw_offer(&client);
            return count(&mut self.stats.other_server);
        }
        match request.message_type {
            MessageType::Discover => self.discover(&request, client, now),
            MessageType::Request => self.request(&request, client, now),
            MessageType::Decline => self.decline(&request, &client, now),
            MessageType::Release => self.release(&request, &client, now),
            MessageType::Inform => self.inform(&request, client),
            MessageType::Offer | MessageType::Ack | MessageType::Nak => {
                count(&mut self.stats.malformed);
            }
        }
    }

    fn may_take(&mut self, now: Instant) -> bool {
        let second = now.as_millis() / 1000;
        if second != self.second {
            (self.second, self.messages) = (second, 0);
        }
        let may = self.messages < MESSAGES_PER_SECOND;
        self.messages += u16::from(may);
        may
    }

    fn discover(&mut self, request: &DhcpRequest<'_>, client: ClientKey, now: Instant) {
        let requested = request.requested_addr.and_then(|address| self.host_of(address));
        match self.leases.offer(&client, requested, now) {
            Some(host) => {
                count(&mut self.stats.offers);
                self.reply(MessageType::Offer, request, client, self.at(host));
            }
            None => count(&mut self.stats.exhausted),
        }
    }

    /// A client chooses an offer, asks for the address it had before it was switched off, or renews
    /// its lease. The device is the only server of its network, so whatever it does not know is
    /// for it to grant or to refuse.
    fn request(&mut self, request: &DhcpRequest<'_>, client: ClientKey, now: Instant) {
        let renews = request.server_id.is_none() && request.requested_addr.is_none();
        let wanted = if renews { Some(request.client_addr) } else { request.requested_addr };
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_unspecified()) else {
            return count(&mut self.stats.malformed);
        };
        let known = self.leases.lease_of(&client).map(|lease| (lease.host, lease.is_active(now)));
        let until = now.saturating_add(self.lease_time);
        let granted = match self.host_of(wanted) {
            Some(host) if self.leases.is_free(host, &client, now) => {
                let bound = self.leases.bind(&client, host, until, now);
                if !bound {
                    count(&mut self.stats.exhausted);
                }
                self.changed |= bound && known != Some((host, true));
                bound
            }
            _ => false,
        };
        if granted {
            count(&mut self.stats.acks);
            self.reply(MessageType::Ack, request, client, wanted);
        } else {
            count(&mut self.stats.naks);
            self.reply(MessageType::Nak, request, client, Ipv4Addr::UNSPECIFIED);
        }
    }

    fn decline(&mut self, request: &DhcpRequest<'_>, client: &ClientKey, now: Instant) {
        let host = request.requested_addr.and_then(|address| self.host_of(address));
        if request.server_id.is_some()
            && host.is_some_and(|host| self.leases.decline(client, host, now))
        {
            count(&mut self.stats.declines);
            self.changed = true;
        }
    }

    fn release(&mut self, request: &DhcpRequest<'_>, client: &ClientKey, now: Instant) {
        let host = self.host_of(request.client_addr);
        if request.server_id.is_some()
            && host.is_some_and(|host| self.leases.release(client, host, now))
        {
            count(&mut self.stats.releases);
            self.changed = true;
        }
    }

    fn inform(&mut self, request: &DhcpRequest<'_>, client: ClientKey) {
        if self.host_of(request.client_addr).is_some_and(|host| host != 0 && host != 255) {
            count(&mut self.stats.acks);
            self.reply(MessageType::Ack, request, client, Ipv4Addr::UNSPECIFIED);
        } else {
            count(&mut self.stats.malformed);
        }
    }

    /// Where the answer goes, RFC 2131 section 4.1. A client that has no address yet is answered by
    /// a broadcast also if it would take a datagram to the address it is going to have: no network
    /// stack sends to an address before it is known by ARP.
    fn reply(
        &mut self,
        message_type: MessageType,
        request: &DhcpRequest<'_>,
        client: ClientKey,
        your_addr: Ipv4Addr,
    ) {
        let nak = message_type == MessageType::Nak;
        let known =
            !nak && self.host_of(request.client_addr).is_some() && message_type == MessageType::Ack;
        let header = ReplyHeader {
            transaction_id: request.transaction_id,
            flags: if nak { request.flags | 0x8000 } else { request.flags } & 0x8000,
            client_addr: if known { request.client_addr } else { Ipv4Addr::UNSPECIFIED },
            your_addr,
            mac: request.mac,
        };
        let to = if known { request.client_addr } else { Ipv4Addr::BROADCAST };
        self.reply = Some(Reply { message_type, client, header, to });
    }

    /// Writes the answer to the last datagram, of [`REPLY_LEN`](crate::REPLY_LEN) bytes at most,
    /// and returns its length and where it goes.
    pub fn poll_transmit(&mut self, buf: &mut [u8]) -> Option<(usize, Peer)> {
        let reply = self.reply.take()?;
        let nak = reply.message_type == MessageType::Nak;
        let mut writer = ReplyWriter::new(buf, &reply.header);
        writer.option(option::MESSAGE_TYPE, &[reply.message_type as u8]);
        writer.option(option::SERVER_ID, &self.own.octets());
        if !nak {
            if !reply.header.your_addr.is_unspecified() {
                let secs = self.lease_time.as_secs();
                for (code, secs) in [
                    (option::LEASE_TIME, secs),
                    (option::RENEWAL_TIME, secs / 2),
                    (option::REBINDING_TIME, secs * 7 / 8),
                ] {
                    let secs = u32::try_from(secs).unwrap_or(u32::MAX);
                    writer.option(code, &secs.to_be_bytes());
                }
            }
            writer.option(option::SUBNET_MASK, &[255, 255, 255, 0]);
            writer.option(option::BROADCAST_ADDRESS, &self.at(255).octets());
            writer.option(option::ROUTER, &self.own.octets());
            writer.option(option::DNS_SERVER, &self.own.octets());
        }
        if !reply.client.id().is_empty() {
            // RFC 6842.
            writer.option(option::CLIENT_ID, reply.client.id());
        }
        let len = writer.finish()?;
        let to = SocketAddr::V4(SocketAddrV4::new(reply.to, CLIENT_PORT));
        Some((len, Peer::new(to, Interface::AccessPoint)))
    }
}

fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
