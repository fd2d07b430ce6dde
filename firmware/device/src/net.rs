//! The network as the device sees it: numbered connections, bytes, and events. A board implements [`Net`]
//! once, over smoltcp on a chip and over the operating system's sockets on the desktop.

mod flags;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

pub use self::flags::{Flag, Flags};

/// A TCP connection. A number is not given out again before [`Net`] has reported it closed and the device has
/// seen that. Numbers are small, so that they can index a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Address and port of the other end.
    pub addr: SocketAddr,
    /// It is in the network of the device's own access point.
    pub internal: bool,
}

/// What happened on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// Somebody connected to a port we listen on.
    Accepted {
        /// The port.
        port: u16,
        /// The new connection.
        conn: ConnId,
        /// Who.
        peer: Peer,
    },
    /// A connection made with [`Net::connect`] is up.
    Connected(ConnId),
    /// Bytes can be received. Comes again only after new bytes arrived, so take all or remember.
    Readable(ConnId),
    /// There is room to send again after [`Net::send`] took less than it was given.
    Writable(ConnId),
    /// The other end will send nothing more and everything it sent has been received; we can still send.
    Finished(ConnId),
    /// The connection is gone, whoever closed it, or [`Net::connect`] failed.
    Closed(ConnId, CloseReason),
}

/// Why a connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Both ends closed it, or we did.
    Done,
    /// Reset by the other end, or broken.
    Reset,
    /// The host name has no address.
    NameNotFound,
    /// Nobody listens there.
    Refused,
    /// No answer in time.
    TimedOut,
}

/// Why the network refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The port is taken.
    PortInUse,
    /// The port may not be used (privileged).
    NotPermitted,
    /// All connections are in use.
    Full,
    /// The network is not up (yet); it is reported when it is.
    Down,
    /// Anything else.
    Failed,
}

impl core::fmt::Display for NetError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            NetError::PortInUse => "the port is in use",
            NetError::NotPermitted => "no permission to use the port",
            NetError::Down => "there is no network",
            NetError::Full => "no connection is free",
            NetError::Failed => "the network failed",
        })
    }
}

impl core::error::Error for NetError {}

/// Where the device's own address comes from: see [`Device::addressing`](crate::Device::addressing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// The fixed address; `None` asks a DHCP server.
    pub ip: Option<Ipv4Addr>,
    /// Netmask of the fixed address; 0.0.0.0 if it was not set.
    pub netmask: Ipv4Addr,
    /// Gateway of the fixed address.
    pub gateway: Option<Ipv4Addr>,
    /// Name server; `None` takes the DHCP server's, or with a fixed address the gateway.
    pub dns: Option<Ipv4Addr>,
}

/// TCP for the device. Nothing blocks.
pub trait Net {
    /// Accepts connections on a port from now on.
    ///
    /// # Errors
    /// [`NetError`] when the port cannot be had.
    fn listen(&mut self, port: u16) -> Result<(), NetError>;

    /// The port that really is listened on where [`Net::listen`] was asked for this one: another one for 0, which lets the
    /// system choose.
    fn bound_port(&self, port: u16) -> u16 {
        port
    }

    /// Stops accepting on a port; connections that are up stay.
    fn unlisten(&mut self, port: u16);

    /// Starts a connection to a host name or address; [`NetEvent::Connected`] or [`NetEvent::Closed`] follows.
    ///
    /// # Errors
    /// [`NetError::Full`], [`NetError::Down`] or [`NetError::Failed`] when it cannot even start.
    fn connect(&mut self, host: &str, port: u16) -> Result<ConnId, NetError>;

    /// The next thing that happened.
    fn poll_event(&mut self) -> Option<NetEvent>;

    /// Shows received bytes in place; `take` returns how many it is done with. Called again while it takes
    /// all it was shown and there is more, up to a bound after which another [`NetEvent::Readable`]
    /// follows. Returns how many were taken altogether. What was not taken is shown again next time.
    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize;

    /// Sends what there is room for and returns how much that was; if less than all,
    /// [`NetEvent::Writable`] or [`NetEvent::Closed`] follows. The caller keeps the rest.
    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize;

    /// Closes after what was sent has left. [`NetEvent::Closed`] follows.
    fn close(&mut self, conn: ConnId);

    /// Drops the connection at once. [`NetEvent::Closed`] follows.
    fn abort(&mut self, conn: ConnId);

    /// Bytes of the heap that it uses, as far as that is worth knowing.
    fn memory(&self) -> usize {
        0
    }

    /// The device's own addresses, for `show stats`.
    fn addresses(&self, each: &mut dyn FnMut(IpAddr));
}
