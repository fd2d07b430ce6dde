//! Who floods the device does not keep it from the others: counted in bytes taken and in polls, not
//! in time.

use crate::world::{CHIP_HEAP, End, PIECE, World, publish_packet};

/// Bytes each of the flooders has on its way.
const FLOOD: usize = 128 * 1024;
/// Bytes taken from one connection before the next has its turn.
const TURN: usize = 4 * PIECE;
/// Network events handled in one poll.
const EVENTS: usize = 128;

/// A kind of flood.
type Flood = fn() -> Vec<u8>;

fn small_messages() -> Vec<u8> {
    publish_packet("f", "").repeat(FLOOD / 5)
}

fn large_messages() -> Vec<u8> {
    // One message of half a flood, and then another.
    let head = [0x30, 0x80, 0x80, 0x04, 0, 1, b'f'];
    [&head[..], &vec![b'x'; FLOOD / 2 - 3]].concat().repeat(2)
}

fn pings() -> Vec<u8> {
    [0xc0, 0].repeat(FLOOD / 2)
}

fn subscriptions() -> Vec<u8> {
    [0x82, 6, 0, 1, 0, 1, b'+', 0].repeat(FLOOD / 8)
}

fn unknown_releases() -> Vec<u8> {
    [0x62, 2, 0, 9].repeat(FLOOD / 4)
}

/// A world with flooders, a talker and a listener.
fn flooded(flooders: usize, flood: Flood) -> (World, End, End) {
    let mut world = World::new();
    let bad: Vec<_> =
        (0..flooders).map(|n| world.client(&format!("bad {n}"), "only/mine")).collect();
    let listener = world.client("listener", "good/#");
    let talker = world.client("talker", "none");
    let bytes = flood();
    for end in bad {
        world.send_quietly(end, &bytes);
    }
    (world, talker, listener)
}

#[test]
fn a_message_waits_for_a_bounded_number_of_the_flooders_bytes() {
    for flood in
        [small_messages, large_messages, pings, subscriptions, unknown_releases] as [Flood; 5]
    {
        for flooders in [1, 40] {
            let (mut world, talker, listener) = flooded(flooders, flood);
            let word = publish_packet("good/word", "hello");
            for _ in 0..2 {
                world.send_quietly(talker, &word);
                let before = world.net.taken;
                world.poll_once();
                assert_eq!(world.there(listener), word, "in the same poll");
                let taken = world.net.taken - before;
                assert!(taken <= EVENTS * TURN, "{taken} bytes of {flooders} flooders in one poll");
            }
            assert!(flooders == 1 || world.net.taken < flooders * FLOOD, "the flood goes on");
        }
    }
}

#[test]
fn a_console_and_a_script_go_on_while_others_flood() {
    let (mut world, _, listener) = flooded(20, small_messages);
    world.install(
        "on init do\n settimer 1 10\non timer 1 do\n settimer 1 10\n publish local good/tick 1\n",
    );
    let console = world.console();
    world.received(listener);
    let (flood, tick) = (small_messages(), publish_packet("good/tick", "1"));
    let bad: Vec<_> = (0..20).map(|n| world.client(&format!("worse {n}"), "x")).collect();
    for end in bad {
        world.send_quietly(end, &flood);
    }
    for _ in 0..4 {
        world.send_quietly(console, "time\r\n");
        world.pass_quietly(10);
        world.poll_once();
        assert_eq!(world.there(console), b"xxx 99:99:99\r\nCMD>");
        assert_eq!(world.there(listener), tick);
    }
}

/// Bytes that all clients together are sent, about, before the device looks at what they say.
const PASS: usize = 16 * 1024 * 1024;

#[test]
fn a_large_message_for_many_is_sent_in_turns() {
    const READERS: usize = 100;
    if std::env::var_os(CHIP_HEAP).is_some() {
        return; // no chip has clients that take more than their share at once
    }
    let mut world = World::new();
    world.net.window = 8 * 1024 * 1024;
    let readers: Vec<_> =
        (0..READERS).map(|n| world.client(&format!("reader {n}"), "large")).collect();
    let listener = world.client("listener", "good/#");
    let talker = world.client("talker", "none");
    let publisher = world.client("publisher", "none");
    let sent = |world: &mut World| -> Vec<usize> {
        readers.iter().map(|end| world.net.line(end.0).from_device.len()).collect()
    };
    // 1,000,000 bytes behind the first four.
    let large = [&[0x30, 0xc0, 0x84, 0x3d, 0, 5][..], b"large", &[b'x'; 999_993]].concat();
    let word = publish_packet("good/word", "hello");
    world.send_quietly(publisher, &large);
    let mut most = 0;
    while sent(&mut world).iter().any(|sent| *sent < large.len()) {
        let before: usize = sent(&mut world).iter().sum();
        world.send_quietly(talker, &word);
        world.poll_once();
        assert_eq!(world.there(listener), word, "in the same poll");
        let now = sent(&mut world);
        most = most.max(now.iter().sum::<usize>() - before);
        assert!(most <= 2 * PASS, "{most} bytes in one poll");
    }
    assert!(most > PASS / 2, "no more than {most} bytes in one poll");
    for reader in readers {
        assert_eq!(world.there(reader), large);
    }
}

#[test]
fn who_floods_is_not_shut_out_either() {
    let (mut world, _, _) = flooded(3, small_messages);
    world.settle();
    let counted = *world.broker().stats();
    assert!(counted.messages_received >= 3 * (FLOOD as u64 / 5));
    assert_eq!((counted.closed(), counted.messages_dropped), (0, 0));
}
