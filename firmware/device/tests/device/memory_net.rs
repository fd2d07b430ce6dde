//! The network of a world: connections and datagrams, all in memory.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use umqtt_device::net::{
    CloseReason, ConnId, Interface, InterfaceAddr, Net, NetError, NetEvent, Peer,
};
use umqtt_net::{BoundSocket, PortUse, SendError, Udp, UdpId};
use umqtt_testkit::memory::on_test_heap;

/// Bytes under way to an end that does not read.
const WINDOW: usize = 8 * 1024;

/// Bytes shown at a time, and how many times in one receive: the bound that a network has to have.
pub(crate) const PIECE: usize = 4 * 1024;
const PIECES: usize = 4;

/// One connection, seen from the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End(pub(crate) ConnId);

#[derive(Default)]
pub(crate) struct Line {
    pub(crate) to_device: VecDeque<u8>,
    pub(crate) from_device: Vec<u8>,
    pub(crate) device_blocked: bool,
    /// The device closed it.
    pub(crate) closed: bool,
    /// The outside finished sending, and the device has not seen that yet.
    pub(crate) finishing: bool,
    pub(crate) gone: bool,
}

/// The network.
pub(crate) struct MemoryNet {
    /// Bytes shown at a time.
    pub(crate) piece: usize,
    pub(crate) lines: Vec<Line>,
    pub(crate) listening: Vec<u16>,
    pub(crate) events: VecDeque<NetEvent>,
    /// Connections the device asked for: host, port and the connection.
    pub(crate) asked: VecDeque<(String, u16, End)>,
    /// Bytes the device has taken from all connections.
    pub(crate) taken: usize,
    /// There is no network.
    pub(crate) down: bool,
    /// The station has an address.
    pub(crate) has_station_address: bool,
    /// The port that is had where another one was asked for.
    pub(crate) bound: BTreeMap<u16, u16>,
    /// Datagrams, if it has them.
    pub(crate) datagrams: Option<Datagrams>,
    /// Connections there may be.
    pub(crate) places: usize,
    /// Connections there are.
    pub(crate) open: usize,
    /// How many connections found no place.
    pub(crate) refused: u32,
    /// Bytes under way to an end that does not read.
    pub(crate) window: usize,
    /// The device's address in its own network, and the length of that's prefix.
    pub(crate) own_address: Option<([u8; 4], u8)>,
    /// The name server of the station's network.
    pub(crate) name_server: Option<Ipv4Addr>,
    /// Names the device looks up.
    pub(crate) lookups: VecDeque<(String, ConnId)>,
}

/// The device's UDP sockets by their number, and what is under way.
#[derive(Default)]
pub(crate) struct Datagrams {
    /// The port of each that is open.
    pub(crate) ports: Vec<Option<u16>>,
    /// The interface of each, where it is of one alone.
    pub(crate) only: Vec<Option<Interface>>,
    pub(crate) next_port: u16,
    /// Ports that cannot be had.
    pub(crate) taken: Vec<u16>,
    /// Groups that were joined.
    pub(crate) joined: Vec<(Ipv4Addr, Interface)>,
    pub(crate) to_device: VecDeque<(UdpId, Vec<u8>, Peer)>,
    /// What the device sent: from which port, to whom.
    pub(crate) sent: VecDeque<(u16, SocketAddr, Vec<u8>)>,
}

impl Udp for Datagrams {
    fn bind(&mut self, port: u16, _: PortUse) -> Result<BoundSocket, NetError> {
        let port = if port == 0 {
            self.next_port += 1;
            50_000 + self.next_port
        } else {
            port
        };
        if self.ports.contains(&Some(port)) || self.taken.contains(&port) {
            return Err(NetError::PortInUse);
        }
        on_test_heap(|| {
            self.ports.push(Some(port));
            self.only.push(None);
        });
        Ok(BoundSocket::new(UdpId(self.ports.len() as u32 - 1), port))
    }

    fn bind_to(&mut self, at: Interface, port: u16, of: PortUse) -> Result<BoundSocket, NetError> {
        let bound = self.bind(port, of)?;
        self.only[bound.id.0 as usize] = Some(at);
        Ok(bound)
    }

    fn close(&mut self, socket: UdpId) {
        self.ports[socket.0 as usize] = None;
        on_test_heap(|| self.to_device.retain(|(to, ..)| *to != socket));
    }

    fn send_to(&mut self, socket: UdpId, bytes: &[u8], peer: Peer) -> Result<(), SendError> {
        let port = self.ports[socket.0 as usize].ok_or(SendError::Unreachable)?;
        let only = self.only[socket.0 as usize];
        assert!(only.is_none_or(|only| only == peer.interface), "it reaches {only:?} alone");
        on_test_heap(|| self.sent.push_back((port, peer.addr, bytes.to_vec())));
        Ok(())
    }

    fn recv_from(&mut self, socket: UdpId, show: &mut dyn FnMut(&[u8], Peer)) -> bool {
        let next = self.to_device.iter().position(|(to, ..)| *to == socket);
        let Some((_, bytes, peer)) = next.and_then(|next| self.to_device.remove(next)) else {
            return false;
        };
        show(&bytes, peer);
        on_test_heap(|| drop(bytes));
        true
    }

    fn join(&mut self, _: UdpId, group: Ipv4Addr, at: Interface) -> Result<(), NetError> {
        on_test_heap(|| self.joined.push((group, at)));
        Ok(())
    }
}

impl MemoryNet {
    pub(crate) fn new(piece: usize) -> MemoryNet {
        MemoryNet {
            piece,
            lines: Vec::new(),
            listening: Vec::new(),
            events: VecDeque::new(),
            asked: VecDeque::new(),
            taken: 0,
            down: false,
            has_station_address: false,
            bound: BTreeMap::new(),
            datagrams: None,
            places: usize::MAX,
            open: 0,
            refused: 0,
            window: WINDOW,
            own_address: Some(([192, 168, 4, 1], 24)),
            name_server: None,
            lookups: VecDeque::new(),
        }
    }

    pub(crate) fn line(&mut self, conn: ConnId) -> &mut Line {
        &mut self.lines[conn.0 as usize]
    }

    pub(crate) fn new_line(&mut self) -> ConnId {
        self.open += 1;
        on_test_heap(|| self.lines.push(Line::default()));
        ConnId(self.lines.len() as u32 - 1)
    }

    pub(crate) fn gone(&mut self, conn: ConnId, reason: CloseReason) {
        let line = self.line(conn);
        line.closed = true;
        if !std::mem::replace(&mut line.gone, true) {
            self.open -= 1;
            on_test_heap(|| self.events.push_back(NetEvent::Closed(conn, reason)));
        }
    }
}

impl Net for MemoryNet {
    fn listen(&mut self, port: u16) -> Result<u16, NetError> {
        let port = self.bound.get(&port).copied().unwrap_or(port);
        if self.listening.contains(&port) {
            return Err(NetError::PortInUse);
        }
        on_test_heap(|| self.listening.push(port));
        Ok(port)
    }

    fn unlisten(&mut self, port: u16) {
        self.listening.retain(|open| *open != port);
    }

    fn connect(&mut self, host: &str, port: u16) -> Result<ConnId, NetError> {
        if self.down {
            return Err(NetError::Down);
        }
        let conn = self.new_line();
        on_test_heap(|| self.asked.push_back((host.to_owned(), port, End(conn))));
        Ok(conn)
    }

    fn resolve(&mut self, host: &str) -> Result<ConnId, NetError> {
        let conn = self.new_line();
        on_test_heap(|| self.lookups.push_back((host.to_owned(), conn)));
        Ok(conn)
    }

    fn name_server(&self) -> Option<Ipv4Addr> {
        self.name_server
    }

    fn refused(&self) -> u32 {
        self.refused
    }

    fn udp(&mut self) -> Option<&mut dyn Udp> {
        self.datagrams.as_mut().map(|udp| udp as &mut dyn Udp)
    }

    fn poll_event(&mut self) -> Option<NetEvent> {
        self.events.pop_front()
    }

    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let (piece, pieces) = (self.piece, if self.piece == PIECE { PIECES } else { 1 });
        let line = self.line(conn);
        if line.closed {
            return 0;
        }
        let mut taken = 0;
        let mut more = false;
        for _ in 0..pieces {
            let shown = line.to_device.len().min(piece);
            more = shown > 0;
            if !more {
                break;
            }
            let n = take(&line.to_device.make_contiguous()[..shown]);
            line.to_device.drain(..n);
            taken += n;
            more = n == shown && !line.to_device.is_empty();
            if n < shown {
                break;
            }
        }
        if more {
            on_test_heap(|| self.events.push_back(NetEvent::Readable(conn)));
        }
        self.taken += taken;
        let line = self.line(conn);
        if line.to_device.is_empty() && std::mem::take(&mut line.finishing) {
            on_test_heap(|| self.events.push_back(NetEvent::PeerClosed(conn)));
        }
        taken
    }

    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let window = self.window;
        let line = self.line(conn);
        if line.closed {
            return 0;
        }
        let n = bytes.len().min(window - line.from_device.len());
        on_test_heap(|| line.from_device.extend_from_slice(&bytes[..n]));
        line.device_blocked = n < bytes.len();
        n
    }

    fn send_room(&mut self, conn: ConnId) -> usize {
        self.window - self.line(conn).from_device.len()
    }

    fn close(&mut self, conn: ConnId) {
        self.gone(conn, CloseReason::Done);
    }

    fn abort(&mut self, conn: ConnId) {
        self.gone(conn, CloseReason::Done);
    }

    fn is_full(&self) -> bool {
        self.open >= self.places
    }

    fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr)) {
        if let Some((address, prefix)) = self.own_address {
            each(InterfaceAddr::new(Interface::AccessPoint, IpAddr::from(address), prefix));
        }
        if self.has_station_address {
            let address = IpAddr::from([10, 0, 0, 7]);
            each(InterfaceAddr::new(Interface::Station, address, 8));
        }
    }
}
