//! Addresses from a DHCP server on the other host: an honest one, and those that say odd things.

use std::net::Ipv4Addr;

use umqtt_net::{Addressing, CloseReason, Net, NetEvent};
use umqtt_net_smoltcp::smoltcp::iface::SocketHandle;
use umqtt_net_smoltcp::smoltcp::wire::{
    DhcpMessageType, DhcpPacket, DhcpRepr, EthernetAddress, IpEndpoint,
};
use umqtt_net_smoltcp::{MIN_LEASE, NetLimits};

use crate::names::{serve, udp};
use crate::wire::Trouble;
use crate::world::{OUR_MAC, OURS, PORT, THEIRS, World, closed};

/// What a server answers (RFC 2131).
#[derive(Clone, Copy)]
struct Answer {
    address: Ipv4Addr,
    netmask: Ipv4Addr,
    router: Ipv4Addr,
    seconds: u32,
    /// T1 and T2.
    times: Option<(u32, u32)>,
    /// It offers, and then does not grant.
    refuses: bool,
}

const HONEST: Answer = Answer {
    address: OURS,
    netmask: Ipv4Addr::new(255, 255, 255, 0),
    router: THEIRS,
    seconds: 60,
    times: None,
    refuses: false,
};

impl Answer {
    fn to(self, question: &[u8]) -> Option<(Vec<u8>, IpEndpoint)> {
        let packet = DhcpPacket::new_checked(question).unwrap();
        let asked = DhcpRepr::parse(&packet).unwrap();
        assert_eq!(asked.client_hardware_address, EthernetAddress(OUR_MAC));
        let message_type = match asked.message_type {
            DhcpMessageType::Discover => DhcpMessageType::Offer,
            DhcpMessageType::Request if self.refuses => DhcpMessageType::Nak,
            DhcpMessageType::Request => DhcpMessageType::Ack,
            _ => return None,
        };
        let reply = DhcpRepr {
            message_type,
            your_ip: self.address,
            server_ip: THEIRS,
            router: Some(self.router),
            subnet_mask: Some(self.netmask),
            server_identifier: Some(THEIRS),
            dns_servers: Some([THEIRS].into_iter().collect()),
            lease_duration: Some(self.seconds),
            renew_duration: self.times.map(|(t1, _)| t1),
            rebind_duration: self.times.map(|(_, t2)| t2),
            parameter_request_list: None,
            requested_ip: None,
            client_identifier: None,
            max_size: None,
            ..asked
        };
        let mut bytes = vec![0; reply.buffer_len()];
        reply.emit(&mut DhcpPacket::new_unchecked(&mut bytes)).unwrap();
        Some((bytes, IpEndpoint::new(Ipv4Addr::BROADCAST.into(), 68)))
    }
}

/// A network without an address, and the other host's server.
struct Served {
    world: World,
    server: SocketHandle,
    /// Whether the network came up or was lost.
    changes: Vec<bool>,
}

impl Served {
    fn new() -> Served {
        let mut world = World::unconfigured(NetLimits::CHIP, Trouble::default(), 1);
        let server = udp(&mut world, 67);
        world.net.set_addressing(Addressing::DHCP);
        world.net.listen(PORT).unwrap();
        Served { world, server, changes: Vec::new() }
    }

    /// Lets time pass while the server answers at once; returns how many questions it got.
    fn pass(&mut self, ms: u64, answer: Option<Answer>) -> usize {
        let mut questions = 0;
        let until = self.world.now + ms;
        while self.world.now < until {
            self.world.step(until.min(self.world.now + 10));
            questions += serve(&mut self.world, self.server, |question, _| answer?.to(question));
            self.changes.extend(self.world.net.poll_link());
        }
        questions
    }
}

#[test]
fn the_address_comes_from_dhcp_and_goes_when_the_lease_ends() {
    let mut net = Served::new();
    net.pass(2_000, Some(HONEST));
    assert_eq!(net.world.net.address(), Some(OURS));
    assert_eq!(net.changes, [true]);
    let (_, conn) = net.world.accepted();

    // The name server came along.
    assert_eq!(net.world.net.name_server(), Some(THEIRS));
    let dns = udp(&mut net.world, 53);
    let looking = net.world.net.connect("umqtt.example", 80).unwrap();
    net.world.pass(20);
    assert_eq!(serve(&mut net.world, dns, |_, _| None), 1);
    net.world.net.abort(looking);
    assert_eq!(net.world.events(), [closed(looking, CloseReason::Done)]);

    // Nobody renews the lease.
    net.pass(62_000, None);
    assert_eq!(net.changes, [true, false]);
    assert_eq!(net.world.events(), [closed(conn, CloseReason::Reset)]);
    assert_eq!(net.world.net.address(), None);
}

#[test]
fn a_lease_of_no_time_is_one_of_a_minute() {
    let soon = |times| Answer { seconds: 3600, times: Some(times), ..HONEST };
    let mut odd = vec![soon((0, 1)), soon((0, 0)), soon((1, 2))];
    odd.extend([0, 1, 2, 10, 29, 30, 31, 59].map(|seconds| Answer { seconds, ..HONEST }));
    for answer in odd {
        let mut net = Served::new();
        net.pass(100, Some(answer));
        let (_, conn) = net.world.accepted();
        let questions = net.pass(600_000, Some(answer));
        let shown = (answer.seconds, answer.times);
        assert_eq!((&net.changes[..], net.world.events()), (&[true][..], vec![]), "{shown:?}");
        assert!(questions <= 2 * 20, "{shown:?}: asked {questions} times in ten minutes");
        // It is over when the server is silent for that long.
        net.pass(MIN_LEASE.as_millis() - 31_000, None);
        assert_eq!(net.changes, [true], "{shown:?}");
        if answer.seconds < 60 {
            net.pass(31_000, None);
            assert_eq!(net.changes, [true, false], "{shown:?}");
            assert_eq!(net.world.events(), [closed(conn, CloseReason::Reset)]);
            // And comes back with the next answer.
            net.pass(60_000, Some(HONEST));
            assert_eq!(net.changes, [true, false, true], "{shown:?}");
        }
    }
}

#[test]
fn a_server_that_offers_and_refuses_is_asked_as_one_that_is_silent() {
    let mut net = Served::new();
    let asked = net.pass(600_000, Some(Answer { refuses: true, ..HONEST }));
    assert!(asked <= 100, "{asked} times in ten minutes");
    net.pass(60_000, Some(HONEST));
    assert_eq!(net.changes, [true]);
    // One that is refused when it is renewed is given up, and the next one is asked for at once.
    let asked = net.pass(600_000, Some(Answer { refuses: true, ..HONEST }));
    assert!(asked <= 100, "{asked} times in ten minutes");
    assert_eq!(net.changes, [true, false]);
}

#[test]
fn an_address_that_no_host_has_is_not_taken() {
    let address = |text: &str| Answer { address: text.parse().unwrap(), ..HONEST };
    let everybody = Answer { netmask: Ipv4Addr::UNSPECIFIED, ..HONEST };
    let texts = ["127.0.0.1", "0.0.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255"];
    let mut odd = Vec::from(texts.map(address));
    odd.extend([address("10.0.0.0"), address("10.0.0.255"), everybody]);
    for answer in odd {
        let mut net = Served::new();
        let questions = net.pass(300_000, Some(answer));
        assert_eq!((net.world.net.address(), &net.changes[..]), (None, &[][..]));
        assert!(questions <= 60, "{}: {questions} times in five minutes", answer.address);
        net.pass(60_000, Some(HONEST));
        assert_eq!(net.changes, [true], "after {}", answer.address);
        // Nor in the place of one that is there.
        net.pass(600_000, Some(answer));
        assert!([None, Some(OURS)].contains(&net.world.net.address()));
    }
}

#[test]
fn a_router_that_no_host_can_be_is_none() {
    for text in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1"] {
        let router = text.parse().unwrap();
        let mut net = Served::new();
        net.pass(1_000, Some(Answer { router, ..HONEST }));
        assert_eq!(net.changes, [true]);
        let conn = net.world.net.connect("192.0.2.1", 80).unwrap();
        net.world.pass(1_000);
        net.world.net.abort(conn);
        assert_eq!(net.world.events(), [closed(conn, CloseReason::Done)], "by {text}");
    }
}

#[test]
fn fixed_addresses_that_no_host_has_count_as_none() {
    let netmask = HONEST.netmask;
    for text in ["127.0.0.1", "224.0.0.1", "255.255.255.255"] {
        let odd = text.parse().unwrap();
        let mut net = Served::new();
        net.world.net.set_addressing(Addressing::fixed(odd, netmask));
        net.pass(1_000, Some(HONEST));
        assert_eq!(net.world.net.address(), Some(OURS), "in place of {text}");
        net.world.net.set_addressing(Addressing::fixed(OURS, netmask).gateway(odd));
        let conn = net.world.net.connect("192.0.2.1", 80).unwrap();
        net.world.pass(1_000);
        assert!(!net.world.events().contains(&NetEvent::Connected(conn)));
    }
}

#[test]
fn a_network_that_is_gone_has_no_address_and_asks_for_none() {
    let mut net = Served::new();
    net.pass(2_000, Some(HONEST));
    let (_, conn) = net.world.accepted();
    net.world.net.remove_address();
    assert_eq!(net.pass(600_000, Some(HONEST)), 0, "questions");
    assert_eq!((net.world.net.address(), &net.changes[..]), (None, &[true, false][..]));
    assert_eq!(net.world.events(), [closed(conn, CloseReason::Reset)]);
    net.world.net.set_addressing(Addressing::DHCP);
    net.pass(2_000, Some(HONEST));
    assert_eq!(net.changes, [true, false, true], "it is back");
}
