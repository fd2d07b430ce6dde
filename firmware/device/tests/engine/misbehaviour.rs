//! Scripts that misbehave: the device goes on and says which line it was.

use crate::{ms, prepared, running};

#[test]
fn an_endless_loop_is_stopped_and_its_line_named() {
    let mut sim = running(
        "on init do subscribe local \"#\"
on topic local \"loop\" do
    println \"in\"
    while 1 do
        setvar $x = $x + 1
    done
    println \"never\"
on topic local \"other\" do println \"served\"",
    );
    sim.local("loop", "");
    let done = sim.done();
    assert_eq!(done[0], "println in");
    let lines =
        [4, 5, 6].map(|line| format!("log Script error in line {line}: runs too long, stopped"));
    assert!(done.len() == 2 && lines.contains(&done[1]), "{done:?}");
    sim.local("other", "");
    assert_eq!(sim.done(), ["println served"]);
    assert_eq!(sim.stats().stopped, 1);
}

const LOOPS: &str = "on init do subscribe local \"#\" settimer 1 1000
on timer 1 do println \"tick\" settimer 1 1000
on topic local \"loop\" do while 1 do done
on topic local \"spin\" do
while 1 do done";

#[test]
fn three_stops_within_a_minute_disable_the_script() {
    let mut sim = running(LOOPS);
    sim.local("loop", "");
    sim.advance(ms(20_000));
    sim.local("loop", "");
    sim.local("spin", "");
    assert!(sim.enabled(), "it takes three of one handler");
    sim.advance(ms(39_999));
    sim.done();
    sim.local("loop", "");
    assert_eq!(
        sim.done(),
        [
            "log Script error in line 3: runs too long, stopped",
            "log Script disabled: the handler beginning in line 3 was stopped 3 times within 60 s. Upload or delete it, or reset",
        ]
    );
    assert!(!sim.enabled());
    sim.local("loop", "");
    sim.advance(ms(600_000));
    assert!(sim.done().is_empty());
    assert_eq!(sim.next_at(), None);
}

#[test]
fn stops_now_and_then_do_not_disable() {
    let mut sim = running(LOOPS);
    for _ in 0..10 {
        sim.local("loop", "");
        sim.advance(ms(30_001));
    }
    assert!(sim.enabled());
    assert_eq!(sim.stats().stopped, 10);
}

#[test]
fn handlers_that_feed_each_other_leave_room_for_the_rest() {
    let mut sim = running(
        "on init do subscribe local \"#\" settimer 1 10
         on timer 1 do println \"tick\"
         on topic local \"ping\" do publish local \"pong\" 1
         on topic local \"pong\" do publish local \"ping\" 1
         on topic local \"news\" do println \"news \" | $this_data",
    );
    sim.local("ping", "");
    sim.advance(ms(5));
    sim.local("news", "1");
    sim.advance(ms(10));
    let mut printed = sim.done();
    printed.retain(|action| action.starts_with("println"));
    assert_eq!(printed, ["println news 1", "println tick"]);
    assert!(sim.enabled());
}

#[test]
fn handlers_that_feed_each_other_are_named() {
    let mut sim = running(
        "on init do subscribe local \"#\"
on topic local \"ping\" do
    publish local \"pong\" 1
on topic local \"pong\" do
    publish local \"ping\" 1",
    );
    sim.local("ping", "");
    sim.advance(ms(2000));
    let mut logged = sim.done();
    logged.retain(|action| action.contains("feed each other"));
    logged.sort();
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert!(logged[0].contains("line 3: \"ping\" came round"), "{logged:?}");
    assert!(logged[1].contains("line 5: \"pong\" came round"), "{logged:?}");
}

#[test]
fn a_stream_of_messages_from_outside_feeds_nothing() {
    let mut sim = running(
        "on init do subscribe local \"#\"
on topic local \"in\" do publish local \"out\" $this_data
on topic local \"out\" do setvar $last = $this_data",
    );
    for n in 0..5000 {
        sim.local("in", n.to_string());
        sim.advance(ms(1));
    }
    assert!(sim.done().iter().all(|action| !action.contains("feed each other")));
    assert_eq!(sim.variable("$last").unwrap(), "4999");
}

#[test]
fn handlers_that_multiply_their_messages_neither_hang_nor_grow() {
    let mut sim = running(
        "on init do subscribe local \"#\" setvar $n = 0
         on topic local \"twice\" do publish local \"twice\" 1 publish local \"twice\" 2 setvar $n = $n + 1",
    );
    sim.local("twice", "");
    sim.advance(ms(3));
    assert!(sim.enabled());
    // So many steps and no more: each at one instant of the four.
    let steps: usize = sim.variable("$n").unwrap().parse().unwrap();
    assert!(steps > 1000 && steps <= 5 * umqtt_device::sim::STEPS_AT_ONCE, "{steps}");
}

#[test]
fn a_division_by_zero_is_told_once_a_minute_and_counted_always() {
    let mut sim = running(
        "on init do subscribe local \"#\"
on topic local \"a\" do
    println 7 div ($this_data * 1)
    println 7 mod ($this_data * 1)",
    );
    for _ in 0..5 {
        sim.local("a", "0");
    }
    sim.local("a", "2");
    let done = sim.done();
    let logged: Vec<_> = done.iter().filter(|action| action.starts_with("log")).collect();
    // Both lines of the handler are at fault; a run is told by the line that was last.
    assert_eq!(logged, ["log Script warning in line 4: division by zero, taken as 0"]);
    assert!(done.contains(&"println 3".into()) && done.contains(&"println 0".into()));
    assert_eq!(sim.stats().divisions_by_zero, 10);
    sim.advance(ms(60_000));
    sim.local("a", "0");
    assert_eq!(sim.logged().len(), 1);
}

#[test]
fn a_decimal_too_large_stops_at_the_greatest_and_is_told() {
    let mut sim = running(
        "on init do subscribe local \"#\"
on topic local \"a\" do
    println $this_data * 1000.5
    println $this_data - 1",
    );
    for payload in ["2000000.5", "-2000000.5", "2000000", "4294967297.5", "2.5"] {
        sim.local("a", payload);
    }
    let done = sim.done();
    let printed: Vec<_> =
        done.iter().filter_map(|action| action.strip_prefix("println ")).collect();
    let expected = [
        ["2001000500", "1999999.5"],
        ["-2001000500", "-2000001.5"],
        ["2001000000", "1999999"],
        ["2147483647", "2147483646"],
        ["2501.25", "1.5"],
    ];
    assert_eq!(printed, expected.concat());
    let logged: Vec<_> = done.iter().filter(|action| action.starts_with("log")).collect();
    assert_eq!(logged, ["log Script warning in line 4: decimal too large"]);
    assert_eq!(sim.stats().decimals_too_large, 3);
}

#[test]
fn a_value_too_long_is_cut_and_told() {
    let mut sim = running(
        "on init do subscribe local \"#\" setvar $text = \"\"
on topic local \"grow\" do
    setvar $text = $text | $this_data",
    );
    for _ in 0..5 {
        sim.local("grow", vec![b'x'; 1000]);
    }
    assert_eq!(sim.variable("$text").unwrap().len(), 4096);
    assert_eq!(sim.logged(), ["Script warning in line 3: value too long, cut"]);
    assert_eq!(sim.stats().values_cut, 1);
}

#[test]
fn topics_mqtt_does_not_allow_are_refused() {
    let mut sim = running(
        "on init do subscribe local \"#\"
on topic local \"go\" do
    publish local $this_data | \"/#\" \"x\"
    publish remote \"\" | \"\" \"x\"
    subscribe local \"a#\" | \"\"
    println \"goes on\"",
    );
    sim.local("go", "caf\u{e9}");
    assert_eq!(
        sim.done(),
        [
            "println goes on",
            "log Script warning in the handler beginning in line 3: cannot publish to \"caf\u{e9}/#\": \
             a topic to publish to cannot hold the wildcards '#' and '+'",
            "log Script warning: 3 topics were refused there",
        ]
    );
    assert_eq!(sim.stats().refused, 3);
    assert!(sim.enabled());
}

#[test]
fn an_alarms_time_that_is_none_is_told() {
    let mut sim = running(
        "on init do subscribe local \"#\"
on topic local \"go\" do
    setalarm 1 $this_data
on alarm 1 do println \"rings\"",
    );
    for time in ["07:00", "", "99:99:99"] {
        sim.local("go", time);
        assert_eq!(sim.done(), [""; 0], "{time}");
    }
    sim.local("go", "8:00");
    assert_eq!(
        sim.done(),
        [
            "log Script warning in the handler beginning in line 3: cannot set an alarm to \"8:00\": \
             a time is hh:mm, as 07:00",
        ]
    );
    assert_eq!(sim.stats().refused, 0, "it counts topics");
}

#[test]
fn too_many_values_for_the_memory_stop_the_handler() {
    let mut source = String::from("on init do subscribe local \"#\"\non topic local \"fill\" do\n");
    for n in 0..100 {
        source.push_str(&format!("setvar $v{n} = $this_data | \"{n}\"\n"));
    }
    let mut sim = running(&source);
    sim.local("fill", vec![b'x'; 4000]);
    let logged = sim.logged();
    assert_eq!(logged.len(), 1);
    assert!(logged[0].ends_with(": out of memory for values, stopped"), "{logged:?}");
    sim.local("fill", "");
    assert_eq!(sim.variable("$v99").as_deref(), Some("99"), "room again");
}

#[test]
fn junk_is_not_loaded() {
    use umqtt_device::engine::Engine;
    let profile = umqtt_vm::Profile::DESKTOP;
    let error = Engine::load(b"on init do".to_vec(), &profile).err().unwrap();
    assert_eq!(error.to_string(), "not a bytecode image");
    let mut image = crate::compile("on init do println 1");
    *image.last_mut().unwrap() ^= 1;
    assert!(Engine::load(image, &profile).is_err());
}

#[test]
fn an_endless_init_does_not_keep_events_away() {
    let mut sim = prepared(
        "on init do subscribe local \"a\" while 1 do done
         on topic local \"a\" do println \"served\"",
    );
    sim.start();
    sim.done();
    sim.local("a", "");
    assert_eq!(sim.done(), ["println served"]);
}
