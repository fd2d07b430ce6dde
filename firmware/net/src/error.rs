//! What a stack refuses.

/// Why a stack refuses a port, a connection, a socket or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetError {
    /// The port is taken.
    PortInUse,
    /// The port may not be used (privileged).
    NotPermitted,
    /// Everything of that kind is in use, or there is no memory for one more.
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

/// Why a datagram was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// It is longer than the stack can send; see [`GUARANTEED_PAYLOAD`](crate::GUARANTEED_PAYLOAD).
    TooLong,
    /// There is no room now; nothing reports when there is. A later one may go.
    Full,
    /// No datagram can go to that address: it is none, the network is down, or the socket is
    /// closed.
    Unreachable,
}

impl core::fmt::Display for SendError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            SendError::TooLong => "the datagram is too long",
            SendError::Full => "too many datagrams are waiting",
            SendError::Unreachable => "the address cannot be reached",
        })
    }
}

impl core::error::Error for SendError {}
