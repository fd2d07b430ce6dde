//! Ports that are listened on.
//!
//! smoltcp has no backlog: a listening socket becomes the connection, and until another one listens
//! the next SYN is refused. So each port has one listening socket, and after every single frame it
//! is looked whether it was taken and another one must take its place. A SYN flood finds a bounded
//! number of half-open connections; beyond it the oldest of the address that has most of them is
//! dropped, so that an honest handshake, which takes one round trip, gets through between the
//! others. Where there is room for one socket only, the ports take turns.

use core::cmp::Reverse;

use smoltcp::phy::Device;
use smoltcp::socket::tcp;
use umqtt_net::{Duration, Instant, NetError, Readiness};

use super::SmolNet;
use crate::connection::{Connection, Phase};
use crate::table::HANDSHAKE_TIMEOUT;
use crate::tcp_inspector::Syn;

/// Ports listened on at a time: broker, console, a script upload, and one to spare while one is
/// changed.
pub const MAX_PORTS: usize = 4;
/// Handshakes that are too few to take turns when all places are taken: one in so few would not
/// last a round trip.
const FEW_HANDSHAKES: usize = 4;
/// How long one of these few is left in peace; then it makes way.
const HANDSHAKE_GRACE: Duration = Duration::from_millis(100);

impl<D: Device> SmolNet<D> {
    pub(crate) fn start_listening(&mut self, port: u16) -> Result<u16, NetError> {
        let port = if port == 0 { self.free_local_port() } else { port };
        if self.ports.contains(&port) {
            return Err(NetError::PortInUse);
        }
        self.ports.push(port).map_err(|_| NetError::Full)?;
        self.refill();
        Ok(port)
    }

    pub(crate) fn stop_listening(&mut self, port: u16) {
        self.ports.retain(|open| *open != port);
        for place in 0..self.table.len() {
            let Some(connection) = self.table.get(place) else { continue };
            let waits = matches!(connection.phase, Phase::Listening | Phase::HalfOpen { .. });
            if waits && connection.port == port {
                self.table.forget(place);
            }
        }
    }

    /// Sees to it that somebody listens on every port, as far as there is room: first on the one
    /// that has been without for longest.
    pub(crate) fn refill(&mut self) {
        let mut at = 0;
        for _ in 0..self.ports.len() {
            let port = self.ports[at];
            if self.is_listened_on(port) {
                at += 1;
                continue;
            }
            self.make_way();
            if self.listen_once(port) {
                // It was served: behind all others.
                self.ports[at..].rotate_left(1);
            } else {
                at += 1;
            }
        }
    }

    /// Whether the listening socket of a port still listens; if it does not, somebody knocked.
    fn is_listened_on(&mut self, port: u16) -> bool {
        let now = self.now;
        for place in 0..self.table.len() {
            let Some((connection, socket)) = self.table.both(place) else { continue };
            if connection.port == port && matches!(connection.phase, Phase::Listening) {
                if socket.is_listening() {
                    return true;
                }
                connection.phase = Phase::HalfOpen { since: now };
            }
        }
        false
    }

    /// Whether a port has no listening socket, as there was no room for one.
    pub(crate) fn has_unheard_port(&self) -> bool {
        let heard = |port: &u16| {
            let listens = |connection: &Connection| matches!(connection.phase, Phase::Listening);
            self.table.iter().any(|(_, place)| place.port == *port && listens(place))
        };
        !self.ports.iter().all(heard)
    }

    /// One more socket that listens on a port; false if there is no room for it.
    fn listen_once(&mut self, port: u16) -> bool {
        if !self.table.has_room_to_listen() {
            return false;
        }
        let Some(handle) = self.table.open_socket() else { return false };
        let listens = self.table.sockets.get_mut::<tcp::Socket>(handle).listen(port).is_ok()
            && self.table.insert(Connection::new(Phase::Listening, Some(handle), port)).is_some();
        if listens {
            self.table.listeners_last();
        } else {
            self.table.sockets.remove(handle);
        }
        listens
    }

    /// Drops a handshake when there are too many, or when it keeps others from knocking: the oldest
    /// of the address that has the most of them. So whoever sends many SYNs pushes out his own, and
    /// one of an address that has no other goes last.
    fn make_way(&mut self) {
        let half_open = || {
            self.table.iter().filter_map(|(place, connection)| {
                let Phase::HalfOpen { since } = connection.phase else { return None };
                let socket = self.table.sockets.get::<tcp::Socket>(connection.socket?);
                Some((since, place, socket.remote_endpoint().map(|peer| peer.addr)))
            })
        };
        let of = |peer| half_open().filter(|(.., other)| *other == peer).count();
        let ranked = half_open().map(|(since, place, peer)| (Reverse(of(peer)), since, place));
        let (Some((_, since, place)), count) = (ranked.min(), half_open().count()) else { return };
        let ripe = count > FEW_HANDSHAKES || since + HANDSHAKE_GRACE <= self.now;
        let full = !self.table.has_room_to_listen() && ripe;
        if count > self.table.limits().half_open || full {
            self.table.forget(place);
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// A SYN has come. If it was to a port that is open, and no socket has it now, nobody listens
    /// there for want of a place or of memory.
    pub(crate) fn note_syn(&mut self, syn: Syn) {
        let taken =
            self.table.iter().filter_map(|(_, connection)| connection.socket).any(|handle| {
                let socket = self.table.sockets.get::<tcp::Socket>(handle);
                socket.remote_endpoint() == Some(syn.from)
            });
        let ours = self.interface.has_ip_addr(syn.to.addr);
        if ours && self.ports.contains(&syn.to.port) && !taken {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Looks how a handshake gets on.
    pub(crate) fn poll_handshake(&mut self, place: u32, since: Instant) {
        let now = self.now;
        let Some((connection, socket)) = self.table.both(place) else { return };
        match socket.state() {
            tcp::State::SynReceived if now < since + HANDSHAKE_TIMEOUT => {}
            // It was reset (and then listens again, which others do already), or never ended.
            tcp::State::SynReceived | tcp::State::Listen | tcp::State::Closed => {
                self.table.forget(place);
            }
            _ => {
                connection.phase = Phase::Open;
                self.table.report(place, Readiness::Accepted);
            }
        }
    }
}
