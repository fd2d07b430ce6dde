//! What the device knows of multicast DNS, without the device. The service is `device::mdns`.

use alloc::boxed::Box;

use umqtt_dns::mdns::MdnsResponder;
use umqtt_net::{Instant, Interface, UdpId};

use crate::console::MdnsStatus;
use crate::net::Net;

/// The state of the service.
#[derive(Debug, Default)]
pub(crate) struct Mdns {
    /// The host on its link, while there is one.
    pub(crate) host: Option<Box<Host>>,
    /// When settings, ports and addresses are looked at again.
    pub(crate) look_at: Option<Instant>,
    /// A datagram may be there.
    pub(crate) has_datagram: bool,
    /// That the port could not be had is logged already.
    pub(crate) refused: bool,
}

/// The device in one of its networks.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) interface: Interface,
    pub(crate) socket: UdpId,
    pub(crate) responder: MdnsResponder,
}

impl Mdns {
    /// A setting or an address was changed.
    pub(crate) fn note_changed(&mut self, now: Instant) {
        self.look_at = Some(now);
    }

    /// A datagram came to a socket.
    pub(crate) fn note_datagram(&mut self, socket: UdpId) {
        self.has_datagram |= self.host.as_ref().is_some_and(|host| host.socket == socket);
    }

    /// What `show stats` says of it.
    pub(crate) fn status(&self) -> Option<MdnsStatus> {
        let responder = &self.host.as_ref()?.responder;
        Some(MdnsStatus {
            name: responder.host_name()?,
            established: responder.is_established(),
            stats: responder.stats(),
        })
    }

    /// Bytes of the heap that it takes while it is on.
    pub(crate) fn memory(&self) -> usize {
        self.host.as_deref().map_or(0, size_of_val)
    }

    /// Says goodbye, and closes the socket.
    pub(crate) fn leave(&mut self, now: Instant, net: &mut dyn Net) {
        let Some(mut host) = self.host.take() else { return };
        host.responder.shut_down();
        host.transmit(now, net);
        if let Some(udp) = net.udp() {
            udp.close(host.socket);
        }
    }
}

impl Host {
    /// Sends what is to be sent now. What finds no room is lost, as datagrams may be.
    pub(crate) fn transmit(&mut self, now: Instant, net: &mut dyn Net) {
        let Some(udp) = net.udp() else { return };
        let mut message = [0; umqtt_dns::mdns::MESSAGE_LEN];
        while let Some((len, to)) = self.responder.poll_transmit(now, &mut message) {
            let _ = udp.send_to(self.socket, &message[..len], to);
        }
    }
}
