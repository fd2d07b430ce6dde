//! A connection that the device makes, before it is up.

use core::net::Ipv4Addr;

use smoltcp::socket::dns;
use umqtt_net::Instant;

/// Addresses of one host that are tried.
pub const MAX_ADDRESSES: usize = 4;

/// A connection that is not up yet.
pub(crate) struct Attempt {
    /// `None` if only the address is asked for.
    pub(crate) port: Option<u16>,
    /// The look-up under way.
    pub(crate) query: Option<dns::QueryHandle>,
    /// Addresses to try, the next one last.
    pub(crate) addresses: heapless::Vec<Ipv4Addr, MAX_ADDRESSES>,
    /// When the address being tried is given up.
    pub(crate) until: Instant,
}

impl Attempt {
    /// When something is to be done about it, if nothing comes from the network. smoltcp ends
    /// look-ups itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.query.is_none().then_some(self.until)
    }
}
