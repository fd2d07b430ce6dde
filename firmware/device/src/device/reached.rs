//! Through which of the device's networks an address is reached.

use core::net::SocketAddr;

use crate::net::{Net, Peer};

/// The interface through which an address is reached.
pub(super) fn reached(net: &dyn Net, server: SocketAddr) -> Peer {
    let mut peer = Peer::from(server);
    net.addresses(&mut |own| {
        if own.contains(server.ip()) {
            peer = Peer::new(server, own.interface);
        }
    });
    peer
}
