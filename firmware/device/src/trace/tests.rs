use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use proptest::prelude::*;
use umqtt_net::Duration;
use umqtt_vm::Profile;

use super::*;
use crate::engine::handler_of;
use crate::sim::Simulator;

const SCRIPT: &str = r#"on init do
    subscribe local "lamp/+"
    settimer 1 1500
on topic local lamp/set do
    if $this_data = "on" or $this_data > 5 then
        gpio_out 12 1
    elseif gpio_in(4) then
        setvar $text = "got: " | $this_data
    endif
    publish remote lamp/state $this_data
on timer 1 do
    setvar @1 = $timestamp
    publish local "lamp/#" 1 retained
    call twice
sub twice do
    while $n lt 2 do
        setvar $n = $n + 1
    done
on serial do
    while 1 do
        setvar $i = $i + 1
    done"#;

fn started(bytes: usize, filter: Option<HandlerFilter>) -> Simulator {
    let options = umqtt_lang::EmitOptions::new().debug(true);
    let image = umqtt_lang::compile(SCRIPT.as_bytes(), &Profile::DESKTOP, options).unwrap();
    let mut sim = Simulator::new(image, &Profile::DESKTOP.fuel(5_000)).unwrap();
    sim.trace(Tracer::new(bytes, filter).unwrap());
    sim.start();
    sim
}

fn lines(sim: &mut Simulator) -> String {
    let mut text = String::new();
    while sim.tracer().unwrap().has_lines() {
        sim.tracer().unwrap().take(1000, |lines| text.push_str(lines));
    }
    text
}

#[test]
fn a_story() {
    let mut sim = started(100_000, None);
    sim.drive_pin(4, true);
    sim.local("lamp/set", "on");
    sim.local("lamp/set", b"3\r\n\x1b[31m\xff");
    sim.local("lamp/other", "{\"a\":\"\\\\\"}");
    sim.local("lamp/set", "9".repeat(500));
    sim.advance(Duration::from_millis(1500));
    sim.serial("x");
    let text = lines(&mut sim);
    // The endless loop.
    let (head, tail) = text.split_at(text.find("trace line 21").unwrap());
    let (loops, end): (Vec<&str>, Vec<&str>) =
        tail.lines().partition(|line| line.starts_with("trace line 21: setvar"));
    assert!(loops.len() > 50 && loops.len() < LINES_PER_EVENT as usize, "{text}");
    let mut shown = head.to_string();
    for line in end {
        writeln!(shown, "{line}").unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn one_handler_alone() {
    let options = umqtt_lang::EmitOptions::new().debug(true);
    let image = umqtt_lang::compile(SCRIPT.as_bytes(), &Profile::DESKTOP, options).unwrap();
    let program = umqtt_vm::Program::verify(image, &Profile::DESKTOP).unwrap();
    let of = |line| handler_of(&program, line).map(|record| record.trigger.keyword());
    let expected = [
        (1, Some("init")),
        (3, Some("init")),
        (4, Some("topic local")),
        (9, Some("topic local")),
        (11, Some("timer")),
        (14, Some("timer")),
        // A sub is called by a handler.
        (17, None),
        (20, Some("serial")),
        (0, None),
        (100, None),
    ];
    for (line, trigger) in expected {
        assert_eq!(of(line), trigger, "{line}");
    }

    let trigger = handler_of(&program, 10).unwrap().trigger;
    let mut sim = started(100_000, Some(HandlerFilter { line: 10, trigger }));
    sim.local("lamp/set", "7");
    sim.local("lamp/other", "7");
    sim.advance(Duration::from_millis(2000));
    sim.serial("x");
    insta::assert_snapshot!(lines(&mut sim));
}

#[test]
fn what_is_left_out_is_counted() {
    // A buffer for a few lines.
    let mut sim = started(700, None);
    for _ in 0..20 {
        sim.local("lamp/set", "on");
    }
    let first = lines(&mut sim);
    assert!(first.len() <= 700 + 40 && first.ends_with(" lines left out\n"), "{first}");
    let shown = first.lines().count() - 1;
    let left_out: usize = first.rsplit(' ').nth(3).unwrap().parse().unwrap();
    let mut whole = started(100_000, None);
    for _ in 0..20 {
        whole.local("lamp/set", "on");
    }
    assert_eq!(shown + left_out, lines(&mut whole).lines().count());
    // Then there is room again.
    sim.local("lamp/set", "on");
    assert!(lines(&mut sim).starts_with("trace +0.000 topic local lamp/set \"on\"\n"));

    // More than a second may show.
    let mut sim = started(1_000_000, None);
    for _ in 0..1000 {
        sim.local("lamp/set", "on");
    }
    let text = lines(&mut sim);
    assert_eq!(text.lines().count() as u32, LINES_PER_SECOND + 1);
    sim.advance(Duration::from_millis(1000));
    sim.local("lamp/set", "on");
    assert!(lines(&mut sim).starts_with("trace +1.000 topic local"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever comes in, the lines are whole, safe to show, and no longer than said.
    #[test]
    fn lines_are_whole_and_safe(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        room in 100_usize..3000,
    ) {
        let mut sim = started(room, None);
        for data in &messages {
            sim.local("lamp/set", data);
            sim.serial(data);
            sim.advance(Duration::from_millis(400));
            prop_assert!(sim.tracer().unwrap().memory() <= room.next_power_of_two() + 3 * LINE);
        }
        let text = lines(&mut sim);
        for line in text.split_terminator('\n') {
            prop_assert!(line.starts_with(LEAD) && line.len() <= LINE + 3, "{line}");
            prop_assert_eq!(crate::printable::Printable(line.as_bytes()).to_string(), line);
        }
        prop_assert!(text.is_empty() || text.ends_with('\n'));
    }
}
