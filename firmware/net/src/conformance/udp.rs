//! Datagrams and groups.

use core::net::{Ipv4Addr, SocketAddr};
use std::vec::Vec;

use super::{Bed, Case, FarUdp, Testbed, cases};
use crate::{
    BoundSocket, GUARANTEED_PAYLOAD, Interface, Net, NetError, NetEvent, Peer, PortUse, SendError,
    Udp, UdpId,
};

/// A group that nothing else uses.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 77, 7);
/// More sockets or groups than any stack has.
const MANY: usize = 200;

impl<T: Testbed> Bed<T> {
    fn udp(&mut self) -> &mut dyn Udp {
        self.net().udp().expect("the stack has UDP")
    }

    fn bind(&mut self) -> (UdpId, u16) {
        let bound = self.udp().bind(0, PortUse::Exclusive).expect("there is room");
        (bound.id, bound.port)
    }

    fn far(&self, port: u16) -> Peer {
        Peer::new(SocketAddr::new(self.0.far_address(), port), self.0.interface())
    }

    fn own(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.0.address(), port)
    }

    fn far_datagram(&mut self, socket: FarUdp) -> (Vec<u8>, SocketAddr) {
        self.until("the far end receives a datagram", |bed| bed.far_recv_from(socket))
    }

    /// Everything that has come and comes in a while.
    fn datagrams(&mut self, socket: UdpId) -> Vec<Vec<u8>> {
        self.quiet();
        let mut all = Vec::new();
        while self.udp().recv_from(socket, &mut |bytes, _| all.push(bytes.to_vec())) {}
        all
    }
}

cases! {
    fn datagrams_go_both_ways(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, far_port) = bed.0.far_bind(None);
        let peer = bed.far(far_port);
        assert_eq!(bed.udp().send_to(socket, b"question", peer), Ok(()));
        let (bytes, from) = bed.far_datagram(far);
        assert_eq!((&bytes[..], from), (&b"question"[..], bed.own(port)));
        let own = bed.own(port);
        bed.0.far_send_to(far, b"answer", own);
        assert_eq!(bed.datagram(socket), (b"answer".to_vec(), peer));
        assert!(!bed.udp().recv_from(socket, &mut |_, _| unreachable!()));
    }

    fn datagrams_keep_their_bounds(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, far_port) = bed.0.far_bind(None);
        let (peer, own) = (bed.far(far_port), bed.own(port));
        for len in [0, 1, 48, GUARANTEED_PAYLOAD] {
            let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
            assert_eq!(bed.udp().send_to(socket, &bytes, peer), Ok(()));
            assert_eq!(bed.far_datagram(far).0, bytes);
            bed.0.far_send_to(far, &bytes, own);
            assert_eq!(bed.datagram(socket).0, bytes);
        }
    }

    fn one_that_is_too_long_is_refused(bed: 2) {
        let (socket, _) = bed.bind();
        let (far, far_port) = bed.0.far_bind(None);
        let peer = bed.far(far_port);
        assert_eq!(bed.udp().send_to(socket, &[7; 70_000], peer), Err(SendError::TooLong));
        assert_eq!(bed.udp().send_to(socket, b"next", peer), Ok(()));
        assert_eq!(bed.far_datagram(far).0, b"next");
    }

    fn one_that_is_too_long_to_be_received_is_dropped_whole(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, _) = bed.0.far_bind(None);
        let own = bed.own(port);
        bed.0.far_send_to(far, &[7; 1400], own);
        bed.0.far_send_to(far, b"next", own);
        let all = bed.datagrams(socket);
        let whole = |bytes: &Vec<u8>| bytes.len() == 1400 && bytes.iter().all(|byte| *byte == 7);
        assert_eq!(all.last().map(Vec::as_slice), Some(&b"next"[..]));
        assert!(all.len() == 1 || all.len() == 2 && whole(&all[0]), "{:?}", all.len());
    }

    fn an_address_that_is_none_is_unreachable(bed: 2) {
        let (socket, _) = bed.bind();
        let (_, far_port) = bed.0.far_bind(None);
        let to = |addr: &str| {
            Peer::new(addr.parse().expect("an address"), Interface::Station)
        };
        for peer in [bed.far(0), to("0.0.0.0:9")] {
            assert_eq!(bed.udp().send_to(socket, b"x", peer), Err(SendError::Unreachable));
        }
        let peer = bed.far(far_port);
        bed.udp().close(socket);
        assert_eq!(bed.udp().send_to(socket, b"x", peer), Err(SendError::Unreachable));
        for none in [0, 1, 99, u32::MAX].map(UdpId) {
            assert_eq!(bed.udp().send_to(none, b"x", peer), Err(SendError::Unreachable));
            assert!(!bed.udp().recv_from(none, &mut |_, _| unreachable!()));
            assert!(bed.udp().join(none, GROUP, Interface::Station).is_err());
            bed.udp().close(none);
        }
    }

    fn a_port_is_bound_once(bed: 2) {
        let (socket, port) = bed.bind();
        let again = bed.udp().bind(port, PortUse::Exclusive);
        assert_eq!(again.map(|bound| bound.port), Err(NetError::PortInUse));
        bed.udp().close(socket);
        let again = bed.udp().bind(port, PortUse::Exclusive);
        assert_eq!(again.map(|bound| bound.port), Ok(port));
    }

    fn a_socket_of_one_interface_is_deaf_to_the_others(bed: 2) {
        let interface = bed.0.interface();
        let (far, far_port) = bed.0.far_bind(None);
        let peer = bed.far(far_port);
        let bound = bed.udp().bind_to(interface, 0, PortUse::Exclusive).expect("there is room");
        let (socket, own) = (bound.id, bed.own(bound.port));
        assert_eq!(bed.udp().send_to(socket, b"question", peer), Ok(()));
        let (bytes, from) = bed.far_datagram(far);
        assert_eq!((&bytes[..], from), (&b"question"[..], own));
        bed.0.far_send_to(far, b"answer", own);
        assert_eq!(bed.datagram(socket), (b"answer".to_vec(), peer));
        bed.udp().close(socket);
        for other in [Interface::Station, Interface::AccessPoint, Interface::Loopback] {
            if other == interface {
                continue;
            }
            let Ok(bound) = bed.udp().bind_to(other, bound.port, PortUse::Exclusive) else {
                continue; // there is no such interface
            };
            assert_eq!(bed.udp().send_to(bound.id, b"x", peer), Err(SendError::Unreachable));
            bed.0.far_send_to(far, b"astray", own);
            assert_eq!(bed.datagrams(bound.id), [b""; 0]);
            bed.udp().close(bound.id);
        }
    }

    fn sockets_have_a_bound(bed: 2) {
        let mut all = Vec::new();
        let refused = loop {
            match bed.udp().bind(0, PortUse::Exclusive) {
                Ok(bound) => all.push(bound),
                Err(error) => break error,
            }
            assert!(all.len() < MANY, "there is a bound");
        };
        assert_eq!(refused, NetError::Full);
        let socket = all.pop().expect("there is one at least").id;
        bed.udp().close(socket);
        let (again, _) = bed.bind();
        assert_eq!(again, socket, "the number is given out again");
        // Each has its own.
        let (far, _) = bed.0.far_bind(None);
        for (number, BoundSocket { id: socket, port }) in all.iter().enumerate() {
            let own = bed.own(*port);
            bed.0.far_send_to(far, &[number as u8], own);
            assert_eq!(bed.datagram(*socket).0, [number as u8]);
        }
    }

    fn nothing_of_a_closed_socket_is_left_to_the_next(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, _) = bed.0.far_bind(None);
        let own = bed.own(port);
        bed.0.far_send_to(far, b"old", own);
        bed.quiet();
        bed.udp().close(socket);
        let next = bed.udp().bind(port, PortUse::Exclusive).expect("the port is free").id;
        assert_eq!(next, socket);
        assert_eq!(bed.datagrams(next), [b""; 0]);
        bed.0.far_send_to(far, b"new", own);
        assert_eq!(bed.datagram(next).0, b"new");
    }

    fn a_flood_finds_a_bound_and_what_is_kept_is_whole(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, _) = bed.0.far_bind(None);
        let own = bed.own(port);
        for number in 0..20_000_u32 {
            bed.0.far_send_to(far, &number.to_be_bytes(), own);
        }
        let kept: Vec<u32> = bed.datagrams(socket).into_iter().map(|bytes| {
            u32::from_be_bytes(bytes.try_into().expect("four bytes"))
        }).collect();
        assert!(!kept.is_empty() && kept.len() < 20_000, "{}", kept.len());
        assert!(kept.is_sorted(), "in order");
        bed.0.far_send_to(far, b"there is room again", own);
        assert_eq!(bed.datagram(socket).0, b"there is room again");
    }

    fn an_event_comes_for_each_that_finds_the_queue_empty(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, _) = bed.0.far_bind(None);
        let own = bed.own(port);
        for round in 0..3_u8 {
            bed.0.far_send_to(far, &[round], own);
            bed.expect(NetEvent::Datagram(socket));
            let mut all = Vec::new();
            while bed.udp().recv_from(socket, &mut |bytes, _| all.extend_from_slice(bytes)) {}
            assert_eq!(all, [round]);
        }
    }

    fn a_group_is_received_once_it_is_joined(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, far_port) = bed.0.far_bind(None);
        let (to, peer) = (SocketAddr::from((GROUP, port)), bed.far(far_port));
        bed.0.far_send_to(far, b"too early", to);
        assert_eq!(bed.datagrams(socket), [b""; 0]);
        let interface = bed.0.interface();
        assert_eq!(bed.udp().join(socket, GROUP, interface), Ok(()));
        assert_eq!(bed.udp().join(socket, GROUP, interface), Ok(()), "it is joined already");
        bed.quiet();
        bed.0.far_send_to(far, b"to all", to);
        assert_eq!(bed.datagram(socket), (b"to all".to_vec(), peer));
        assert_eq!(bed.datagrams(socket), [b""; 0], "once");
        let own = bed.own(port);
        bed.0.far_send_to(far, b"to one", own);
        assert_eq!(bed.datagram(socket), (b"to one".to_vec(), peer));
    }

    fn a_group_is_left_with_the_socket(bed: 2) {
        let (socket, port) = bed.bind();
        let interface = bed.0.interface();
        assert_eq!(bed.udp().join(socket, GROUP, interface), Ok(()));
        bed.udp().close(socket);
        let next = bed.udp().bind(port, PortUse::Exclusive).expect("the port is free").id;
        bed.quiet();
        let (far, _) = bed.0.far_bind(None);
        bed.0.far_send_to(far, b"to all", SocketAddr::from((GROUP, port)));
        assert_eq!(bed.datagrams(next), [b""; 0]);
    }

    fn the_stack_sends_to_a_group(bed: 2) {
        let (socket, port) = bed.bind();
        let (far, far_port) = bed.0.far_bind(Some(GROUP));
        let group = Peer::new(SocketAddr::from((GROUP, far_port)), bed.0.interface());
        assert_eq!(bed.udp().send_to(socket, b"to all", group), Ok(()));
        let own = bed.own(port);
        assert_eq!(bed.far_datagram(far), (b"to all".to_vec(), own));
    }

    fn groups_have_a_bound_and_have_to_be_groups(bed: 2) {
        let (socket, _) = bed.bind();
        let interface = bed.0.interface();
        for none in [Ipv4Addr::new(10, 0, 0, 7), Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST] {
            assert_eq!(bed.udp().join(socket, none, interface), Err(NetError::Failed));
        }
        let mut joined = 0;
        let refused = loop {
            let group = Ipv4Addr::new(239, 255, 78, joined as u8);
            match bed.udp().join(socket, group, interface) {
                Ok(()) => joined += 1,
                Err(error) => break error,
            }
            assert!(joined < MANY, "there is a bound");
        };
        assert_eq!(refused, NetError::Full);
        assert!(joined > 0);
        // They are left with the socket.
        bed.udp().close(socket);
        let (socket, _) = bed.bind();
        bed.quiet();
        assert_eq!(bed.udp().join(socket, GROUP, interface), Ok(()));
    }
}
