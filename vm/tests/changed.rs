//! `changed`: each place has a memory of its own, which nobody sees.
#![allow(clippy::unwrap_used)]

mod common;

use common::Script;
use umqtt_vm::{Event, TrapCode};

/// Two places look at the same data.
const PLACES: &str = r#"on topic local a do
    setvar $first = changed($this_data)
    if $this_data neq "skip" and changed(lower($this_data) | "/" | len($this_data)) then
        setvar $count = $count + 1
    endif
on topic local b do
    setvar $value = ("<" | $this_data | ">") | changed("x" | $this_data) | changed($this_data) | lower("Y")"#;

#[test]
fn a_place_knows_the_value_it_was_reached_with_last() {
    let mut script = Script::new(PLACES, 1000, 100);
    for (data, first, count) in [
        ("", "1", "1"),
        ("", "0", "1"),
        ("on", "1", "2"),
        ("on", "0", "2"),
        ("ON", "1", "2"),
        ("skip", "1", "2"),
        ("on", "1", "2"),
        ("7", "1", "3"),
        ("a much longer text than those before it", "1", "4"),
        ("", "1", "5"),
        ("", "0", "5"),
    ] {
        script.message(b"a", data.as_bytes());
        assert_eq!(script.variable("$first"), first.as_bytes(), "{data}");
        assert_eq!(script.variable("$count"), count.as_bytes(), "{data}");
    }
}

#[test]
fn the_texts_of_a_statement_outlive_what_is_kept_in_its_midst() {
    // So little room that the texts are moved together again and again.
    for memory in 60..200 {
        let mut script = Script::new(PLACES, memory, 100);
        let mut ran = 0;
        for round in 0..40_usize {
            let data = ["a", "some words", "", "12", "others, and longer ones"][round % 5];
            let event =
                Event::Topic { side: umqtt_vm::Side::Local, topic: b"b", data: data.as_bytes() };
            match script.run(&event, 1_000_000) {
                Ok(()) => {
                    ran += 1;
                    let changed = round.min(1).max(usize::from(round == 0));
                    let value = format!("<{data}>{changed}{changed}y");
                    assert_eq!(script.variable("$value"), value.as_bytes(), "{memory}");
                }
                Err(trap) => assert_eq!(trap.code, TrapCode::OutOfMemory, "{memory}"),
            }
        }
        assert!(ran > 0, "{memory}");
    }
}

#[test]
fn what_is_kept_has_no_name_and_is_not_shown() {
    let mut script = Script::new(PLACES, 1000, 100);
    assert_eq!(script.machine.program().variables(), 7);
    assert_eq!(script.shown(), 3);
}
