//! One network connection.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{SocketAddr, SocketAddrV6};

use crate::memory::CountedBytes;
use crate::message::Publication;
use crate::outbox::Outbox;
use crate::wire::{QoS, Version};
use crate::{ConnId, Duration, Instant, Interface, Peer};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// CONNECT has not been accepted yet.
    AwaitingConnect,
    /// The connection of this session.
    Live(u32),
    /// Nothing more is read; what waits is sent, then it is closed.
    Closing,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnId,
    peer: CompactPeer,
    pub(crate) phase: Phase,
    pub(crate) version: Version,
    /// See [`Connect::bridge`](crate::wire::Connect::bridge).
    pub(crate) bridge: bool,
    /// It is in the broker's list of connections with something to send, or was named from there
    /// and has not been empty since.
    pub(crate) announced: bool,
    /// When to look next whether the client stalls.
    pub(crate) next_stall_check: CompactInstant,
    /// Its packet was unfinished when last looked at, and none was finished since.
    pub(crate) stalled_in: bool,
    /// Something waited to be sent when last looked at, and nothing was sent since.
    pub(crate) stalled_out: bool,
    /// Seconds; 0 for none.
    pub(crate) keep_alive: u16,
    last_received: CompactInstant,
    pub(crate) will: Option<Box<LastWill>>,
    /// The start of a packet whose rest has not come yet.
    pub(crate) inbox: Vec<u8>,
    pub(crate) outbox: Outbox,
    /// Of the memory counted.
    pub(crate) share: CountedBytes,
}

/// The Will Message: what to publish when the connection ends without DISCONNECT.
#[derive(Debug)]
pub(crate) struct LastWill {
    pub(crate) publication: Publication,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
}

impl Connection {
    pub(crate) fn new(id: ConnId, peer: Peer, now: Instant) -> Connection {
        Connection {
            id,
            peer: CompactPeer::new(peer),
            phase: Phase::AwaitingConnect,
            version: Version::V311,
            bridge: false,
            announced: false,
            next_stall_check: CompactInstant::new(now, now),
            stalled_in: false,
            stalled_out: false,
            keep_alive: 0,
            last_received: CompactInstant::new(now, now),
            will: None,
            inbox: Vec::new(),
            outbox: Outbox::default(),
            share: CountedBytes::default(),
        }
    }

    /// Whether a packet that had begun at the last look is still not whole, or nothing was taken of
    /// what waited to be sent then. The next look will know what there is now.
    pub(crate) fn stalls(&mut self) -> bool {
        let waits = !self.outbox.is_empty() && !self.outbox.is_blocked();
        let begun = !self.inbox.is_empty();
        let stalls = self.stalled_in && begun || self.stalled_out && waits;
        (self.stalled_in, self.stalled_out) = (begun, waits);
        stalls
    }

    /// When keep-alive runs out, and the client counts as gone ([MQTT-3.1.2-24]); `None` without.
    pub(crate) fn keep_alive_deadline(&self, now: Instant) -> Option<Instant> {
        let patience = Duration::from_millis(u64::from(self.keep_alive) * 1500);
        (self.keep_alive > 0).then(|| self.last_received.at(now).saturating_add(patience))
    }

    /// Bytes of the heap that what it reads and sends takes now; the messages themselves are
    /// counted elsewhere.
    pub(crate) fn held(&self) -> usize {
        let will = if self.will.is_some() { size_of::<LastWill>() } else { 0 };
        self.inbox.capacity() + self.outbox.held() + will
    }

    /// Something came from the client.
    pub(crate) fn touch(&mut self, now: Instant) {
        self.last_received = CompactInstant::new(now, now);
    }

    /// Whether something came from the client within so many milliseconds.
    pub(crate) fn heard_within(&self, ms: u32, now: Instant) -> bool {
        (now.as_millis() as u32).wrapping_sub(self.last_received.0) <= ms
    }

    /// Where it comes from.
    pub(crate) fn peer(&self) -> Peer {
        match &self.peer {
            CompactPeer::V4(ip, port, via) => Peer::new(SocketAddr::from((*ip, *port)), *via),
            CompactPeer::V6(addr, via) => Peer::new(SocketAddr::V6(**addr), *via),
        }
    }
}

/// A time not far from the present, in four bytes: at most 24 days away. One further ahead is taken
/// for that, which is early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompactInstant(u32);

impl CompactInstant {
    pub(crate) fn new(at: Instant, now: Instant) -> CompactInstant {
        let latest = now.saturating_add(Duration::from_millis(i32::MAX as u64));
        CompactInstant(at.min(latest).as_millis() as u32)
    }

    pub(crate) fn at(self, now: Instant) -> Instant {
        let now = now.as_millis();
        let ahead = self.0.wrapping_sub(now as u32).cast_signed();
        Instant::from_millis(now.saturating_add_signed(ahead.into()))
    }
}

/// A peer without room for the long addresses that few have.
#[derive(Debug)]
enum CompactPeer {
    V4([u8; 4], u16, Interface),
    V6(Box<SocketAddrV6>, Interface),
}

impl CompactPeer {
    fn new(peer: Peer) -> CompactPeer {
        let Peer { addr, interface } = peer;
        match addr {
            SocketAddr::V4(addr) => CompactPeer::V4(addr.ip().octets(), addr.port(), interface),
            SocketAddr::V6(addr) => CompactPeer::V6(Box::new(addr), interface),
        }
    }
}
