//! Floods, scans and garbage: memory stays bounded and others are served.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use umqtt_net::{ConnId, Net, NetError, NetEvent};
use umqtt_net_smoltcp::smoltcp::phy::ChecksumCapabilities;
use umqtt_net_smoltcp::smoltcp::socket::tcp::State;
use umqtt_net_smoltcp::smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, Ipv4Packet,
    Ipv4Repr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber, TcpTimestampRepr,
};
use umqtt_net_smoltcp::{HANDSHAKE_TIMEOUT, NetLimits};

use crate::wire::Trouble;
use crate::world::{OUR_MAC, OURS, PORT, THEIR_MAC, THEIRS, World};

/// A TCP segment without payload, as a frame for the device.
fn segment(from: (Ipv4Addr, u16), to_port: u16, control: TcpControl, ack: Option<i32>) -> Vec<u8> {
    let tcp = TcpRepr {
        src_port: from.1,
        dst_port: to_port,
        control,
        seq_number: TcpSeqNumber(4711),
        ack_number: ack.map(TcpSeqNumber),
        window_len: 1000,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None::<TcpTimestampRepr>,
        payload: &[],
    };
    let ip = Ipv4Repr {
        src_addr: from.0,
        dst_addr: OURS,
        next_header: IpProtocol::Tcp,
        payload_len: tcp.buffer_len(),
        hop_limit: 64,
    };
    let ethernet = EthernetRepr {
        src_addr: EthernetAddress(THEIR_MAC),
        dst_addr: EthernetAddress(OUR_MAC),
        ethertype: EthernetProtocol::Ipv4,
    };
    let mut bytes = vec![0; ethernet.buffer_len() + ip.buffer_len() + tcp.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    ethernet.emit(&mut frame);
    let checksums = ChecksumCapabilities::default();
    let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
    ip.emit(&mut packet, &checksums);
    tcp.emit(
        &mut TcpPacket::new_unchecked(packet.payload_mut()),
        &from.0.into(),
        &OURS.into(),
        &checksums,
    );
    bytes
}

/// A host that knocks and does not answer.
fn stranger(n: u32) -> (Ipv4Addr, u16) {
    (Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + 3 + n % 250), 1024 + (n / 250) as u16)
}

#[test]
fn a_syn_flood_takes_a_bounded_number_of_places_and_honest_ones_get_in() {
    let mut world = World::new();
    // The peer is known, as any host that has just spoken to the device is.
    world.accepted();
    let mut connected = 0;
    for round in 0..50 {
        for n in 0..20 {
            let syn = segment(stranger(round * 20 + n), PORT, TcpControl::Syn, None);
            world.wire.inject(0, syn);
        }
        let theirs = if round % 10 == 5 { Some(world.dial(PORT)) } else { None };
        for _ in 0..20 {
            world.pass(1);
            assert!(world.net.sockets_in_use() <= 3 + NetLimits::CHIP.half_open + connected);
        }
        world.pass(1_500); // one more try of those who lost their place
        if let Some(theirs) = theirs {
            connected += 1;
            assert_eq!(world.state(theirs), State::Established, "round {round}");
        }
    }
    let accepted = world.events();
    let accepted = accepted.iter().filter(|e| matches!(e, NetEvent::Accepted { .. })).count();
    assert_eq!(accepted, connected, "of half-open ones the device hears nothing");
    world.pass(HANDSHAKE_TIMEOUT.as_millis());
    assert_eq!(world.net.sockets_in_use(), 2 + connected);
}

/// SYNs of one stranger, all in one instant: they push out each other, not an honest handshake.
#[test]
fn a_burst_of_syns_pushes_out_its_own() {
    let mut world = World::new();
    world.accepted();
    for round in 0..10 {
        let theirs = world.dial(PORT);
        // Its SYN has arrived, and these right behind it: before its answer can.
        world.step(world.now + 1);
        for n in 0..30 {
            let from = (stranger(0).0, 1024 + round as u16 * 100 + n);
            world.wire.inject(0, segment(from, PORT, TcpControl::Syn, None));
        }
        world.pass(20);
        assert_eq!(world.state(theirs), State::Established, "round {round}");
        assert!(world.net.refused() > 0);
        // All have ended when the next burst comes.
        world.pass(HANDSHAKE_TIMEOUT.as_millis() + 100);
    }
}

#[test]
fn with_one_place_left_handshakes_make_way() {
    let bounds = NetLimits::CHIP.sockets(4).outgoing(0);
    let mut world = World::with(bounds, Trouble::default(), 1);
    for _ in 0..3 {
        world.accepted();
    }
    world.wire.inject(0, segment(stranger(0), PORT, TcpControl::Syn, None));
    world.pass(200);
    // Its SYN finds nobody listening, or is the first after the stranger had to go.
    let theirs = world.dial(PORT);
    world.pass(50);
    assert_eq!(world.state(theirs), State::Established);
    assert!(world.net.refused() > 0);
}

#[test]
fn who_finds_no_place_is_counted_once() {
    let mut world = World::with(NetLimits::CHIP.sockets(3).outgoing(1), Trouble::default(), 1);
    let conns = [(); 2].map(|()| world.accepted().1);
    assert_eq!(world.net.refused(), 0);
    for n in 1..4 {
        let theirs = world.dial(PORT);
        world.pass(200);
        assert_eq!((world.state(theirs), world.net.refused()), (State::Closed, n));
    }
    // A port that is not open is no want of room, nor is a copy of a SYN that was taken.
    world.dial(PORT + 1);
    world.wire.inject(0, segment((THEIRS, 50_000), PORT, TcpControl::Syn, None));
    world.pass(200);
    assert_eq!(world.net.refused(), 3);
    assert!(world.net.connect("10.0.0.2", 9).is_ok());
    assert_eq!(world.net.connect("10.0.0.2", 9), Err(NetError::Full));
    assert_eq!(world.net.refused(), 4);
    world.net.abort(conns[0]);
    world.pass(20);
    world.events();
    world.pass(200);
    let theirs = world.dial(PORT);
    world.pass(50);
    assert_eq!((world.state(theirs), world.net.refused()), (State::Established, 4));
}

#[test]
fn who_finds_no_memory_is_counted() {
    let mut world = World::with(NetLimits::CHIP.admits(|| false), Trouble::default(), 1);
    for n in 1..4 {
        world.dial(PORT);
        world.pass(50);
        assert_eq!(world.net.refused(), n);
    }
    assert!(world.net.connect("10.0.0.2", 9).is_ok());
    assert_eq!(world.net.refused(), 4);
}

/// Strangers hold all places, and knock at one port again whenever one becomes free.
#[test]
fn ports_take_turns_at_the_places_that_become_free() {
    const OTHER: u16 = 7777;
    for (flooded, wanted) in [(PORT, OTHER), (OTHER, PORT)] {
        let bounds = NetLimits::CHIP.sockets(6).outgoing(0);
        let mut world = World::with(bounds, Trouble::default(), 1);
        world.net.listen(OTHER).unwrap();
        let mut held = VecDeque::new();
        // The last ones take the listening sockets themselves.
        for port in [[flooded; 5].as_slice(), &[wanted]].concat() {
            world.dial(port);
            world.pass(20);
            held.extend(accepted(&mut world));
        }
        assert!(world.net.is_full() && held.len() == 6);
        for round in 0..20 {
            let before = world.now;
            let mut theirs = world.dial(wanted);
            while world.state(theirs) != State::Established {
                assert!(world.now < before + 5_000, "nobody gets in at {wanted}, round {round}");
                if world.state(theirs) == State::Closed {
                    theirs = world.dial(wanted); // as people do
                }
                // As the device does when the network is full: the oldest makes way.
                if world.net.is_full() {
                    world.net.abort(held.pop_front().unwrap());
                }
                world.dial(flooded);
                world.pass(10);
                held.extend(accepted(&mut world));
            }
        }
    }
}

/// The connections the device is told of.
fn accepted(world: &mut World) -> Vec<ConnId> {
    let conn = |event| match event {
        NetEvent::Accepted { conn, .. } => Some(conn),
        _ => None,
    };
    world.events().into_iter().filter_map(conn).collect()
}

#[test]
fn a_port_scan_meets_resets_and_costs_nothing() {
    let mut world = World::new();
    let before = world.wire.carried();
    for port in 1..2000 {
        world.wire.inject(0, segment((THEIRS, 999), port, TcpControl::Syn, None));
        if port == PORT {
            world.pass(1);
            world.wire.inject(0, segment((THEIRS, 999), port, TcpControl::Rst, Some(0)));
        }
        world.pass(1);
    }
    assert!(world.wire.carried() > before + 1900, "every port answers");
    assert_eq!(world.net.refused(), 0);
    world.pass(HANDSHAKE_TIMEOUT.as_millis() + 100);
    world.assert_clean();
    let theirs = world.dial(PORT);
    world.pass(20);
    assert_eq!(world.state(theirs), State::Established);
}

#[test]
fn garbage_and_stray_segments_are_ignored() {
    let mut world = World::new();
    let (theirs, conn) = world.accepted();
    let mut seed = 1u32;
    for round in 0..3_000u32 {
        let mut frame = match round % 4 {
            0 => segment(stranger(round), PORT, TcpControl::None, Some(1)),
            1 => segment((THEIRS, 50_000), PORT, TcpControl::Syn, None),
            2 => segment((THEIRS, 50_000), PORT, TcpControl::Rst, Some(7)),
            _ => segment(stranger(round), PORT, TcpControl::Fin, Some(1)),
        };
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let at = 14 + seed as usize % (frame.len() - 14);
        if round % 3 == 0 {
            frame[at] ^= (seed >> 24) as u8 | 1;
        }
        frame.truncate(if round % 7 == 0 { at } else { frame.len() });
        world.wire.inject(0, frame);
        world.pass(1);
    }
    assert!(world.net.sockets_in_use() <= 2 + NetLimits::CHIP.half_open);
    world.say(theirs, b"still up");
    world.pass(50);
    assert_eq!(world.take(conn), b"still up");
}

#[test]
fn a_thousand_connections_one_after_the_other_leave_nothing_behind() {
    let mut world = World::new();
    for round in 0..1000 {
        let (theirs, conn) = world.accepted();
        match round % 4 {
            0 => world.outside.tcp(theirs).abort(),
            1 => world.net.abort(conn),
            2 => {
                world.outside.tcp(theirs).close();
                world.pass(5);
                world.net.close(conn);
            }
            _ => {
                world.net.close(conn);
                world.pass(5);
                world.outside.tcp(theirs).close();
            }
        }
        world.pass(30);
        assert!(matches!(world.events().last(), Some(NetEvent::Closed(..))), "round {round}");
        world.outside.sockets.remove(theirs);
    }
    world.assert_clean();
}
