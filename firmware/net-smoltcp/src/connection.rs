//! One place of the table: a socket, where it stands, and what is to be reported about it.

use alloc::boxed::Box;
use core::net::Ipv4Addr;

use smoltcp::iface::SocketHandle;
use umqtt_net::{CloseReason, Instant, ReadySet};

use crate::attempt::Attempt;

/// Where a place of the table stands.
pub(crate) enum Phase {
    /// Waits for somebody to connect to the port.
    Listening,
    /// Somebody sent a SYN to the port; the device knows nothing of it before the handshake is
    /// over.
    HalfOpen { since: Instant },
    /// The device asked for it, and it is not up yet.
    Connecting(Box<Attempt>),
    /// The address that was looked up, to be reported; the place is free with that.
    Resolved(Ipv4Addr),
    /// Up.
    Open,
    /// We closed it; waiting for the other end to do so.
    Lingering { until: Instant },
    /// Over. The place is free once the device has taken the event and the socket's last segment
    /// has left.
    Closed { reason: CloseReason, acknowledged: bool },
}

/// A place that is in use.
pub(crate) struct Connection {
    pub(crate) phase: Phase,
    /// `None` while a name is looked up, and once it is over.
    pub(crate) socket: Option<SocketHandle>,
    /// The port it listens on or was accepted on; 0 for one the device asked for.
    pub(crate) port: u16,
    /// Received bytes that were reported.
    pub(crate) seen: usize,
    ready: ReadySet,
    /// [`BLOCKED`], [`ENDED`]. In one byte: there are as many of these as sockets, and with another
    /// byte each would take 8 more.
    marks: u8,
}

/// The last send took less than all.
const BLOCKED: u8 = 1;
/// It was reported that the peer has finished sending.
const ENDED: u8 = 2;

#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Option<Connection>>() <= 32);

impl Connection {
    pub(crate) fn new(phase: Phase, socket: Option<SocketHandle>, port: u16) -> Connection {
        Connection { phase, socket, port, seen: 0, ready: ReadySet::default(), marks: 0 }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether the last send took less than all.
    pub(crate) fn is_blocked(&self) -> bool {
        self.marks & BLOCKED != 0
    }

    pub(crate) fn set_blocked(&mut self, blocked: bool) {
        self.marks = self.marks & !BLOCKED | if blocked { BLOCKED } else { 0 };
    }

    /// Notes that the peer has finished sending; false if that was noted already.
    pub(crate) fn note_end(&mut self) -> bool {
        let is_new = self.marks & ENDED == 0;
        self.marks |= ENDED;
        is_new
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }
}

impl AsMut<ReadySet> for Connection {
    fn as_mut(&mut self) -> &mut ReadySet {
        &mut self.ready
    }
}
