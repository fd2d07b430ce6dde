//! What the broker has acknowledged at QoS 1 comes to those who are connected and read, or is
//! counted: also where queues and memory are full.

use umqtt_device::device::DeviceOptions;
use umqtt_memory::Plan;
use umqtt_mqtt::Limits;

use crate::world::{CHIP_HEAP, End, World, connect_packet};

/// The chip's, where the stories do not run on its heap.
fn limits() -> Limits {
    let memory = Plan::ESP8266.scaled(size_of::<usize>() / 4).broker;
    DeviceOptions::ESP8266.limits.max_memory(memory)
}

fn world(window: usize) -> World {
    if std::env::var_os(CHIP_HEAP).is_some() {
        World::new()
    } else {
        World::small(limits(), window)
    }
}

/// Whole packets: the first byte and what follows the length.
fn packets(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let (mut rest, mut all) = (bytes, Vec::new());
    while let [first, tail @ ..] = rest {
        let len_bytes = 1 + tail.iter().position(|b| *b < 128).unwrap();
        let len = tail[..len_bytes].iter().rev().fold(0, |n, b| n << 7 | usize::from(b & 127));
        all.push((*first, &tail[len_bytes..len_bytes + len]));
        rest = &tail[len_bytes + len..];
    }
    all
}

fn subscriber(world: &mut World, id: &str, filter: &str) -> End {
    let end = world.connect(1883);
    world.send(end, connect_packet(id));
    let len = filter.len() as u8;
    world.send(end, [&[0x82, 5 + len, 0, 1, 0, len][..], filter.as_bytes(), &[1]].concat());
    assert_eq!(world.received(end), [0x20, 2, 0, 0, 0x90, 3, 0, 1, 1]);
    end
}

/// Takes what came, and acknowledges it; the payloads.
fn take(world: &mut World, end: End) -> Vec<Vec<u8>> {
    let bytes = world.received(end);
    let (mut came, mut acks) = (Vec::new(), Vec::new());
    for (first, body) in packets(&bytes) {
        if first & 0xf0 != 0x30 {
            continue;
        }
        let topic = usize::from(body[1]);
        acks.extend([0x40, 2, body[2 + topic], body[3 + topic]]);
        came.push(body[4 + topic..].to_vec());
    }
    world.send_quietly(end, acks);
    came
}

/// A message of QoS 1: its number, filled up to so many bytes.
fn message(topic: &str, number: usize, len: usize) -> Vec<u8> {
    let payload = format!("{number:05}{}", "-".repeat(len.saturating_sub(5)));
    let len = 4 + topic.len() + payload.len();
    let len: &[u8] = if len < 128 { &[len as u8] } else { &[len as u8 | 128, (len >> 7) as u8] };
    let id = (number as u16 + 1).to_be_bytes();
    [&[0x32], len, &[0, topic.len() as u8], topic.as_bytes(), &id, payload.as_bytes()].concat()
}

/// How many PUBACKs a publisher got.
fn acknowledged(world: &mut World, end: End) -> usize {
    let bytes = world.received(end);
    packets(&bytes).iter().filter(|(first, _)| *first == 0x40).count()
}

fn dropped(world: &mut World) -> usize {
    world.broker().stats().messages_dropped as usize
}

#[test]
fn a_burst_larger_than_a_queue_comes_to_a_reader_whole() {
    for window in [64, 536, 4096] {
        let mut world = world(window);
        let reader = subscriber(&mut world, "reader", "in/#");
        let sender = world.client("sender", "none");
        let burst = (0..100).flat_map(|n| message("in/x", n, 5)).collect::<Vec<_>>();
        world.send(sender, burst);
        let (mut came, begun) = (Vec::new(), world.now());
        while came.len() + dropped(&mut world) < 100 {
            came.extend(take(&mut world, reader));
            world.advance(1);
            assert!(world.now() < begun + 5000, "{} came", came.len());
        }
        assert_eq!(dropped(&mut world), 0, "{window}");
        assert_eq!(acknowledged(&mut world, sender), 100);
        let wanted = (0..100).map(|n| format!("{n:05}").into_bytes()).collect::<Vec<_>>();
        assert_eq!(came, wanted);
    }
}

/// Publishers of many sizes at full memory, and a reader that takes a little later what came.
#[test]
fn at_full_memory_what_is_acknowledged_comes() {
    const SENDERS: usize = 12;
    for seed in 1..12u64 {
        let mut world = world(536);
        let reader = subscriber(&mut world, "reader", "in/#");
        let senders: Vec<End> =
            (0..SENDERS).map(|n| world.client(&format!("p{n}"), "none")).collect();
        let mut state = seed;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let (mut sent, mut came) = (0, Vec::new());
        for _ in 0..200 {
            let from = senders[random(SENDERS as u64) as usize];
            for _ in 0..=random(4) {
                let len = [5, 40, 150, 400, 1500][random(5) as usize];
                world.send_quietly(from, message("in/x", sent, len));
                sent += 1;
            }
            world.settle();
            if random(3) > 0 {
                came.extend(take(&mut world, reader));
            }
            world.advance(random(8));
        }
        for _ in 0..2000 {
            came.extend(take(&mut world, reader));
            world.advance(1);
        }
        let acknowledged: usize = senders.iter().map(|end| acknowledged(&mut world, *end)).sum();
        assert_eq!((acknowledged, dropped(&mut world)), (came.len(), 0), "{seed}");
        // One that began a message there was no room for was closed.
        let closed = world.broker().stats().no_memory;
        assert!(acknowledged == sent || closed > 0, "{seed}: {acknowledged} of {sent}");
        came.sort();
        came.dedup();
        assert_eq!(came.len(), acknowledged, "each once");
    }
}

/// Of two readers one takes nothing: its messages are dropped and counted, `show mqtt` says how
/// many, and the other's all come.
#[test]
fn what_a_subscriber_does_not_take_is_counted() {
    let mut world = world(536);
    let reader = subscriber(&mut world, "reader", "in/#");
    let stuck = subscriber(&mut world, "stuck", "in/#");
    let sender = world.client("sender", "none");
    world.send(sender, (0..100).flat_map(|n| message("in/x", n, 5)).collect::<Vec<_>>());
    let mut came = 0;
    for _ in 0..3000 {
        came += take(&mut world, reader).len();
        world.advance(1);
    }
    assert_eq!((came, acknowledged(&mut world, sender)), (100, 100));
    let mut had = 0;
    for _ in 0..100 {
        had += take(&mut world, stuck).len();
        world.settle();
    }
    let lost = dropped(&mut world);
    assert_eq!(had + lost, 100);
    assert!(lost > 0);
    let console = world.console();
    let shown = world.ask(console, "show mqtt");
    assert!(shown.contains(&format!("Dropped: messages {lost},")), "{shown}");
}
