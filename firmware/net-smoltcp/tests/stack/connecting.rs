//! Connections come in and go out, up to the bounds.

use umqtt_net::{CloseReason, ConnId, Net, NetError, NetEvent};
use umqtt_net_smoltcp::smoltcp::socket::tcp::State;
use umqtt_net_smoltcp::{CONNECT_TIMEOUT, MAX_PORTS, NetLimits};

use crate::wire::Trouble;
use crate::world::{PORT, THEIRS, World, closed};

fn conns(events: &[NetEvent]) -> Vec<ConnId> {
    let accepted = events.iter().filter_map(|event| match event {
        NetEvent::Accepted { conn, .. } => Some(*conn),
        _ => None,
    });
    accepted.collect()
}

#[test]
fn a_burst_of_connects_finds_a_backlog() {
    let mut world = World::new();
    let all: Vec<_> = (0..18).map(|_| world.dial(PORT)).collect();
    world.pass(50);
    assert_eq!(conns(&world.events()).len(), 18);
    for theirs in all {
        assert_eq!(world.state(theirs), State::Established);
    }
}

#[test]
fn the_bound_refuses_the_newcomer_and_a_free_place_is_used() {
    let bounds = NetLimits::CHIP.sockets(6).outgoing(2);
    let mut world = World::with(bounds, Trouble::default(), 1);
    let all: Vec<_> = (0..8).map(|_| world.dial(PORT)).collect();
    world.pass(2_000);
    let accepted = conns(&world.events());
    assert_eq!(accepted.len(), 4, "six places, two kept");
    let up = all.iter().filter(|one| world.state(**one) == State::Established).count();
    assert_eq!(up, 4);
    assert_eq!(all.iter().filter(|one| world.state(**one) == State::Closed).count(), 4);

    // The two that are kept are for the device itself.
    let server = world.outside.add_tcp();
    world.outside.tcp(server).listen(80).unwrap();
    let out = world.net.connect("10.0.0.2", 80).unwrap();
    let _second = world.net.connect("10.0.0.2", 80).unwrap();
    assert_eq!(world.net.connect("10.0.0.2", 80), Err(NetError::Full));
    world.pass(50);
    assert!(world.events().contains(&NetEvent::Connected(out)));
    assert_eq!(world.state(server), State::Established);

    world.net.abort(accepted[1]);
    assert_eq!(world.events(), [closed(accepted[1], CloseReason::Done)]);
    world.pass(50);
    let theirs = world.dial(PORT);
    world.pass(50);
    assert_eq!(world.state(theirs), State::Established);
    assert_eq!(conns(&world.events()), [accepted[1]], "the number is given out again");
}

#[test]
fn without_memory_newcomers_are_refused_and_the_others_stay() {
    use std::cell::Cell;
    thread_local!(static ROOM: Cell<bool> = const { Cell::new(true) });
    let bounds = NetLimits::CHIP.admits(|| ROOM.get());
    let mut world = World::with(bounds, Trouble::default(), 1);
    let (theirs, conn) = world.accepted();
    ROOM.set(false);
    // One listens already, for which there was memory.
    let last = world.dial(PORT);
    world.pass(50);
    assert_eq!(world.state(last), State::Established);
    let refused = world.dial(PORT);
    world.pass(50);
    assert_eq!(world.state(refused), State::Closed);
    world.events();
    world.say(theirs, b"here");
    world.pass(20);
    assert_eq!(world.take(conn), b"here");
    ROOM.set(true);
    let welcome = world.dial(PORT);
    world.pass(50);
    assert_eq!(world.state(welcome), State::Established);
}

#[test]
fn ports_are_listened_on_and_left() {
    let mut world = World::new();
    assert_eq!(world.net.listen(PORT), Err(NetError::PortInUse));
    world.net.listen(7777).unwrap();
    let (_, mqtt) = world.accepted();
    let console = world.dial(7777);
    world.pass(20);
    assert_eq!(world.state(console), State::Established);
    assert!(matches!(world.events()[..], [NetEvent::Accepted { port: 7777, .. }]));

    world.net.unlisten(PORT);
    let refused = world.dial(PORT);
    world.pass(20);
    assert_eq!(world.state(refused), State::Closed);
    assert_eq!(world.net.send(mqtt, b"up"), 2, "what is up stays");
    for port in 1..MAX_PORTS as u16 {
        world.net.listen(port).unwrap();
    }
    assert_eq!(world.net.listen(9), Err(NetError::Full));
}

#[test]
fn nobody_listens_there() {
    let mut world = World::new();
    let conn = world.net.connect("10.0.0.2", 81).unwrap();
    world.pass(100);
    assert_eq!(world.events(), [closed(conn, CloseReason::Refused)]);
    world.assert_clean();
}

#[test]
fn nobody_is_there() {
    let mut world = World::new();
    let conn = world.net.connect("10.0.0.99", 80).unwrap();
    world.pass(CONNECT_TIMEOUT.as_millis() - 100);
    assert_eq!(world.events(), []);
    world.pass(200);
    assert_eq!(world.events(), [closed(conn, CloseReason::TimedOut)]);
    world.assert_clean();
}

#[test]
fn a_connection_that_is_not_up_can_be_closed() {
    let mut world = World::new();
    for abort in [false, true] {
        for host in ["10.0.0.99", "somewhere.example"] {
            let conn = world.net.connect(host, 80).unwrap();
            world.pass(100);
            match abort {
                true => world.net.abort(conn),
                false => world.net.close(conn),
            }
            assert_eq!(world.events(), [closed(conn, CloseReason::Done)]);
            world.assert_clean();
        }
    }
}

#[test]
fn without_an_address_nothing_goes_out() {
    let mut world = World::unconfigured(NetLimits::CHIP, Trouble::default(), 1);
    assert_eq!(world.net.connect("10.0.0.2", 80), Err(NetError::Down));
    assert_eq!(world.net.poll_link(), None);
    world.pass(1000);
}

#[test]
fn what_the_device_made_carries_bytes() {
    let mut world = World::new();
    let server = world.outside.add_tcp();
    world.outside.tcp(server).listen(8080).unwrap();
    let conn = world.net.connect(&THEIRS.to_string(), 8080).unwrap();
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Connected(conn)]);
    assert_eq!(world.net.send(conn, b"GET /"), 5);
    world.pass(20);
    assert_eq!(world.heard(server), b"GET /");
    world.say(server, b"200");
    world.outside.tcp(server).close();
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Readable(conn)]);
    assert_eq!(world.take(conn), b"200");
    assert_eq!(world.events(), [NetEvent::PeerClosed(conn)]);
    world.net.close(conn);
    world.pass(20);
    assert_eq!(world.events(), [closed(conn, CloseReason::Done)]);
    world.assert_clean();
}
