//! Numbers of connections and UDP sockets.

/// A TCP connection. Numbers are small, so that they can index a table, and none is given out again
/// before the device has been told that it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);

/// A UDP socket. Numbers are small and independent of those of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UdpId(pub u32);
