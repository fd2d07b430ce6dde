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
use crate::settings::Param;

/// Between two lines of the log that tell of a wrong password.
const REFUSALS_APART: Duration = Duration::from_secs(60);

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
            NetEvent::Writable(_) => MqttClients::send(device, conn, net),
            NetEvent::PeerClosed(_) => {
                // Half-close: answers to what it sent last are still wanted.
                MqttClients::flush(device, net);
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
        let paused = MqttClients::is_pausing(device);
        let resume = if paused { next_turn } else { device.state.now };
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
        if !state.settings.access(Param::BrokerAccess).permits(peer.is_internal()) {
            net.abort(conn);
            return true;
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
        let taken = net.recv(conn, &mut |bytes| {
            state.broker.receive(conn, bytes, state.now, &mut access);
            bytes.len()
        });
        let refused = access.refused;
        let published = state.broker.stats().messages_received > before;
        let read_state = if published { ReadState::Publishing } else { ReadState::Free };
        device.connections.set_role(conn, Role::Mqtt(read_state));
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

    /// Sends what waits for clients and closes what the broker wants closed.
    pub(super) fn flush<P: Platform>(device: &mut Device<P>, net: &mut dyn Net) {
        device.mqtt.unflushed = 0;
        while let Some(conn) = device.state.broker.poll_writable() {
            MqttClients::send(device, conn, net);
        }
        while let Some(conn) = device.state.broker.poll_close() {
            net.close(conn);
            device.connections.set_role(conn, Role::Other);
        }
    }

    /// Sends as much as the network takes; the rest goes when it is writable again.
    fn send<P: Platform>(device: &mut Device<P>, conn: ConnId, net: &mut dyn Net) {
        let (broker, buffer) = (&mut device.state.broker, &mut device.mqtt.send_buffer);
        loop {
            let first = broker.outgoing(conn);
            let (all, sent) = match first.len() {
                0 => return,
                // Large ones go as they are, small ones many at a time.
                n if n >= buffer.len() => (n, net.send(conn, first)),
                _ => {
                    let n = broker.copy_outgoing(conn, buffer);
                    (n, net.send(conn, &buffer[..n]))
                }
            };
            broker.sent(conn, sent);
            if sent < all {
                return;
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
        if pausing && device.state.now < next_turn || !device.state.has_margin() {
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
