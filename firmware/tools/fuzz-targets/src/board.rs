//! A network for a whole device.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use umqtt_device::Net;
use umqtt_device::net::{ConnId, Interface, InterfaceAddr, NetError, NetEvent, Peer};

/// A network on which one client connects to one port, says what the fuzzer says, and reads all
/// replies.
#[derive(Default)]
pub struct OneConnection {
    /// What is still to happen, last first.
    pub events: Vec<NetEvent>,
    /// What the client still has to say.
    pub incoming: Vec<u8>,
    /// What it was told.
    pub outgoing: Vec<u8>,
    /// Whether the device closed the connection.
    pub closed: bool,
}

impl OneConnection {
    /// The only connection.
    pub const CONN: ConnId = ConnId(0);

    /// A client that connects to `port` and has `incoming` to say.
    pub fn new(port: u16, incoming: &[u8]) -> OneConnection {
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);
        let peer = Peer::from(addr);
        OneConnection {
            events: vec![NetEvent::Accepted { port, conn: OneConnection::CONN, peer }],
            incoming: incoming.to_vec(),
            ..OneConnection::default()
        }
    }

    /// Tells the device that there is something to read.
    pub fn knock(&mut self) {
        if !self.closed && !self.incoming.is_empty() {
            self.events.insert(0, NetEvent::Readable(OneConnection::CONN));
        }
    }
}

impl Net for OneConnection {
    fn listen(&mut self, port: u16) -> Result<u16, NetError> {
        Ok(port)
    }
    fn unlisten(&mut self, _: u16) {}
    fn connect(&mut self, _: &str, _: u16) -> Result<ConnId, NetError> {
        Err(NetError::Full)
    }
    fn poll_event(&mut self) -> Option<NetEvent> {
        self.events.pop()
    }
    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        assert_eq!(conn, OneConnection::CONN);
        if self.closed || self.incoming.is_empty() {
            return 0;
        }
        let taken = take(&self.incoming);
        self.incoming.drain(..taken);
        taken
    }
    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        assert_eq!(conn, OneConnection::CONN);
        if self.closed {
            return 0;
        }
        self.outgoing.extend(bytes);
        bytes.len()
    }
    fn close(&mut self, _: ConnId) {
        self.closed = true;
    }
    fn abort(&mut self, _: ConnId) {
        self.closed = true;
    }
    fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr)) {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        each(InterfaceAddr::new(Interface::Loopback, address, 8));
    }
}
