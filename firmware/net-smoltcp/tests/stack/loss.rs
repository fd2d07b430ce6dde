//! A bad wire: frames lost, doubled and late. What arrives is what was sent.

use proptest::prelude::*;
use umqtt_net::{ConnId, Net, NetEvent};
use umqtt_net_smoltcp::NetLimits;
use umqtt_net_smoltcp::smoltcp::iface::SocketHandle;

use crate::wire::Trouble;
use crate::world::{PORT, World};

/// One connection that carries a text each way.
struct Talk {
    theirs: SocketHandle,
    conn: Option<ConnId>,
    text: Vec<u8>,
    /// How much of the text each has sent.
    sent: [usize; 2],
    /// What each has received.
    got: [Vec<u8>; 2],
    started: bool,
    finished: bool,
}

fn text(seed: u32, len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| ((n ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// With `all_ends`, every talk must come to its end. On a wire that brings late frames it may not:
/// the other host is smoltcp too, which takes the window from a late segment, sends beyond it and
/// then may wait for ever (0.14).
fn talk(trouble: Trouble, seed: u64, lengths: &[usize], piece: usize, all_ends: bool) {
    let mut world = World::with(NetLimits::CHIP, trouble, seed);
    let mut talks: Vec<Talk> = Vec::new();
    for (at, len) in lengths.iter().enumerate() {
        talks.push(Talk {
            theirs: world.dial(PORT),
            conn: None,
            text: text(at as u32, *len),
            sent: [0; 2],
            got: [Vec::new(), Vec::new()],
            started: false,
            finished: false,
        });
    }
    // An hour suffices for the worst wire: retransmissions come slowly after a while.
    while world.now < 3_600_000 {
        let later = world.now + 1_000;
        world.step(later);
        for event in world.events() {
            let find = |talks: &mut Vec<Talk>, conn| {
                talks.iter().position(|talk| talk.conn == Some(conn)).unwrap()
            };
            match event {
                NetEvent::Accepted { conn, peer, .. } => {
                    let from = |talk: &Talk| {
                        let socket =
                            world.outside.sockets.get::<smoltcp::socket::tcp::Socket>(talk.theirs);
                        socket.local_endpoint().is_some_and(|end| end.port == peer.addr.port())
                    };
                    let at = talks.iter().position(from).unwrap();
                    talks[at].conn = Some(conn);
                    talks[at].started = true;
                }
                NetEvent::PeerClosed(conn) => {
                    let at = find(&mut talks, conn);
                    talks[at].finished = true;
                    world.net.close(conn);
                }
                NetEvent::Closed(conn, _) => {
                    let at = find(&mut talks, conn);
                    talks[at].conn = None;
                }
                _ => {}
            }
        }
        for talk in &mut talks {
            if let Some(conn) = talk.conn {
                let rest = &talk.text[talk.sent[0]..];
                talk.sent[0] += world.net.send(conn, &rest[..rest.len().min(piece)]);
                let got = &mut talk.got[0];
                world.net.recv(conn, &mut |bytes| {
                    let n = bytes.len().min(piece);
                    got.extend_from_slice(&bytes[..n]);
                    n
                });
            }
            let rest = &talk.text[talk.sent[1]..];
            let socket = world.outside.tcp(talk.theirs);
            if socket.can_send() {
                talk.sent[1] += socket.send_slice(rest).unwrap();
            }
            let heard = world.heard(talk.theirs);
            talk.got[1].extend(heard);
            let all = talk.text.len();
            if talk.started && talk.sent == [all; 2] && talk.got[1].len() == all {
                world.outside.tcp(talk.theirs).close();
            }
        }
        if talks.iter().all(|talk| talk.finished && talk.conn.is_none()) {
            break;
        }
    }
    for talk in &talks {
        for got in &talk.got {
            assert!(talk.text.starts_with(got), "what arrives is what was sent");
        }
        let ended = talk.finished && talk.conn.is_none();
        assert!(ended || !all_ends, "it did not end: {:?}", talk.sent);
        // Nobody is told of the end before everything arrived.
        assert!(!talk.finished || talk.got[0] == talk.text);
    }
    if !all_ends {
        return;
    }
    // The late copy of a SYN is a handshake that nobody ends.
    world.pass(25_000);
    world.events();
    assert_eq!(world.net.sockets_in_use(), 1);
}

#[test]
fn a_good_wire_carries_much() {
    talk(Trouble::default(), 1, &[20_000, 1, 0, 5_000], 10_000, true);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_wire_that_loses_changes_nothing_but_the_time(
        lost in 0u32..100,
        seed: u64,
        lengths in prop::collection::vec(0usize..4_000, 1..6),
        piece in 1usize..600,
    ) {
        talk(Trouble { lost, ..Trouble::default() }, seed, &lengths, piece, true);
    }

    #[test]
    fn a_bad_wire_never_changes_what_arrives(
        lost in 0u32..150,
        doubled in 0u32..150,
        late in 0u32..300,
        seed: u64,
        lengths in prop::collection::vec(0usize..4_000, 1..6),
        piece in 1usize..600,
    ) {
        talk(Trouble { lost, doubled, late }, seed, &lengths, piece, false);
    }
}
