//! The broker's clients: what they send goes into the broker, and what it has for them goes out.

use alloc::vec;
use alloc::vec::Vec;

use core::net::IpAddr;

use umqtt_net::{Duration, Instant};

use super::Device;
use super::access::BrokerAccess;
use super::backpressure::{Backpressure, ReadState};
use super::connections::Role;
use super::service::Service;
use crate::log::Level;
use crate::net::{ConnId, Net, NetEvent, Peer};
use crate::platform::Platform;

/// Between two lines of the log that tell of a wrong password.
const REFUSALS_APART: Duration = Duration::from_secs(60);

/// Bytes that all clients together are sent, about, before what they have sent is looked at again.
const SENT_PER_PASS: usize = 16 * 1024 * 1024;
/// Bytes of that which each of them gets in any case.
const LEAST_SHARE: usize = 16 * 1024;

/// Moves bytes between the network and the broker.
pub(super) struct MqttClients {
    send_buffer: Vec<u8>,
    /// Bytes clients sent since what is outgoing was last looked at.
    unflushed: usize,
    backpressure: Backpressure,
    /// When the log may tell again of one whose password is wrong.
    next_refusal: Instant,
}

impl<P: Platform> Service<P> for MqttClients {
    fn handle_event(
        device: &mut Device<P>,
        conn: ConnId,
        event: NetEvent,
        net: &mut dyn Net,
    ) -> bool {
        if let NetEvent::Accepted { port, peer, .. } = event {
            return MqttClients::accept(device, port, conn, peer, net);
        }
        let Role::Mqtt(read_state) = device.connections.role(conn) else { return false };
        let now = device.state.now;
        match event {
            NetEvent::Readable(_) => {
                if !MqttClients::pause(device, conn, read_state, net) {
                    MqttClients::read(device, conn, net);
                }
            }
            NetEvent::Writable(_) => MqttClients::send_share(device, conn, net),
            NetEvent::PeerClosed(_) => {
                // Half-close: answers to what it sent last are still wanted.
                MqttClients::flush(device, net);
                MqttClients::send(device, conn, usize::MAX, net);
                if matches!(device.connections.role(conn), Role::Mqtt(_)) {
                    device.state.broker.closed(conn, now);
                    device.connections.set_role(conn, Role::Other);
                    net.close(conn);
                }
            }
            NetEvent::Closed(..) => {
                device.state.broker.closed(conn, now);
                device.connections.set_role(conn, Role::Other);
                // The number may be another connection's next: nothing about this one may stay.
                MqttClients::flush(device, net);
            }
            NetEvent::Accepted { .. }
            | NetEvent::Connected(_)
            | NetEvent::Resolved(..)
            | NetEvent::Datagram(_) => {}
        }
        true
    }

    fn handle_timeout(device: &mut Device<P>, net: &mut dyn Net) {
        MqttClients::resume_paused(device, net);
        let now = device.state.now;
        if device.state.broker.poll_at().is_some_and(|at| at <= now) && device.state.has_margin() {
            device.state.broker.handle_timeout(now);
        }
    }

    fn poll_at(device: &mut Device<P>) -> Option<Instant> {
        let broker = device.state.broker.poll_at();
        let Some(next_turn) = device.mqtt.backpressure.next_turn() else { return broker };
        let waits = MqttClients::is_pausing(device) || device.state.broker.is_holding();
        let resume = if waits { next_turn } else { device.state.now };
        Some(broker.map_or(resume, |at| at.min(resume)))
    }
}

impl MqttClients {
    /// With a buffer of so many bytes to send from.
    pub(super) fn new(send_buffer: usize) -> MqttClients {
        MqttClients {
            send_buffer: vec![0; send_buffer],
            unflushed: 0,
            backpressure: Backpressure::default(),
            next_refusal: Instant::ZERO,
        }
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        self.send_buffer.capacity()
    }

    fn accept<P: Platform>(
        device: &mut Device<P>,
        port: u16,
        conn: ConnId,
        peer: Peer,
        net: &mut dyn Net,
    ) -> bool {
        let state = &mut *device.state;
        if state.listeners.mqtt() != Some(port) {
            return false;
        }
        MqttClients::flush(device, net);
        let state = &mut *device.state;
        let mut access = BrokerAccess::new(&state.settings);
        // What the broker refuses, it counts.
        if state.broker.open(conn, peer, state.now, &mut access).is_ok() {
            device.connections.set_role(conn, Role::Mqtt(ReadState::Free));
        } else {
            net.abort(conn);
        }
        MqttClients::abort_displaced(device, net);
        true
    }

    /// The network has no room for one more connection: one of several that have not sent their
    /// CONNECT gives way. False if there are none.
    pub(super) fn make_way<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) -> bool {
        MqttClients::flush(device, net);
        let made = device.state.broker.make_way(device.state.now);
        MqttClients::abort_displaced(device, net);
        made
    }

    /// Drops the connection that has just given way to another: closed in good order, it would keep
    /// its place in the network for as long as its other end likes. All others were closed before.
    fn abort_displaced<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) {
        while let Some(conn) = device.state.broker.poll_close() {
            net.abort(conn);
            device.connections.set_role(conn, Role::Other);
        }
    }

    /// Takes what a client has sent.
    fn read<P: Platform>(device: &mut Device<P>, conn: ConnId, net: &mut dyn Net) {
        let state = &mut device.state;
        let before = state.broker.stats().messages_received;
        let mut access = BrokerAccess::new(&state.settings);
        let mut held = false;
        let taken = net.recv(conn, &mut |bytes| {
            let taken = state.broker.receive_or_hold(conn, bytes, state.now, &mut access);
            held = taken < bytes.len();
            taken
        });
        let refused = access.refused;
        let published = state.broker.stats().messages_received > before;
        let read_state = if published { ReadState::Publishing } else { ReadState::Free };
        device.connections.set_role(conn, Role::Mqtt(read_state));
        if held {
            MqttClients::hold(device, conn);
        }
        device.mqtt.unflushed += taken;
        if let Some(peer) = refused {
            MqttClients::tell_refusal(device, peer);
        }
        // The other half is for what one read brings: see `max_control_bytes`.
        let most = device.state.options.limits.max_control_bytes / 2;
        if device.mqtt.unflushed >= most || MqttClients::is_short(device) {
            MqttClients::flush(device, net);
        }
    }

    /// Logs whose password was wrong, now and then: who tries again and again fills no log.
    fn tell_refusal<P: Platform>(device: &mut Device<P>, peer: IpAddr) {
        let state = &mut *device.state;
        if state.now < device.mqtt.next_refusal {
            return;
        }
        device.mqtt.next_refusal = state.now.saturating_add(REFUSALS_APART);
        let wrong = "refused: wrong broker_user or broker_password";
        state.log(Level::Info, format_args!("client from {peer} {wrong}"));
    }

    /// Sends what waits for clients, to each its share, and closes what the broker wants closed.
    pub(super) fn flush<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) {
        device.mqtt.unflushed = 0;
        for _ in 0..device.state.broker.writable_len() {
            let Some(conn) = device.state.broker.poll_writable() else { break };
            MqttClients::send_share(device, conn, net);
        }
        while let Some(conn) = device.state.broker.poll_close() {
            net.close(conn);
            device.connections.set_role(conn, Role::Other);
        }
    }

    /// Whether there is more to send that the network may take.
    pub(super) fn has_more<P: Platform>(device: &Device<P>) -> bool {
        device.state.broker.writable_len() > 0
    }

    /// Sends a client its share: what is left of it has its turn after all others, and after what
    /// they have sent meanwhile. The more there are, the smaller it is.
    fn send_share<P: Platform>(device: &mut Device<P>, conn: ConnId, net: &mut dyn Net) {
        let clients = device.state.broker.writable_len() + 1;
        let most = device.mqtt.send_buffer.len().max(LEAST_SHARE);
        let share = (SENT_PER_PASS / clients).clamp(LEAST_SHARE, most);
        if !MqttClients::send(device, conn, share, net) {
            device.state.broker.put_off(conn);
        }
    }

    /// Sends as much as the network takes, so many bytes at most; false if that was less than there
    /// is. What the network does not take goes when it is writable again.
    fn send<P: Platform>(
        device: &mut Device<P>,
        conn: ConnId,
        mut most: usize,
        net: &mut dyn Net,
    ) -> bool {
        let (broker, buffer) = (&mut device.state.broker, &mut device.mqtt.send_buffer);
        loop {
            let first = broker.outgoing(conn);
            let n = first.len();
            if n == 0 || most == 0 {
                return n == 0;
            }
            let (all, sent) = if n >= buffer.len() {
                // Large ones go as they are, small ones many at a time.
                let piece = &first[..n.min(most)];
                (piece.len(), net.send(conn, piece))
            } else {
                let n = broker.copy_outgoing(conn, buffer).min(most);
                (n, net.send(conn, &buffer[..n]))
            };
            broker.sent(conn, sent);
            most -= sent;
            if sent < all {
                return true;
            }
        }
    }

    /// Whether the messages that wait leave little memory for more.
    fn is_short<P: Platform>(device: &Device<P>) -> bool {
        let state = &device.state;
        Backpressure::is_short(state.broker.memory_left(), state.options.limits.max_memory)
            || state.broker.journal_is_behind()
    }

    fn is_pausing<P: Platform>(device: &mut Device<P>) -> bool {
        let short = MqttClients::is_short(device);
        device.mqtt.backpressure.is_active(short, device.state.now)
    }

    /// Leaves what a client has sent where it is, if it is to wait; false if it may be taken.
    fn pause<P: Platform>(
        device: &mut Device<P>,
        conn: ConnId,
        read_state: ReadState,
        net: &mut dyn Net,
    ) -> bool {
        if !MqttClients::is_pausing(device) {
            return false;
        }
        let mut pauses = false;
        look(conn, net, |bytes| pauses = Backpressure::should_pause(read_state, bytes));
        if pauses {
            MqttClients::hold(device, conn);
        }
        pauses
    }

    /// Leaves what a client has sent where it is, for now.
    pub(super) fn hold<P: Platform>(device: &mut Device<P>, conn: ConnId) {
        device.connections.set_role(conn, Role::Mqtt(ReadState::Paused));
        device.mqtt.backpressure.note_paused(device.state.now);
    }

    /// Takes what those who are paused have sent: of all if there is room, else of one when it is
    /// time.
    fn resume_paused<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) {
        let Some(next_turn) = device.mqtt.backpressure.next_turn() else { return };
        let pausing = MqttClients::is_pausing(device);
        let waits = pausing || device.state.broker.is_holding();
        if waits && device.state.now < next_turn || !device.state.has_margin() {
            return;
        }
        device.mqtt.backpressure.begin_turn();
        let paused = Role::Mqtt(ReadState::Paused);
        let mut conns = device.connections.with_role(paused);
        if pausing {
            let nearest = nearest(&conns, net);
            nearest.into_iter().for_each(|conn| MqttClients::read(device, conn, net));
        } else {
            let first = conns.partition_point(|conn| conn.0 <= device.mqtt.backpressure.last());
            conns.rotate_left(first);
        }
        for conn in conns {
            if MqttClients::is_pausing(device) || !device.state.has_margin() {
                return device.mqtt.backpressure.note_paused(device.state.now);
            }
            if device.connections.role(conn) == paused {
                device.mqtt.backpressure.note_resumed(conn.0);
                MqttClients::read(device, conn, net);
            }
        }
    }
}

/// The connection where what frees memory is nearest: where the least is waiting.
fn nearest(conns: &[ConnId], net: &mut dyn Net) -> Option<ConnId> {
    let mut nearest = None;
    for conn in conns {
        let mut waiting = 0;
        look(*conn, net, |bytes| waiting = bytes.len());
        if nearest.is_none_or(|(least, _)| waiting < least) {
            nearest = Some((waiting, *conn));
        }
    }
    nearest.map(|(_, conn)| conn)
}

/// Looks at what is waiting in the network, and leaves it there.
fn look(conn: ConnId, net: &mut dyn Net, mut each: impl FnMut(&[u8])) {
    net.recv(conn, &mut |bytes| {
        each(bytes);
        0
    });
}
