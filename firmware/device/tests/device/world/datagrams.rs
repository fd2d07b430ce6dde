//! Hosts in the network, by UDP.

use std::net::{IpAddr, SocketAddr};

use umqtt_device::net::{CloseReason, NetEvent, Peer};
use umqtt_net::UdpId;

use super::World;
use super::memory_net::Datagrams;

impl World {
    pub(crate) fn udp(&mut self) -> &mut Datagrams {
        self.net.datagrams.as_mut().unwrap()
    }

    /// A datagram to a port of the device; false if no socket has it.
    pub(crate) fn send_datagram(&mut self, port: u16, from: &str, bytes: &[u8]) -> bool {
        let from = Peer::from(from.parse::<SocketAddr>().unwrap());
        let sent = self.send_datagram_quietly(port, from, bytes);
        self.settle();
        sent
    }

    /// The same without letting the device run.
    pub(crate) fn send_datagram_quietly(&mut self, port: u16, from: Peer, bytes: &[u8]) -> bool {
        let udp = self.udp();
        let Some(socket) = udp.ports.iter().position(|open| *open == Some(port)) else {
            return false;
        };
        if udp.only[socket].is_some_and(|only| only != from.interface) {
            return false;
        }
        let socket = UdpId(socket as u32);
        udp.to_device.push_back((socket, bytes.to_vec(), from));
        self.net.events.push_back(NetEvent::Datagram(socket));
        true
    }

    /// Answers a look-up of the device's; returns the name.
    pub(crate) fn answer_lookup(&mut self, address: Option<IpAddr>) -> String {
        let (host, conn) = self.net.lookups.pop_front().expect("the device looks up no name");
        match address {
            Some(address) => self.net.events.push_back(NetEvent::Resolved(conn, address)),
            None => self.net.gone(conn, CloseReason::NameNotFound),
        }
        self.settle();
        host
    }
}
