//! Timers and alarms: handlers that nothing arms (W0006), and arming without a handler (W0007).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::parse_number;

use super::facts::Facts;
use super::fold::{Literals, value};
use crate::ast::{ActionKind, Event, Span};
use crate::diagnostic::{Code, Diagnostic};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Clock {
    Timer,
    Alarm,
}

impl Clock {
    fn word(self) -> &'static str {
        match self {
            Clock::Timer => "timer",
            Clock::Alarm => "alarm",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Clock::Timer => "1000",
            Clock::Alarm => "07:30",
        }
    }
}

/// W0006 for each handler, W0007 once for each number.
pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut armed: BTreeMap<(Clock, i32), Span> = BTreeMap::new();
    let mut disarmed: BTreeMap<(Clock, i32), Span> = BTreeMap::new();
    for step in &facts.steps {
        let (clock, number, disarms) = match &step.action.kind {
            ActionKind::SetTimer { timer, value: ms } => {
                let ms = value(facts.source, ms, &Literals);
                (Clock::Timer, timer.value, ms.is_some_and(|ms| parse_number(&ms) <= 0))
            }
            ActionKind::SetAlarm { alarm, value: time } => {
                let time = value(facts.source, time, &Literals);
                (Clock::Alarm, alarm.value, time.is_some_and(|time| time.is_empty()))
            }
            _ => continue,
        };
        let into = if disarms { &mut disarmed } else { &mut armed };
        into.entry((clock, number)).or_insert(step.action.span);
    }

    let mut handled: BTreeSet<(Clock, i32)> = BTreeSet::new();
    for clause in &facts.handlers {
        let (clock, n) = match clause.event {
            Event::Timer(n) => (Clock::Timer, n.value),
            Event::Alarm(n) => (Clock::Alarm, n.value),
            _ => continue,
        };
        handled.insert((clock, n));
        if armed.contains_key(&(clock, n)) {
            continue;
        }
        let (word, example) = (clock.word(), clock.example());
        let mut never = Diagnostic::new(
            Code::TimerNeverArmed,
            clause.event_span,
            format!("nothing arms {word} {n}, so this handler never runs"),
        )
        .help(format!("arm it where it is to start: `set{word} {n} {example}`"));
        if let Some(&span) = disarmed.get(&(clock, n)) {
            never = never.related(span, "this only disarms it");
        }
        found.push(never);
    }

    for (&(clock, n), &span) in &armed {
        if !handled.contains(&(clock, n)) {
            let word = clock.word();
            found.push(
                Diagnostic::new(
                    Code::TimerWithoutHandler,
                    span,
                    format!("{word} {n} is armed, but there is no `on {word} {n}`"),
                )
                .help(format!("add a handler: `on {word} {n} do ...`")),
            );
        }
    }
}
