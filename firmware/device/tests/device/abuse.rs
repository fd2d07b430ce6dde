//! What strangers and broken scripts do to it.

use proptest::prelude::*;

use crate::world::options;
use crate::world::{World, connect_packet, publish_packet};

/// The device still serves.
fn works(world: &mut World) {
    let one = world.client("one", "a/#");
    let other = world.client("other", "none");
    world.send(other, publish_packet("a/b", "hello"));
    assert_eq!(world.messages(one), ["a/b: hello"]);
    let console = world.console();
    assert!(world.ask(console, "show mqtt").contains("one"));
}

#[test]
fn connections_that_say_nothing_do_not_stay() {
    let mut world = World::new();
    let most = options().limits.max_waiting;
    let silent: Vec<_> = (0..50.min(most - 1)).map(|_| world.connect(1883)).collect();
    works(&mut world);
    world.advance(60_000);
    assert!(silent.iter().all(|end| world.is_closed(*end)));
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody_and_does_not_grow_the_device() {
    let mut world = World::new();
    let deaf = world.client("deaf", "flood");
    let reader = world.client("reader", "flood");
    let sender = world.client("sender", "none");
    let packet = publish_packet("flood", &"x".repeat(100));
    for _ in 0..2000 {
        world.send_quietly(sender, &packet);
        world.settle();
        let got = world.received(reader);
        assert_eq!(got, packet);
    }
    // It gets the oldest when it reads at last.
    assert!(world.received(deaf).starts_with(&packet));
    works(&mut world);
}

#[test]
fn a_console_that_does_not_read_its_replies_is_bounded() {
    let mut world = World::new();
    let deaf = world.console();
    for _ in 0..500 {
        world.send_quietly(deaf, "show\r\n");
    }
    world.settle();
    works(&mut world);
    let text = world.text(deaf);
    assert_eq!(text.matches("mqtt_user: none").count(), 500, "every command has its reply");
}

#[test]
fn handlers_that_feed_each_other_do_not_starve_the_network() {
    let mut world = World::running(
        "on init do\n subscribe local ping\n subscribe local pong\n publish local ping 1\n\
         on topic local ping do\n publish local pong 1\non topic local pong do\n settimer 1 1\n\
         on timer 1 do\n publish local ping 1\n",
    );
    works(&mut world);
    world.advance(1000);
    works(&mut world);
}

#[test]
fn a_while_without_end_is_stopped_and_named() {
    let mut world = World::running(
        "on init do\n subscribe local go\non topic local go do\n setvar $i = 1\n while 1 do\n setvar $i = $i + 1\n done\n",
    );
    let console = world.console();
    for round in 1..=3 {
        world.ask(console, "publish local go 1");
        let enabled = world.ask(console, "show mqtt").contains("Script enabled");
        assert_eq!(enabled, round < 3, "disabled by the third stop within a minute");
    }
    assert!(world.serial().contains("line 6") || world.serial().is_empty());
    works(&mut world);
}

#[test]
fn an_upload_port_takes_one_connection() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "script 2000");
    let first = world.connect(2000);
    world.send(first, "on");
    assert!(!world.listens(2000));
    world.reset(first);
    works(&mut world);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_on_any_port_close_at_most_their_connection(
        port in prop::sample::select(vec![1883_u16, 7777, 2000]),
        connects in any::<bool>(),
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(b'\n'), Just(0), Just(0x30), Just(0x82)], 0..400),
        pieces in prop::collection::vec(1..60usize, 1..10),
    ) {
        let mut world = World::new();
        let console = world.console();
        world.ask(console, "script 2000");
        let end = world.connect(port);
        if connects && port == 1883 {
            world.send(end, connect_packet("x"));
        }
        let mut rest = &bytes[..];
        for size in pieces.iter().cycle() {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            world.send_quietly(end, now);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        world.settle();
        // Whatever a console understood of it may have moved or locked things.
        if port == 1883 {
            works(&mut world);
        }
        world.reset(end);
    }
}
