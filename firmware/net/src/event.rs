//! What happened on the network.

use core::net::IpAddr;

use crate::{ConnId, Peer, UdpId};

/// What happened on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// A connection to a port that is listened on was established.
    Accepted {
        /// The port.
        port: u16,
        /// The new connection.
        conn: ConnId,
        /// The far end.
        peer: Peer,
    },
    /// A connection made with [`Net::connect`](crate::Net::connect) was established.
    Connected(ConnId),
    /// [`Net::resolve`](crate::Net::resolve) has found this address. The id is free again.
    Resolved(ConnId, IpAddr),
    /// Bytes can be received. Comes again only after new bytes arrived, so take all or remember.
    Readable(ConnId),
    /// There is room to send again after [`Net::send`](crate::Net::send) took less than it was
    /// given.
    Writable(ConnId),
    /// The peer will send nothing more (half-close) and everything it sent has been received;
    /// sending still works.
    PeerClosed(ConnId),
    /// The connection is gone, whoever closed it, or what the device asked
    /// for failed.
    Closed(ConnId, CloseReason),
    /// A datagram can be received. Comes again only after another one arrived, so take all or
    /// remember.
    Datagram(UdpId),
}

/// Why a connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Both ends closed it, or the device did.
    Done,
    /// Reset by the peer, or broken.
    Reset,
    /// The host name has no address.
    NameNotFound,
    /// The peer refused it: nothing listens on that port.
    Refused,
    /// No answer in time.
    TimedOut,
}
