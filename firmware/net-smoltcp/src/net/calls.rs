//! What the device calls: [`Net`] for [`SmolNet`].

use core::net::{IpAddr, SocketAddr};

use smoltcp::iface::SocketStorage;
use smoltcp::phy::Device;
use smoltcp::socket::tcp;
use smoltcp::wire::IpAddress;
use umqtt_net::{
    CloseReason, ConnId, Duration, InterfaceAddr, Net, NetError, NetEvent, Peer, Readiness,
};

use super::SmolNet;
use crate::connection::Phase;

/// How long a connection that the device closed may take to send what is left and be closed by the
/// peer.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes that the DHCP client takes.
const OTHERS: usize = size_of::<SocketStorage<'static>>();

impl<D: Device> Net for SmolNet<D> {
    fn listen(&mut self, port: u16) -> Result<u16, NetError> {
        self.start_listening(port)
    }

    fn unlisten(&mut self, port: u16) {
        self.stop_listening(port);
    }

    fn connect(&mut self, host: &str, port: u16) -> Result<ConnId, NetError> {
        self.start_connecting(host, Some(port)).map(ConnId)
    }

    fn resolve(&mut self, host: &str) -> Result<ConnId, NetError> {
        self.start_connecting(host, None).map(ConnId)
    }

    fn poll_event(&mut self) -> Option<NetEvent> {
        loop {
            let Some((place, readiness)) = self.table.next_event() else {
                return self.udp.next_event().map(NetEvent::Datagram);
            };
            let conn = ConnId(place);
            let Some(connection) = self.table.get(place) else { continue };
            let (open, port) = (connection.is_open(), connection.port);
            match readiness {
                // One that is gone already did nothing the device would have seen.
                Readiness::Accepted => match self.peer(place) {
                    Some(peer) => return Some(NetEvent::Accepted { port, conn, peer }),
                    None => self.table.forget(place),
                },
                Readiness::Connected => return Some(NetEvent::Connected(conn)),
                Readiness::Readable if open => return Some(NetEvent::Readable(conn)),
                Readiness::Writable if open => return Some(NetEvent::Writable(conn)),
                Readiness::PeerClosed if open => return Some(NetEvent::PeerClosed(conn)),
                Readiness::Closed => {
                    if let Phase::Resolved(address) = connection.phase {
                        self.table.forget(place);
                        return Some(NetEvent::Resolved(conn, IpAddr::V4(address)));
                    }
                    if let Some(reason) = self.table.acknowledge_close(place) {
                        return Some(NetEvent::Closed(conn, reason));
                    }
                }
                // What happened before the device closed it does not interest it any more.
                Readiness::Readable | Readiness::Writable | Readiness::PeerClosed => {}
            }
        }
    }

    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let Some((connection, socket)) = self.table.both(conn.0) else { return 0 };
        if !connection.is_open() {
            return 0;
        }
        let mut taken = 0;
        // Twice at most: the buffer is a ring.
        while socket.can_recv() {
            let (mut shown, mut n) = (0, 0);
            let _ = socket.recv(|bytes| {
                shown = bytes.len();
                n = take(bytes).min(shown);
                (n, ())
            });
            taken += n;
            if n < shown || shown == 0 {
                break;
            }
        }
        connection.seen = socket.recv_queue();
        self.check_peer_closed(conn.0);
        taken
    }

    #[cfg(feature = "udp")]
    fn name_server(&self) -> Option<core::net::Ipv4Addr> {
        self.names.first_server()
    }

    fn memory(&self) -> usize {
        let datagrams = self.udp.memory(self.table.limits()) + self.lookups_memory();
        self.table.memory() + datagrams + size_of::<Self>() + OTHERS
    }

    fn refused(&self) -> u32 {
        self.refused
    }

    fn refused_answers(&self) -> u32 {
        self.names.refused
    }

    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let Some((connection, socket)) = self.table.both(conn.0) else { return 0 };
        if !connection.is_open() {
            return 0;
        }
        let mut sent = 0;
        // Twice at most: the buffer is a ring.
        while sent < bytes.len() {
            match socket.send_slice(&bytes[sent..]) {
                Ok(0) | Err(_) => break,
                Ok(n) => sent += n,
            }
        }
        connection.set_blocked(sent < bytes.len());
        sent
    }

    fn send_room(&mut self, conn: ConnId) -> usize {
        match self.table.both(conn.0) {
            Some((connection, socket)) if connection.is_open() => {
                socket.send_capacity() - socket.send_queue()
            }
            _ => 0,
        }
    }

    fn close(&mut self, conn: ConnId) {
        let place = conn.0;
        let until = self.now + LINGER_TIMEOUT;
        self.cancel_lookup(place);
        let Some(connection) = self.table.get(place) else { return };
        match connection.phase {
            Phase::Open => {
                connection.phase = Phase::Lingering { until };
                if let Some(socket) = self.table.socket(place) {
                    socket.close();
                }
            }
            Phase::Connecting(_) | Phase::Resolved(_) => self.table.close(place, CloseReason::Done),
            Phase::Lingering { .. } | Phase::Closed { .. } => {}
            Phase::Listening | Phase::HalfOpen { .. } => {} // not the device's
        }
    }

    fn abort(&mut self, conn: ConnId) {
        self.cancel_lookup(conn.0);
        let Some(connection) = self.table.get(conn.0) else { return };
        if !matches!(connection.phase, Phase::Listening | Phase::HalfOpen { .. }) {
            self.table.close(conn.0, CloseReason::Done);
        }
    }

    fn is_full(&self) -> bool {
        self.has_unheard_port()
    }

    #[cfg(feature = "udp")]
    fn udp(&mut self) -> Option<&mut dyn umqtt_net::Udp> {
        Some(self)
    }

    fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr)) {
        for own in self.interface.ip_addrs() {
            let IpAddress::Ipv4(address) = own.address();
            let address = IpAddr::V4(address);
            each(InterfaceAddr::new(self.interface_kind, address, own.prefix_len()));
        }
    }
}

impl<D: Device> SmolNet<D> {
    fn peer(&mut self, place: u32) -> Option<Peer> {
        let remote = self.table.socket(place)?.remote_endpoint()?;
        let IpAddress::Ipv4(address) = remote.addr;
        Some(Peer::new(SocketAddr::from((address, remote.port)), self.interface_kind))
    }

    /// Reports that the peer has finished sending, once everything it sent was taken.
    pub(crate) fn check_peer_closed(&mut self, place: u32) {
        let Some((connection, socket)) = self.table.both(place) else { return };
        let finished = socket.state() == tcp::State::CloseWait && socket.recv_queue() == 0;
        if connection.is_open() && finished && connection.note_end() {
            self.table.report(place, Readiness::PeerClosed);
        }
    }
}
