//! The network under test and another host on one wire.

use std::net::Ipv4Addr;

use umqtt_net::{Addressing, CloseReason, ConnId, Net, NetEvent, Stack};
use umqtt_net_smoltcp::smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use umqtt_net_smoltcp::smoltcp::socket::tcp;
use umqtt_net_smoltcp::smoltcp::time::Instant;
use umqtt_net_smoltcp::smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr};
use umqtt_net_smoltcp::{NetLimits, SmolNet};

use crate::wire::{Port, Trouble, Wire};

pub(crate) const OURS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const THEIRS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const OUR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(crate) const THEIR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(crate) const PORT: u16 = 1883;

pub(crate) const NETMASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
pub(crate) const FIXED: Addressing = Addressing::fixed(OURS, NETMASK).dns(THEIRS);

/// The other host.
pub(crate) struct Outside {
    pub(crate) interface: Interface,
    pub(crate) sockets: SocketSet<'static>,
    port: Port,
    next_port: u16,
}

impl Outside {
    fn new(mut port: Port) -> Outside {
        let mac = HardwareAddress::Ethernet(EthernetAddress(THEIR_MAC));
        let mut interface = Interface::new(Config::new(mac), &mut port, Instant::ZERO);
        interface
            .update_ip_addrs(|all| all.push(IpCidr::new(IpAddress::Ipv4(THEIRS), 24)).unwrap());
        Outside { interface, sockets: SocketSet::new(vec![]), port, next_port: 50_000 }
    }

    pub(crate) fn add_tcp(&mut self) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        self.sockets.add(socket)
    }

    pub(crate) fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }
}

/// Both, the wire between them, and time.
pub(crate) struct World<N = SmolNet<Port>> {
    pub(crate) net: N,
    pub(crate) outside: Outside,
    pub(crate) wire: Wire,
    pub(crate) now: u64,
}

impl World {
    /// A fixed address, listening on [`PORT`].
    pub(crate) fn new() -> World {
        World::with(NetLimits::CHIP, Trouble::default(), 1)
    }

    pub(crate) fn with(limits: NetLimits, trouble: Trouble, seed: u64) -> World {
        let mut world = World::unconfigured(limits, trouble, seed);
        world.net.set_addressing(FIXED);
        world.net.listen(PORT).unwrap();
        assert_eq!(world.net.poll_link(), Some(true));
        world
    }

    pub(crate) fn unconfigured(limits: NetLimits, trouble: Trouble, seed: u64) -> World {
        let wire = Wire::new(trouble, seed);
        let net = SmolNet::new(wire.port(0), OUR_MAC, seed, limits, umqtt_net::Instant::ZERO);
        World::around(net, wire)
    }

    /// Nothing is left but the listening socket: the next connection has the lowest number but one.
    pub(crate) fn assert_clean(&mut self) {
        self.pass(20);
        assert_eq!(self.events(), []);
        assert_eq!(self.net.sockets_in_use(), 1, "only the listening socket is left");
    }
}

impl<N: Stack> World<N> {
    /// A network whose port on the wire is the first one, and another host at the second.
    pub(crate) fn around(net: N, wire: Wire) -> World<N> {
        World { net, outside: Outside::new(wire.port(1)), wire, now: 0 }
    }

    /// Both do what they can do at this moment; then time passes until something is due, at most to
    /// `until`.
    pub(crate) fn step(&mut self, until: u64) {
        let instant = Instant::from_millis(self.now as i64);
        let now = umqtt_net::Instant::from_millis(self.now);
        self.net.ingress(now);
        let ours = self.net.egress(now).map(umqtt_net::Instant::as_millis);
        let Outside { interface, sockets, port, .. } = &mut self.outside;
        interface.poll(instant, port, sockets);
        if self.wire.deliver(self.now) {
            return;
        }
        let theirs = interface.poll_at(instant, sockets).map(|at| at.total_millis() as u64);
        let next = [ours, theirs, self.wire.next()].into_iter().flatten().min().unwrap_or(until);
        // News for the device is due at once: somebody has to fetch it, and here that is the test.
        self.now = next.clamp(self.now + 1, until.max(self.now + 1));
    }

    /// Lets `ms` milliseconds pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.step(until);
        }
    }

    /// Everything the device would be told now.
    pub(crate) fn events(&mut self) -> Vec<NetEvent> {
        std::iter::from_fn(|| self.net.poll_event()).collect()
    }

    /// The other host starts a connection.
    pub(crate) fn dial(&mut self, port: u16) -> SocketHandle {
        let handle = self.outside.add_tcp();
        let from = self.outside.next_port;
        self.outside.next_port += 1;
        let Outside { interface, sockets, .. } = &mut self.outside;
        let socket = sockets.get_mut::<tcp::Socket>(handle);
        socket.connect(interface.context(), (OURS, port), from).unwrap();
        handle
    }

    /// A connection the device has been told of.
    pub(crate) fn accepted(&mut self) -> (SocketHandle, ConnId) {
        let theirs = self.dial(PORT);
        self.pass(20);
        match self.events()[..] {
            [NetEvent::Accepted { port: PORT, conn, peer }] => {
                assert_eq!(peer.addr.ip(), THEIRS);
                (theirs, conn)
            }
            ref other => panic!("{other:?}"),
        }
    }

    /// The other host sends, as much as it has room for.
    pub(crate) fn say(&mut self, theirs: SocketHandle, bytes: &[u8]) -> usize {
        self.outside.tcp(theirs).send_slice(bytes).unwrap()
    }

    /// What the other host received.
    pub(crate) fn heard(&mut self, theirs: SocketHandle) -> Vec<u8> {
        let mut all = Vec::new();
        let socket = self.outside.tcp(theirs);
        while socket.can_recv() {
            socket
                .recv(|bytes| {
                    all.extend_from_slice(bytes);
                    (bytes.len(), ())
                })
                .unwrap();
        }
        all
    }

    /// What the device receives, taking everything.
    pub(crate) fn take(&mut self, conn: ConnId) -> Vec<u8> {
        let mut all = Vec::new();
        self.net.recv(conn, &mut |bytes| {
            all.extend_from_slice(bytes);
            bytes.len()
        });
        all
    }

    /// The state of the other host's end.
    pub(crate) fn state(&mut self, theirs: SocketHandle) -> tcp::State {
        self.outside.tcp(theirs).state()
    }
}

pub(crate) fn closed(conn: ConnId, reason: CloseReason) -> NetEvent {
    NetEvent::Closed(conn, reason)
}
