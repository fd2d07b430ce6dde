//! A session of the console over TCP: all there is of one.

use core::net::IpAddr;

use crate::console::Session;
use crate::net::{ConnId, Net, Peer};
use umqtt_net::Instant;

/// The other end of a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionPeer {
    pub(super) address: IpAddr,
    /// It comes from the access point's network.
    pub(super) is_internal: bool,
}

impl From<Peer> for SessionPeer {
    fn from(peer: Peer) -> SessionPeer {
        SessionPeer { address: peer.addr.ip(), is_internal: peer.is_internal() }
    }
}

/// A session.
pub(super) struct NetworkSession {
    pub(super) conn: ConnId,
    pub(super) peer: SessionPeer,
    pub(super) session: Session,
    pub(super) opened: Instant,
    /// There may be something to receive.
    pub(super) readable: bool,
    /// The user's end sends nothing more.
    pub(super) finished: bool,
}

impl NetworkSession {
    pub(super) fn new(
        conn: ConnId,
        peer: SessionPeer,
        session: Session,
        opened: Instant,
    ) -> NetworkSession {
        NetworkSession { conn, peer, session, opened, readable: false, finished: false }
    }

    /// Looks at what came in and leaves it where it is: what is not taken waits in the network.
    pub(super) fn peek(&mut self, input: &mut [u8], net: &mut dyn Net) -> usize {
        if !self.readable {
            return 0;
        }
        let len = net.peek(self.conn, input);
        self.readable = len > 0;
        len
    }

    /// Sends what waits; false if the session is over.
    pub(super) fn flush(&mut self, net: &mut dyn Net) -> bool {
        if !self.session.output().is_empty() {
            let sent = net.send(self.conn, self.session.output());
            self.session.sent(sent);
        }
        !self.session.is_over()
    }

    /// Whether its user has finished, and all output has been taken.
    pub(super) fn is_finished(&self) -> bool {
        let open = !self.finished || self.readable || self.session.has_more();
        !open && self.session.output().is_empty()
    }

    /// Whether all output has been sent.
    pub(super) fn is_quiet(&self) -> bool {
        self.session.output().is_empty() && !self.session.has_more()
    }

    /// Whether it waited for its output to leave, and can go on.
    pub(super) fn can_go_on(&self) -> bool {
        (self.readable || self.session.has_more()) && self.session.output().is_empty()
    }
}
