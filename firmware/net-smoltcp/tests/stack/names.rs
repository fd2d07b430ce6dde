//! Names: a DNS server on the other host.

use std::net::Ipv4Addr;

use umqtt_net::{CloseReason, Net, NetError, NetEvent};
use umqtt_net_smoltcp::smoltcp::iface::SocketHandle;
use umqtt_net_smoltcp::smoltcp::socket::udp;
use umqtt_net_smoltcp::smoltcp::wire::{IpEndpoint, IpListenEndpoint};

use crate::world::{THEIRS, World, closed};

/// A UDP socket of the other host.
pub(crate) fn udp(world: &mut World, port: u16) -> SocketHandle {
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 8], vec![0; 4096]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(IpListenEndpoint { addr: None, port }).unwrap();
    world.outside.sockets.add(socket)
}

/// Answers what came for a server since it was last asked; returns how many questions there were.
pub(crate) fn serve(
    world: &mut World,
    server: SocketHandle,
    answer: impl Fn(&[u8], IpEndpoint) -> Option<(Vec<u8>, IpEndpoint)>,
) -> usize {
    let socket = world.outside.sockets.get_mut::<udp::Socket>(server);
    let mut questions = 0;
    while let Ok((bytes, from)) = socket.recv() {
        questions += 1;
        if let Some((reply, to)) = answer(bytes, from.endpoint) {
            socket.send_slice(&reply, to).unwrap();
        }
    }
    questions
}

/// A DNS reply (RFC 1035, section 4) with these addresses; none means that there is no such name.
fn dns_reply(question: &[u8], addresses: &[Ipv4Addr]) -> Vec<u8> {
    let mut reply = question.to_vec();
    reply[2] = 0x81;
    reply[3] = if addresses.is_empty() { 0x83 } else { 0x80 };
    reply[7] = addresses.len() as u8;
    for address in addresses {
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        reply.extend(address.octets());
    }
    reply
}

#[test]
fn a_name_is_looked_up_and_its_addresses_are_tried() {
    let mut world = World::new();
    let dns = udp(&mut world, 53);
    let server = world.outside.add_tcp();
    world.outside.tcp(server).listen(80).unwrap();
    let conn = world.net.connect("umqtt.example", 80).unwrap();
    world.pass(20);
    let asked = serve(&mut world, dns, |question, from| {
        assert_eq!(&question[12..27], b"\x05umqtt\x07example\0");
        Some((dns_reply(question, &[Ipv4Addr::new(10, 0, 0, 99), THEIRS]), from))
    });
    assert_eq!(asked, 1);
    // Nobody is at the first one.
    world.pass(9_000);
    assert_eq!(world.events(), []);
    world.pass(2_000);
    assert_eq!(world.events(), [NetEvent::Connected(conn)]);
}

#[test]
fn a_name_nobody_knows() {
    let mut world = World::new();
    let dns = udp(&mut world, 53);
    let conn = world.net.connect("nowhere.example", 80).unwrap();
    world.pass(20);
    serve(&mut world, dns, |question, from| Some((dns_reply(question, &[]), from)));
    world.pass(20);
    assert_eq!(world.events(), [closed(conn, CloseReason::NameNotFound)]);
    world.assert_clean();
}

#[test]
fn an_address_is_looked_up() {
    let mut world = World::new();
    let dns = udp(&mut world, 53);
    let looking = world.net.resolve("time.example").unwrap();
    world.pass(20);
    serve(&mut world, dns, |question, from| {
        let addresses = [THEIRS, Ipv4Addr::new(10, 0, 0, 99)];
        Some((dns_reply(question, &addresses), from))
    });
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Resolved(looking, THEIRS.into())]);
    // Nobody knows it; nobody asks any more; no name at all.
    let looking = world.net.resolve("nowhere.example").unwrap();
    world.pass(20);
    serve(&mut world, dns, |question, from| Some((dns_reply(question, &[]), from)));
    world.pass(20);
    assert_eq!(world.events(), [closed(looking, CloseReason::NameNotFound)]);
    let looking = world.net.resolve("time.example").unwrap();
    world.net.abort(looking);
    assert_eq!(world.events(), [closed(looking, CloseReason::Done)]);
    assert_eq!(world.net.resolve("a..b"), Err(NetError::Failed));
    world.assert_clean();
}

#[test]
fn a_name_server_that_is_silent_is_given_up() {
    let mut world = World::new();
    let dns = udp(&mut world, 53);
    let conn = world.net.connect("slow.example", 80).unwrap();
    let second = world.net.connect("slow.example", 81).unwrap();
    assert_eq!(world.net.connect("slow.example", 82), Err(NetError::Full));
    world.pass(17_000);
    assert!(serve(&mut world, dns, |_, _| None) > 2, "it is asked again");
    let mut events = world.events();
    events.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(
        events,
        [closed(conn, CloseReason::NameNotFound), closed(second, CloseReason::NameNotFound)]
    );
    world.assert_clean();
}

#[test]
fn names_that_cannot_be_are_refused() {
    let mut world = World::new();
    for name in ["", "a..b", &"x".repeat(64), &"label.".repeat(60), "::1", "[fe80::1]"] {
        assert_eq!(world.net.connect(name, 80), Err(NetError::Failed), "{name}");
    }
    world.assert_clean();
}

#[test]
fn what_was_found_is_remembered_as_long_as_it_holds() {
    let mut world = World::new();
    let dns = udp(&mut world, 53);
    let before = world.net.memory();
    let ports = std::cell::RefCell::new(std::collections::BTreeSet::new());
    for round in 0..3 {
        let looking = world.net.resolve("time.example").unwrap();
        world.pass(20);
        let asked =
            serve(&mut world, dns, |question, from| Some((dns_reply(question, &[THEIRS]), from)));
        world.pass(20);
        assert_eq!(world.events(), [NetEvent::Resolved(looking, THEIRS.into())]);
        // It holds for a minute, and is asked for again after that.
        assert_eq!(asked, usize::from(round != 1), "round {round}");
        world.pass(if round == 0 { 50_000 } else { 20_000 });
        // A turn with that time.
        world.pass(1);
    }
    for _ in 0..8 {
        let looking = world.net.resolve("nowhere.example").unwrap();
        world.pass(20);
        serve(&mut world, dns, |question, from| {
            ports.borrow_mut().insert(from.port);
            Some((dns_reply(question, &[]), from))
        });
        world.pass(20);
        assert_eq!(world.events(), [closed(looking, CloseReason::NameNotFound)]);
        world.pass(11_000);
        world.pass(1);
    }
    assert!(ports.borrow().len() > 6, "questions come from ports by chance: {ports:?}");
    // That there is none is remembered too; then nothing is, and takes no memory.
    let looking = world.net.resolve("nowhere.example").unwrap();
    world.pass(20);
    serve(&mut world, dns, |question, from| Some((dns_reply(question, &[]), from)));
    world.pass(20);
    assert_eq!(world.events(), [closed(looking, CloseReason::NameNotFound)]);
    let looking = world.net.resolve("nowhere.example").unwrap();
    assert_eq!(world.events(), [closed(looking, CloseReason::NameNotFound)]);
    assert!(world.net.memory() > before);
    world.pass(61_000);
    world.pass(1);
    assert_eq!(world.net.memory(), before);
    world.assert_clean();
}

#[test]
fn what_was_not_asked_for_is_not_believed() {
    let mut world = World::new();
    let dns = udp(&mut world, 53);
    let looking = world.net.resolve("time.example").unwrap();
    world.pass(20);
    let other = Ipv4Addr::new(10, 0, 0, 99);
    let socket = world.outside.sockets.get_mut::<udp::Socket>(dns);
    let (question, from) = socket.recv().map(|(bytes, from)| (bytes.to_vec(), from)).unwrap();
    // Another number, another name; many of them together, and the right one behind them.
    for wrong in [1, 13, 1, 13, 1, 13, 1] {
        let mut reply = dns_reply(&question, &[other]);
        reply[wrong] ^= 1;
        socket.send_slice(&reply, from.endpoint).unwrap();
    }
    socket.send_slice(&dns_reply(&question, &[THEIRS]), from.endpoint).unwrap();
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Resolved(looking, THEIRS.into())]);
    assert_eq!(world.net.refused_answers(), 7);
    world.pass(60_000);
    world.assert_clean();
}
