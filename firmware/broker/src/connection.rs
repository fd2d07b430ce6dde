//! One network connection.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::broker::ConnId;
use crate::message::Publication;
use crate::outbox::Outbox;
use crate::wire::{QoS, Version};
use crate::{Millis, Peer};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// CONNECT has not been accepted yet.
    Waiting,
    /// The connection of this session.
    Live(u32),
    /// Nothing more is read; what waits is sent, then it is closed.
    Closing,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnId,
    pub(crate) peer: Peer,
    pub(crate) phase: Phase,
    pub(crate) version: Version,
    /// It is in the broker's list of connections with something to send, or was named from there and
    /// has not been empty since.
    pub(crate) announced: bool,
    /// When to look next whether the client stalls.
    pub(crate) look_at: Millis,
    /// Its packet was unfinished when last looked at, and none was finished since.
    pub(crate) stalled_in: bool,
    /// Something waited to be sent when last looked at, and nothing was sent since.
    pub(crate) stalled_out: bool,
    /// Seconds; 0 for none.
    pub(crate) keep_alive: u16,
    pub(crate) last_heard: Millis,
    /// What its entry among the broker's timers says.
    pub(crate) timer: Option<Millis>,
    pub(crate) will: Option<Box<LastWill>>,
    /// The start of a packet whose rest has not come yet.
    pub(crate) inbox: Vec<u8>,
    pub(crate) outbox: Outbox,
}

/// What to publish when the connection ends without DISCONNECT.
#[derive(Debug)]
pub(crate) struct LastWill {
    pub(crate) publication: Publication,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
}

impl Connection {
    pub(crate) fn new(id: ConnId, peer: Peer, now: Millis) -> Connection {
        Connection {
            id,
            peer,
            phase: Phase::Waiting,
            version: Version::V311,
            announced: false,
            look_at: now,
            stalled_in: false,
            stalled_out: false,
            keep_alive: 0,
            last_heard: now,
            timer: None,
            will: None,
            inbox: Vec::new(),
            outbox: Outbox::default(),
        }
    }

    /// Whether a packet that had begun at the last look is still not whole, or nothing was taken of what waited to
    /// be sent then. The next look will know what there is now.
    pub(crate) fn stalls(&mut self) -> bool {
        let (begun, waits) = (!self.inbox.is_empty(), !self.outbox.is_empty());
        let stalls = self.stalled_in && begun || self.stalled_out && waits;
        (self.stalled_in, self.stalled_out) = (begun, waits);
        stalls
    }

    /// When the client is given up, if it promised to be heard from ([MQTT-3.1.2-24]).
    pub(crate) fn silent_at(&self) -> Option<Millis> {
        let patience = Millis::from(self.keep_alive) * 1500;
        (self.keep_alive > 0).then(|| self.last_heard.saturating_add(patience))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;

    /// Each client costs one of each, its id and its subscriptions. Keep an eye on it.
    #[test]
    fn what_a_client_costs() {
        let bytes = size_of::<Connection>() + size_of::<Session>();
        assert!(bytes <= 336, "{bytes} bytes on a 64-bit machine");
    }
}
