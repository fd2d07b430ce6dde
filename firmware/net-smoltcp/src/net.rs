//! One turn: frames in, events for the device, frames out.

mod address;
mod calls;
mod connect;
#[cfg(feature = "multicast")]
mod groups;
mod listen;
mod lookups;
#[cfg(not(feature = "multicast"))]
mod no_groups;
#[cfg(feature = "udp")]
mod udp;

use core::net::Ipv4Addr;

use smoltcp::iface::{Config, Interface, PollIngressSingleResult, PollResult};
use smoltcp::phy::Device;
use smoltcp::socket::tcp;
use smoltcp::time;
use smoltcp::wire::{EthernetAddress, HardwareAddress};
use umqtt_net::{CloseReason, Instant, Readiness, Stack};

use crate::NetLimits;
use crate::connection::Phase;
use crate::dhcp_client::DhcpClient;
use crate::names::Names;
use crate::table::Table;
use crate::tcp_inspector::TcpInspector;
use crate::udp_sockets::UdpSockets;

pub use calls::LINGER_TIMEOUT;
pub use connect::CONNECT_TIMEOUT;
pub use listen::MAX_PORTS;

/// Frames taken per poll, so that a flood does not keep the device from its turn.
const FRAMES_PER_POLL: usize = 16;
/// Rounds of one segment per socket sent per poll.
const ROUNDS_PER_POLL: usize = 16;
/// Sockets that are not in the table: the DHCP client.
const OTHER_SOCKETS: usize = 1;

/// The network of a device.
pub struct SmolNet<D: Device> {
    device: TcpInspector<D>,
    pub(crate) interface: Interface,
    pub(crate) table: Table,
    pub(crate) ports: heapless::Vec<u16, MAX_PORTS>,
    pub(crate) dhcp: Option<DhcpClient>,
    pub(crate) names: Names,
    /// The name server of the settings.
    pub(crate) own_server: Option<Ipv4Addr>,
    pub(crate) was_up: bool,
    /// The next port to connect from.
    pub(crate) local_port: u16,
    pub(crate) now: Instant,
    /// There may be more frames than were taken.
    more: bool,
    /// Connections that found no place or no memory.
    pub(crate) refused: u32,
    pub(crate) udp: UdpSockets,
    /// Which of the device's networks it is.
    pub(crate) interface_kind: umqtt_net::Interface,
}

impl<D: Device> SmolNet<D> {
    /// A network without an address: see [`SmolNet::set_addressing`]. The seed makes sequence
    /// numbers and ports hard to guess, so it should differ from start to start.
    pub fn new(device: D, mac: [u8; 6], seed: u64, limits: NetLimits, now: Instant) -> SmolNet<D> {
        let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(mac)));
        config.random_seed = seed;
        let mut device = TcpInspector::new(device);
        let interface = Interface::new(config, &mut device, smoltcp_instant(now));
        let table = Table::new(limits, OTHER_SOCKETS + UdpSockets::places(&limits));
        SmolNet {
            device,
            interface,
            table,
            ports: heapless::Vec::new(),
            dhcp: None,
            // Another sequence of numbers than the interface's.
            names: Names::new(seed.rotate_left(32)),
            own_server: None,
            was_up: false,
            local_port: (seed >> 16) as u16,
            now,
            more: false,
            refused: 0,
            udp: UdpSockets::new(&limits),
            interface_kind: umqtt_net::Interface::Station,
        }
    }

    /// Makes it another one of the device's networks than the station's.
    pub fn set_interface(&mut self, interface: umqtt_net::Interface) {
        self.interface_kind = interface;
    }

    /// The driver.
    pub fn device(&mut self) -> &mut D {
        &mut self.device.driver
    }

    /// Sockets there are now, of the [`NetLimits::sockets`] there may be: those that listen are
    /// counted too.
    pub fn sockets_in_use(&self) -> usize {
        self.table.limits().sockets - self.table.room()
    }

    /// One turn without a device between: see [`Stack`].
    pub fn poll(&mut self, now: Instant) -> Option<Instant> {
        self.ingress(now);
        self.egress(now)
    }

    /// True if there may be more.
    fn take_frames(&mut self) -> bool {
        for _ in 0..FRAMES_PER_POLL {
            let now = smoltcp_instant(self.now);
            let sockets = &mut self.table.sockets;
            let result = self.interface.poll_ingress_single(now, &mut self.device, sockets);
            if let Some(syn) = self.device.take_syn() {
                self.note_syn(syn);
            }
            self.take_answers();
            match result {
                PollIngressSingleResult::None => return false,
                PollIngressSingleResult::PacketProcessed => {}
                PollIngressSingleResult::SocketStateChanged => self.refill(),
            }
        }
        true
    }

    fn send_frames(&mut self) {
        for _ in 0..ROUNDS_PER_POLL {
            let now = smoltcp_instant(self.now);
            let sockets = &mut self.table.sockets;
            if self.interface.poll_egress(now, &mut self.device, sockets) == PollResult::None {
                return;
            }
        }
    }

    /// Reports what has changed of every socket.
    fn poll_sockets(&mut self) {
        for place in 0..self.table.len() {
            let Some(connection) = self.table.get(place) else { continue };
            match connection.phase {
                Phase::HalfOpen { since } => {
                    self.poll_handshake(place, since);
                    self.poll_open(place);
                }
                Phase::Connecting(_) => {
                    self.poll_attempt(place);
                    self.poll_open(place);
                }
                Phase::Open => self.poll_open(place),
                Phase::Lingering { until } => self.poll_lingering(place, until),
                Phase::Listening | Phase::Resolved(_) | Phase::Closed { .. } => {}
            }
        }
    }

    fn poll_open(&mut self, place: u32) {
        let Some((connection, socket)) = self.table.both(place) else { return };
        if !connection.is_open() {
            return;
        }
        if socket.state() == tcp::State::Closed {
            return self.table.close(place, CloseReason::Reset);
        }
        let waiting = socket.recv_queue();
        let readable = waiting > connection.seen;
        connection.seen = waiting;
        // Half a buffer at least: small pieces cost a segment each.
        let room = socket.send_capacity() - socket.send_queue();
        let writable = connection.is_blocked() && room * 2 >= socket.send_capacity();
        if writable {
            connection.set_blocked(false);
        }
        if readable {
            self.table.report(place, Readiness::Readable);
        }
        if writable {
            self.table.report(place, Readiness::Writable);
        }
        self.check_peer_closed(place);
    }

    fn poll_lingering(&mut self, place: u32, until: Instant) {
        let now = self.now;
        let Some(socket) = self.table.socket(place) else { return };
        // Thrown away, for what is not read keeps the other end from sending that it has finished.
        while socket.can_recv() {
            if socket.recv(|bytes| (bytes.len(), ())).is_err() {
                break;
            }
        }
        // Our last acknowledgement has left. Waiting after it (RFC 9293, section 3.6.1) would keep
        // the memory of a connection nobody uses.
        if until <= now || matches!(socket.state(), tcp::State::TimeWait | tcp::State::Closed) {
            self.table.close(place, CloseReason::Done);
        }
    }

    /// Whether there is something to report.
    fn has_events(&self) -> bool {
        self.table.has_events() || self.udp.has_events()
    }

    /// The longest packet the driver can send, bytes.
    #[cfg(feature = "udp")]
    pub(crate) fn ip_mtu(&self) -> usize {
        self.device.capabilities().ip_mtu()
    }

    fn poll_at(&mut self) -> Option<Instant> {
        let now = smoltcp_instant(self.now);
        let stack = self.interface.poll_at(now, &self.table.sockets);
        let stack =
            stack.map(|at| Instant::from_millis(u64::try_from(at.total_millis()).unwrap_or(0)));
        let lease = self.dhcp.as_ref().and_then(DhcpClient::deadline);
        let names = self.names.poll_at();
        self.table.deadlines().chain(stack).chain(lease).chain(names).min()
    }
}

// Out of line: their stack is not there while the device has its turn.
impl<D: Device> Stack for SmolNet<D> {
    #[inline(never)]
    fn ingress(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.refill();
        self.more = self.take_frames();
        self.poll_lease();
        self.poll_lookups();
        self.poll_sockets();
        self.udp.poll(&mut self.table.sockets);
    }

    #[inline(never)]
    fn egress(&mut self, now: Instant) -> Option<Instant> {
        self.now = self.now.max(now);
        // What the device has asked for meanwhile.
        self.poll_lookups();
        // Timers run out in here too, and our last acknowledgements leave.
        self.send_frames();
        self.poll_sockets();
        if self.table.has_closed() {
            self.send_frames();
            self.table.free_closed();
            self.refill();
        }
        let stuck = self.udp.drop_stuck(&mut self.table.sockets, self.now);
        if self.more || self.has_events() {
            return Some(self.now);
        }
        self.poll_at().into_iter().chain(stuck).min()
    }
}

fn smoltcp_instant(now: Instant) -> time::Instant {
    time::Instant::from_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
