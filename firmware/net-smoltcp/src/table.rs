//! The table of sockets: its places are the device's connection numbers.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use umqtt_net::{CloseReason, Duration, Instant, Readiness, ReadyQueue};

use crate::NetLimits;
use crate::connection::{Connection, Phase};

/// How long a handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
/// Silence after which the peer is probed.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// Time without an answer after which the connection is reset.
pub const PEER_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of a place for a socket: smoltcp's, ours, and the number that waits in a queue.
pub(crate) const PLACE: usize = size_of::<smoltcp::iface::SocketStorage<'static>>()
    + size_of::<Option<Connection>>()
    + size_of::<u32>();

/// The table.
pub(crate) struct Table {
    pub(crate) sockets: SocketSet<'static>,
    places: Vec<Option<Connection>>,
    ready: ReadyQueue,
    limits: NetLimits,
    /// Something is over whose socket is still there.
    closed_sockets: bool,
}

impl Table {
    /// A table of `limits.sockets` places, and room for `others` sockets that are none of ours.
    pub(crate) fn new(limits: NetLimits, others: usize) -> Table {
        Table {
            // All at once: a vector that grows would at times be there twice.
            sockets: SocketSet::new(Vec::with_capacity(limits.sockets + others)),
            places: Vec::with_capacity(limits.sockets),
            ready: ReadyQueue::with_capacity(limits.sockets),
            limits,
            closed_sockets: false,
        }
    }

    pub(crate) fn get(&mut self, place: u32) -> Option<&mut Connection> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    /// The places in use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Connection)> {
        (0..).zip(&self.places).filter_map(|(at, place)| Some((at, place.as_ref()?)))
    }

    /// How many numbers there are so far: every place in use is below.
    pub(crate) fn len(&self) -> u32 {
        self.places.len() as u32
    }

    /// Places that are free.
    pub(crate) fn room(&self) -> usize {
        self.limits.sockets - self.places.iter().flatten().count()
    }

    /// Whether one more may listen: there is a place, and the device keeps those for its own
    /// connections.
    pub(crate) fn has_room_to_listen(&self) -> bool {
        let others = self.iter().filter(|(_, connection)| connection.port != 0).count();
        self.room() > 0 && others + self.limits.outgoing < self.limits.sockets
    }

    /// Takes a place; `None` when all are in use.
    pub(crate) fn insert(&mut self, connection: Connection) -> Option<u32> {
        if let Some(free) = self.places.iter().position(Option::is_none) {
            self.places[free] = Some(connection);
            return Some(free as u32);
        }
        if self.places.len() >= self.limits.sockets {
            return None;
        }
        self.places.push(Some(connection));
        Some(self.len() - 1)
    }

    /// A fresh socket with its buffers; `None` when memory is short.
    pub(crate) fn open_socket(&mut self) -> Option<SocketHandle> {
        let buffer = |size| {
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(size).ok()?;
            bytes.resize(size, 0);
            Some(tcp::SocketBuffer::new(bytes))
        };
        if !(self.limits.admits)() {
            return None;
        }
        let mut socket = tcp::Socket::new(buffer(self.limits.rx)?, buffer(self.limits.tx)?);
        // The device hands over whole messages; waiting for more would only make them late.
        socket.set_nagle_enabled(false);
        socket.set_timeout(Some(smoltcp_duration(PEER_TIMEOUT)));
        socket.set_keep_alive(Some(smoltcp_duration(KEEP_ALIVE_INTERVAL)));
        Some(self.sockets.add(socket))
    }

    /// Moves the sockets that listen behind all others. smoltcp offers a segment to the first
    /// socket that takes it, and one that listens takes any SYN to its port: a late copy of the SYN
    /// of a connection that is up, too, and the answer would break that connection.
    pub(crate) fn listeners_last(&mut self) {
        loop {
            let with_socket = |listening: bool| {
                self.iter().filter_map(move |(place, connection)| {
                    let listens = matches!(connection.phase, Phase::Listening);
                    (listens == listening).then_some((connection.socket?, place))
                })
            };
            let (Some(first), Some(last)) = (with_socket(true).min(), with_socket(false).max())
            else {
                return;
            };
            if first.0 > last.0 {
                return;
            }
            // The free places are filled from the first one on.
            let (listener, other) = (self.sockets.remove(first.0), self.sockets.remove(last.0));
            for (socket, place) in [(other, last.1), (listener, first.1)] {
                let handle = self.sockets.add(socket);
                if let Some(connection) = self.get(place) {
                    connection.socket = Some(handle);
                }
            }
        }
    }

    /// The TCP socket of a place.
    pub(crate) fn socket(&mut self, place: u32) -> Option<&mut tcp::Socket<'static>> {
        let handle = self.get(place)?.socket?;
        Some(self.sockets.get_mut(handle))
    }

    /// A place and its socket.
    pub(crate) fn both(
        &mut self,
        place: u32,
    ) -> Option<(&mut Connection, &mut tcp::Socket<'static>)> {
        let connection = self.places.get_mut(place as usize)?.as_mut()?;
        let handle = connection.socket?;
        Some((connection, self.sockets.get_mut(handle)))
    }

    /// Frees a place without an event.
    pub(crate) fn forget(&mut self, place: u32) {
        let Some(mut connection) = self.places.get_mut(place as usize).and_then(Option::take)
        else {
            return;
        };
        self.ready.remove(place, *connection.as_mut());
        if let Some(handle) = connection.socket {
            self.sockets.remove(handle);
        }
    }

    /// Lets go of a place's socket without another segment.
    pub(crate) fn drop_socket(&mut self, place: u32) {
        let Some(handle) = self.get(place).and_then(|connection| connection.socket.take()) else {
            return;
        };
        self.sockets.remove(handle);
    }

    /// Notes something to report to the device.
    pub(crate) fn report(&mut self, place: u32, readiness: Readiness) {
        if let Some(Some(connection)) = self.places.get_mut(place as usize) {
            self.ready.push(place, connection.as_mut(), readiness);
        }
    }

    /// Whether there is something to report.
    pub(crate) fn has_events(&self) -> bool {
        !self.ready.is_empty()
    }

    /// What is to be reported next.
    pub(crate) fn next_event(&mut self) -> Option<(u32, Readiness)> {
        self.ready.pop(&mut self.places)
    }

    /// A connection is over. What its socket still has to say (a reset, if the other end thinks
    /// that it is up) leaves with the next segments.
    pub(crate) fn close(&mut self, place: u32, reason: CloseReason) {
        let Some(connection) = self.get(place) else { return };
        if connection.is_closed() {
            return;
        }
        connection.phase = Phase::Closed { reason, acknowledged: false };
        if let Some(socket) = self.socket(place)
            && socket.state() != tcp::State::TimeWait
        {
            socket.abort();
        }
        self.closed_sockets = true;
        self.report(place, Readiness::Closed);
    }

    /// The address that was asked for is found.
    pub(crate) fn resolved(&mut self, place: u32, address: Ipv4Addr) {
        if let Some(connection) = self.get(place) {
            connection.phase = Phase::Resolved(address);
            self.report(place, Readiness::Closed);
        }
    }

    /// Whether something is over whose socket is still there.
    pub(crate) fn has_closed(&self) -> bool {
        self.closed_sockets
    }

    /// Frees what is over. To be called when segments have just left.
    pub(crate) fn free_closed(&mut self) {
        self.closed_sockets = false;
        for place in 0..self.len() {
            let Some(connection) = self.get(place) else { continue };
            let Phase::Closed { acknowledged, .. } = connection.phase else { continue };
            self.drop_socket(place);
            if acknowledged {
                self.forget(place);
            }
        }
    }

    /// The device takes the event that it is over.
    pub(crate) fn acknowledge_close(&mut self, place: u32) -> Option<CloseReason> {
        let connection = self.get(place)?;
        let Phase::Closed { reason, acknowledged } = &mut connection.phase else { return None };
        let reason = *reason;
        *acknowledged = true;
        if connection.socket.is_none() {
            self.forget(place);
        }
        Some(reason)
    }

    /// Bytes of the heap: places, and the buffers of the sockets there are.
    pub(crate) fn memory(&self) -> usize {
        let sockets = self.iter().filter(|(_, connection)| connection.socket.is_some()).count();
        self.limits.memory(sockets)
    }

    /// What it was made with.
    pub(crate) fn limits(&self) -> &NetLimits {
        &self.limits
    }

    /// When something is to be done about a place, if nothing comes from the network.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Instant> {
        self.iter().filter_map(|(_, connection)| match &connection.phase {
            Phase::HalfOpen { since } => Some(*since + HANDSHAKE_TIMEOUT),
            Phase::Connecting(attempt) => attempt.deadline(),
            Phase::Lingering { until } => Some(*until),
            Phase::Listening | Phase::Resolved(_) | Phase::Open | Phase::Closed { .. } => None,
        })
    }

    /// Whether a socket of ours has this local port.
    pub(crate) fn uses_port(&self, port: u16) -> bool {
        self.iter().filter_map(|(_, connection)| connection.socket).any(|handle| {
            let local = self.sockets.get::<tcp::Socket>(handle).local_endpoint();
            local.is_some_and(|local| local.port == port)
        })
    }
}

const fn smoltcp_duration(duration: Duration) -> smoltcp::time::Duration {
    smoltcp::time::Duration::from_millis(duration.as_millis())
}
