//! A connection that the device makes, before it is up.

use core::net::Ipv4Addr;

use smoltcp::iface::SocketHandle;
use umqtt_dns::QueryId;
use umqtt_net::Instant;

pub use umqtt_dns::MAX_ADDRESSES;

/// A connection that is not up yet.
pub(crate) struct Attempt {
    /// `None` if only the address is asked for.
    pub(crate) port: Option<u16>,
    /// The look-up under way.
    pub(crate) lookup: Option<Lookup>,
    /// Addresses to try, the next one last.
    pub(crate) addresses: heapless::Vec<Ipv4Addr, MAX_ADDRESSES>,
    /// When the address being tried is given up.
    pub(crate) until: Instant,
}

/// A name that is looked up.
pub(crate) struct Lookup {
    pub(crate) query: QueryId,
    /// Where the answer to the last question comes to; none if there was no memory for it. It has
    /// the place of the connection's own, which has none yet.
    pub(crate) socket: Option<SocketHandle>,
}

impl Attempt {
    /// When something is to be done about it, if nothing comes from the network. The resolver ends
    /// look-ups itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lookup.is_none().then_some(self.until)
    }

    /// Sets what to try, in this order.
    pub(crate) fn set_addresses(&mut self, all: &[Ipv4Addr]) {
        // There is room for as many as there are told.
        self.addresses = all.iter().rev().copied().take(MAX_ADDRESSES).collect();
    }
}
