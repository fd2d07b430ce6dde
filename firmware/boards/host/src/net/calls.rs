//! What the device calls: [`Net`] for [`HostNet`].

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Instant;

use umqtt_device::net::{CloseReason, ConnId, Flag, Net, NetError, NetEvent};

use super::connection::{After, Connection, Phase};
use super::listener::Listener;
use super::{HostNet, LINGER, WAKER};

impl Net for HostNet {
    fn listen(&mut self, port: u16) -> Result<(), NetError> {
        let token = self.next_listener;
        let listener = Listener::open(self.poll.registry(), self.bind, port, token)?;
        self.next_listener = (token + 1).min(WAKER.0 - 1);
        self.listeners.push(listener);
        Ok(())
    }

    fn bound_port(&self, port: u16) -> u16 {
        let listener = self.listeners.iter().find(|listener| listener.port == port);
        listener.map_or(port, Listener::bound_port)
    }

    fn unlisten(&mut self, port: u16) {
        self.listeners.retain(|listener| listener.port != port);
    }

    fn connect(&mut self, host: &str, port: u16) -> Result<ConnId, NetError> {
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if literal.is_err() && !self.resolver.is_free() {
            return Err(NetError::Full);
        }
        let phase = Phase::Resolving { lookup: None };
        let slot = self.insert(Connection::new(None, phase)).ok_or(NetError::Full)?;
        match literal {
            Ok(ip) => {
                let addresses = VecDeque::from([SocketAddr::new(ip, port)]);
                self.try_addresses(slot, addresses, Instant::now(), CloseReason::Refused);
            }
            Err(_) => match self.resolver.start(slot, host, port) {
                Ok(lookup) => {
                    if let Some(connection) = self.connection(slot) {
                        connection.phase = Phase::Resolving { lookup: Some(lookup) };
                    }
                }
                Err(_) => {
                    self.forget(slot);
                    return Err(NetError::Failed);
                }
            },
        }
        Ok(ConnId(slot))
    }

    fn poll_event(&mut self) -> Option<NetEvent> {
        loop {
            let slot = self.ready.pop_front()?;
            let Some(connection) = self.connection(slot) else { continue };
            connection.queued = false;
            let conn = ConnId(slot);
            let Some(flag) = connection.flags.take_first() else { continue };
            if !connection.flags.is_empty() {
                connection.queued = true;
                self.ready.push_back(slot);
            }
            let connection = self.connection(slot)?;
            match flag {
                Flag::Accepted => {
                    if let Some((port, peer)) = connection.accepted {
                        return Some(NetEvent::Accepted { port, conn, peer });
                    }
                }
                Flag::Connected => return Some(NetEvent::Connected(conn)),
                Flag::Readable if connection.is_open() => return Some(NetEvent::Readable(conn)),
                Flag::Writable if connection.is_open() => return Some(NetEvent::Writable(conn)),
                Flag::Finished if connection.is_open() => return Some(NetEvent::Finished(conn)),
                Flag::Closed => {
                    if let Phase::Gone(reason) = connection.phase {
                        self.forget(slot);
                        return Some(NetEvent::Closed(conn, reason));
                    }
                }
                // What happened before the device closed it does not interest it any more.
                Flag::Readable | Flag::Writable | Flag::Finished => {}
            }
        }
    }

    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let slot = conn.0;
        let Some(Some(connection)) = self.slots.get_mut(slot as usize) else { return 0 };
        let (taken, after) = connection.receive(&mut self.buffer, take);
        match after {
            After::Nothing => {}
            After::More => self.put_back(slot),
            After::Finished => self.tell(slot, Flag::Finished),
            After::Broken(reason) => self.gone(slot, reason),
        }
        taken
    }

    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let Some(connection) = self.connection(conn.0) else { return 0 };
        match connection.transmit(bytes) {
            Ok(sent) => sent,
            Err(reason) => {
                self.gone(conn.0, reason);
                0
            }
        }
    }

    fn close(&mut self, conn: ConnId) {
        let slot = conn.0;
        let Some(connection) = self.connection(slot) else { return };
        match &connection.phase {
            Phase::Open => {
                // Leaving unread bytes behind would make the kernel reset the connection and lose what
                // we sent last; so we say we are done, and read until the other end has said so too.
                let until = Instant::now() + LINGER;
                connection.shut_down();
                connection.phase = Phase::Lingering { until };
                connection.kept = Vec::new();
                if self.slots[slot as usize].as_mut().is_some_and(|c| c.drained(&mut self.buffer)) {
                    self.gone(slot, CloseReason::Done);
                } else {
                    self.deadlines.push(std::cmp::Reverse((until, slot)));
                }
            }
            Phase::Resolving { .. } | Phase::Connecting { .. } => {
                self.gone(slot, CloseReason::Done)
            }
            Phase::Lingering { .. } | Phase::Gone(_) => {}
        }
    }

    fn abort(&mut self, conn: ConnId) {
        self.gone(conn.0, CloseReason::Done);
    }

    fn addresses(&self, each: &mut dyn FnMut(IpAddr)) {
        if !self.bind.is_unspecified() {
            return each(self.bind);
        }
        // Connecting a UDP socket sends nothing; it makes the system choose the address that others see.
        let towards_others = || {
            let socket = UdpSocket::bind((self.bind, 0)).ok()?;
            let anywhere: IpAddr = match self.bind {
                IpAddr::V4(_) => IpAddr::from([192, 0, 2, 1]),
                IpAddr::V6(_) => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]),
            };
            socket.connect((anywhere, 9)).ok()?;
            Some(socket.local_addr().ok()?.ip())
        };
        match towards_others() {
            Some(address) => each(address),
            None => each(self.bind),
        }
    }
}
