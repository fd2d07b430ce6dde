//! One poll: frames in, news for the device, frames out.

use core::net::Ipv4Addr;

use smoltcp::iface::{Config, Interface, PollIngressSingleResult, PollResult, SocketHandle};
use smoltcp::phy::Device;
use smoltcp::socket::{dns, tcp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress};
use umqtt_net::{CloseReason, Readiness};

use crate::NetLimits;
use crate::connection::{Millis, Phase};
use crate::fin_splitter::FinSplitter;
use crate::listen::MAX_PORTS;
use crate::table::Table;

/// Frames taken per poll, so that a flood does not keep the device from its turn.
const FRAMES_PER_POLL: usize = 16;
/// Rounds of one segment per socket sent per poll.
const ROUNDS_PER_POLL: usize = 16;
/// Sockets that are not in the table: the DHCP and the DNS client.
const OTHER_SOCKETS: usize = 2;

/// The network of a device.
pub struct SmolNet<D: Device> {
    device: FinSplitter<D>,
    pub(crate) interface: Interface,
    pub(crate) table: Table,
    pub(crate) ports: heapless::Vec<u16, MAX_PORTS>,
    pub(crate) dhcp: Option<SocketHandle>,
    pub(crate) resolver: SocketHandle,
    /// The name server of the settings.
    pub(crate) own_server: Option<Ipv4Addr>,
    pub(crate) was_up: bool,
    /// The next port to connect from.
    pub(crate) local_port: u16,
    pub(crate) now: Millis,
}

impl<D: Device> SmolNet<D> {
    /// A network without an address: see [`SmolNet::set_addressing`]. The seed makes sequence numbers and ports hard to
    /// guess, so it should differ from start to start.
    pub fn new(device: D, mac: [u8; 6], seed: u64, limits: NetLimits, now: Millis) -> SmolNet<D> {
        let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(mac)));
        config.random_seed = seed;
        let mut device = FinSplitter::new(device);
        let interface = Interface::new(config, &mut device, instant(now));
        let mut table = Table::new(limits, OTHER_SOCKETS);
        let resolver = table.sockets.add(dns::Socket::new(&[], alloc::vec::Vec::new()));
        SmolNet {
            device,
            interface,
            table,
            ports: heapless::Vec::new(),
            dhcp: None,
            resolver,
            own_server: None,
            was_up: false,
            local_port: (seed >> 16) as u16,
            now,
        }
    }

    /// The driver.
    pub fn device(&mut self) -> &mut D {
        &mut self.device.driver
    }

    /// Sockets there are now, of the [`NetLimits::sockets`] there may be: those that listen are counted too.
    pub fn sockets_in_use(&self) -> usize {
        self.table.limits().sockets - self.table.room()
    }

    /// Takes what came in and sends what waits, both up to a bound. Returns when to come back at the latest if no frame
    /// arrives: a time not after `now` means at once, or that there is news for the device.
    pub fn poll(&mut self, now: Millis) -> Option<Millis> {
        self.now = self.now.max(now);
        self.refill();
        let more = self.take_frames();
        // Timers run out in here too, and our last acknowledgements leave.
        self.send_frames();
        self.lease_progress();
        self.poll_sockets();
        if self.table.has_closed() {
            self.send_frames();
            self.table.free_closed();
            self.refill();
        }
        if more || self.table.has_events() {
            return Some(self.now);
        }
        self.poll_at()
    }

    /// True if there may be more.
    fn take_frames(&mut self) -> bool {
        for _ in 0..FRAMES_PER_POLL {
            let now = instant(self.now);
            let sockets = &mut self.table.sockets;
            match self.interface.poll_ingress_single(now, &mut self.device, sockets) {
                PollIngressSingleResult::None => return false,
                PollIngressSingleResult::PacketProcessed => {}
                PollIngressSingleResult::SocketStateChanged => self.refill(),
            }
        }
        true
    }

    fn send_frames(&mut self) {
        for _ in 0..ROUNDS_PER_POLL {
            let now = instant(self.now);
            let sockets = &mut self.table.sockets;
            if self.interface.poll_egress(now, &mut self.device, sockets) == PollResult::None {
                return;
            }
        }
    }

    /// Looks what became of every socket.
    fn poll_sockets(&mut self) {
        for place in 0..self.table.len() {
            let Some(connection) = self.table.get(place) else { continue };
            match connection.phase {
                Phase::HalfOpen { since } => {
                    self.handshake_progress(place, since);
                    self.open_progress(place);
                }
                Phase::Connecting(_) => {
                    self.attempt_progress(place);
                    self.open_progress(place);
                }
                Phase::Open => self.open_progress(place),
                Phase::Lingering { until } => self.linger_progress(place, until),
                Phase::Listening | Phase::Closed { .. } => {}
            }
        }
    }

    fn open_progress(&mut self, place: u32) {
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
        let writable = connection.blocked && room * 2 >= socket.send_capacity();
        connection.blocked &= !writable;
        if readable {
            self.table.report(place, Readiness::Readable);
        }
        if writable {
            self.table.report(place, Readiness::Writable);
        }
        self.check_peer_closed(place);
    }

    fn linger_progress(&mut self, place: u32, until: Millis) {
        let now = self.now;
        let Some(socket) = self.table.socket(place) else { return };
        // Thrown away, for what is not read keeps the other end from sending that it has finished.
        while socket.can_recv() {
            if socket.recv(|bytes| (bytes.len(), ())).is_err() {
                break;
            }
        }
        // Our last acknowledgement has left. Waiting after it (RFC 9293, section 3.6.1) would keep the memory of a
        // connection nobody uses.
        if until <= now || matches!(socket.state(), tcp::State::TimeWait | tcp::State::Closed) {
            self.table.close(place, CloseReason::Done);
        }
    }

    fn poll_at(&mut self) -> Option<Millis> {
        let now = instant(self.now);
        let stack = self.interface.poll_at(now, &self.table.sockets);
        let stack = stack.map(|at| Millis::try_from(at.total_millis()).unwrap_or(0));
        self.table.deadlines().chain(stack).min()
    }
}

/// Milliseconds as smoltcp has them.
fn instant(now: Millis) -> Instant {
    Instant::from_millis(i64::try_from(now).unwrap_or(i64::MAX))
}
