//! Scripts that misbehave: the device goes on and says which line it was.

use crate::{prepared, running};

#[test]
fn an_endless_loop_is_stopped_and_its_line_named() {
    let mut bench = running(
        "on init do subscribe local \"#\"
on topic local \"loop\" do
    println \"in\"
    while 1 do
        setvar $x = $x + 1
    done
    println \"never\"
on topic local \"other\" do println \"served\"",
    );
    bench.local("loop", "");
    let done = bench.done();
    assert_eq!(done[0], "println in");
    let lines =
        [4, 5, 6].map(|line| format!("log Script error in line {line}: runs too long, stopped"));
    assert!(done.len() == 2 && lines.contains(&done[1]), "{done:?}");
    bench.local("other", "");
    assert_eq!(bench.done(), ["println served"]);
    assert_eq!(bench.stats().stopped, 1);
}

const LOOPS: &str = "on init do subscribe local \"#\" settimer 1 1000
on timer 1 do println \"tick\" settimer 1 1000
on topic local \"loop\" do while 1 do done
on topic local \"spin\" do
while 1 do done";

#[test]
fn three_stops_within_a_minute_disable_the_script() {
    let mut bench = running(LOOPS);
    bench.local("loop", "");
    bench.advance(20_000);
    bench.local("loop", "");
    bench.local("spin", "");
    assert!(bench.enabled(), "it takes three of one handler");
    bench.advance(39_999);
    bench.done();
    bench.local("loop", "");
    assert_eq!(
        bench.done(),
        [
            "log Script error in line 3: runs too long, stopped",
            "log Script disabled: the handler beginning in line 3 was stopped 3 times within 60 s",
        ]
    );
    assert!(!bench.enabled());
    bench.local("loop", "");
    bench.advance(600_000);
    assert!(bench.done().is_empty());
    assert_eq!(bench.next_at(), None);
}

#[test]
fn stops_now_and_then_do_not_disable() {
    let mut bench = running(LOOPS);
    for _ in 0..10 {
        bench.local("loop", "");
        bench.advance(30_001);
    }
    assert!(bench.enabled());
    assert_eq!(bench.stats().stopped, 10);
}

#[test]
fn handlers_that_feed_each_other_leave_room_for_the_rest() {
    let mut bench = running(
        "on init do subscribe local \"#\" settimer 1 10
         on timer 1 do println \"tick\"
         on topic local \"ping\" do publish local \"pong\" 1
         on topic local \"pong\" do publish local \"ping\" 1
         on topic local \"news\" do println \"news \" | $this_data",
    );
    bench.local("ping", "");
    bench.advance(5);
    bench.local("news", "1");
    bench.advance(10);
    let mut printed = bench.done();
    printed.retain(|deed| deed.starts_with("println"));
    assert_eq!(printed, ["println news 1", "println tick"]);
    assert!(bench.enabled());
}

#[test]
fn handlers_that_feed_each_other_are_named() {
    let mut bench = running(
        "on init do subscribe local \"#\"
on topic local \"ping\" do
    publish local \"pong\" 1
on topic local \"pong\" do
    publish local \"ping\" 1",
    );
    bench.local("ping", "");
    bench.advance(2000);
    let mut logged = bench.done();
    logged.retain(|deed| deed.contains("feed each other"));
    logged.sort();
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert!(logged[0].contains("line 3: \"ping\" came round"), "{logged:?}");
    assert!(logged[1].contains("line 5: \"pong\" came round"), "{logged:?}");
}

#[test]
fn a_stream_of_messages_from_outside_feeds_nothing() {
    let mut bench = running(
        "on init do subscribe local \"#\"
on topic local \"in\" do publish local \"out\" $this_data
on topic local \"out\" do setvar $last = $this_data",
    );
    for n in 0..5000 {
        bench.local("in", n.to_string());
        bench.advance(1);
    }
    assert!(bench.done().iter().all(|deed| !deed.contains("feed each other")));
    assert_eq!(bench.variable("$last").unwrap(), "4999");
}

#[test]
fn handlers_that_multiply_their_messages_neither_hang_nor_grow() {
    let mut bench = running(
        "on init do subscribe local \"#\" setvar $n = 0
         on topic local \"twice\" do publish local \"twice\" 1 publish local \"twice\" 2 setvar $n = $n + 1",
    );
    bench.local("twice", "");
    bench.advance(3);
    assert!(bench.enabled());
    // So many steps and no more: each at one instant of the four.
    let steps: usize = bench.variable("$n").unwrap().parse().unwrap();
    assert!(steps > 1000 && steps <= 5 * umqtt_device::sim::STEPS_AT_ONCE, "{steps}");
}

#[test]
fn a_division_by_zero_is_told_once_a_minute_and_counted_always() {
    let mut bench = running(
        "on init do subscribe local \"#\"
on topic local \"a\" do
    println 7 div ($this_data * 1)
    println 7 mod ($this_data * 1)",
    );
    for _ in 0..5 {
        bench.local("a", "0");
    }
    bench.local("a", "2");
    let done = bench.done();
    let logged: Vec<_> = done.iter().filter(|deed| deed.starts_with("log")).collect();
    // Both lines of the handler are at fault; a run is told by the line that was last.
    assert_eq!(logged, ["log Script warning in line 4: division by zero, taken as 0"]);
    assert!(done.contains(&"println 3".into()) && done.contains(&"println 0".into()));
    assert_eq!(bench.stats().divisions_by_zero, 10);
    bench.advance(60_000);
    bench.local("a", "0");
    assert_eq!(bench.logged().len(), 1);
}

#[test]
fn a_value_too_long_is_cut_and_told() {
    let mut bench = running(
        "on init do subscribe local \"#\" setvar $text = \"\"
on topic local \"grow\" do
    setvar $text = $text | $this_data",
    );
    for _ in 0..5 {
        bench.local("grow", vec![b'x'; 1000]);
    }
    assert_eq!(bench.variable("$text").unwrap().len(), 4096);
    assert_eq!(bench.logged(), ["Script warning in line 3: value too long, cut"]);
    assert_eq!(bench.stats().values_cut, 1);
}

#[test]
fn topics_mqtt_does_not_allow_are_refused() {
    let mut bench = running(
        "on init do subscribe local \"#\"
on topic local \"go\" do
    publish local $this_data | \"/#\" \"x\"
    publish remote \"\" | \"\" \"x\"
    subscribe local \"a#\" | \"\"
    println \"goes on\"",
    );
    bench.local("go", "caf\u{e9}");
    assert_eq!(
        bench.done(),
        [
            "println goes on",
            "log Script warning in the handler beginning in line 3: cannot publish to \"caf\u{e9}/#\": \
             a topic to publish to cannot hold the wildcards '#' and '+'",
        ]
    );
    assert_eq!(bench.stats().refused, 3);
    assert!(bench.enabled());
}

#[test]
fn too_many_values_for_the_memory_stop_the_handler() {
    let mut source = String::from("on init do subscribe local \"#\"\non topic local \"fill\" do\n");
    for n in 0..100 {
        source.push_str(&format!("setvar $v{n} = $this_data | \"{n}\"\n"));
    }
    let mut bench = running(&source);
    bench.local("fill", vec![b'x'; 4000]);
    let logged = bench.logged();
    assert_eq!(logged.len(), 1);
    assert!(logged[0].ends_with(": out of memory for values, stopped"), "{logged:?}");
    bench.local("fill", "");
    assert_eq!(bench.variable("$v99").as_deref(), Some("99"), "room again");
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
    let mut bench = prepared(
        "on init do subscribe local \"a\" while 1 do done
         on topic local \"a\" do println \"served\"",
    );
    bench.start();
    bench.done();
    bench.local("a", "");
    assert_eq!(bench.done(), ["println served"]);
}
