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
fn with_autoretain_they_save_themselves_once_a_minute_and_before_a_reset() {
    let mut world = World::running(SCRIPT);
    let console = world.console();
    world.ask(console, "set broker_autoretain 1");
    world.ask(console, "save");
    world.ask(console, "publish local stat/a 1 retained");
    world.advance(30_000);
    world.ask(console, "publish local stat/b 2 retained");
    let mut world = world.power_cycle();
    let watcher = world.client("w", "stat/#");
    assert_eq!(world.messages(watcher), ["stat/a: 1"], "the second came too late");
    let console = world.console();
    world.ask(console, "publish local stat/c 3 retained");
    world.send(console, "reset\r\n");
    world.advance(2000);
    let mut world = world.power_cycle();
    let watcher = world.client("w", "stat/#");
    assert_eq!(world.messages(watcher), ["stat/a: 1", "stat/c: 3"]);
}

#[test]
fn too_many_of_them_are_refused_and_the_old_ones_stay() {
    let mut world = World::running(SCRIPT);
    let console = world.console();
    world.ask(console, "publish local stat/a 1 retained");
    world.ask(console, "save_retained");
    for n in 0..30 {
        world.ask(console, &format!("publish local big/{n} {} retained", "x".repeat(400)));
    }
    let reply = world.ask(console, "save_retained");
    assert!(reply.starts_with("Saved retained topics unsuccessfully: "), "{reply}");
    let mut world = world.power_cycle();
    let watcher = world.client("w", "#");
    assert_eq!(world.messages(watcher), ["stat/a: 1"]);
}
