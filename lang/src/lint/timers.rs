//! Timers and alarms: handlers that nothing arms (W0006), and arming without a handler (W0007).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::{Profile, parse_number};

use super::facts::ScriptFacts;
use super::fold::{Literals, value};
use crate::ast::{ActionKind, ActionWord, EventPattern, Span};
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

    /// Whether the device has that one; where it has not, that is an error, and no handler helps.
    fn exists(self, n: i32, profile: &Profile) -> bool {
        let last = match self {
            Clock::Timer => profile.timers,
            Clock::Alarm => profile.alarms,
        };
        (1..=i32::from(last)).contains(&n)
    }

    fn example(self) -> &'static str {
        match self {
            Clock::Timer => "1000",
            Clock::Alarm => "07:30",
        }
    }
}

/// One `settimer` or `setalarm`.
struct Arms {
    clock: (Clock, i32),
    span: Span,
    handler: usize,
    disarms: bool,
}

/// W0006 for each handler, W0007 once for each number that there is.
pub(super) fn check(facts: &ScriptFacts<'_>, profile: &Profile, found: &mut Vec<Diagnostic>) {
    let arms = arms(facts);
    let handled: Vec<Option<(Clock, i32)>> =
        facts.handlers.iter().map(|clause| clock_of(&clause.event)).collect();
    let runs = running(&handled, &arms);
    for (at, clause) in facts.handlers.iter().enumerate() {
        if let Some(clock) = handled[at].filter(|c| c.0.exists(c.1, profile) && !runs[at]) {
            found.push(never_armed(clause.event_span, clock, at, &arms));
        }
    }

    let mut armed: BTreeMap<(Clock, i32), Span> = BTreeMap::new();
    for arm in arms.iter().filter(|arm| !arm.disarms) {
        armed.entry(arm.clock).or_insert(arm.span);
    }
    for (&(clock, n), &span) in &armed {
        if clock.exists(n, profile) && !handled.contains(&Some((clock, n))) {
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

fn clock_of(event: &EventPattern) -> Option<(Clock, i32)> {
    match event {
        EventPattern::Timer(n) => Some((Clock::Timer, n.value)),
        EventPattern::Alarm(n) => Some((Clock::Alarm, n.value)),
        _ => None,
    }
}

fn arms(facts: &ScriptFacts<'_>) -> Vec<Arms> {
    let mut arms = Vec::new();
    for step in &facts.steps {
        let (clock, disarms) = match &step.action.kind {
            ActionKind::Numbered { word: ActionWord::SetTimer, number: timer, value: ms } => {
                let ms = value(facts.source, facts.constant(ms), &Literals);
                ((Clock::Timer, timer.value), ms.is_some_and(|ms| parse_number(&ms) <= 0))
            }
            ActionKind::Numbered { word: ActionWord::SetAlarm, number: alarm, value: time } => {
                let time = value(facts.source, facts.constant(time), &Literals);
                ((Clock::Alarm, alarm.value), time.is_some_and(|time| time.is_empty()))
            }
            _ => continue,
        };
        arms.push(Arms { clock, span: step.action.span, handler: step.handler, disarms });
    }
    arms
}

/// Which handlers can run: those of other events, and those whose timer or alarm is armed in one
/// that can.
fn running(handled: &[Option<(Clock, i32)>], arms: &[Arms]) -> Vec<bool> {
    let mut runs: Vec<bool> = handled.iter().map(Option::is_none).collect();
    let mut armed: BTreeSet<(Clock, i32)> = BTreeSet::new();
    let mut waiting: Vec<usize> = (0..handled.len()).filter(|&at| runs[at]).collect();
    while let Some(handler) = waiting.pop() {
        let first = arms.partition_point(|arm| arm.handler < handler);
        for arm in arms[first..].iter().take_while(|arm| arm.handler == handler) {
            if arm.disarms || !armed.insert(arm.clock) {
                continue;
            }
            for (at, clock) in handled.iter().enumerate() {
                if *clock == Some(arm.clock) && !runs[at] {
                    runs[at] = true;
                    waiting.push(at);
                }
            }
        }
    }
    runs
}

fn never_armed(event: Span, clock: (Clock, i32), handler: usize, arms: &[Arms]) -> Diagnostic {
    let (word, example, n) = (clock.0.word(), clock.0.example(), clock.1);
    let own = arms.iter().filter(|arm| arm.clock == clock);
    let armed = own.clone().find(|arm| !arm.disarms);
    let only_itself = own.clone().all(|arm| arm.disarms || arm.handler == handler);
    let message = match armed {
        None => format!("nothing arms {word} {n}, so this handler never runs"),
        Some(_) if only_itself => {
            format!("only its own handler arms {word} {n}, so it never runs for the first time")
        }
        Some(_) => {
            format!("{word} {n} is armed only in handlers that never run, so neither does this one")
        }
    };
    let diagnostic = Diagnostic::new(Code::TimerNeverArmed, event, message).help(format!(
        "arm it where it is to start, such as in `on init`: `set{word} {n} {example}`"
    ));
    match (armed, own.clone().next()) {
        (Some(armed), _) => diagnostic.related(armed.span, "armed here"),
        (None, Some(disarmed)) => diagnostic.related(disarmed.span, "this only disarms it"),
        (None, None) => diagnostic,
    }
}
