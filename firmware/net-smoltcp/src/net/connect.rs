//! Connections the device makes itself: names looked up, addresses tried one after the other.

use alloc::boxed::Box;
use core::net::IpAddr;

use smoltcp::phy::Device;
use smoltcp::socket::tcp;
use umqtt_dns::ResolveError;
use umqtt_net::{CloseReason, Duration, Instant, NetError, Readiness};

use super::SmolNet;
use crate::attempt::{Attempt, Lookup};
use crate::connection::{Connection, Phase};

/// How long one address of a host is tried.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first of the ports connections come from, up to the highest there is (RFC 6335, section 6).
pub(super) const FIRST_LOCAL_PORT: u16 = 49_152;

impl<D: Device> SmolNet<D> {
    /// Connects to a host, or looks up its address if there is no port.
    pub(crate) fn start_connecting(
        &mut self,
        host: &str,
        port: Option<u16>,
    ) -> Result<u32, NetError> {
        let started = self.try_connecting(host, port);
        if started == Err(NetError::Full) {
            self.refused = self.refused.saturating_add(1);
        }
        started
    }

    fn try_connecting(&mut self, host: &str, port: Option<u16>) -> Result<u32, NetError> {
        if self.interface.ipv4_addr().is_none() {
            return Err(NetError::Down);
        }
        let mut attempt =
            Attempt { port, lookup: None, addresses: heapless::Vec::new(), until: Instant::MAX };
        let mut last = CloseReason::Refused;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(IpAddr::V4(address)) => attempt.set_addresses(&[address]),
            Ok(IpAddr::V6(_)) => return Err(NetError::Failed),
            Err(_) if self.table.room() == 0 => return Err(NetError::Full),
            Err(_) => match self.names.resolve(host, self.now) {
                Ok(umqtt_dns::Lookup::Known(all)) => attempt.set_addresses(all.as_slice()),
                Ok(umqtt_dns::Lookup::Pending(query)) => {
                    attempt.lookup = Some(Lookup { query, socket: None });
                }
                Err(ResolveError::InvalidName) => return Err(NetError::Failed),
                Err(ResolveError::Full) => return Err(NetError::Full),
                // It is remembered that there is none, or nobody can be asked.
                Err(_) => last = CloseReason::NameNotFound,
            },
        }
        let looking = attempt.lookup.is_some();
        let connection = Connection::new(Phase::Connecting(Box::new(attempt)), None, 0);
        let place = self.table.insert(connection).ok_or(NetError::Full)?;
        if !looking {
            self.try_next(place, last);
        }
        Ok(place)
    }

    /// Looks how an attempt gets on.
    pub(crate) fn poll_attempt(&mut self, place: u32) {
        let now = self.now;
        let Some(connection) = self.table.get(place) else { return };
        let socket = connection.socket;
        let Phase::Connecting(attempt) = &mut connection.phase else { return };
        let due = attempt.until <= now;
        let Some(handle) = socket else { return };
        match self.table.sockets.get::<tcp::Socket>(handle).state() {
            tcp::State::SynSent | tcp::State::SynReceived if due => {
                self.try_next(place, CloseReason::TimedOut);
            }
            tcp::State::SynSent | tcp::State::SynReceived => {}
            tcp::State::Closed => self.try_next(place, CloseReason::Refused),
            _ => {
                if let Some(connection) = self.table.get(place) {
                    connection.phase = Phase::Open;
                }
                self.table.report(place, Readiness::Connected);
            }
        }
    }

    /// Tries the next address; `last` is the reason it is closed for if there is none.
    pub(super) fn try_next(&mut self, place: u32, last: CloseReason) {
        self.table.drop_socket(place);
        loop {
            let Some(Phase::Connecting(attempt)) = self.table.get(place).map(|c| &mut c.phase)
            else {
                return;
            };
            let Some(address) = attempt.addresses.pop() else {
                return self.table.close(place, last);
            };
            let Some(port) = attempt.port else { return self.table.resolved(place, address) };
            attempt.until = self.now + CONNECT_TIMEOUT;
            let local = self.free_local_port();
            let Some(handle) = self.table.open_socket() else {
                self.refused = self.refused.saturating_add(1);
                return self.table.close(place, CloseReason::Refused);
            };
            if let Some(connection) = self.table.get(place) {
                connection.socket = Some(handle);
            }
            let socket = self.table.sockets.get_mut::<tcp::Socket>(handle);
            match socket.connect(self.interface.context(), (address, port), local) {
                Ok(()) => return self.table.listeners_last(),
                Err(_) => self.table.drop_socket(place), // port 0, or the address of nobody
            }
        }
    }

    pub(crate) fn free_local_port(&mut self) -> u16 {
        loop {
            let port = self.local_port.max(FIRST_LOCAL_PORT);
            self.local_port = port.wrapping_add(1);
            // Ends: there are far more ports than sockets.
            if !self.table.uses_port(port) && !self.ports.contains(&port) {
                return port;
            }
        }
    }
}
