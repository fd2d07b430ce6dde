//! What the device calls: [`Net`] for [`HostNet`].

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use umqtt_net::{
    CloseReason, ConnId, Interface, InterfaceAddr, Net, NetError, NetEvent, Readiness, Udp, UdpId,
};

use super::connection::{After, Connection, Phase};
use super::link::{self, Link};
use super::listener::Listener;
use super::{HostNet, LINGER, WAKER};

impl Net for HostNet {
    fn listen(&mut self, port: u16) -> Result<u16, NetError> {
        let mut bound: Vec<Listener> = Vec::new();
        for link in &self.links {
            // All have the port that the system chose for the first.
            let port = bound.first().map_or(port, |first| first.port);
            let token = self.next_listener;
            bound.push(Listener::open(self.poll.registry(), link, port, token)?);
            self.next_listener = (token + 1).min(WAKER.0 - 1);
        }
        let port = bound.first().map_or(port, |first| first.port);
        self.listeners.append(&mut bound);
        Ok(port)
    }

    fn unlisten(&mut self, port: u16) {
        self.listeners.retain(|listener| listener.port != port);
    }

    fn connect(&mut self, host: &str, port: u16) -> Result<ConnId, NetError> {
        let (slot, literal) = self.look_up(host, port, false)?;
        if let Some(ip) = literal {
            let addresses = VecDeque::from([SocketAddr::new(ip, port)]);
            self.try_addresses(slot, addresses, Instant::now(), CloseReason::Refused);
        }
        Ok(ConnId(slot))
    }

    fn resolve(&mut self, host: &str) -> Result<ConnId, NetError> {
        let (slot, literal) = self.look_up(host, 0, true)?;
        if let Some(ip) = literal {
            self.found(slot, ip);
        }
        Ok(ConnId(slot))
    }

    fn poll_event(&mut self) -> Option<NetEvent> {
        while let Some((slot, readiness)) = self.ready.pop(&mut self.slots) {
            let conn = ConnId(slot);
            let connection = self.connection(slot)?;
            match readiness {
                Readiness::Accepted => {
                    if let Some((port, peer)) = connection.accepted {
                        return Some(NetEvent::Accepted { port, conn, peer });
                    }
                }
                Readiness::Connected => return Some(NetEvent::Connected(conn)),
                Readiness::Readable if connection.is_open() => {
                    return Some(NetEvent::Readable(conn));
                }
                Readiness::Writable if connection.is_open() => {
                    return Some(NetEvent::Writable(conn));
                }
                Readiness::PeerClosed if connection.is_open() => {
                    return Some(NetEvent::PeerClosed(conn));
                }
                Readiness::Closed => {
                    let event = match connection.phase {
                        Phase::Closed(reason) => NetEvent::Closed(conn, reason),
                        Phase::Resolved(address) => NetEvent::Resolved(conn, address),
                        _ => continue,
                    };
                    self.forget(slot);
                    return Some(event);
                }
                // What happened before the device closed it does not interest it any more.
                Readiness::Readable | Readiness::Writable | Readiness::PeerClosed => {}
            }
        }
        (0..).zip(&mut self.udp).find_map(|(index, entry)| {
            let entry = entry.as_mut().filter(|entry| entry.ready)?;
            entry.ready = false;
            Some(NetEvent::Datagram(UdpId(index)))
        })
    }

    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let slot = conn.0;
        let Some(Some(connection)) = self.slots.get_mut(slot as usize) else { return 0 };
        let (taken, after) = connection.receive(&mut self.buffer, take);
        match after {
            After::Nothing => {}
            After::More => self.put_back(slot),
            After::PeerClosed => self.report(slot, Readiness::PeerClosed),
            After::Broken(reason) => self.finish(slot, reason),
        }
        taken
    }

    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let Some(connection) = self.connection(conn.0) else { return 0 };
        match connection.transmit(bytes) {
            Ok(sent) => sent,
            Err(reason) => {
                self.finish(conn.0, reason);
                0
            }
        }
    }

    fn close(&mut self, conn: ConnId) {
        let slot = conn.0;
        let Some(connection) = self.connection(slot) else { return };
        match &connection.phase {
            Phase::Open => {
                // Leaving unread bytes behind would make the kernel reset the connection and lose
                // what we sent last; so we say we are done, and read until the
                // other end has said so too.
                let until = Instant::now() + LINGER;
                connection.shut_down();
                connection.phase = Phase::Lingering { until };
                connection.kept = Vec::new();
                if self.slots[slot as usize].as_mut().is_some_and(|c| c.drained(&mut self.buffer)) {
                    self.finish(slot, CloseReason::Done);
                } else {
                    self.deadlines.push(std::cmp::Reverse((until, slot)));
                }
            }
            Phase::Resolving { .. } | Phase::Resolved(_) | Phase::Connecting { .. } => {
                self.finish(slot, CloseReason::Done)
            }
            Phase::Lingering { .. } | Phase::Closed(_) => {}
        }
    }

    fn abort(&mut self, conn: ConnId) {
        if let Some(connection) = self.connection(conn.0) {
            connection.reset_when_dropped(true);
        }
        self.finish(conn.0, CloseReason::Done);
    }

    fn udp(&mut self) -> Option<&mut dyn Udp> {
        Some(self)
    }

    fn is_full(&self) -> bool {
        self.free.is_empty() && self.slots.len() >= self.max_connections
    }

    fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr)) {
        self.links.iter().for_each(|link| link.addresses(each));
    }

    fn name_server(&self) -> Option<Ipv4Addr> {
        let station = |link: &Link| link.interface == Some(Interface::Station);
        link::name_server().filter(|_| self.links.iter().any(station))
    }
}

impl HostNet {
    /// A place for what the device asks for; the address of the host if it is one already, else
    /// its name is being looked up.
    fn look_up(
        &mut self,
        host: &str,
        port: u16,
        address_only: bool,
    ) -> Result<(u32, Option<IpAddr>), NetError> {
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        if literal.is_none() && !self.resolver.is_free() {
            return Err(NetError::Full);
        }
        let phase = Phase::Resolving { lookup: None, address_only };
        let slot = self.insert(Connection::new(None, phase)).ok_or(NetError::Full)?;
        if literal.is_none() {
            let Ok(lookup) = self.resolver.start(slot, host, port) else {
                self.forget(slot);
                return Err(NetError::Failed);
            };
            if let Some(connection) = self.connection(slot) {
                connection.phase = Phase::Resolving { lookup: Some(lookup), address_only };
            }
        }
        Ok((slot, literal))
    }
}
