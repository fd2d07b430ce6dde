//! Events, their order, and the queue.

use umqtt_device::engine::{Disposition, Engine, Now, QUEUE_EVENTS};
use umqtt_device::net::Instant;
use umqtt_vm::{Console, Event, FlashVariables, Gpio, Http, Mqtt, Profile, Random, Serial, Side};

use crate::{ms, prepared, running};

#[test]
fn config_lines_come_first_and_in_order() {
    let mut sim = prepared(
        "on init do println \"init\"
         config speed 160
         config ssid @1
         config ssid home",
    );
    sim.set_flash(1, "cellar");
    sim.start();
    assert_eq!(
        sim.done(),
        ["config speed 160", "config ssid cellar", "config ssid home", "println init"]
    );
}

#[test]
fn all_handlers_of_an_event_run_in_script_order() {
    let mut sim = running(
        "on init do subscribe local \"#\" setvar $t = \"a/b\"
         on topic local \"a/#\" do println \"1 \" | $this_topic
         on topic local $t do println 2
         on topic local \"x\" do println never
         on topic local \"a/b\" do println 3
         on topic remote \"a/b\" do println never
         on topic local \"+/\" | \"b\" do println 4",
    );
    sim.local("a/b", "");
    assert_eq!(sim.done(), ["println 1 a/b", "println 2", "println 3", "println 4"]);
}

#[test]
fn what_a_handler_publishes_comes_back_later() {
    let mut sim = running(
        "on init do subscribe local \"#\"
         on topic local \"a\" do publish local \"b\" 1 publish local \"c\" 2 println \"a ends\"
         on topic local \"a\" do println \"a again\"
         on topic local \"b\" do println \"b\" publish local \"d\" 3
         on topic local \"c\" do println \"c\"
         on topic local \"d\" do println \"d\"",
    );
    sim.local("a", "");
    let printed: Vec<_> =
        sim.done().into_iter().filter(|action| action.starts_with("println")).collect();
    assert_eq!(
        printed,
        ["println a ends", "println a again", "println b", "println c", "println d"]
    );
}

#[test]
fn every_kind_of_event_brings_its_data() {
    let mut sim = running(
        "on init do subscribe local \"#\"
         on wificonnect do println \"wifi\"  http_post \"http://h.example:80/p?q\" \"body\"
         on wifidisconnect do println \"no wifi\"
         on mqttconnect do subscribe remote \"r\"
         on serial do println \"serial \" | $this_serial
         on topic local \"l\" do println $this_topic | \" \" | $this_data
         on topic remote \"r\" do println $this_topic | \" \" | $this_item
         on gpio_interrupt 7 nopullup do println \"pin \" | $this_gpio
         on http_response do
            println $this_http_host | \" \" | $this_http_path | \" \" | $this_http_code | \" \" | $this_http_body",
    );
    sim.wifi(true);
    assert!(sim.http_answer(b"007", "fine"));
    assert!(!sim.http_answer(b"200", "nobody asked"));
    sim.connect_remote();
    sim.remote("r", "far");
    sim.local("l", "near");
    sim.serial("line");
    sim.drive_pin(7, true);
    sim.advance(ms(50));
    sim.wifi(false);
    assert_eq!(
        sim.done(),
        [
            "println wifi",
            "http_post http://h.example:80/p?q \"body\"",
            "println h.example:80 /p?q 007 fine",
            "subscribe remote r",
            "println r far",
            "println l near",
            "println serial line",
            "println pin 1",
            "println no wifi",
        ]
    );
    assert_eq!(sim.stats().events, 9, "init and eight more");
}

#[test]
fn retained_messages_arrive_after_the_handler_that_subscribed() {
    let mut sim = prepared(
        "on init do subscribe local \"kept/#\" println \"ready \" | retained_topic(\"kept/+\")
         on topic local \"kept/#\" do println $this_data",
    );
    sim.local_retained("kept/a", "1");
    sim.local_retained("kept/b", "2");
    sim.start();
    assert_eq!(sim.done(), ["subscribe local kept/#", "println ready 1", "println 1", "println 2"]);
}

const QUIET: Now = Now { now: Instant::from_millis(5), clock: None };

/// An engine and the least of worlds, without the bench's care.
fn bare(source: &str) -> (Engine<Vec<u8>>, Silent) {
    let engine = Engine::load(crate::compile(source), &Profile::DESKTOP).unwrap();
    (engine, Silent::default())
}

fn topic<'e>(topic: &'e str, data: &'e [u8]) -> Event<'e> {
    Event::Topic { side: Side::Local, topic: topic.as_bytes(), data }
}

#[test]
fn an_event_before_the_end_of_init_waits() {
    let (mut engine, mut world) = bare("on init do println 1 on topic local \"a\" do println 2");
    assert_eq!(
        engine.handle(&topic("a", b""), QUIET, &mut world),
        Disposition::Ignored,
        "not started"
    );
    engine.start(QUIET, &mut world);
    assert_eq!(engine.handle(&topic("b", b""), QUIET, &mut world), Disposition::Ignored);
    assert_eq!(engine.handle(&topic("a", b""), QUIET, &mut world), Disposition::Queued);
    assert_eq!(engine.poll_at(), Some(QUIET.now));
    while engine.poll(QUIET, &mut world) {}
    assert_eq!(world.printed, ["1", "2"]);
    assert_eq!(engine.poll_at(), None);
    assert_eq!(engine.handle(&topic("a", b""), QUIET, &mut world), Disposition::Done);
    assert_eq!(engine.handle(&topic("aa", b""), QUIET, &mut world), Disposition::Ignored);
    assert_eq!(world.printed, ["1", "2", "2"]);
}

#[test]
fn a_full_queue_refuses_says_so_once_and_goes_on() {
    let (mut engine, mut world) = bare("on init do on topic local \"a\" do println $this_data");
    engine.start(QUIET, &mut world);
    for n in 0..QUEUE_EVENTS + 10 {
        let event = topic("a", b"x");
        let expected = if n < QUEUE_EVENTS { Disposition::Queued } else { Disposition::Dropped };
        assert_eq!(engine.has_room(2), n < QUEUE_EVENTS);
        assert_eq!(engine.handle(&event, QUIET, &mut world), expected);
    }
    while engine.poll(QUIET, &mut world) {}
    assert_eq!(world.printed.len(), QUEUE_EVENTS);
    assert_eq!(engine.stats().dropped, 10);
    assert_eq!(world.logged, ["Script warning: too many events at once, one was dropped"]);
}

#[test]
fn an_event_too_large_is_refused_also_when_idle() {
    let (mut engine, mut world) = bare("on init do on topic local \"a\" do println $this_data");
    engine.start(QUIET, &mut world);
    while engine.poll(QUIET, &mut world) {}
    let data = vec![b'x'; 9 * Profile::DESKTOP.value];
    assert_eq!(engine.handle(&topic("a", &data), QUIET, &mut world), Disposition::Dropped);
    assert_eq!(engine.handle(&topic("b", &data), QUIET, &mut world), Disposition::Ignored);
}

#[test]
fn a_filter_in_a_variable_is_asked_when_the_event_has_its_turn() {
    let (mut engine, mut world) = bare(
        "on init do setvar $t = \"old\"
         on topic local \"move\" do setvar $t = $this_data
         on topic local $t do println $this_topic",
    );
    engine.start(QUIET, &mut world);
    for (name, data) in [("new", ""), ("move", "new"), ("new", ""), ("old", "")] {
        assert_eq!(
            engine.handle(&topic(name, data.as_bytes()), QUIET, &mut world),
            Disposition::Queued
        );
    }
    while engine.poll(QUIET, &mut world) {}
    assert_eq!(world.printed, ["new"]);
    assert_eq!(engine.stats().events, 3, "init, move and new");
}

#[test]
fn the_end_takes_everything_with_it() {
    let mut sim = running(
        "on init do subscribe local \"a\" settimer 1 100
         on timer 1 do println \"timer\"
         on gpio_interrupt 3 pullup do println \"pin\"
         on topic local \"a\" do println \"topic\" setvar $x = 1",
    );
    sim.local("a", "");
    sim.done();
    sim.drive_pin(3, false);
    sim.stop();
    assert!(!sim.enabled());
    assert_eq!(sim.next_at(), None);
    sim.local("a", "");
    sim.advance(ms(1000));
    assert!(sim.done().is_empty());
    assert_eq!(sim.variable("$x").as_deref(), Some("1"), "can still be looked at");
}

#[test]
fn tracing_names_every_handler() {
    let mut sim = running(
        "on init do subscribe local \"a\"
         on topic local \"a\" do\nsettimer 1 10
         on timer 1 do\nprintln \"x\"
         on every 20ms do\ncall say
         sub say do print 1
         sub two do print 2 call say
         on wificonnect do call two",
    );
    sim.engine().set_tracing(true);
    sim.local("a", "b\n");
    sim.advance(ms(20));
    assert_eq!(
        sim.done(),
        [
            "log Script: on topic local \"a\" \"b\\x0a\", line 3",
            "log Script: on timer 1, line 5",
            "println x",
            "log Script: on every, number 1, line 7",
            "print 1"
        ]
    );
}

#[test]
fn random_numbers_follow_the_seed() {
    let rolls = |seed| {
        let mut sim = prepared(
            "on init do subscribe local roll on topic local roll do println random($this_data)",
        );
        sim.seed(seed);
        sim.start();
        sim.done();
        let mut roll = |data: &str| {
            sim.local("roll", data);
            sim.done()[0].trim_start_matches("println ").parse::<i32>().unwrap()
        };
        for none in ["0", "-3", "x", ""] {
            assert_eq!(roll(none), 0);
        }
        assert_eq!(roll("1"), 0);
        (0..1000).map(|_| roll("6")).collect::<Vec<_>>()
    };
    let first = rolls(1);
    assert_eq!(first, rolls(1));
    assert_ne!(first, rolls(2));
    for side in 0..6 {
        let count = first.iter().filter(|roll| **roll == side).count();
        assert!((100..250).contains(&count), "{side}: {count} times");
    }
}

/// A host that only remembers what was printed and logged.
#[derive(Default)]
struct Silent {
    printed: Vec<String>,
    logged: Vec<String>,
}

impl Console for Silent {
    fn print(&mut self, text: &[u8], _: bool) {
        self.printed.push(String::from_utf8_lossy(text).into_owned());
    }
    fn log(&mut self, line: std::fmt::Arguments<'_>) {
        self.logged.push(line.to_string());
    }
}

impl Gpio for Silent {}
impl Serial for Silent {}
impl Mqtt for Silent {}
impl Http for Silent {}
impl umqtt_vm::Tracing for Silent {}
impl umqtt_vm::Almanac for Silent {}

impl FlashVariables for Silent {}
impl Random for Silent {}
