//! The DHCP client (RFC 2131): smoltcp's, which does whatever the server says, within bounds.
//!
//! Whatever times a server names, a lease lasts [`MIN_LEASE`] at least, and after each answer the
//! client rests: outside the set of sockets it neither asks nor hears. A refusal of what was just
//! offered counts as no answer, so that the next try waits as after one.

use core::net::Ipv4Addr;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::{Socket, dhcpv4};
use smoltcp::wire::Ipv4Cidr;
use umqtt_dns::MAX_SERVERS;
use umqtt_net::{Duration, Instant};

/// A lease that is shorter counts as one of this length.
pub const MIN_LEASE: Duration = Duration::from_secs(60);
/// How long the client rests after an answer: until half of the shortest lease is over, when a
/// lease is renewed.
const REST: Duration = Duration::from_secs(30);

/// An address with all that belongs to it.
pub(crate) struct Lease {
    pub(crate) address: Ipv4Cidr,
    pub(crate) gateway: Option<Ipv4Addr>,
    pub(crate) servers: heapless::Vec<Ipv4Addr, MAX_SERVERS>,
}

/// The client.
pub(crate) struct DhcpClient {
    /// Its place in the set, or it rests until then.
    active: Option<SocketHandle>,
    resting: Option<(dhcpv4::Socket<'static>, Instant)>,
    /// The end of the shortest lease, while there is an address.
    lasts_until: Option<Instant>,
    /// smoltcp's client has given the address up before that.
    given_up: bool,
}

impl DhcpClient {
    pub(crate) fn new(sockets: &mut SocketSet<'static>) -> DhcpClient {
        let mut socket = dhcpv4::Socket::new();
        // With a place for the packet, and be it too small for one, every answer is an event.
        socket.set_receive_packet_buffer(&mut []);
        socket.set_ignore_naks(true);
        let active = Some(sockets.add(socket));
        DhcpClient { active, resting: None, lasts_until: None, given_up: false }
    }

    pub(crate) fn remove(self, sockets: &mut SocketSet<'static>) {
        if let Some(handle) = self.active {
            sockets.remove(handle);
        }
    }

    /// What has changed: a lease, or that there is none any more.
    pub(crate) fn poll(
        &mut self,
        sockets: &mut SocketSet<'static>,
        now: Instant,
    ) -> Option<Option<Lease>> {
        self.wake(sockets, now);
        if let Some(handle) = self.active {
            let socket = sockets.get_mut::<dhcpv4::Socket<'_>>(handle);
            match socket.poll() {
                None => {}
                Some(dhcpv4::Event::Deconfigured) => {
                    socket.set_ignore_naks(true);
                    self.given_up = true;
                }
                Some(dhcpv4::Event::Configured(config)) => {
                    let lease = lease_of(&config);
                    if lease.is_some() {
                        // From here on it says that the address is another one's.
                        socket.set_ignore_naks(false);
                        self.lasts_until = Some(now + MIN_LEASE);
                        self.given_up = false;
                    } else {
                        socket.reset();
                        self.given_up = true;
                    }
                    self.rest(sockets, handle, now);
                    if lease.is_some() {
                        return Some(lease);
                    }
                }
            }
        }
        if self.given_up && self.lasts_until.is_none_or(|until| until <= now) {
            self.given_up = false;
            return self.lasts_until.take().map(|_| None);
        }
        None
    }

    /// When something is to be done that smoltcp does not know of.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let rest = self.resting.as_ref().map(|(_, until)| *until);
        rest.into_iter().chain(self.lasts_until.filter(|_| self.given_up)).min()
    }

    fn rest(&mut self, sockets: &mut SocketSet<'static>, handle: SocketHandle, now: Instant) {
        self.active = None;
        if let Socket::Dhcpv4(socket) = sockets.remove(handle) {
            self.resting = Some((socket, now + REST));
        }
    }

    fn wake(&mut self, sockets: &mut SocketSet<'static>, now: Instant) {
        if let Some((socket, _)) = self.resting.take_if(|(_, until)| *until <= now) {
            self.active = Some(sockets.add(socket));
        }
    }
}

/// What of an answer can be used; `None` if the address cannot be ours.
fn lease_of(config: &dhcpv4::Config<'_>) -> Option<Lease> {
    let servers = config.dns_servers.iter().filter(|server| is_host(**server));
    is_host_in(config.address).then(|| Lease {
        address: config.address,
        gateway: config.router.filter(|router| is_host(*router)),
        servers: servers.copied().take(MAX_SERVERS).collect(),
    })
}

/// Whether a host can have an address: it is not one of this host's own, of a group, of all, or
/// reserved. smoltcp panics when it looks for the neighbor with some of these.
pub(crate) fn is_host(address: Ipv4Addr) -> bool {
    !matches!(address.octets()[0], 0 | 127 | 224..)
}

/// Whether a host can have an address in its network: nor may it be that of the network itself or
/// of all in it.
fn is_host_in(address: Ipv4Cidr) -> bool {
    let prefix = address.prefix_len();
    let all = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    let host = address.address().to_bits() & all;
    let special = prefix < 31 && (host == 0 || host == all);
    prefix > 0 && is_host(address.address()) && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_host_is_told_from_others() {
        let is = |text: &str, prefix| is_host_in(Ipv4Cidr::new(text.parse().unwrap(), prefix));
        for text in ["10.0.0.7", "192.168.1.254", "100.64.0.1", "169.254.3.4", "223.255.255.254"] {
            assert!(is(text, 24), "{text}");
        }
        for text in ["0.0.0.0", "0.0.0.7", "127.0.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1"] {
            assert!(!is(text, 24) && !is_host(text.parse().unwrap()), "{text}");
        }
        assert!(!is("255.255.255.255", 24) && !is("255.255.255.255", 32));
        assert!(!is("10.0.0.0", 24) && !is("10.0.0.255", 24), "its network, all in it");
        assert!(is("10.0.0.255", 16) && is("10.0.0.0", 31) && is("10.0.0.255", 32));
        assert!(!is("10.0.0.7", 0), "everybody in one network");
    }
}
