//! A board and a network for a whole device.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use umqtt_device::board::{Gpio, Random, Restart, Serial};
use umqtt_device::net::{ConnId, Interface, InterfaceAddr, NetError, NetEvent, Peer};
use umqtt_device::storage::ram::RamFlash;
use umqtt_device::{Board, Net, Platform};

/// What a device runs on here: a plain board, and a flash in memory.
#[derive(Debug)]
pub struct PlainPlatform;

impl Platform for PlainPlatform {
    type Board = PlainBoard;
    type Flash = RamFlash;
}

/// Pins that are always high, and a serial line that the fuzzer types on.
#[derive(Default)]
pub struct PlainBoard {
    /// What is still to be typed.
    pub serial: Vec<u8>,
    /// Whether the device wanted to restart.
    pub restarted: bool,
}

impl Gpio for PlainBoard {
    fn pin_read(&mut self, _: u8) -> bool {
        true
    }

    fn adc(&mut self) -> u16 {
        512
    }
}

impl Serial for PlainBoard {}

impl Random for PlainBoard {
    fn random(&mut self, into: &mut [u8]) {
        into.fill(4); // the same in every run
    }
}

impl Board for PlainBoard {
    fn serial_read(&mut self, into: &mut [u8]) -> usize {
        let n = into.len().min(self.serial.len());
        into[..n].copy_from_slice(&self.serial[..n]);
        self.serial.drain(..n);
        n
    }
    fn mac(&self) -> [u8; 6] {
        [2, 0, 0, 0, 0, 1]
    }
    fn micros(&self) -> u32 {
        0
    }
    fn restart(&mut self, _: Restart) {
        self.restarted = true;
    }
}

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
        each(InterfaceAddr { interface: Interface::Loopback, address, prefix: 8 });
    }
}
