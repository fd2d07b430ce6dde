//! The stack passes the suite of every stack; the far end are smoltcp's own sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use umqtt_net::conformance::{self, Far, FarState, FarUdp, Testbed};
use umqtt_net::{Addressing, DualNet, Instant, Interface, Net, Peer, PortUse, Stack, Udp};
use umqtt_net_smoltcp::smoltcp::iface::SocketHandle;
use umqtt_net_smoltcp::smoltcp::socket::{tcp, udp};
use umqtt_net_smoltcp::smoltcp::wire::{IpAddress, IpEndpoint};
use umqtt_net_smoltcp::{NetLimits, SEND_TIMEOUT, SmolNet, UdpLimits};

use crate::wire::{Port, Trouble, Wire};
use crate::world::{FIXED, NETMASK, OUR_MAC, OURS, THEIRS, World};

/// Milliseconds a step lasts at most.
const STEP: u64 = 5;
/// Bytes of datagrams the far end has room for.
const FAR_BYTES: usize = 4096;
const FAR_DATAGRAMS: usize = 16;

/// A world whose outside keeps to the suite.
struct Bed<N = SmolNet<Port>> {
    world: World<N>,
    streams: Vec<Stream>,
    udp: Vec<SocketHandle>,
    next_port: u16,
}

struct Stream {
    handle: SocketHandle,
    /// It was up at some time.
    was_up: bool,
}

impl<N: Stack> Bed<N> {
    fn around(world: World<N>) -> Bed<N> {
        Bed { world, streams: Vec::new(), udp: Vec::new(), next_port: 6000 }
    }

    fn add(&mut self, handle: SocketHandle) -> Far {
        self.streams.push(Stream { handle, was_up: false });
        Far(self.streams.len() - 1)
    }

    fn socket(&mut self, far: Far) -> &mut tcp::Socket<'static> {
        self.world.outside.tcp(self.streams[far.0].handle)
    }

    fn free_port(&mut self) -> u16 {
        self.next_port += 1;
        self.next_port
    }
}

/// A stack that is made for the suite.
trait Made: Stack + Sized {
    const INTERFACE: Interface;

    fn made(connections: usize) -> World<Self>;
}

fn limits(connections: usize) -> NetLimits {
    let outgoing = 2;
    NetLimits::CHIP.sockets(connections + outgoing).outgoing(outgoing)
}

impl Made for SmolNet<Port> {
    const INTERFACE: Interface = Interface::Station;

    fn made(connections: usize) -> World<Self> {
        let mut world = World::unconfigured(limits(connections), Trouble::default(), 1);
        world.net.set_addressing(FIXED);
        world
    }
}

/// An access point, where the far end is, beside a station in another network.
impl Made for DualNet<SmolNet<Port>, SmolNet<Port>> {
    const INTERFACE: Interface = Interface::AccessPoint;

    fn made(connections: usize) -> World<Self> {
        let (outer, inner) = (Wire::new(Trouble::default(), 1), Wire::new(Trouble::default(), 2));
        let mut station =
            SmolNet::new(outer.port(0), OUR_MAC, 3, limits(connections), Instant::ZERO);
        station.set_addressing(Addressing::fixed([192, 168, 7, 7].into(), NETMASK));
        let mut point = SmolNet::new(inner.port(0), OUR_MAC, 4, limits(connections), Instant::ZERO);
        point.set_interface(Interface::AccessPoint);
        point.set_addressing(FIXED);
        World::around(DualNet::new(station, point, Interface::AccessPoint), inner)
    }
}

impl<N: Made> Testbed for Bed<N> {
    type Net = N;

    fn new(connections: usize) -> Bed<N> {
        Bed::around(N::made(connections))
    }

    fn net(&mut self) -> &mut N {
        &mut self.world.net
    }

    fn step(&mut self) {
        self.world.step(self.world.now + STEP);
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.world.now)
    }

    fn address(&self) -> IpAddr {
        IpAddr::V4(OURS)
    }

    fn far_address(&self) -> IpAddr {
        IpAddr::V4(THEIRS)
    }

    fn interface(&self) -> Interface {
        N::INTERFACE
    }

    fn far_connect(&mut self, port: u16) -> Far {
        let handle = self.world.dial(port);
        self.add(handle)
    }

    fn far_listen(&mut self) -> u16 {
        let port = self.free_port();
        let handle = self.world.outside.add_tcp();
        self.world.outside.tcp(handle).listen(port).unwrap();
        self.add(handle);
        port
    }

    fn far_accept(&mut self, port: u16) -> Option<Far> {
        let far = (0..self.streams.len()).map(Far).find(|far| {
            let local = self.socket(*far).local_endpoint();
            local.is_some_and(|local| local.port == port)
        })?;
        (self.far_state(far) == FarState::Open).then_some(far)
    }

    fn far_write(&mut self, far: Far, bytes: &[u8]) -> usize {
        self.socket(far).send_slice(bytes).unwrap_or(0)
    }

    fn far_read(&mut self, far: Far) -> Vec<u8> {
        let handle = self.streams[far.0].handle;
        self.world.heard(handle)
    }

    fn far_state(&mut self, far: Far) -> FarState {
        let socket = self.socket(far);
        let state = match socket.state() {
            tcp::State::Listen | tcp::State::SynSent | tcp::State::SynReceived => {
                FarState::Connecting
            }
            tcp::State::Closed => FarState::Reset,
            tcp::State::CloseWait
            | tcp::State::LastAck
            | tcp::State::Closing
            | tcp::State::TimeWait => match socket.can_recv() {
                true => FarState::Open,
                false => FarState::Ended,
            },
            tcp::State::Established | tcp::State::FinWait1 | tcp::State::FinWait2 => FarState::Open,
        };
        self.streams[far.0].was_up |= state == FarState::Open;
        state
    }

    fn far_shutdown(&mut self, far: Far) {
        self.socket(far).close();
    }

    fn far_reset(&mut self, far: Far) {
        self.socket(far).abort();
    }

    fn far_bind(&mut self, group: Option<Ipv4Addr>) -> (FarUdp, u16) {
        let port = self.free_port();
        let buffer = || {
            let metadata = vec![udp::PacketMetadata::EMPTY; FAR_DATAGRAMS];
            udp::PacketBuffer::new(metadata, vec![0; FAR_BYTES])
        };
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(port).unwrap();
        if let Some(group) = group {
            self.world.outside.interface.join_multicast_group(group).unwrap();
        }
        self.udp.push(self.world.outside.sockets.add(socket));
        (FarUdp(self.udp.len() - 1), port)
    }

    fn far_send_to(&mut self, socket: FarUdp, bytes: &[u8], to: SocketAddr) {
        let handle = self.udp[socket.0];
        let IpAddr::V4(address) = to.ip() else { unreachable!() };
        let to = IpEndpoint::new(IpAddress::Ipv4(address), to.port());
        // It waits for room: what is lost shall be lost by the stack.
        while self
            .world
            .outside
            .sockets
            .get_mut::<udp::Socket>(handle)
            .send_slice(bytes, to)
            .is_err()
        {
            self.step();
        }
    }

    fn far_recv_from(&mut self, socket: FarUdp) -> Option<(Vec<u8>, SocketAddr)> {
        let handle = self.udp[socket.0];
        let (bytes, meta) =
            self.world.outside.sockets.get_mut::<udp::Socket>(handle).recv().ok()?;
        let IpAddress::Ipv4(address) = meta.endpoint.addr;
        Some((bytes.to_vec(), SocketAddr::from((address, meta.endpoint.port))))
    }
}

#[test]
fn connections_are_as_promised() {
    conformance::run(&conformance::tcp::cases::<Bed>());
}

#[test]
fn bounds_are_as_promised() {
    conformance::run(&conformance::limits::cases::<Bed>());
}

#[test]
fn datagrams_are_as_promised() {
    conformance::run(&conformance::udp::cases::<Bed>());
}

type Dual = DualNet<SmolNet<Port>, SmolNet<Port>>;

#[test]
fn two_stacks_are_as_good_as_one() {
    conformance::run(&conformance::tcp::cases::<Bed<Dual>>());
    conformance::run(&conformance::limits::cases::<Bed<Dual>>());
    conformance::run(&conformance::udp::cases::<Bed<Dual>>());
}

#[test]
fn two_stacks_have_both_addresses() {
    let mut bed = Bed::<Dual>::new(2);
    let mut all = Vec::new();
    bed.net().addresses(&mut |own| all.push((own.interface, own.address, own.prefix)));
    let station = (Interface::Station, IpAddr::from([192, 168, 7, 7]), 24);
    assert_eq!(all, [station, (Interface::AccessPoint, IpAddr::V4(OURS), 24)]);
}

#[test]
fn a_neighbour_that_does_not_answer_holds_up_the_others_for_a_bounded_time() {
    let mut bed = Bed::<SmolNet<Port>>::new(2);
    let (far, port) = bed.far_bind(None);
    let socket = bed.net().bind(0, PortUse::Exclusive).unwrap().id;
    let to = |address: Ipv4Addr| Peer::new((address, port).into(), Interface::Station);
    let nobody = to(Ipv4Addr::new(10, 0, 0, 99));
    for _ in 0..UdpLimits::CHIP.datagrams {
        let _ = bed.net().send_to(socket, &[0; 100], nobody);
    }
    bed.world.pass(SEND_TIMEOUT.as_millis() + 1_500);
    assert_eq!(bed.net().send_to(socket, b"next", to(THEIRS)), Ok(()));
    bed.world.pass(100);
    assert_eq!(bed.far_recv_from(far).map(|(bytes, _)| bytes), Some(b"next".to_vec()));
    assert!(bed.net().udp().is_some());
}
