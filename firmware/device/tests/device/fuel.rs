//! What scripts do is bounded by their fuel, whatever they do: counted, not timed.

use std::collections::BTreeSet;

use umqtt_vm::decode::instructions;
use umqtt_vm::fuel::{EVENT_TANKS, FLASH_WRITES};
use umqtt_vm::isa::Op;
use umqtt_vm::{Image, Profile};

use crate::world::options;
use crate::world::{World, publish_packet};
use crate::worst::{CASES, RETAINED, script, world};

/// What is left of the desktop's for the tests.
const FUEL: u32 = 400_000;

/// The rounds of the loop that the event of a case has made.
pub(crate) fn rounds(world: &mut World) -> u64 {
    let console = world.console();
    let vars = world.ask(console, "show vars");
    let line = vars.lines().find(|line| line.starts_with("i: ")).unwrap_or_default().to_string();
    line.trim_start_matches("i: ").trim().parse().unwrap_or(0)
}

#[test]
fn the_cases_use_every_instruction() {
    let mut used = BTreeSet::new();
    for (_, statements) in CASES {
        let image = umqtt_lang::compile(
            script(statements).as_bytes(),
            &Profile::DESKTOP,
            umqtt_lang::EmitOptions::new().debug(true),
        );
        let image = image.unwrap_or_else(|wrong| panic!("{statements}: {wrong:?}"));
        let image = Image::parse(&image).unwrap();
        used.extend(instructions(image.code()).map(|(_, instruction)| instruction.op as u8));
    }
    // Those that cost what a word costs, and `config`, which is no action of handlers.
    let plain = [Op::Set, Op::Jump, Op::LoadVariable, Op::LoadConstant, Op::StoreVariable];
    let other = [Op::Config, Op::Return, Op::PublishRemoteRetained, Op::Head, Op::HttpCut];
    let missing: Vec<_> = Op::ALL
        .iter()
        .filter(|op| !used.contains(&(**op as u8)) && !plain.contains(op) && !other.contains(op))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn whatever_a_script_does_its_event_ends() {
    for (name, statements) in CASES {
        let mut world = world(statements, FUEL);
        world.poll_once();
        let rounds = rounds(&mut world);
        assert!(rounds > 0, "{name}");
        // The cheapest round pays for its words.
        assert!(rounds <= u64::from(FUEL) / 4 + 1, "{name}: {rounds}");
        // What is made of 4,096 bytes, or looks at all there is, pays for them: 16 bytes for a unit
        // of fuel at most.
        let long = ["$a", "$b", "$d", "$w", "$e", "$n", "$m", "$t"];
        let parts = ["len", "byte_val", "substr", "between"];
        let words = || statements.split(|c: char| !c.is_alphanumeric() && c != '$' && c != '_');
        if words().any(|word| long.contains(&word)) && !words().any(|word| parts.contains(&word)) {
            assert!(rounds <= u64::from(FUEL) * 16 / 4000, "{name}: {rounds}");
        }
        let serial = world.serial();
        assert!(serial.contains("runs too long, stopped"), "{name}: {serial:?}");
    }
}

#[test]
fn numbers_as_texts_and_texts_as_numbers_are_paid_for() {
    // What a round costs at least, over its words.
    for (statement, cost) in [
        ("setvar $x = $z | $y", 34),
        ("setvar $x = $z str_gt $y", 32),
        ("setvar $x = find($z, $y)", 32),
        ("setvar $x = substr($z, 1, 3)", 22),
        ("setvar $x = json_array($z, $y)", 44),
        ("setvar $x = $z = \"-9876.54322\"", 16),
        ("setvar $x = $k + $k", 68),
        ("setvar $x = $k and $k", 68),
        ("setvar $x = not($k)", 34),
        ("setvar $x = $k", 10),
        ("setvar $x = $i div 7", 12),
        ("setalarm 1 \"07:00\"", 40),
    ] {
        let mut world = world(statement, FUEL);
        world.poll_once();
        let rounds = rounds(&mut world);
        assert!((1..=u64::from(FUEL / cost)).contains(&rounds), "{statement}: {rounds}");
    }
}

#[test]
fn looks_at_retained_messages_are_paid_for() {
    let mut world = world("setvar $x = retained_topic(\"+/+/zz\")", FUEL);
    world.poll_once();
    let looked = rounds(&mut world) * RETAINED as u64;
    assert!(looked <= u64::from(FUEL) / 10 + RETAINED as u64, "{looked}");
}

#[test]
fn finding_goes_on_no_longer_than_it_is_paid_for() {
    let mut world = world("setvar $x = find($a, $s)", FUEL);
    world.poll_once();
    // 2,049 places at which 2,047 bytes agree: more than all the fuel buys.
    assert!(rounds(&mut world) <= 1);
}

#[test]
fn an_event_writes_to_flash_as_often_on_a_fast_board_as_on_a_slow_one() {
    for profile in Profile::ALL {
        for (statements, writes) in [
            ("while 1 do setvar @1 = $i setvar $i = $i + 1 done".to_string(), FLASH_WRITES),
            // Without a loop as well.
            ("setvar @1 = $i setvar $i = $i + 1 ".repeat(60), FLASH_WRITES),
        ] {
            let mut world = World::with_fuel(profile.fuel);
            world.install(&format!(
                "on init do subscribe local go\non topic local go do {statements}"
            ));
            world.broker().publish(b"go", b"", umqtt_mqtt::QoS::AtMostOnce, false).unwrap();
            world.settle();
            assert!(world.serial().contains("runs too long"), "{}", profile.name);
            let console = world.console();
            let vars = world.ask(console, "show vars");
            let line = vars.lines().find(|line| line.starts_with("@1: ")).unwrap_or_default();
            let last: u32 = line.trim_start_matches("@1: ").trim().parse().unwrap_or(0);
            assert!((writes - 2..=writes).contains(&last), "{}: {vars}", profile.name);
        }
    }
}

#[test]
fn a_flash_variable_is_written_once_however_often_an_event_sets_it() {
    let script = |statements: &str| {
        format!("on init do subscribe local go\non topic local go do {statements}")
    };
    let go = |world: &mut World| {
        world.broker().publish(b"go", b"", umqtt_mqtt::QoS::AtMostOnce, false).unwrap();
    };
    let often = "while $i lt 30 do setvar @1 = $i setvar $i = $i + 1 done setvar @2 = @1 | \"!\"";
    let (mut world, meter) = World::metered(&script(often));
    let before = meter.get();
    go(&mut world);
    world.poll_once();
    let operations = meter.get() - before;
    assert!((1..=8).contains(&operations), "{operations} for two variables");
    let console = world.console();
    let vars = world.ask(console, "show vars");
    assert!(vars.contains("@1: 29\r\n") && vars.contains("@2: 29!\r\n"), "{vars}");

    // All of them: some in each turn, and all are there when the power goes after it.
    let all: String = (1..=16).map(|n| format!("setvar @{n} = $this_data | {n} ")).collect();
    let (mut world, meter) = World::metered(&script(&all));
    for data in ["a", "b", "c", "d"] {
        world.broker().publish(b"go", data.as_bytes(), umqtt_mqtt::QoS::AtMostOnce, false).unwrap();
        let (mut turns, mut more) = (0, true);
        while more {
            let before = meter.get();
            more = world.poll_once();
            turns += u32::from(meter.get() > before);
        }
        // Where fewer may wait, the first are written in the event's own turn.
        assert!((3..=4).contains(&turns), "{turns}");
    }
    // Those not written yet are seen, written when the script ends, and not after the owner has set
    // them.
    go(&mut world);
    world.poll_once();
    let console = world.console();
    go(&mut world);
    world.poll_once();
    assert!(world.ask(console, "set @16 mine").contains("written"));
    let vars = world.ask(console, "show vars");
    assert!(vars.contains("@15: 15\r\n") && vars.contains("@16: mine\r\n"), "{vars}");
    go(&mut world);
    world.poll_once();
    world.save_now();
    let mut world = world.power_cycle();
    let console = world.console();
    let vars = world.ask(console, "show vars");
    assert!(vars.contains("@1: 1\r\n") && vars.contains("@16: 16\r\n"), "{vars}");
}

#[test]
fn one_handler_that_runs_too_long_leaves_the_others_their_turn() {
    let mut world = World::with_fuel(FUEL);
    world.install(
        "on init do subscribe local go
on topic local go do while 1 do setvar $x = $x + 1 done
on topic local go do println \"second\"
on topic local go do while 1 do setvar $y = $y + 1 done
on topic local go do println \"fourth\"",
    );
    world.serial();
    world.broker().publish(b"go", b"", umqtt_mqtt::QoS::AtMostOnce, false).unwrap();
    world.settle();
    let said = world.serial();
    assert_eq!(EVENT_TANKS, 2);
    assert!(said.contains("line 2: runs too long") && said.contains("second"), "{said}");
    assert!(said.contains("line 4: runs too long") && !said.contains("fourth\r"), "{said}");
    assert!(said.contains("line 5 did not run"), "{said}");
}

#[test]
fn others_are_served_between_two_events_of_a_script_at_its_limit() {
    // Each message takes nearly all the fuel of an event, and there are always more.
    let mut world = World::with_fuel(FUEL);
    world.install(
        "on init do subscribe local work
on topic local work do setvar $i = 0 while $i lt 40000 do setvar $i = $i + 1 done gpio_out 4 $i",
    );
    let listener = world.client("listener", "good/#");
    let talker = world.client("talker", "none");
    let bad = world.client("bad", "none");
    world.send_quietly(bad, publish_packet("work", "").repeat(1000));
    world.poll_once();
    let word = publish_packet("good/word", "hello");
    for polls in 1..100 {
        world.send_quietly(talker, &word);
        world.poll_once();
        assert_eq!(world.there(listener), word, "in the same poll");
        assert!(world.wires.borrow().outputs.len() <= polls + 1, "one event in a poll");
    }
}

#[test]
fn lines_that_repeat_themselves_are_counted() {
    // There is no remote broker: each message makes a line.
    let mut world = World::running(
        "on init do subscribe local t\non topic local t do publish remote far/away $this_data",
    );
    world.serial();
    for n in 0..2000 {
        let n = n.to_string();
        let sent = world.broker().publish(b"t", n.as_bytes(), umqtt_mqtt::QoS::AtMostOnce, false);
        sent.unwrap();
        world.settle();
    }
    let said = world.serial();
    assert_eq!(said.matches("publish remote far/away").count(), 50, "{said}");
    world.advance(10_000);
    let said = world.serial();
    let counted = "... 1950 more like this in 10 s: Script warning: publish remo\r\n";
    assert!(said.contains(counted), "{said}");
}

#[test]
fn a_script_with_many_subscriptions_is_stopped_at_once() {
    let mut world = World::running(
        "on init do settimer 1 1
on timer 1 do setvar $n = 0
    while $n lt 1000 do setvar $n = $n + 1 setvar $i = $i + 1 subscribe local \"own/\" | $i done
    if $i lt 11000 then settimer 1 1 endif",
    );
    world.advance(20);
    let most = options().limits.max_client_subscriptions;
    assert_eq!(world.broker().subscriptions_len(), most);
    assert!(world.broker().stats().subscriptions_refused >= 100);
    let said = world.serial();
    assert!(said.contains("there are too many subscriptions"), "{said}");
    world.install("on init do println \"next\"");
    assert_eq!(world.broker().subscriptions_len(), 0);
}

#[test]
fn sessions_end_when_the_setting_says() {
    let mut world = World::new();
    let console = world.console();
    let reply = world.ask(console, "set broker_session_expiry 60");
    assert!(reply.contains("60"), "{reply}");
    let end = world.connect(1883);
    world.send(end, [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 0, 0, 0, 0, 1, b's']);
    assert_eq!(world.received(end), [0x20, 2, 0, 0]);
    world.reset(end);
    world.settle();
    assert_eq!(world.broker().stored_sessions_len(), 1);
    world.advance(59_000);
    assert_eq!(world.broker().stored_sessions_len(), 1);
    world.advance(1_001);
    assert_eq!(world.broker().stored_sessions_len(), 0);
}
