//! What happens while the device is short of memory, and afterwards.
#![allow(clippy::unwrap_used, dead_code)] // in helpers of tests

mod allocator;
#[path = "../device/world.rs"]
mod world;

use std::sync::{Mutex, MutexGuard};

use allocator::{recover, run_short};
use umqtt_memory::{Share, set_probing};
use world::{End, World, publish_packet};

/// There is one heap.
static HEAP: Mutex<()> = Mutex::new(());

fn heap() -> MutexGuard<'static, ()> {
    set_probing(true);
    HEAP.lock().unwrap_or_else(|poisoned| {
        recover();
        poisoned.into_inner()
    })
}

/// More than a step's margin, less than what reading the flash takes.
const FLASH_READ: usize = 1100;

#[test]
fn a_flash_variable_that_cannot_be_read_is_not_written() {
    let _heap = heap();
    let mut world = World::running(
        "on init do\n subscribe local count\non topic local count do\n \
         println \"it is \" | @1\n setvar @1 = @1 + 1\n setvar @2 = \"x\" | @1\n",
    );
    world.type_in("set @1 41\r\nset @2 old\r\n");
    let client = world.client("c", "none");
    world.serial();
    run_short(0, FLASH_READ);
    world.send(client, publish_packet("count", "1"));
    recover();
    let log = world.serial();
    assert!(log.contains("@1 cannot be read, and none is written now: not enough memory"), "{log}");
    assert!(log.contains("@1 was not written"), "{log}");
    assert!(log.contains("@2 was not written"), "{log}");
    // It was read three times.
    assert_eq!(world.account(Share::Storage).refused, 3);
    let console = world.console();
    let shown = world.ask(console, "show vars");
    assert!(shown.contains("@1: 41\r\n@2: old\r\n"), "{shown}");
    // The next event writes as ever.
    world.send(client, publish_packet("count", "2"));
    let shown = world.ask(console, "show vars");
    assert!(shown.contains("@1: 42\r\n@2: x42\r\n"), "{shown}");
}

#[test]
fn the_console_says_that_it_cannot_read_them() {
    let _heap = heap();
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "set @3 x");
    run_short(0, FLASH_READ);
    let shown = world.ask(console, "show vars");
    recover();
    assert!(shown.contains("@2: \r\n@3 cannot be read: not enough memory\r\n@4: \r\n"), "{shown}");
    assert_eq!(world.account(Share::Storage).refused, 1);
    let shown = world.ask(console, "show stats");
    let row = shown.lines().find(|line| line.starts_with("  storage ")).unwrap();
    assert!(row.ends_with(" 1"), "{row}");
}

/// A device, its console and a sender that goes on, with memory short from the `after`th allocation
/// of the check on.
fn waiting_check(after: usize) -> (World, End, End) {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do\n println \"one\"\n println (\n");
    world.advance(1999);
    run_short(after, 1000);
    world.pass_quietly(1);
    world.poll_once();
    (world, console, sender)
}

/// What has come may be a whole script though its sender goes on: it is tried when it is quiet for
/// a while. However that is put off for want of memory, the rest and the end of what comes count.
#[test]
fn what_comes_of_an_upload_while_its_check_waits_counts() {
    let _heap = heap();
    let mut put_off = 0;
    for after in 0..60 {
        let (mut world, console, sender) = waiting_check(after);
        world.finish(sender);
        recover();
        world.advance(100);
        let text = world.text(console);
        // It was not put off: the compiler found none.
        if text.contains("not enough memory") {
            continue;
        }
        put_off += 1;
        assert!(text.contains("Script not taken (37 Bytes)"), "after {after}: {text}");
        assert!(text.contains("Error in line"), "after {after}: {text}");

        let (mut world, console, sender) = waiting_check(after);
        world.send(sender, " 2)\n");
        recover();
        world.advance(100);
        world.finish(sender);
        let text = world.text(console);
        assert!(text.contains("Script upload completed (41 Bytes)"), "after {after}: {text}");
        assert!(text.contains("Syntax okay"), "after {after}: {text}");
    }
    assert!(put_off > 5, "{put_off}");
}

/// Of a step's margin not even a piece is there.
const NO_STEP: usize = 256;

/// A device without memory for any step, for so long; whether it has restarted.
fn restarts_after(ms: u64) -> (World, bool) {
    let mut world = World::new();
    world.client("c", "none");
    run_short(0, NO_STEP);
    world.advance(ms);
    recover();
    world.advance(2_000);
    let restarted = world.wires.borrow().restarted;
    (world, restarted)
}

#[test]
fn without_memory_for_half_a_minute_it_restarts() {
    let _heap = heap();
    assert!(restarts_after(30_200).1);
    let (mut world, restarted) = restarts_after(29_800);
    assert!(!restarted, "it had it again in time");
    assert!(world.account(Share::Margin).refused > 0);
    let client = world.client("again", "t");
    world.send(client, publish_packet("t", "served"));
    assert_eq!(world.messages(client), ["t: served"]);
    world.advance(60_000);
    assert!(!world.wires.borrow().restarted, "and the wait is forgotten");
}

/// An upload and a request of the script, under way.
fn with_both() -> (World, End, End) {
    let mut world = World::running("on init do http_get \"http://server/page\"\n");
    world.take_asked();
    let console = world.console();
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do println \"half");
    (world, console, sender)
}

#[test]
fn without_memory_for_a_second_uploads_and_requests_give_way() {
    let _heap = heap();
    let refused = |world: &World| [Share::Http, Share::Upload].map(|s| world.account(s).refused);
    let (mut world, ..) = with_both();
    run_short(0, NO_STEP);
    world.advance(900);
    recover();
    world.advance(1_000);
    assert_eq!(refused(&world), [0, 0]);

    let (mut world, console, sender) = with_both();
    run_short(0, NO_STEP);
    world.advance(1_200);
    recover();
    world.advance(100);
    assert_eq!(refused(&world), [1, 1]);
    assert_eq!(world.account(Share::Upload).used, 0);
    assert!(world.is_closed(sender));
    for end in [console, sender] {
        let text = world.text(end);
        assert!(text.contains("Script not stored: not enough memory"), "{text}");
    }
    // Nothing of it is in the next one.
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do println 2\n");
    world.finish(sender);
    let text = world.text(console);
    assert!(text.contains("Script upload completed (21 Bytes)\r\nSyntax okay"), "{text}");
}
