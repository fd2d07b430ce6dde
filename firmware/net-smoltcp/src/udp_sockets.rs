//! UDP sockets with a queue of bounded length each, and the groups they have joined.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::udp;
use umqtt_net::{Duration, Instant, UdpId};

use crate::{NetLimits, UdpLimits};

/// Groups joined at a time, by all sockets together.
pub const MAX_GROUPS: usize = 2;
/// How long datagrams wait for a neighbour that does not answer. Then they are dropped, as those
/// behind them would wait for ever: smoltcp takes the next one only when the first has left.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(3);

/// The UDP sockets.
pub(crate) struct UdpSockets {
    pub(crate) entries: Vec<Option<Entry>>,
    pub(crate) groups: heapless::Vec<(UdpId, Ipv4Addr), MAX_GROUPS>,
}

pub(crate) struct Entry {
    pub(crate) handle: SocketHandle,
    port: u16,
    /// Bytes of datagrams in each direction, and how many of them.
    pub(crate) bytes: usize,
    datagrams: usize,
    /// A datagram is there, and that is to be reported.
    ready: bool,
    /// That was reported, and none was taken since.
    pub(crate) reported: bool,
    /// Since when nothing of what waits has left.
    waiting: Option<(Instant, usize)>,
}

impl Entry {
    pub(crate) fn new(handle: SocketHandle, port: u16, limits: &UdpLimits) -> Entry {
        let UdpLimits { bytes, datagrams, .. } = *limits;
        Entry { handle, port, bytes, datagrams, ready: false, reported: false, waiting: None }
    }
}

impl UdpSockets {
    pub(crate) fn new(limits: &NetLimits) -> UdpSockets {
        UdpSockets { entries: Vec::with_capacity(limits.udp.sockets), groups: heapless::Vec::new() }
    }

    /// Places in the set of sockets that it needs.
    pub(crate) fn places(limits: &NetLimits) -> usize {
        limits.udp.sockets
    }

    /// Bytes of the heap.
    pub(crate) fn memory(&self, limits: &NetLimits) -> usize {
        let UdpLimits { sockets, .. } = limits.udp;
        let buffers = self.entries.iter().flatten().map(|entry| {
            UdpLimits { sockets, datagrams: entry.datagrams, bytes: entry.bytes }.memory()
        });
        sockets * size_of::<Option<Entry>>() + buffers.sum::<usize>()
    }

    /// Looks for datagrams that came.
    pub(crate) fn poll(&mut self, sockets: &mut SocketSet<'static>) {
        for entry in self.entries.iter_mut().flatten() {
            let received = sockets.get::<udp::Socket>(entry.handle).can_recv();
            entry.ready |= received && !entry.reported;
        }
    }

    /// Drops what has waited for too long; to be called when frames have just left. Returns when to
    /// come again.
    pub(crate) fn drop_stuck(
        &mut self,
        sockets: &mut SocketSet<'static>,
        now: Instant,
    ) -> Option<Instant> {
        let mut next = None;
        for entry in self.entries.iter_mut().flatten() {
            let socket = sockets.get_mut::<udp::Socket>(entry.handle);
            let waiting = socket.send_queue();
            entry.waiting = match entry.waiting {
                _ if waiting == 0 => None,
                Some((since, before)) if waiting >= before => Some((since, waiting)),
                _ => Some((now, waiting)),
            };
            let Some((since, _)) = entry.waiting else { continue };
            if since + SEND_TIMEOUT <= now {
                // The only way there is. What was received goes with it.
                socket.close();
                let _ = socket.bind(entry.port); // it was bound to it before
                entry.waiting = None;
            } else {
                let at = since + SEND_TIMEOUT;
                next = Some(next.map_or(at, |other: Instant| other.min(at)));
            }
        }
        next
    }

    /// Whether there is something to report.
    pub(crate) fn has_events(&self) -> bool {
        self.entries.iter().flatten().any(|entry| entry.ready)
    }

    /// A socket that has received something.
    pub(crate) fn next_event(&mut self) -> Option<UdpId> {
        (0..).zip(&mut self.entries).find_map(|(index, entry)| {
            let entry = entry.as_mut().filter(|entry| entry.ready)?;
            entry.ready = false;
            entry.reported = true;
            Some(UdpId(index))
        })
    }

    pub(crate) fn get(&mut self, socket: UdpId) -> Option<&mut Entry> {
        self.entries.get_mut(socket.0 as usize)?.as_mut()
    }

    pub(crate) fn uses_port(&self, port: u16) -> bool {
        self.entries.iter().flatten().any(|entry| entry.port == port)
    }

    /// The lowest number that is free.
    pub(crate) fn free(&self, limits: &NetLimits) -> Option<usize> {
        let free = self.entries.iter().position(Option::is_none).unwrap_or(self.entries.len());
        (free < limits.udp.sockets).then_some(free)
    }
}
