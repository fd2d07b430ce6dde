//! The network of the umqtt device on chips: [`Net`] over [smoltcp] for any Ethernet driver
//! ([`Device`](smoltcp::phy::Device)). A board's loop takes turns with it as with every
//! [`Stack`](umqtt_net::Stack): see [`turn`](umqtt_net::turn).
//!
//! | file | job |
//! |---|---|
//! | `net` | one turn: frames in, events for the device, frames out |
//! | `net/calls`, `net/udp` | what the device calls |
//! | `net/listen` | ports listened on, handshakes under way, SYN floods |
//! | `net/connect` | connections the device makes |
//! | `net/lookups`, `names` | names looked up, by the resolver of `umqtt-dns` |
//! | `net/address` | the device's own address: DHCP or fixed |
//! | `dhcp_client` | smoltcp's DHCP client, within bounds whatever its server says |
//! | `net/groups` | multicast groups (feature `multicast`; else `no_groups`) |
//! | `tcp_inspector` | looks at segments on their way in: splits data and end, notes SYNs |
//! | `table`, `connection`, `attempt` | the sockets and where each stands |
//! | `udp_sockets` | the sockets for datagrams (feature `udp`; else `no_udp_sockets`) |
//! | `datagrams` | their buffers |
//!
//! # Memory
//!
//! Everything is bounded by [`NetLimits`]. On a 32-bit chip, in bytes:
//!
//! | what | each | with [`NetLimits::CHIP`] |
//! |---|---|---|
//! | a place for a socket, taken at the start | 328 + 36 | 22 x 364 = 8,008 |
//! | buffers, only of sockets that listen or are up | `rx + tx` = 288 | 22 x 288 = 6,336 |
//! | DHCP client | 328 | 328 |
//! | [`SmolNet`]: addresses, route, 16 neighbours, the DHCP client while it rests | | 750 |
//! | the resolver, while a name is looked up or remembered | 700 | 700 |
//! | a name being looked up: buffers for question and answer | 712 | 2 x 712 |
//! | a UDP socket, with the feature `udp`: its place | 328 + 36 | 2 x 364 |
//! | its buffers, while it is bound | 1,248; 384 for datagrams of 68 bytes | |
//!
//! Code of the features, measured in the image of the emulated ESP8266 when names were looked up by
//! smoltcp: `udp` 5,320 bytes, `multicast` with it 10,324.
//!
//! So 16 clients and one console take 17 x 288 = 4,896 bytes of buffers, the two sockets that
//! listen 576, and the tables 9,086. The receive buffer is the window the other end sees: 128 bytes
//! are an MQTT packet of an ordinary size, and longer ones come in pieces, which costs round trips,
//! not memory. What a frame occupies on its way is the driver's affair.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

extern crate alloc;

mod attempt;
mod connection;
mod datagrams;
mod dhcp_client;
mod names;
mod net;
#[cfg(not(feature = "udp"))]
mod no_udp_sockets;
mod table;
mod tcp_inspector;
#[cfg(feature = "udp")]
mod udp_sockets;
#[cfg(not(feature = "udp"))]
use no_udp_sockets as udp_sockets;

pub use attempt::MAX_ADDRESSES;
pub use dhcp_client::MIN_LEASE;
pub use names::{MAX_LOOKUPS, MAX_REMEMBERED};
pub use net::{CONNECT_TIMEOUT, LINGER_TIMEOUT, MAX_PORTS, SmolNet};
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
    /// Handshakes under way at a time, of all ports together; for one more the oldest of the
    /// address that has the most of them makes way.
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

    /// The same for datagrams that are no longer than this: two of them in each direction, one that
    /// is waited for, and one that comes between.
    #[cfg(feature = "udp")]
    pub(crate) fn payload(self, payload: usize) -> UdpLimits {
        if payload >= self.bytes {
            return self;
        }
        UdpLimits { datagrams: self.datagrams.min(2), bytes: self.bytes.min(2 * payload), ..self }
    }

    /// Bytes of the heap that the buffers of one socket take.
    #[cfg(feature = "udp")]
    const fn memory(&self) -> usize {
        2 * self.half()
    }

    /// The same, of one direction.
    const fn half(&self) -> usize {
        self.bytes + self.datagrams * size_of::<smoltcp::socket::udp::PacketMetadata>()
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

    /// For an ESP32-C3: 32 clients, 3 for consoles, a script and a client that waits, 2 that
    /// listen, 1 outgoing.
    pub const ESP32C3: NetLimits = NetLimits::CHIP.sockets(38).half_open(34).rx(256).tx(320);
}
