//! The network of the umqtt device on chips: [`Net`] over [smoltcp] for any Ethernet driver
//! ([`Device`](smoltcp::phy::Device)). A board's loop takes turns with it as with every
//! [`Stack`](umqtt_net::Stack): see [`turn`](umqtt_net::turn).
//!
//! | file | job |
//! |---|---|
//! | `net` | one turn: frames in, events for the device, frames out |
//! | `net/calls`, `net/udp` | what the device calls |
//! | `net/listen` | ports listened on, handshakes under way, SYN floods |
//! | `net/connect` | connections the device makes, names looked up |
//! | `net/address` | the device's own address: DHCP or fixed |
//! | `dhcp_client` | smoltcp's DHCP client, within bounds whatever its server says |
//! | `net/groups` | multicast groups (feature `multicast`; else `no_groups`) |
//! | `fin_splitter` | what smoltcp should do and does not |
//! | `table`, `connection`, `attempt` | the sockets and where each stands |
//! | `udp_sockets` | the sockets for datagrams (feature `udp`; else `no_udp_sockets`) |
//!
//! # Memory
//!
//! Everything is bounded by [`NetLimits`]. On a 32-bit chip, in bytes:
//!
//! | what | each | with [`NetLimits::CHIP`] |
//! |---|---|---|
//! | a place for a socket, taken at the start | 328 + 40 | 22 x 368 = 8,096 |
//! | buffers, only of sockets that listen or are up | `rx + tx` = 288 | 22 x 288 = 6,336 |
//! | DHCP and DNS client | 328 | 656 |
//! | [`SmolNet`]: addresses, route, 16 neighbours, the DHCP client while it rests | | 720 |
//! | a name being looked up | 350 | 2 x 350 |
//! | a UDP socket, with the feature `udp`: its place, and buffers while it is bound | 328 + 28, 1,136 | 0 |
//!
//! Code of the features, measured in the image of the emulated ESP8266: `udp` 5,320 bytes,
//! `multicast` with it 10,324.
//!
//! So 16 clients and one console take 17 x 288 = 4,896 bytes of buffers, the two sockets that
//! listen 576, and the tables 9,264. The receive buffer is the window the other end sees: 128 bytes
//! are an MQTT packet of an ordinary size, and longer ones come in pieces, which costs round trips,
//! not memory. What a frame occupies on its way is the driver's affair.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

extern crate alloc;

mod attempt;
mod connection;
mod dhcp_client;
mod fin_splitter;
mod net;
#[cfg(not(feature = "udp"))]
mod no_udp_sockets;
mod table;
#[cfg(feature = "udp")]
mod udp_sockets;
#[cfg(not(feature = "udp"))]
use no_udp_sockets as udp_sockets;

pub use attempt::MAX_ADDRESSES;
pub use dhcp_client::MIN_LEASE;
pub use net::{CONNECT_TIMEOUT, LINGER_TIMEOUT, MAX_LOOKUPS, MAX_PORTS, SmolNet};
pub use smoltcp;
pub use table::{HANDSHAKE_TIMEOUT, KEEP_ALIVE_INTERVAL, PEER_TIMEOUT};
#[cfg(feature = "udp")]
pub use udp_sockets::{MAX_GROUPS, SEND_TIMEOUT};

#[cfg(doc)]
use umqtt_net::Net;

/// Writes the struct down, and for each field a method of its name that sets it.
macro_rules! limits {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[non_exhaustive]
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        /// What is chosen, each by the name of its field.
        impl $name {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub const fn $field(mut self, value: $type) -> $name {
                    self.$field = value;
                    self
                }
            )*
        }
    };
}

limits! {
/// The most the network may grow to.
///
/// ```
/// use umqtt_net_smoltcp::NetLimits;
///
/// let limits = NetLimits::CHIP.sockets(8).half_open(4);
/// assert_eq!(limits.memory(8), NetLimits::CHIP.sockets(8).memory(8));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NetLimits {
    /// Sockets altogether: those that listen, handshakes under way, connections that are up or
    /// being closed.
    pub sockets: usize,
    /// How many of them are kept for connections the device makes itself.
    pub outgoing: usize,
    /// Handshakes under way at a time, of all ports together; the oldest makes way for one more.
    pub half_open: usize,
    /// Bytes received and not yet taken, per socket: the TCP window.
    pub rx: usize,
    /// Bytes sent and not yet acknowledged, per socket.
    pub tx: usize,
    /// UDP sockets, with the feature `udp`.
    pub udp: UdpLimits,
    /// Whether there is memory for one more socket: with `false` the newcomer is refused (its SYN
    /// gets a reset).
    pub admits: fn() -> bool,
}
}

limits! {
/// The most that datagrams may take.
#[derive(Clone, Copy, Debug)]
pub struct UdpLimits {
    /// Sockets.
    pub sockets: usize,
    /// Datagrams received and not yet taken, per socket; as many may wait to be sent.
    pub datagrams: usize,
    /// Bytes of those datagrams, in each direction. One that is longer than this is dropped.
    pub bytes: usize,
}
}

impl UdpLimits {
    /// Two sockets, each with room for one long datagram or a few short ones.
    pub const CHIP: UdpLimits =
        UdpLimits { sockets: 2, datagrams: 4, bytes: umqtt_net::GUARANTEED_PAYLOAD };

    /// Bytes of the heap that the buffers of one socket take.
    #[cfg(feature = "udp")]
    const fn memory(&self) -> usize {
        2 * (self.bytes + self.datagrams * size_of::<smoltcp::socket::udp::PacketMetadata>())
    }
}

impl NetLimits {
    /// Bytes of the heap with so many sockets that have buffers, those of the network besides not
    /// counted.
    pub const fn memory(&self, sockets: usize) -> usize {
        self.sockets * table::PLACE + sockets * (self.rx + self.tx)
    }

    /// For a chip with 48 KiB: 16 clients, 3 for consoles, a script and a client that waits, 2 that
    /// listen, 1 outgoing.
    pub const CHIP: NetLimits = NetLimits {
        sockets: 22,
        outgoing: 1,
        half_open: 18,
        rx: 128,
        tx: 160,
        udp: UdpLimits::CHIP,
        admits: || true,
    };
}
