//! Bytes, and every way a connection can end.

use umqtt_net::{CloseReason, Net, NetEvent};
use umqtt_net_smoltcp::smoltcp::socket::tcp::State;
use umqtt_net_smoltcp::{LINGER_TIMEOUT, NetLimits, PEER_TIMEOUT};

use crate::world::{World, closed};

#[test]
fn bytes_go_both_ways_and_both_ends_close() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    world.say(theirs, b"hello");
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Readable(conn)]);
    assert_eq!(world.take(conn), b"hello");
    assert_eq!(world.net.send(conn, b"welcome"), 7);
    world.pass(20);
    assert_eq!(world.heard(theirs), b"welcome");

    world.outside.tcp(theirs).close();
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::PeerClosed(conn)]);
    assert_eq!(world.net.send(conn, b"bye"), 3, "it can still be answered");
    world.net.close(conn);
    world.pass(20);
    assert_eq!(world.heard(theirs), b"bye");
    assert_eq!(world.events(), [closed(conn, CloseReason::Done)]);
    world.assert_clean();
}

#[test]
fn what_came_before_the_end_is_read_before_it() {
    let mut world = World::new();
    let theirs = world.dial(crate::world::PORT);
    world.pass(20);
    world.say(theirs, b"all at once");
    world.outside.tcp(theirs).close();
    world.pass(20);
    let events = world.events();
    let [NetEvent::Accepted { conn, .. }, NetEvent::Readable(again)] = events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(conn, again);
    let mut seen = Vec::new();
    let taken = world.net.recv(conn, &mut |bytes| {
        seen.extend_from_slice(&bytes[..4]);
        4
    });
    assert_eq!((taken, &seen[..]), (4, &b"all "[..]));
    assert_eq!(world.events(), [], "not finished before the rest was taken");
    assert_eq!(world.take(conn), b"at once");
    assert_eq!(world.events(), [NetEvent::PeerClosed(conn)]);
    world.net.close(conn);
    world.pass(20);
    assert_eq!(world.events(), [closed(conn, CloseReason::Done)]);
    world.assert_clean();
}

#[test]
fn it_is_told_once_of_bytes_and_again_of_more() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    world.say(theirs, b"one");
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Readable(conn)]);
    world.pass(500);
    assert_eq!(world.events(), [], "nothing new");
    world.say(theirs, b"two");
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Readable(conn)]);
    assert_eq!(world.take(conn), b"onetwo");
}

#[test]
fn a_reset_is_told() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    world.say(theirs, b"half a");
    world.outside.tcp(theirs).abort();
    world.pass(20);
    let events = world.events();
    assert_eq!(events.last(), Some(&closed(conn, CloseReason::Reset)), "{events:?}");
    world.assert_clean();
}

#[test]
fn an_abort_resets_the_other_end() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    world.net.abort(conn);
    assert_eq!(world.events(), [closed(conn, CloseReason::Done)]);
    world.pass(20);
    assert_eq!(world.state(theirs), State::Closed);
    world.assert_clean();
}

#[test]
fn closing_loses_nothing_though_the_other_end_goes_on_sending() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    world.say(theirs, &[b'x'; 3000]);
    world.pass(5);
    let text = vec![b'y'; NetLimits::CHIP.tx];
    assert_eq!(world.net.send(conn, &text), text.len());
    world.net.close(conn);
    world.pass(100);
    assert_eq!(world.heard(theirs), text);
    assert_eq!(world.state(theirs), State::CloseWait);
    world.outside.tcp(theirs).close();
    world.pass(100);
    let events = world.events();
    assert_eq!(events.last(), Some(&closed(conn, CloseReason::Done)), "{events:?}");
    world.assert_clean();
}

#[test]
fn one_that_never_closes_is_waited_for_a_while() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    world.net.close(conn);
    world.pass(LINGER_TIMEOUT.as_millis() - 100);
    assert_eq!(world.events(), []);
    world.pass(200);
    assert_eq!(world.events(), [closed(conn, CloseReason::Done)]);
    world.pass(20);
    assert_eq!(world.state(theirs), State::Closed, "reset");
    world.assert_clean();
}

#[test]
fn one_that_does_not_read_holds_up_only_itself() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    let (other, other_conn) = world.accepted();
    let all: Vec<u8> = (0..20_000u32).map(|n| n as u8).collect();
    // Its own buffers and ours are filled.
    let mut sent = 0;
    for _ in 0..50 {
        sent += world.net.send(conn, &all[sent..]);
        world.pass(20);
        world.events();
    }
    assert!(sent < 4096 + 2 * NetLimits::CHIP.tx);
    world.pass(5_000);
    assert_eq!(world.events(), [], "no room");

    world.say(other, b"still there?");
    world.pass(20);
    assert_eq!(world.events(), [NetEvent::Readable(other_conn)]);
    assert_eq!(world.take(other_conn), b"still there?");

    let mut heard = Vec::new();
    for _ in 0..1000 {
        heard.extend(world.heard(theirs));
        world.pass(20);
        if world.events().contains(&NetEvent::Writable(conn)) {
            sent += world.net.send(conn, &all[sent..]);
        }
    }
    assert_eq!(heard, all);
}

#[test]
fn a_device_that_does_not_take_closes_the_window_and_opens_it_again() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    let all: Vec<u8> = (0..4000u32).map(|n| (n / 7) as u8).collect();
    assert_eq!(world.say(theirs, &all), all.len());
    world.pass(5_000);
    assert_eq!(world.events(), [NetEvent::Readable(conn)]);
    let mut taken = Vec::new();
    for _ in 0..200 {
        taken.extend(world.take(conn));
        world.pass(300);
    }
    assert_eq!(taken, all);
}

#[test]
fn a_peer_that_vanished_is_found_out() {
    let mut world = World::new();
    let (_, conn) = world.accepted();
    world.pass(10 * PEER_TIMEOUT.as_millis());
    assert_eq!(world.events(), [], "it is there, only silent");
    world.wire.cut(true);
    world.pass(PEER_TIMEOUT.as_millis() + 25_000);
    assert_eq!(world.events(), [closed(conn, CloseReason::Reset)]);
    world.wire.cut(false);
    world.assert_clean();
}

#[test]
fn an_address_that_changes_takes_its_connections_along() {
    let mut world = World::new();
    let (_, conn) = world.accepted();
    let other = umqtt_net::Addressing::fixed([10, 0, 0, 77].into(), crate::world::NETMASK);
    world.net.set_addressing(crate::world::FIXED);
    assert_eq!(world.events(), [], "the same address");
    world.net.set_addressing(other);
    assert_eq!(world.events(), [closed(conn, CloseReason::Reset)]);
    world.assert_clean();
}
