//! Retained messages over restarts.

use crate::world::World;

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
    let mut world = world.power_cycle();
    let watcher = world.client("w", "#");
    assert_eq!(world.messages(watcher).len(), 74);
}
