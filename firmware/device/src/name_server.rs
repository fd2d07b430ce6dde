//! What the device knows of the name server it is in its own network, without the device. The
//! service is `device::name_server`.

use core::fmt::Arguments;

use umqtt_dns::Responder;
use umqtt_net::{Instant, UdpId};

use crate::net::Net;

/// Queries that wait for the station's name server at a time; half of them are for one client.
pub(crate) const MAX_FORWARDS: usize = 16;

/// The state of the service.
#[derive(Debug, Default)]
pub(crate) struct NameServer {
    /// The server, once the own network has an address.
    pub(crate) responder: Option<Responder<MAX_FORWARDS>>,
    /// Its port, while there is an own network.
    pub(crate) socket: Option<UdpId>,
    /// Where the station's server is asked from, while something is: the next time it is another
    /// port.
    pub(crate) upstream: Option<UdpId>,
    /// When settings, ports and addresses are looked at again.
    pub(crate) look_at: Option<Instant>,
    /// A query may be there.
    pub(crate) has_query: bool,
    /// An answer may be there.
    pub(crate) has_answer: bool,
    /// That the port could not be had is logged already.
    pub(crate) refused: bool,
    /// That `dns_name` is no name is logged already.
    pub(crate) name_refused: bool,
}

impl NameServer {
    /// A setting or an address was changed.
    pub(crate) fn note_changed(&mut self, now: Instant) {
        self.look_at = Some(now);
    }

    /// A datagram came to a socket.
    pub(crate) fn note_datagram(&mut self, socket: UdpId) {
        self.has_query |= self.socket == Some(socket);
        self.has_answer |= self.upstream == Some(socket);
    }

    /// Closes the ports, and forgets who waits.
    pub(crate) fn close(&mut self, net: &mut dyn Net) {
        if let (Some(socket), Some(udp)) = (self.socket.take(), net.udp()) {
            udp.close(socket);
        }
        self.close_upstream(net);
        if let Some(responder) = &mut self.responder {
            responder.set_upstream(None);
        }
        self.has_query = false;
    }

    /// Nobody waits for the station's server.
    pub(crate) fn close_upstream(&mut self, net: &mut dyn Net) {
        if let (Some(socket), Some(udp)) = (self.upstream.take(), net.udp()) {
            udp.close(socket);
        }
        self.has_answer = false;
    }

    /// What `show stats` says of it.
    pub(crate) fn show(&self, line: &mut dyn FnMut(Arguments<'_>)) {
        let responder = self.responder.as_ref().filter(|_| self.socket.is_some());
        let Some(stats) = responder.map(Responder::stats) else { return };
        line(format_args!(
            "DNS: answered {}, forwarded {}, not found {}, no answer {}, refused {}, \
             malformed {}, unexpected {}",
            stats.answered,
            stats.forwarded,
            stats.not_found,
            stats.timeouts,
            stats.refused,
            stats.malformed,
            stats.unexpected
        ));
    }
}
