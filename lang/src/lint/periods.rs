//! Timers that only repeat themselves, which `on every` does (W0042); told of only if asked for.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::parse_number;
use umqtt_vm::schedule::{EVERY_MAX, Milliseconds};

use super::facts::{ScriptFacts, Step};
use super::fold::{Literals, value};
use super::removal::of_action;
use crate::ast::{ActionKind, ActionWord, EventPattern, OnClause, Trigger};
use crate::diagnostic::{Code, Diagnostic, Edit};

/// One `settimer` of a timer, whose time is written out.
struct Arm<'f, 's> {
    step: &'f Step<'s>,
    clause: &'s OnClause,
    millis: u32,
}

/// W0042.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for (handler, clause) in facts.handlers.iter().enumerate() {
        let EventPattern::Timer(timer) = clause.event else { continue };
        let is_it = |event: &EventPattern| matches!(event, EventPattern::Timer(other) if other.value == timer.value);
        let is_only = facts.handlers.iter().filter(|other| is_it(&other.event)).count() == 1;
        let Some(arms) = arms(facts, timer.value).filter(|_| is_only) else { continue };
        let [again, start] = &arms[..] else { continue };
        let (again, start) = match again.step.handler == handler {
            true => (again, start),
            false => (start, again),
        };
        let at_start = matches!(start.clause.event, EventPattern::Simple(Trigger::Init));
        if again.step.handler != handler || !at_start || clause.actions.len() < 2 {
            continue;
        }
        found.push(told(facts, clause, again, start));
    }
}

/// Every `settimer` of a timer; `None` if what one does is not sure: under a condition, in a sub,
/// with a time that is computed, or disarming.
fn arms<'f, 's>(facts: &'f ScriptFacts<'s>, timer: i32) -> Option<Vec<Arm<'f, 's>>> {
    let mut arms = Vec::new();
    for step in &facts.steps {
        let ActionKind::Numbered { word: ActionWord::SetTimer, number, value: time } =
            &step.action.kind
        else {
            continue;
        };
        if number.value != timer {
            continue;
        }
        let clause = facts.handlers[step.handler];
        let millis = parse_number(&value(facts.source, facts.constant(time), &Literals)?);
        let millis =
            u32::try_from(millis).ok().filter(|millis| (1..=EVERY_MAX).contains(millis))?;
        let span = step.action.span;
        let is_own = clause.span.start <= span.start && span.end <= clause.span.end;
        if step.guard.is_some() || step.outer_loop.is_some() || !is_own {
            return None;
        }
        arms.push(Arm { step, clause, millis });
    }
    Some(arms)
}

fn told(
    facts: &ScriptFacts<'_>,
    clause: &OnClause,
    again: &Arm<'_, '_>,
    start: &Arm<'_, '_>,
) -> Diagnostic {
    let period = Milliseconds(again.millis);
    let message = format!("this timer arms itself again: that is a period of {period}");
    let hint = Diagnostic::new(Code::TimerAsPeriod, clause.event_span, message)
        .related(again.step.action.span, "armed again here")
        .help(format!("`on every {period} do` comes by itself, and does not drift"));
    // Else the first time is another.
    if again.millis != start.millis {
        return hint;
    }
    let event = Edit { span: clause.event_span, text: format!("every {period}").into_bytes() };
    let mut edits = vec![
        event,
        of_action(facts.source, clause, again.step.action.span),
        of_action(facts.source, start.clause, start.step.action.span),
    ];
    edits.sort_by_key(|edit| edit.span);
    hint.fix(format!("use `on every {period}`"), edits)
}
