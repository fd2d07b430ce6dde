//! Which connection is for whom: what comes in goes to broker, consoles, upload or HTTP client, and what they
//! leave goes out.

use core::cell::RefCell;

use umqtt_memory::{Share, try_room};

use super::backpressure::ReadState;
use super::console_context::ConsoleContext;
use super::state::{Gate, Listener};
use super::{Device, ListenError};
use crate::console::MAX_SESSIONS;
use crate::net::{ConnId, Net, NetEvent, Peer};
use crate::notices::{SCRIPT_MISSING, SETTINGS_DAMAGED};
use crate::platform::Platform;
use crate::settings::Param;
use crate::storage::Doors;

/// Network events handled per poll.
const EVENTS_PER_POLL: usize = 128;
/// Bytes of a console session handled at a time.
const CONSOLE_PIECE: usize = 128;
/// Such pieces per turn.
const PIECES_PER_TURN: usize = 32;

/// What a connection is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// It is not open, is being closed, or is one that the upload, the HTTP client or the remote client knows.
    #[default]
    Other,
    /// A client of the broker.
    Mqtt(ReadState),
    /// A session of the console.
    Console(u8),
}

impl<P: Platform> Device<P> {
    /// Handles what happened on the network, up to a bound; true if there may be more.
    pub(super) fn network(&mut self, net: &mut dyn Net) -> bool {
        for _ in 0..EVENTS_PER_POLL {
            let Some(event) = self.later.take().or_else(|| net.poll_event()) else { return false };
            if !self.state.has_margin() && self.put_event_off(event, net) {
                if self.later.is_some() {
                    return false;
                }
                continue;
            }
            match event {
                NetEvent::Accepted { port, conn, peer } => self.accepted(port, conn, peer, net),
                NetEvent::Connected(conn)
                | NetEvent::Readable(conn)
                | NetEvent::Writable(conn)
                | NetEvent::PeerClosed(conn)
                | NetEvent::Closed(conn, _) => self.event(conn, event, net),
                // No service has a UDP socket.
                NetEvent::Datagram(_) => {}
            }
        }
        true
    }

    /// What becomes of an event when the heap has not what it may need: a newcomer is refused, what was sent waits in the
    /// network; true if that is so. Whatever ends or takes something frees memory, and goes on.
    fn put_event_off(&mut self, event: NetEvent, net: &mut dyn Net) -> bool {
        match event {
            NetEvent::Accepted { conn, .. } => {
                net.abort(conn);
                true
            }
            NetEvent::Readable(conn) => match self.role(conn) {
                Role::Mqtt(_) => {
                    self.hold(conn);
                    true
                }
                Role::Console(_) => false,
                Role::Other => {
                    self.later = Some(event);
                    true
                }
            },
            NetEvent::Connected(_) => {
                self.later = Some(event);
                true
            }
            NetEvent::Writable(_)
            | NetEvent::PeerClosed(_)
            | NetEvent::Closed(..)
            | NetEvent::Datagram(_) => false,
        }
    }

    fn accepted(&mut self, port: u16, conn: ConnId, peer: Peer, net: &mut dyn Net) {
        let now = self.state.now;
        if !self.make_role(conn) {
            self.state.ledger[Share::Network].refuse();
            return net.abort(conn);
        }
        self.state.debug(format_args!("connection from {} to port {port}", peer.addr));
        let may = |access| self.state.settings.access(access).permits(peer.is_internal());
        if Some(port) == self.uploads.port() {
            if !self.uploads.accept(conn, now, net) {
                net.close(conn);
            }
        } else if is_on(self.state.ports.console, port) && self.state.settings.is_damaged() {
            turn_away(conn, SETTINGS_DAMAGED, net);
        } else if is_on(self.state.ports.console, port)
            && self.state.settings.missing().has(Doors::CONSOLE)
        {
            turn_away(conn, SCRIPT_MISSING, net);
        } else if is_on(self.state.ports.console, port) && may(Param::ConfigAccess) {
            match self.consoles.open(conn, now) {
                Some(number) => {
                    self.state.console_internal[number] = peer.is_internal();
                    self.state.console_peers[number] = Some(peer.addr.ip());
                    self.set_role(conn, Role::Console(number as u8));
                }
                None => {
                    turn_away(conn, "Too many console sessions", net);
                }
            }
        } else if is_on(self.state.ports.mqtt, port) && may(Param::BrokerAccess) {
            let mut gate = Gate(&self.state.settings);
            match self.state.broker.open(conn, peer, now, &mut gate) {
                Ok(()) => self.set_role(conn, Role::Mqtt(ReadState::Free)),
                Err(_) => net.abort(conn), // counted by the broker
            }
        } else {
            net.abort(conn);
        }
    }

    fn event(&mut self, conn: ConnId, event: NetEvent, net: &mut dyn Net) {
        match self.role(conn) {
            Role::Mqtt(pace) => self.mqtt_event(conn, pace, event, net),
            Role::Console(number) => self.console_event(number.into(), conn, event),
            Role::Other if self.uploads.owns(conn) => {
                let (profile, storage) = (&self.state.options.profile, &mut self.state.storage);
                let (came, now) = (self.came.take(), self.state.now);
                self.came = self.uploads.handle_late(came, event, now, profile, net, storage);
            }
            Role::Other if self.http.owns(conn) => self.http.handle(event, &mut self.state, net),
            Role::Other if self.state.upstream.owns(conn) => {
                self.state.upstream.handle(event, self.state.now, net);
            }
            Role::Other => {}
        }
    }

    fn mqtt_event(&mut self, conn: ConnId, pace: ReadState, event: NetEvent, net: &mut dyn Net) {
        let now = self.state.now;
        match event {
            NetEvent::Readable(_) => {
                if !self.should_pause(conn, pace, net) {
                    self.read_client(conn, net);
                }
            }
            NetEvent::Writable(_) => self.send_to_client(conn, net),
            NetEvent::PeerClosed(_) => {
                // Answers to what it sent last are still wanted.
                self.flush_broker(net);
                if matches!(self.role(conn), Role::Mqtt(_)) {
                    self.state.broker.closed(conn, now);
                    self.set_role(conn, Role::Other);
                    net.close(conn);
                }
            }
            NetEvent::Closed(..) => {
                self.state.broker.closed(conn, now);
                self.set_role(conn, Role::Other);
                // The number may be another connection's next: nothing about this one may stay behind.
                self.flush_broker(net);
            }
            NetEvent::Accepted { .. } | NetEvent::Connected(_) | NetEvent::Datagram(_) => {}
        }
    }

    /// Takes what a client has sent.
    pub(super) fn read_client(&mut self, conn: ConnId, net: &mut dyn Net) {
        let state = &mut self.state;
        let before = state.broker.stats().messages_received;
        let mut gate = Gate(&state.settings);
        let taken = net.recv(conn, &mut |bytes| {
            state.broker.receive(conn, bytes, state.now, &mut gate);
            bytes.len()
        });
        let published = state.broker.stats().messages_received > before;
        self.set_role(
            conn,
            Role::Mqtt(if published { ReadState::Publishing } else { ReadState::Free }),
        );
        self.unflushed += taken;
        // The other half is for what one read brings: see `max_control_bytes`.
        if self.unflushed >= self.state.options.limits.max_control_bytes / 2 || self.is_short() {
            self.flush_broker(net);
        }
    }

    fn console_event(&mut self, number: usize, conn: ConnId, event: NetEvent) {
        match event {
            NetEvent::Readable(_) => self.consoles.note_readable(number),
            NetEvent::PeerClosed(_) => self.consoles.note_finished(number),
            NetEvent::Closed(..) => {
                self.consoles.closed(number);
                self.set_role(conn, Role::Other);
            }
            // Everything is flushed in every poll.
            _ => {}
        }
    }

    /// Sends what everybody has to say.
    pub(super) fn flush(&mut self, net: &mut dyn Net) {
        self.flush_broker(net);
        self.consoles.flush_serial(&mut self.state);
        for number in 0..MAX_SESSIONS {
            let Some(conn) = self.consoles.conn(number) else { continue };
            if !self.consoles.flush(number, net) || self.consoles.close_finished(number, net) {
                self.set_role(conn, Role::Other);
            }
        }
    }

    /// Reads and executes for every console session, up to a bound; true if there may be more to do at once, as a command
    /// may have had any effect.
    pub(super) fn console_turns(&mut self, net: &mut dyn Net) -> bool {
        let mut more = false;
        for number in 0..MAX_SESSIONS {
            more |= self.console_turn(number, net);
        }
        more
    }

    fn console_turn(&mut self, number: usize, net: &mut dyn Net) -> bool {
        let Some(conn) = self.consoles.conn(number) else { return false };
        let mut progress = false;
        for _ in 0..PIECES_PER_TURN {
            // Room for the reply first.
            if !self.consoles.flush(number, net) {
                self.set_role(conn, Role::Other);
                return false;
            }
            let mut input = [0; CONSOLE_PIECE];
            let len = self.console_input(number, conn, &mut input, net);
            if len == 0 && !self.consoles.has_more(number) {
                break;
            }
            if !self.state.has_margin() {
                return false;
            }
            let now = self.state.now;
            let mut context = ConsoleContext {
                state: &mut self.state,
                script: RefCell::new(&mut self.script),
                uploads: &mut self.uploads,
                http: &mut self.http,
                net,
            };
            let (taken, produced) = self.consoles.receive(number, &input[..len], now, &mut context);
            net.consume(conn, taken);
            progress |= taken > 0 || produced;
            if taken == 0 && !produced {
                break; // it goes on when its output has left
            }
        }
        progress
    }

    /// Looks at what came in for a session and leaves it where it is: what is not taken waits in the network.
    fn console_input(
        &mut self,
        number: usize,
        conn: ConnId,
        input: &mut [u8],
        net: &mut dyn Net,
    ) -> usize {
        if !self.consoles.is_readable(number) {
            return 0;
        }
        let len = net.peek(conn, input);
        if len == 0 {
            self.consoles.note_drained(number);
        }
        len
    }

    /// Sends what waits for clients and closes what the broker wants closed.
    pub(super) fn flush_broker(&mut self, net: &mut dyn Net) {
        self.unflushed = 0;
        while let Some(conn) = self.state.broker.poll_writable() {
            self.send_to_client(conn, net);
        }
        while let Some(conn) = self.state.broker.poll_close() {
            net.close(conn);
            self.set_role(conn, Role::Other);
        }
    }

    /// Sends as much as the network takes; the rest goes when it is writable again.
    fn send_to_client(&mut self, conn: ConnId, net: &mut dyn Net) {
        loop {
            let first = self.state.broker.outgoing(conn);
            let (all, sent) = match first.len() {
                0 => return,
                // Large ones go as they are, small ones many at a time.
                n if n >= self.send_buffer.len() => (n, net.send(conn, first)),
                _ => {
                    let n = self.state.broker.copy_outgoing(conn, &mut self.send_buffer);
                    (n, net.send(conn, &self.send_buffer[..n]))
                }
            };
            self.state.broker.sent(conn, sent);
            if sent < all {
                return;
            }
        }
    }

    pub(super) fn listen_mqtt(&mut self, net: &mut dyn Net) -> Result<(), ListenError> {
        let port = self.state.settings.port(Param::BrokerPort);
        let wanted = Some(self.state.options.mqtt_port.unwrap_or(port));
        relisten("mqtt", &mut self.state.ports.mqtt, wanted, net)
    }

    pub(super) fn listen_console(&mut self, net: &mut dyn Net) -> Result<(), ListenError> {
        let port = self.state.settings.port(Param::ConfigPort);
        let port = self.state.options.console_port.unwrap_or(port);
        relisten("console", &mut self.state.ports.console, (port != 0).then_some(port), net)
    }

    pub(super) fn role(&self, conn: ConnId) -> Role {
        self.roles.get(conn.0 as usize).copied().unwrap_or_default()
    }

    /// Makes room for the role of a connection; false if there is no memory.
    fn make_role(&mut self, conn: ConnId) -> bool {
        let more = (conn.0 as usize + 1).saturating_sub(self.roles.len());
        let room = try_room(&mut self.roles, more);
        if room {
            self.roles.resize(self.roles.len() + more, Role::Other);
        }
        room
    }

    /// Sets the role of a connection that was accepted.
    pub(super) fn set_role(&mut self, conn: ConnId, role: Role) {
        if let Some(place) = self.roles.get_mut(conn.0 as usize) {
            *place = role;
        }
    }
}

/// Whether a port is that of a listener.
fn is_on(listener: Option<Listener>, port: u16) -> bool {
    listener.is_some_and(|listener| listener.bound == port)
}

/// Closes a connection with a word why.
fn turn_away(conn: ConnId, why: &str, net: &mut dyn Net) {
    net.send(conn, why.as_bytes());
    net.send(conn, b"\r\n");
    net.close(conn);
}

/// Listens on another port; if it cannot be had, the old one stays.
fn relisten(
    service: &'static str,
    current: &mut Option<Listener>,
    wanted: Option<u16>,
    net: &mut dyn Net,
) -> Result<(), ListenError> {
    if current.map(|listener| listener.wanted) == wanted {
        return Ok(());
    }
    let new = match wanted {
        Some(port) => {
            let bound = net.listen(port);
            let bound = bound.map_err(|error| ListenError { service, port, error })?;
            Some(Listener { wanted: port, bound })
        }
        None => None,
    };
    if let Some(old) = core::mem::replace(current, new) {
        net.unlisten(old.bound);
    }
    Ok(())
}
