//! Retained messages over restarts.

use std::cell::Cell;

use umqtt_device::storage::retained;
use umqtt_mqtt::QoS;

use crate::world::{World, publish_packet};

const SCRIPT: &str = "on init do\n println retained_topic(\"stat/#\")\n";

#[test]
fn they_are_saved_on_command_and_there_when_the_script_starts() {
    let mut world = World::running(SCRIPT);
    let console = world.console();
    world.ask(console, "publish local stat/relay closed retained");
    world.ask(console, "publish local other/thing 1 retained");
    assert_eq!(world.ask(console, "save_retained"), "Saved retained topics successfully\r\n");
    world.ask(console, "publish local stat/relay open retained");
    let mut world = world.power_cycle();
    assert!(world.serial().contains("closed"), "the script finds what was saved");
    let watcher = world.client("w", "stat/#");
    assert_eq!(world.messages(watcher), ["stat/relay: closed"]);
    let console = world.console();
    let shown = world.ask(console, "show mqtt");
    assert!(shown.contains("\"other/thing\" len: 1 (QoS 0)"), "{shown}");

    assert_eq!(world.ask(console, "delete_retained"), "Deleted retained topics\r\n");
    let mut world = world.power_cycle();
    let watcher = world.client("w", "#");
    assert_eq!(world.messages(watcher), [""; 0]);
}

#[test]
fn with_autoretain_they_save_themselves_a_second_after_the_last_change() {
    let mut world = World::running(SCRIPT);
    let console = world.console();
    world.ask(console, "set broker_autoretain 1");
    world.ask(console, "save");
    world.ask(console, "publish local stat/a ON retained");
    world.advance(5_000);
    world.ask(console, "publish local stat/a OFF retained");
    world.advance(1_100);
    let mut world = world.power_cycle();
    let watcher = world.client("w", "stat/#");
    assert_eq!(world.messages(watcher), ["stat/a: OFF"]);
    // Those that change all the time are saved every ten seconds.
    let console = world.console();
    for n in 0..25 {
        world.ask(console, &format!("publish local stat/n {n} retained"));
        world.advance(500);
    }
    let mut world = world.power_cycle();
    let watcher = world.client("w", "stat/n");
    let kept = world.messages(watcher);
    let number: u32 = kept[0].strip_prefix("stat/n: ").unwrap().parse().unwrap();
    assert!((16..24).contains(&number), "{kept:?}");
}

#[test]
fn with_autoretain_nothing_is_missing_after_an_orderly_end() {
    let mut world = World::running(SCRIPT);
    let console = world.console();
    world.ask(console, "set broker_autoretain 1");
    world.ask(console, "save");
    world.ask(console, "publish local stat/c 3 retained");
    world.send(console, "reset\r\n");
    world.advance(100);
    let mut world = world.power_cycle();
    let console = world.console();
    world.ask(console, "publish local stat/d 4 retained");
    world.save_now();
    let mut world = world.power_cycle();
    let watcher = world.client("w", "stat/#");
    assert_eq!(world.messages(watcher), ["stat/c: 3", "stat/d: 4"]);
}

#[test]
fn what_there_is_no_room_for_is_named_and_the_rest_is_saved() {
    let mut world = World::running(SCRIPT);
    let console = world.console();
    world.ask(console, "publish local stat/a 1 retained");
    world.ask(console, "save_retained");
    for n in 0..90 {
        world.ask(console, &format!("publish local big/{n:02} {} retained", "x".repeat(100)));
    }
    let reply = world.ask(console, "save_retained");
    let wanted = "Saved retained topics unsuccessfully: no room for big/73, big/74, big/75, big/76 and 13 more";
    assert_eq!(reply.trim_end(), wanted);
    let page = include_str!("../../docs/console.md");
    assert!(page.contains(&format!("```text\n{wanted}\n```")), "the page has another answer");
    let mut world = world.power_cycle();
    let watcher = world.client("w", "#");
    assert_eq!(world.messages(watcher).len(), 74);
}

/// Polls until nothing is left to do at once; the operations on the flash in each poll that had
/// any.
fn operations(world: &mut World, meter: &Cell<u32>) -> Vec<u32> {
    let (mut each, mut more) = (Vec::new(), true);
    while more {
        let before = meter.get();
        more = world.poll_once();
        each.push(meter.get() - before);
    }
    each.retain(|operations| *operations > 0);
    each
}

#[test]
fn others_have_their_turn_while_many_are_saved() {
    let (mut world, meter) = World::metered("on init do println \"ready\"");
    let console = world.console();
    world.ask(console, "set broker_autoretain 1");
    let publish = |world: &mut World, payload: &str| {
        for n in 0..127 {
            let topic = format!("stat/room/{n:03}");
            let payload = payload.as_bytes();
            let sent = world.broker().publish(topic.as_bytes(), payload, QoS::AtMostOnce, true);
            sent.unwrap();
        }
    };
    // New, changed, and gone.
    for payload in ["on", "off", ""] {
        publish(&mut world, payload);
        world.settle();
        world.pass_quietly(1_100);
        let each = operations(&mut world, &meter);
        // A record is some writes, and where a sector is full those of the records that move.
        let (turns, most) = (each.len(), each.iter().max().copied().unwrap_or(0));
        println!("{turns} turns, at most {most} operations, {} in all", each.iter().sum::<u32>());
        assert!(turns >= 127 / retained::RECORDS_PER_STEP, "{each:?}");
        assert!(most <= 120, "{each:?}");
    }
    // Somebody's ping is answered between two turns, and what a script asks for is no other.
    let (mut world, meter) = World::metered(
        "on init do subscribe local save\non topic local save do system \"save_retained\"",
    );
    publish(&mut world, "on");
    let client = world.client("c", "word");
    world.broker().publish(b"save", b"", QoS::AtMostOnce, false).unwrap();
    let (mut turns, mut more) = (0, true);
    while more {
        world.send_quietly(client, publish_packet("word", "hello"));
        let before = meter.get();
        more = world.poll_once();
        turns += u32::from(meter.get() > before);
        assert_eq!(world.there(client), publish_packet("word", "hello"), "in the same poll");
    }
    assert!(turns >= 127 / retained::RECORDS_PER_STEP as u32, "{turns}");
    let mut world = world.power_cycle();
    let watcher = world.client("w", "stat/#");
    assert_eq!(world.messages(watcher).len(), 127);
}

#[test]
fn what_changes_while_they_are_saved_is_saved_next() {
    let (mut world, _) = World::metered("on init do println \"ready\"");
    let console = world.console();
    world.ask(console, "set broker_autoretain 1");
    world.ask(console, "save");
    let topic = |n: u32| format!("t/{n:02}");
    for n in 0..60 {
        world.broker().publish(topic(n).as_bytes(), b"1", QoS::AtMostOnce, true).unwrap();
    }
    world.settle();
    world.pass_quietly(1_100);
    for n in 0..40 {
        world.poll_once();
        let (gone, new) = (topic(n), topic(n + 60));
        world.broker().publish(gone.as_bytes(), b"", QoS::AtMostOnce, true).unwrap();
        world.broker().publish(new.as_bytes(), b"2", QoS::AtMostOnce, true).unwrap();
    }
    world.save_now();
    let mut world = world.power_cycle();
    let watcher = world.client("w", "t/#");
    let wanted: Vec<String> =
        (40..100).map(|n| format!("{}: {}", topic(n), if n < 60 { 1 } else { 2 })).collect();
    assert_eq!(world.messages(watcher), wanted);
}
