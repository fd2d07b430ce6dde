//! What the device knows of its DHCP server, without the device. The service is `device::dhcp`.

use core::fmt::Arguments;
use core::net::Ipv4Addr;

use umqtt_dhcp::{Lease, Server};
use umqtt_net::{Instant, UdpId};

use crate::net::Net;

/// Leases: one that is not given back lasts longer than its station is there, so there are more of
/// them than stations.
pub(crate) const MAX_LEASES: usize = 32;

/// The state of the service.
#[derive(Debug, Default)]
pub(crate) struct Dhcp {
    /// The server, once the own network has an address: its leases outlive the port.
    pub(crate) server: Option<Server<MAX_LEASES>>,
    /// Its port, while there is an own network.
    pub(crate) socket: Option<UdpId>,
    /// When settings, port and address are looked at again.
    pub(crate) look_at: Option<Instant>,
    /// A datagram may be there.
    pub(crate) has_datagram: bool,
    /// What is wrong with the address, and that it cannot be had, was said of this address.
    pub(crate) said: Option<Ipv4Addr>,
    /// That the port could not be had is logged already.
    pub(crate) refused: bool,
    /// When the leases are saved, as they have changed.
    pub(crate) save_at: Option<Instant>,
    /// When they were saved last.
    pub(crate) saved: Option<Instant>,
}

impl Dhcp {
    /// A setting or an address was changed.
    pub(crate) fn note_changed(&mut self, now: Instant) {
        self.look_at = Some(now);
    }

    /// A datagram came to a socket.
    pub(crate) fn note_datagram(&mut self, socket: UdpId) {
        self.has_datagram |= self.socket == Some(socket);
    }

    /// Closes the port.
    pub(crate) fn close(&mut self, net: &mut dyn Net) {
        if let (Some(socket), Some(udp)) = (self.socket.take(), net.udp()) {
            udp.close(socket);
        }
        self.has_datagram = false;
    }

    /// What `show stats` says of it.
    pub(crate) fn show(&self, now: Instant, line: &mut dyn FnMut(Arguments<'_>)) {
        let Some(server) = self.server.as_ref().filter(|_| self.socket.is_some()) else { return };
        let stats = server.stats();
        let active = server.active_leases(now);
        let other = stats.other_server.saturating_add(stats.relayed);
        let refused = stats.naks.saturating_add(other).saturating_add(stats.other_interface);
        line(format_args!(
            "DHCP: {active} of {MAX_LEASES} leases, offered {}, granted {}, refused {refused}, \
             malformed {}, no lease left {}, too many {}",
            stats.offers, stats.acks, stats.malformed, stats.exhausted, stats.flooded
        ));
        for lease in server.leases().filter(|lease| lease.is_active(now)) {
            let Lease { client, until, .. } = lease;
            let [a, b, c, d, e, f] = client.mac();
            let left = until.saturating_duration_since(now).as_secs();
            line(format_args!(
                "  {} {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}, {left} s left",
                server.address_of(lease)
            ));
        }
    }
}
