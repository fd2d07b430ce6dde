//! Names looked up: each question from a port of its own.

use core::net::{IpAddr, SocketAddr};

use smoltcp::iface::SocketHandle;
use smoltcp::phy::Device;
use smoltcp::socket::udp;
use smoltcp::wire::{IpAddress, IpEndpoint};
use umqtt_dns::{QUERY_LEN, QueryId};
use umqtt_net::{CloseReason, GUARANTEED_PAYLOAD};

use super::SmolNet;
use super::connect::FIRST_LOCAL_PORT;
use crate::UdpLimits;
use crate::attempt::Lookup;
use crate::connection::{Connection, Phase};
use crate::datagrams::buffer;

/// What comes to a look-up: an answer, which is taken at once.
const ANSWERS: UdpLimits = UdpLimits { sockets: 1, datagrams: 1, bytes: GUARANTEED_PAYLOAD };
/// What leaves: a question.
const QUESTION: UdpLimits = UdpLimits { sockets: 1, datagrams: 1, bytes: QUERY_LEN };
/// Bytes of the heap that a look-up takes while it waits for its answer.
const LOOKUP: usize = ANSWERS.half() + QUESTION.half();

fn lookup(connection: &mut Connection) -> Option<&mut Lookup> {
    match &mut connection.phase {
        Phase::Connecting(attempt) => attempt.lookup.as_mut(),
        _ => None,
    }
}

impl<D: Device> SmolNet<D> {
    /// Takes the answer that may have come with the last frame: those that are none shall not take
    /// the place of the one that is.
    pub(crate) fn take_answers(&mut self) {
        let now = self.now;
        if !self.names.is_asking() {
            return;
        }
        for place in 0..self.table.len() {
            let socket = self.table.get(place).and_then(lookup).and_then(|lookup| lookup.socket);
            let Some(socket) = socket else { continue };
            let socket = self.table.sockets.get_mut::<udp::Socket>(socket);
            while let Ok((bytes, meta)) = socket.recv() {
                let IpAddress::Ipv4(address) = meta.endpoint.addr;
                let from = SocketAddr::from((address, meta.endpoint.port));
                self.names.handle_datagram(bytes, from, now);
            }
        }
    }

    /// Ends look-ups, sends questions.
    pub(crate) fn poll_lookups(&mut self) {
        self.names.handle_timeout(self.now);
        while let Some((query, found)) = self.names.poll_event() {
            let Some(place) = self.place_of(query) else { continue };
            self.end_lookup(place);
            if let Some(Phase::Connecting(attempt)) = self.table.get(place).map(|c| &mut c.phase)
                && let Ok(found) = found
            {
                attempt.set_addresses(found.as_slice());
            }
            self.try_next(place, CloseReason::NameNotFound);
        }
        self.ask();
    }

    /// Sends the questions that are due.
    #[inline(never)]
    fn ask(&mut self) {
        let mut buf = [0; QUERY_LEN];
        while let Some(question) = self.names.poll_transmit(self.now, &mut buf) {
            let Some(place) = self.place_of(question.query) else { continue };
            self.close_lookup(place);
            // Without a socket it is as if the answer had been lost: it is asked again.
            let socket = buf.get(..question.len).and_then(|bytes| self.send(bytes, question.to));
            if let Some(lookup) = self.table.get(place).and_then(lookup) {
                lookup.socket = socket;
            }
        }
    }

    fn send(&mut self, question: &[u8], to: SocketAddr) -> Option<SocketHandle> {
        let IpAddr::V4(server) = to.ip() else { return None };
        if !(self.table.limits().admits)() {
            return None;
        }
        let mut socket = udp::Socket::new(buffer(&ANSWERS)?, buffer(&QUESTION)?);
        // By chance: whoever wants to answer in the server's place has to guess it.
        socket.bind(FIRST_LOCAL_PORT | self.names.random() as u16).ok()?;
        socket.send_slice(question, IpEndpoint::new(IpAddress::Ipv4(server), to.port())).ok()?;
        Some(self.table.sockets.add(socket))
    }

    fn place_of(&mut self, query: QueryId) -> Option<u32> {
        (0..self.table.len()).find(|place| {
            let lookup = self.table.get(*place).and_then(lookup);
            lookup.is_some_and(|lookup| lookup.query == query)
        })
    }

    /// The look-up of a connection that is closed is for nobody.
    pub(crate) fn cancel_lookup(&mut self, place: u32) {
        if let Some(lookup) = self.table.get(place).and_then(lookup) {
            let query = lookup.query;
            self.names.cancel(query, self.now);
            self.end_lookup(place);
        }
    }

    fn end_lookup(&mut self, place: u32) {
        self.close_lookup(place);
        if let Some(Phase::Connecting(attempt)) = self.table.get(place).map(|c| &mut c.phase) {
            attempt.lookup = None;
        }
    }

    fn close_lookup(&mut self, place: u32) {
        let lookup = self.table.get(place).and_then(lookup);
        if let Some(socket) = lookup.and_then(|lookup| lookup.socket.take()) {
            self.table.sockets.remove(socket);
        }
    }

    /// Bytes of the heap.
    pub(crate) fn lookups_memory(&self) -> usize {
        let asking = self.table.iter().filter(|(_, connection)| match &connection.phase {
            Phase::Connecting(attempt) => {
                attempt.lookup.as_ref().is_some_and(|lookup| lookup.socket.is_some())
            }
            _ => false,
        });
        self.names.memory() + asking.count() * LOOKUP
    }
}
