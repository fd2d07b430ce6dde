//! The network of the desktop board passes the suite of every stack; the far end are sockets of the
//! standard library.
#![allow(clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use umqtt_host::net::HostNet;
use umqtt_net::conformance::{self, Far, FarState, FarUdp, Testbed};
use umqtt_net::{Instant, Interface};

const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// How long it sleeps at most before the far end has its turn.
const STEP: Duration = Duration::from_millis(2);

struct Stream {
    stream: Option<TcpStream>,
    state: FarState,
}

struct Sockets {
    net: HostNet,
    started: std::time::Instant,
    streams: Vec<Stream>,
    listeners: Vec<TcpListener>,
    udp: Vec<UdpSocket>,
}

impl Sockets {
    fn add(&mut self, stream: TcpStream) -> Far {
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        self.streams.push(Stream { stream: Some(stream), state: FarState::Open });
        Far(self.streams.len() - 1)
    }
}

impl Testbed for Sockets {
    type Net = HostNet;

    fn new(connections: usize) -> Sockets {
        Sockets {
            net: HostNet::with_limit(IpAddr::V4(LOCALHOST), connections).unwrap(),
            started: std::time::Instant::now(),
            streams: Vec::new(),
            listeners: Vec::new(),
            udp: Vec::new(),
        }
    }

    fn net(&mut self) -> &mut HostNet {
        &mut self.net
    }

    fn step(&mut self) {
        self.net.wait(Some(STEP)).unwrap();
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.started.elapsed().as_millis() as u64)
    }

    fn address(&self) -> IpAddr {
        IpAddr::V4(LOCALHOST)
    }

    fn far_address(&self) -> IpAddr {
        IpAddr::V4(LOCALHOST)
    }

    fn interface(&self) -> Interface {
        Interface::Loopback
    }

    fn far_connect(&mut self, port: u16) -> Far {
        match TcpStream::connect((LOCALHOST, port)) {
            Ok(stream) => self.add(stream),
            Err(_) => {
                self.streams.push(Stream { stream: None, state: FarState::Reset });
                Far(self.streams.len() - 1)
            }
        }
    }

    fn far_listen(&mut self) -> u16 {
        let listener = TcpListener::bind((LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        self.listeners.push(listener);
        port
    }

    fn far_accept(&mut self, port: u16) -> Option<Far> {
        let at = |listener: &&TcpListener| listener.local_addr().unwrap().port() == port;
        let (stream, _) = self.listeners.iter().find(at)?.accept().ok()?;
        Some(self.add(stream))
    }

    fn far_write(&mut self, far: Far, bytes: &[u8]) -> usize {
        let stream = self.streams[far.0].stream.as_mut();
        stream.map_or(0, |stream| stream.write(bytes).unwrap_or(0))
    }

    fn far_read(&mut self, far: Far) -> Vec<u8> {
        let Stream { stream, state } = &mut self.streams[far.0];
        let mut all = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while let Some(open) = stream
            && *state == FarState::Open
        {
            match open.read(&mut buffer) {
                Ok(0) => *state = FarState::Ended,
                Ok(n) => all.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => *state = FarState::Reset,
            }
        }
        all
    }

    fn far_state(&mut self, far: Far) -> FarState {
        self.streams[far.0].state
    }

    fn far_shutdown(&mut self, far: Far) {
        let _ = self.streams[far.0].stream.as_ref().unwrap().shutdown(Shutdown::Write);
    }

    fn far_reset(&mut self, far: Far) {
        let stream = self.streams[far.0].stream.take().unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    fn far_bind(&mut self, group: Option<Ipv4Addr>) -> (FarUdp, u16) {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        let address = SocketAddr::from((group.unwrap_or(LOCALHOST), 0));
        socket.bind(&address.into()).unwrap();
        socket.set_multicast_if_v4(&LOCALHOST).unwrap();
        socket.set_nonblocking(true).unwrap();
        if let Some(group) = group {
            socket.join_multicast_v4(&group, &LOCALHOST).unwrap();
        }
        let socket = UdpSocket::from(socket);
        let port = socket.local_addr().unwrap().port();
        self.udp.push(socket);
        (FarUdp(self.udp.len() - 1), port)
    }

    fn far_send_to(&mut self, socket: FarUdp, bytes: &[u8], to: SocketAddr) {
        let _ = self.udp[socket.0].send_to(bytes, to);
    }

    fn far_recv_from(&mut self, socket: FarUdp) -> Option<(Vec<u8>, SocketAddr)> {
        let mut buffer = vec![0; 1 << 16];
        let (len, from) = self.udp[socket.0].recv_from(&mut buffer).ok()?;
        buffer.truncate(len);
        Some((buffer, from))
    }
}

#[test]
fn connections_are_as_promised() {
    conformance::run(&conformance::tcp::cases::<Sockets>());
}

#[test]
fn bounds_are_as_promised() {
    conformance::run(&conformance::limits::cases::<Sockets>());
}

#[test]
fn datagrams_are_as_promised() {
    conformance::run(&conformance::udp::cases::<Sockets>());
}
