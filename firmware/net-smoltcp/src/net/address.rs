//! The device's own address: by DHCP (RFC 2131), or fixed in the settings.

use core::net::Ipv4Addr;

use smoltcp::phy::Device;
use smoltcp::wire::{IpCidr, Ipv4Cidr};
use umqtt_net::{Addressing, CloseReason};

use super::SmolNet;
use crate::connection::Phase;
use crate::dhcp_client::{DhcpClient, Lease, is_host};

/// Prefix of a fixed address whose netmask is not set or is none.
const DEFAULT_PREFIX: u8 = 24;

impl<D: Device> SmolNet<D> {
    /// Takes the address from where the settings say. Connections that are up break if it is
    /// another one. A fixed address that no host can have counts as none, and so does a gateway.
    pub fn set_addressing(&mut self, wanted: Addressing) {
        if let Some(client) = self.dhcp.take() {
            client.remove(&mut self.table.sockets);
        }
        self.own_server = wanted.dns;
        let prefix = prefix_of(wanted.netmask).unwrap_or(DEFAULT_PREFIX);
        let fixed = wanted.ip.map(|ip| Ipv4Cidr::new(ip, prefix));
        match fixed.filter(|address| is_host(address.address())) {
            Some(address) => {
                let gateway = wanted.gateway.filter(|gateway| is_host(*gateway));
                self.apply(Some(Lease {
                    address,
                    gateway,
                    servers: gateway.into_iter().collect(),
                }));
            }
            None => {
                self.apply(None);
                self.dhcp = Some(DhcpClient::new(&mut self.table.sockets));
            }
        }
    }

    /// Takes the address away and asks nobody for another: the network is gone. Connections that
    /// are up break.
    pub fn remove_address(&mut self) {
        if let Some(client) = self.dhcp.take() {
            client.remove(&mut self.table.sockets);
        }
        self.apply(None);
    }

    /// The device's address, once it has one.
    pub fn address(&self) -> Option<Ipv4Addr> {
        self.interface.ipv4_addr()
    }

    /// Whether the network came up (there is an address) or was lost since this was last asked.
    pub fn poll_link(&mut self) -> Option<bool> {
        let up = self.address().is_some();
        let before = core::mem::replace(&mut self.was_up, up);
        (before != up).then_some(up)
    }

    /// Takes what the DHCP client has received.
    pub(crate) fn poll_lease(&mut self) {
        let Some(client) = &mut self.dhcp else { return };
        if let Some(lease) = client.poll(&mut self.table.sockets, self.now) {
            self.apply(lease);
        }
    }

    fn apply(&mut self, lease: Option<Lease>) {
        let before = self.address();
        let address = lease.as_ref().map(|lease| lease.address);
        let changed = before != address.map(|address| address.address());
        self.interface.update_ip_addrs(|addresses| addresses.clear());
        if changed {
            self.forget_groups();
        }
        self.interface.update_ip_addrs(|addresses| {
            if let Some(address) = address {
                let _ = addresses.push(IpCidr::Ipv4(address)); // there is room for one
            }
        });
        if changed && address.is_some() {
            self.join_groups();
        }
        let routes = self.interface.routes_mut();
        routes.remove_default_ipv4_route();
        if let Some(gateway) = lease.as_ref().and_then(|lease| lease.gateway) {
            let _ = routes.add_default_ipv4_route(gateway); // there is room for one
        }
        let servers = match (&self.own_server, &lease) {
            (Some(own), _) => core::slice::from_ref(own),
            (None, Some(lease)) => &lease.servers,
            (None, None) => &[],
        };
        self.names.set_servers(servers.iter().copied());
        if before.is_some() && changed {
            self.lose_connections();
        }
    }

    /// Nobody reaches what is up under an address that is not ours any more.
    fn lose_connections(&mut self) {
        for place in 0..self.table.len() {
            let Some(connection) = self.table.get(place) else { continue };
            match connection.phase {
                Phase::HalfOpen { .. } => self.table.forget(place),
                Phase::Open | Phase::Lingering { .. } => {
                    self.table.close(place, CloseReason::Reset);
                }
                Phase::Connecting(_) => {
                    self.cancel_lookup(place);
                    self.table.close(place, CloseReason::Reset);
                }
                // The address that was found is as good as before.
                Phase::Listening | Phase::Resolved(_) | Phase::Closed { .. } => {}
            }
        }
    }
}

/// The length of a netmask's prefix; `None` if it is no netmask.
fn prefix_of(netmask: Ipv4Addr) -> Option<u8> {
    let bits = netmask.to_bits();
    let ones = bits.leading_ones();
    (ones > 0 && bits.count_ones() == ones).then_some(ones as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_netmask_is_ones_then_zeros() {
        let prefix = |text: &str| prefix_of(text.parse().unwrap());
        assert_eq!(prefix("255.255.255.0"), Some(24));
        assert_eq!(prefix("255.255.240.0"), Some(20));
        assert_eq!(prefix("255.255.255.255"), Some(32));
        assert_eq!(prefix("128.0.0.0"), Some(1));
        assert_eq!(prefix("0.0.0.0"), None);
        assert_eq!(prefix("255.0.255.0"), None);
        assert_eq!(prefix("0.0.0.255"), None);
    }
}
