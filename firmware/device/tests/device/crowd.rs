//! More messages at once than the memory holds: those who publish wait a little for those who take.

use umqtt_mqtt::Limits;

use crate::world::{End, World, connect_packet, publish_packet};

const SUBSCRIBERS: usize = 16;
/// For each.
const MESSAGES: usize = 12;
/// Memory for most of them; an eighth of it is for more than one read brings.
const LIMITS: Limits = Limits::SMALL.max_clients(20).max_memory(40 * 1024);
const WINDOW: usize = 192;
/// Longer than any publisher waits.
const LONG: u64 = 5_000;

/// A client with a subscription at QoS 1 to `own/NUMBER`.
fn subscriber(world: &mut World, number: usize) -> End {
    let end = world.connect(1883);
    world.send(end, connect_packet(&format!("s{number}")));
    let filter = format!("own/{number:02}");
    let packet = [&[0x82, 11, 0, 1, 0, 6][..], filter.as_bytes(), &[1]].concat();
    world.send(end, packet);
    assert_eq!(world.received(end), [0x20, 2, 0, 0, 0x90, 3, 0, 1, 1]);
    end
}

/// Messages of QoS 1, one after the other to each of the subscribers.
fn burst() -> Vec<u8> {
    (0..SUBSCRIBERS * MESSAGES)
        .flat_map(|n| {
            let topic = format!("own/{:02}", n % SUBSCRIBERS);
            let id = [0, n as u8 + 1];
            [&[0x32, 15, 0, 6][..], topic.as_bytes(), &id, format!("{n:05}").as_bytes()].concat()
        })
        .collect()
}

/// Takes what came and acknowledges it; how many messages it was.
fn take(world: &mut World, end: End) -> usize {
    let bytes = world.received(end);
    let messages: Vec<&[u8]> = bytes.chunks(17).filter(|packet| packet[0] == 0x32).collect();
    let acks: Vec<u8> =
        messages.iter().flat_map(|packet| [0x40, 2, packet[10], packet[11]]).collect();
    world.send_quietly(end, acks);
    messages.len()
}

fn crowd() -> (World, Vec<End>, End) {
    let mut world = World::small(LIMITS, WINDOW);
    let subscribers = (0..SUBSCRIBERS).map(|n| subscriber(&mut world, n)).collect();
    let sender = world.client("sender", "none");
    (world, subscribers, sender)
}

fn dropped(world: &mut World) -> u64 {
    world.broker().stats().messages_dropped
}

#[test]
fn a_burst_larger_than_the_memory_is_delivered_whole() {
    let (mut world, subscribers, sender) = crowd();
    world.send(sender, burst());
    let accepted = world.broker().stats().messages_received;
    assert!(accepted < (SUBSCRIBERS * MESSAGES) as u64, "all of it fits: {accepted}");
    let mut came = 0;
    for _ in 0..20 {
        came += subscribers.iter().map(|end| take(&mut world, *end)).sum::<usize>();
        world.settle();
    }
    assert_eq!((came, dropped(&mut world)), (SUBSCRIBERS * MESSAGES, 0));
    assert_eq!(world.received(sender).len(), 4 * SUBSCRIBERS * MESSAGES);
}

#[test]
fn clients_that_publish_before_they_acknowledge_get_through_one_by_one() {
    let (mut world, subscribers, _) = crowd();
    let own: Vec<u8> = burst();
    for (n, end) in subscribers.iter().enumerate() {
        // To the next one.
        let packets = own.chunks(17).skip((n + 1) % SUBSCRIBERS).step_by(SUBSCRIBERS);
        world.send_quietly(*end, packets.collect::<Vec<_>>().concat());
    }
    let mut came = 0;
    for _ in 0..100 {
        world.settle();
        for end in &subscribers {
            let bytes = world.received(*end);
            let mut rest = &bytes[..];
            while let [head, len, tail @ ..] = rest {
                if *head == 0x32 {
                    came += 1;
                    world.send_quietly(*end, [0x40, 2, tail[8], tail[9]]);
                }
                rest = &tail[usize::from(*len)..];
            }
        }
        world.advance(20);
    }
    assert_eq!((came, dropped(&mut world)), (SUBSCRIBERS * MESSAGES, 0));
}

#[test]
fn subscribers_that_take_nothing_hold_nobody_up_for_long() {
    let (mut world, _subscribers, sender) = crowd();
    world.send(sender, burst());
    world.advance(LONG);
    assert!(dropped(&mut world) > 0);
    assert_eq!(world.received(sender).len(), 4 * SUBSCRIBERS * MESSAGES);
    // From here on it is full, and nobody waits any more.
    for n in 0..50 {
        let before = world.broker().stats().messages_received;
        world.send(sender, publish_packet("good", "word"));
        assert_eq!(world.broker().stats().messages_received, before + 1, "{n}");
    }
}
