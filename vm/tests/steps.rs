//! What a host sees of handlers that it watches, and that they do the same as those nobody watches.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write;

use common::Script;
use umqtt_vm::{
    Almanac, Console, Event, FlashVariables, Gpio, HandlerCursor, Http, Mqtt, NullHost, Random,
    Serial, Side, Step, Syscalls, Tracing, Trap, TrapCode,
};

/// Writes the steps down.
#[derive(Default)]
struct Watcher {
    lines: Vec<(u32, String)>,
    steps: Vec<(u16, String)>,
    at: u16,
}

impl Gpio for Watcher {
    fn pin_read(&mut self, _: u8) -> bool {
        true
    }
}
impl Serial for Watcher {}
impl Mqtt for Watcher {}
impl Http for Watcher {}
impl FlashVariables for Watcher {}
impl Random for Watcher {}
impl Console for Watcher {}
impl Almanac for Watcher {}

impl Tracing for Watcher {
    fn is_tracing(&self) -> bool {
        true
    }

    fn step(&mut self, step: Step<'_>) {
        let mut text = String::new();
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        match step {
            Step::Instruction { at, .. } => {
                self.at = at;
                return;
            }
            Step::Compared { relation, left, right, holds } => {
                let (left, right) = (shown(left), shown(right));
                write!(text, "{left} {} {right} {holds}", relation.mnemonic()).unwrap();
            }
            Step::Tested { value, holds } => write!(text, "{} {holds}", shown(value)).unwrap(),
            Step::Branch { jumps: true, .. } => text.push_str("jumps"),
            Step::Branch { jumps: false, .. } => text.push_str("runs on"),
            Step::Action { op, number, values: [one, two] } => {
                let (one, two) = (shown(one), shown(two));
                write!(text, "{} {number} {one} {two}", op.mnemonic()).unwrap();
            }
            Step::Refused(error) => write!(text, "refused: {error}").unwrap(),
            Step::Answer { op, number, value } => {
                write!(text, "{} {number} gives {}", op.mnemonic(), shown(value)).unwrap();
            }
            Step::Assigned { variable, value, .. } => {
                write!(text, "variable {variable} = {}", shown(value)).unwrap();
            }
            other => panic!("{other:?} is none of the machine"),
        }
        self.steps.push((self.at, text.trim_end().to_owned()));
    }
}

/// Runs the handlers of an event watched; the steps with their lines, and what is left of the fuel.
fn watched(script: &mut Script, event: &Event<'_>, fuel: u32) -> (Vec<String>, u32, Option<Trap>) {
    let (mut host, mut supervisor, mut fuel) = (Watcher::default(), NullHost, fuel);
    let mut handlers = HandlerCursor::default();
    let mut trap = None;
    loop {
        let mut syscalls = Syscalls { host: &mut host, supervisor: &mut supervisor };
        let next = script.machine.next(&mut handlers, event, &mut fuel, &mut syscalls);
        let Some(handler) = next else { break };
        trap = script.machine.run_traced(handler, event, &mut fuel, &mut syscalls).err();
    }
    for (at, text) in std::mem::take(&mut host.steps) {
        host.lines.push((script.machine.program().line(at).unwrap(), text));
    }
    (host.lines.iter().map(|(line, text)| format!("{line}: {text}")).collect(), fuel, trap)
}

fn message<'e>(topic: &'e str, data: &'e str) -> Event<'e> {
    Event::Topic { side: Side::Local, topic: topic.as_bytes(), data: data.as_bytes() }
}

const RELAY: &str = r#"on topic local set do
    if $this_data = "on" or $this_data = "ON" then
        gpio_out 12 1
    elseif $this_data gte 5 and not($on) then
        setvar $on = gpio_in(4)
        publish local "a/#" $on retained
    else
        print $this_data
    endif
    setvar $seen = $this_data str_gt "m"
    subscribe remote "a#"
    gpio_pinmode 5 input pullup
    call out
sub out do settimer 1 $on + 1.5"#;

#[test]
fn conditions_show_what_they_compared_and_actions_their_values() {
    let mut script = Script::new(RELAY, 1000, 100);
    let tail = |seen| {
        [
            format!("10: variable 1 = {seen}"),
            "11: subscribe_remote 0 a#".to_owned(),
            "11: refused: '#' must be the whole last level of a filter".to_owned(),
            "12: gpio_pinmode 5 input pullup".to_owned(),
            "13: call 0".to_owned(),
        ]
    };
    let (steps, ..) = watched(&mut script, &message("set", "ON"), 10_000);
    let head = ["2: ON eq on false", "2: runs on", "2: ON eq ON true", "2: runs on"];
    assert_eq!(steps[..4], head);
    assert_eq!(steps[4..6], ["3: gpio_out 12 1", "10: ON str_gt m false"]);
    assert_eq!(steps[6..11], tail("0"));
    assert_eq!(steps[11..], ["14: settimer 1 1.5"]);

    let (steps, ..) = watched(&mut script, &message("set", "7"), 10_000);
    let conditions = [
        "2: 7 eq on false",
        "2: runs on",
        "2: 7 eq ON false",
        "2: jumps",
        "4: 7 lt 5 false",
        "4: runs on",
        "4:  false",
        "4: runs on",
    ];
    assert_eq!(steps[..8], conditions);
    let actions = [
        "5: gpio_in 4 gives 1",
        "5: variable 0 = 1",
        "6: publish_local_retained 0 a/# 1",
        "6: refused: a topic to publish to cannot hold the wildcards '#' and '+'",
    ];
    assert_eq!(steps[8..12], actions);

    let (steps, ..) = watched(&mut script, &message("set", "a\r\nb"), 10_000);
    assert!(steps.contains(&"4: a\\r\\nb lt 5 true".to_owned()), "{steps:#?}");
    assert!(steps.contains(&"8: print 0 a\\r\\nb".to_owned()), "{steps:#?}");
}

#[test]
fn it_costs_the_script_nothing_to_be_watched() {
    let source = r#"on topic local t do
        while $n lt 20.5 do
            setvar $n = $n + 1.25  setvar $s = $s | "some text, " | $n
            if $s str_gte $this_data and changed($n div 0) then print upper($s) endif
        done
        setvar $n = 0  setvar $s = """#;
    // Little memory and little fuel too: handlers are stopped, and strings moved together.
    for (memory, fuel) in (40..700).step_by(10).flat_map(|m| [(m, 900), (m, 3_000), (m, 60_000)]) {
        let event = message("t", "some");
        let (mut one, mut other) =
            (Script::new(source, memory, 400), Script::new(source, memory, 400));
        for _ in 0..3 {
            let (_, left, trap) = watched(&mut one, &event, fuel);
            let (mut host, mut supervisor) = (NullHost, NullHost);
            let mut syscalls = Syscalls { host: &mut host, supervisor: &mut supervisor };
            let (mut handlers, mut fuel) = (HandlerCursor::default(), fuel);
            let handler =
                other.machine.next(&mut handlers, &event, &mut fuel, &mut syscalls).unwrap();
            let result = other.machine.run(handler, &event, &mut fuel, &mut syscalls);
            assert_eq!((left, trap), (fuel, result.err()), "{memory}");
            assert_eq!(one.machine.warnings(), other.machine.warnings());
            for name in ["$n", "$s"] {
                assert_eq!(one.variable(name), other.variable(name), "{memory}");
            }
        }
    }
}

#[test]
fn a_handler_that_is_stopped_shows_what_it_did_until_then() {
    let mut script = Script::new("on init do while 1 do setvar $n = $n + 1 done", 1000, 100);
    let (steps, _, trap) = watched(&mut script, &Event::Init, 500);
    assert_eq!(trap.unwrap().code, TrapCode::OutOfFuel);
    let last = format!("1: variable 0 = {}", String::from_utf8(script.variable("$n")).unwrap());
    assert_eq!(steps.last(), Some(&last));
}
