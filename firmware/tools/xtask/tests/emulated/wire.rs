//! A wire between the device's Ethernet and hosts of the test's own, which can do what an operating
//! system does not: vanish.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use umqtt_net_smoltcp::smoltcp;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr, IpEndpoint};

/// Between two looks at the wire.
const PAUSE: Duration = Duration::from_micros(500);
/// What is sent is taken in this time, or never.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Where the device is.
pub(crate) const DEVICE: Ipv4Addr = Ipv4Addr::new(10, 9, 8, 1);

/// Frames on their way to a host, and from it.
#[derive(Default)]
struct Port {
    to_host: VecDeque<Vec<u8>>,
    from_host: VecDeque<Vec<u8>>,
}

struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Sender<'a>(&'a mut VecDeque<Vec<u8>>);

impl TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl Device for Port {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sender<'a>;

    fn receive(&mut self, _now: smoltcp::time::Instant) -> Option<(Received, Sender<'_>)> {
        Some((Received(self.to_host.pop_front()?), Sender(&mut self.from_host)))
    }

    fn transmit(&mut self, _now: smoltcp::time::Instant) -> Option<Sender<'_>> {
        Some(Sender(&mut self.from_host))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 590;
        capabilities
    }
}

/// A host on the wire.
struct Host {
    port: Port,
    interface: Interface,
    sockets: SocketSet<'static>,
    next_port: u16,
}

/// A connection: its host's number, and its socket.
#[derive(Clone, Copy)]
pub(crate) struct Connection(usize, SocketHandle);

/// A port for datagrams: its host's number, and its socket.
#[derive(Clone, Copy)]
pub(crate) struct Datagrams(usize, SocketHandle);

/// The wire with its hosts.
pub(crate) struct Wire {
    socket: UdpSocket,
    device: u16,
    hosts: Vec<Option<Host>>,
    start: Instant,
}

impl Wire {
    /// A wire whose other end, the device's, is this port of the computer.
    pub(crate) fn new(socket: UdpSocket, device: u16) -> Wire {
        socket.set_nonblocking(true).unwrap();
        Wire { socket, device, hosts: Vec::new(), start: Instant::now() }
    }

    fn now(&self) -> smoltcp::time::Instant {
        smoltcp::time::Instant::from_micros(self.start.elapsed().as_micros() as i64)
    }

    /// One more host; its number.
    pub(crate) fn join(&mut self) -> usize {
        let number = self.hosts.len() as u8;
        let mut port = Port::default();
        let mac = EthernetAddress([2, 0, 0, 0, 0, number + 2]);
        let mut config = Config::new(HardwareAddress::Ethernet(mac));
        config.random_seed = u64::from(number);
        let mut interface = Interface::new(config, &mut port, self.now());
        let address = Wire::address(number.into());
        interface.update_ip_addrs(|all| all.push(IpCidr::new(address.into(), 24)).unwrap());
        let sockets = SocketSet::new(Vec::new());
        self.hosts.push(Some(Host { port, interface, sockets, next_port: 50_000 }));
        number.into()
    }

    /// A host is gone, without another frame.
    pub(crate) fn vanish(&mut self, host: usize) {
        self.hosts[host] = None;
    }

    /// Lets the hosts do what is to be done, for so long.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            self.turn();
            if Instant::now() >= end {
                return;
            }
            thread::sleep(PAUSE);
        }
    }

    fn turn(&mut self) {
        let mut frame = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut frame) {
            for host in self.hosts.iter_mut().flatten() {
                host.port.to_host.push_back(frame[..length].to_vec());
            }
        }
        let now = self.now();
        for host in self.hosts.iter_mut().flatten() {
            host.interface.poll(now, &mut host.port, &mut host.sockets);
            while let Some(frame) = host.port.from_host.pop_front() {
                self.socket.send_to(&frame, (Ipv4Addr::LOCALHOST, self.device)).unwrap();
            }
        }
    }

    /// Connects to the device from a host; `window` bytes are taken when nobody reads.
    pub(crate) fn connect(&mut self, host: usize, port: u16, window: usize) -> Connection {
        let buffer = |size| tcp::SocketBuffer::new(vec![0; size]);
        let mut socket = tcp::Socket::new(buffer(window), buffer(4096));
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        let at = self.hosts[host].as_mut().unwrap();
        at.next_port += 1;
        socket.connect(at.interface.context(), (DEVICE, port), at.next_port).unwrap();
        Connection(host, at.sockets.add(socket))
    }

    /// A host's address.
    pub(crate) fn address(host: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 9, 8, host as u8 + 2)
    }

    /// Opens a port of a host for datagrams.
    pub(crate) fn bind(&mut self, host: usize, port: u16) -> Datagrams {
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 16], vec![0; 8192]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(port).unwrap();
        let at = self.hosts[host].as_mut().unwrap();
        Datagrams(host, at.sockets.add(socket))
    }

    /// A host joins a multicast group.
    pub(crate) fn join_group(&mut self, host: usize, group: Ipv4Addr) {
        let at = self.hosts[host].as_mut().unwrap();
        at.interface.join_multicast_group(group).unwrap();
    }

    /// Sends a datagram.
    pub(crate) fn send_to(&mut self, from: Datagrams, bytes: &[u8], to: (Ipv4Addr, u16)) {
        let at = self.hosts[from.0].as_mut().unwrap();
        let to = IpEndpoint::new(to.0.into(), to.1);
        at.sockets.get_mut::<udp::Socket<'_>>(from.1).send_slice(bytes, to).unwrap();
    }

    /// The next datagram that comes in this time, and who sent it.
    pub(crate) fn receive_from(
        &mut self,
        at: Datagrams,
        time: Duration,
    ) -> Option<(Vec<u8>, (Ipv4Addr, u16))> {
        let end = Instant::now() + time;
        loop {
            let host = self.hosts[at.0].as_mut().unwrap();
            if let Ok((bytes, from)) = host.sockets.get_mut::<udp::Socket<'_>>(at.1).recv() {
                let smoltcp::wire::IpAddress::Ipv4(address) = from.endpoint.addr;
                return Some((bytes.to_vec(), (address, from.endpoint.port)));
            }
            if Instant::now() >= end {
                return None;
            }
            self.run(PAUSE);
        }
    }

    fn socket(&mut self, connection: Connection) -> &mut tcp::Socket<'static> {
        self.hosts[connection.0].as_mut().unwrap().sockets.get_mut(connection.1)
    }

    /// Whether the device has closed it, or it never was.
    pub(crate) fn is_over(&mut self, connection: Connection) -> bool {
        let socket = self.socket(connection);
        // One that was reset may still have something to read.
        !socket.may_recv() || !socket.may_send()
    }

    /// Sends this once the device has let a connection in; false if it does not, in this time.
    pub(crate) fn send_when_up(
        &mut self,
        connection: Connection,
        bytes: &[u8],
        time: Duration,
    ) -> bool {
        let end = Instant::now() + time;
        while self.socket(connection).state() == tcp::State::SynSent && Instant::now() < end {
            self.run(PAUSE);
        }
        self.socket(connection).send_slice(bytes) == Ok(bytes.len())
    }

    /// Sends all of this.
    pub(crate) fn send(&mut self, connection: Connection, bytes: &[u8]) {
        let (mut sent, end) = (0, Instant::now() + TIMEOUT);
        while sent < bytes.len() {
            assert!(Instant::now() < end, "the device takes no more than {sent} bytes");
            let socket = self.socket(connection);
            if socket.may_send() {
                sent += socket.send_slice(&bytes[sent..]).unwrap();
            }
            self.run(PAUSE);
        }
    }

    /// What has come until `done` says so, or the time is over.
    pub(crate) fn receive(
        &mut self,
        connection: Connection,
        time: Duration,
        done: impl Fn(&[u8]) -> bool,
    ) -> Vec<u8> {
        let end = Instant::now() + time;
        let mut all = Vec::new();
        while !done(&all) && Instant::now() < end {
            let socket = self.socket(connection);
            while socket.can_recv() {
                socket
                    .recv(|bytes| {
                        all.extend_from_slice(bytes);
                        (bytes.len(), ())
                    })
                    .unwrap();
            }
            self.run(PAUSE);
        }
        all
    }
}
