//! A script that is at the limit of its fuel in every event keeps the others waiting for one of its
//! events and no longer: counted in turns and events, in virtual time.

use umqtt_vm::Profile;

use crate::fuel::rounds;
use crate::world::{connect_packet, publish_packet};
use crate::worst::{CASES, repeat, start, world};

/// What an event has on the board whose turns take longest.
const FUEL: u32 = Profile::ESP8266.fuel;
/// Turns in which others want something.
const TURNS: usize = 8;
/// The pin that shows that a handler begins.
const BEGIN: u8 = 5;

/// Events that all use up their fuel as far as they can without being stopped for it: messages to
/// the script, and two timers.
fn at_the_limit(statements: &str, rounds: u64) -> String {
    // A script whose handlers are stopped again and again is disabled; this one is to go on.
    let rounds = if rounds > 3 { rounds * 9 / 10 } else { rounds };
    let work = format!("gpio_out {BEGIN} 1 {}", repeat(statements, &format!("$i lt {rounds}")));
    format!(
        "{}
on timer 2 do settimer 2 1 {work}
on topic local go do settimer 2 1 {work}",
        start()
    )
}

#[test]
fn others_wait_for_one_event_of_a_script_at_its_limit() {
    for (name, statements) in CASES {
        let mut world = world(statements, FUEL);
        let endless = repeat(statements, &format!("$i lt {}", i32::MAX));
        world.install(&format!("{}\non topic local go do {endless}", start()));
        let starter = world.client("noise", "nobody/publishes");
        world.send_quietly(starter, publish_packet("go", ""));
        world.poll_once();
        let rounds = rounds(&mut world);
        world.install(&at_the_limit(statements, rounds));
        let (talker, listener) =
            (world.client("talker", "nobody/publishes"), world.client("listener", "good/#"));
        world.serial();
        let word = publish_packet("good/word", "hello");
        let mut begun = 0;
        for turn in 0..TURNS {
            world.wires.borrow_mut().outputs.clear();
            world.pass_quietly(1);
            world.send_quietly(starter, publish_packet("go", "").repeat(4));
            world.send_quietly(talker, [&[0xc0, 0], &word[..]].concat());
            world.poll_once();
            assert_eq!(world.there(talker), [0xd0, 0], "{name}: pinged in the same turn");
            assert_eq!(world.there(listener), word, "{name}: delivered in the same turn");
            let outputs = std::mem::take(&mut world.wires.borrow_mut().outputs);
            let events = outputs.iter().filter(|(pin, _)| *pin == BEGIN).count();
            assert!(events <= 1, "{name}: {events} events in turn {turn}");
            begun += events;
        }
        let serial = world.serial();
        if rounds > 3 {
            assert!(!serial.contains("stopped"), "{name}: {serial}");
            assert!(begun >= TURNS - 1, "{name}: {begun} events, {rounds} rounds each");
        }
        // Nor is a newcomer kept out.
        let newcomer = world.connect_quietly(1883);
        world.send_quietly(newcomer, connect_packet("newcomer"));
        world.poll_once();
        assert_eq!(world.there(newcomer), [0x20, 2, 0, 0], "{name}: let in in the same turn");
    }
}
