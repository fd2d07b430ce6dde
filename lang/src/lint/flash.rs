//! Flash variables written so often that the flash wears out within years (W0009).
//!
//! Storage writes only what has changed, and spreads the writes over its sectors. So what counts is
//! how often the value surely changes: a count, a time, a measurement, in the handler of a timer
//! whose period is known. How often messages come is not known; there a write of what the message
//! says counts, unless a condition on the message guards it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::{FLASH_VARIABLE_LEN, parse_number};

use super::facts::{ScriptFacts, Step, each_node, variable_name};
use super::fold::value;
use super::topics::Topics;
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic};

/// Sectors the writes are spread over, on every board.
pub const FLASH_SECTORS: u64 = 8;
/// Bytes of a sector.
const SECTOR_LEN: u64 = 4096;
/// How often a sector can be erased, by the data sheets.
const ERASES: u64 = 100_000;
/// What stands before the key and the value of a record, bytes.
const RECORD_HEADER: usize = 8;
/// A record ends at a multiple of this, bytes.
const RECORD_ALIGNMENT: usize = 4;
/// Longest decimal number of 32 bits, with its sign.
const NUMBER_LEN: usize = 11;
/// How often the body of a `while` is taken to run for each event.
const ROUNDS: u64 = 100;
/// A flash that lasts longer than this is no matter of concern.
const LONG_ENOUGH_DAYS: u64 = 10 * 365;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Most timers whose periods are looked for; more than any device has.
const MAX_TIMERS: usize = 64;

/// Bytes of flash that writing a value of this length takes.
pub fn record_len(value: usize) -> usize {
    RECORD_HEADER + (1 + value).next_multiple_of(RECORD_ALIGNMENT)
}

/// How many writes of a value of this length the flash takes in all.
fn writes(value: usize) -> u64 {
    FLASH_SECTORS * SECTOR_LEN * ERASES / record_len(value) as u64
}

/// W0009.
pub(super) fn check(facts: &ScriptFacts<'_>, topics: &Topics<'_>, found: &mut Vec<Diagnostic>) {
    let periods = periods(facts, topics);
    for step in &facts.steps {
        let ActionKind::SetVar { target: Target::Flash(flash), value } = &step.action.kind else {
            continue;
        };
        let change = change(facts, topics, step, flash.value, value);
        if change == Change::Unknown || limited(facts, step, flash.value, value) {
            continue;
        }
        let rounds = if step.outer_loop.is_some() { ROUNDS } else { 1 };
        let len = match value.kind {
            _ if is_number(value) => NUMBER_LEN,
            ExprKind::Special(Special::Timestamp) => 8,
            _ => FLASH_VARIABLE_LEN,
        };
        let n = flash.value;
        let (message, help) = match facts.event(step) {
            EventPattern::Timer(timer) => {
                let Some(&period) = periods.get(&timer.value) else { continue };
                let a_day = DAY_MS / period.max(1) * rounds;
                let days = writes(len) / a_day.max(1);
                if days >= LONG_ENOUGH_DAYS {
                    continue;
                }
                (
                    format!(
                        "`@{n}` is written to flash up to {a_day} times a day: the flash lasts {}",
                        span_of_time(days)
                    ),
                    "keep the value in a `$variable`, and write it to flash now and then".into(),
                )
            }
            EventPattern::Topic { .. } => {
                let often = writes(len) / (DAY_MS / 1000 * rounds);
                (
                    format!("`@{n}` is written to flash with each message that changes it"),
                    format!(
                        "with one such message a second the flash lasts {}; write it under a condition on the message, or \
                         keep it in a `$variable` and write it now and then",
                        span_of_time(often)
                    ),
                )
            }
            _ => continue,
        };
        found.push(Diagnostic::new(Code::FlashWear, step.action.span, message).help(help));
    }
}

/// A number of days, in words.
fn span_of_time(days: u64) -> String {
    match days {
        0 => "less than a day".into(),
        1..=730 => format!("about {days} days"),
        _ => format!("about {} years", (days + 182) / 365),
    }
}

/// Whether the value to be written differs from the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It surely does each time.
    EachTime,
    /// It says what the message says.
    WithMessage,
    /// Perhaps never.
    Unknown,
}

fn change(
    facts: &ScriptFacts<'_>,
    topics: &Topics<'_>,
    step: &Step<'_>,
    n: i32,
    set: &Expr,
) -> Change {
    if let Some(constant) = value(facts.source, set, topics) {
        let alternates = facts.steps.iter().any(|other| {
            let ActionKind::SetVar { target: Target::Flash(flash), value: other_set } =
                &other.action.kind
            else {
                return false;
            };
            other.handler == step.handler
                && flash.value == n
                && value(facts.source, other_set, topics).is_some_and(|other| other != constant)
        });
        // Only where both are written one after the other, or what is there decides which.
        let own = |step: &Step<'_>| facts.guards_of(step).all(|guard| reads_only(facts, guard, n));
        return if alternates && own(step) { Change::EachTime } else { Change::Unknown };
    }
    let is_self = |node: &Expr| matches!(node.kind, ExprKind::Flash(flash) if flash.value == n);
    let direct = changes(set, &is_self);
    if direct != Change::Unknown {
        return direct;
    }
    // Through a variable that the handler itself changes.
    let mut through = Change::Unknown;
    each_node(set, &mut |node| {
        if node.kind != ExprKind::Variable || through == Change::EachTime {
            return;
        }
        let name = variable_name(facts.source, node.span);
        let Some(variable) = facts.variables.get(&name) else { return };
        for &(_, at) in &variable.sets {
            let set = &facts.steps[at];
            let ActionKind::SetVar { value, .. } = &set.action.kind else { continue };
            if set.handler != step.handler || set.guard.is_some() && set.guard != step.guard {
                continue;
            }
            let is_self = |node: &Expr| {
                node.kind == ExprKind::Variable && variable_name(facts.source, node.span) == name
            };
            match changes(value, &is_self) {
                Change::Unknown => {}
                change => through = change,
            }
        }
    });
    through
}

/// What an expression's value does from one time to the next, where `is_self` is the value itself.
fn changes(set: &Expr, is_self: &dyn Fn(&Expr) -> bool) -> Change {
    let mut found = Change::Unknown;
    each_node(set, &mut |node| {
        let change = match &node.kind {
            ExprKind::Chain(chain) => {
                let counts = chain.rest.iter().any(|link| {
                    matches!(
                        link.operator,
                        Operator::Add | Operator::Sub | Operator::Mul | Operator::Join
                    )
                });
                let operands = chain.rest.iter().map(|link| &link.operand);
                let own = core::iter::once(&chain.first).chain(operands).any(is_self);
                if counts && own { Change::EachTime } else { return }
            }
            ExprKind::Call(call) => match &**call {
                Call::Unary(FunctionWord::Not, inner) if is_self(inner) => Change::EachTime,
                _ => return,
            },
            ExprKind::Special(Special::Timestamp | Special::Adc) => Change::EachTime,
            ExprKind::Special(Special::ThisData | Special::ThisTopic) => Change::WithMessage,
            _ => return,
        };
        if found != Change::EachTime {
            found = change;
        }
    });
    found
}

/// Whether a value is a number for sure.
fn is_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Bracketed(inner) => is_number(inner),
        ExprKind::Special(Special::Adc) => true,
        ExprKind::Chain(chain) => {
            chain.rest.first().is_some_and(|link| link.operator != Operator::Join)
        }
        ExprKind::Call(call) => call.function().result() != ResultKind::String,
        _ => false,
    }
}

/// Whether a condition may keep the write from happening often. One that looks at the flash
/// variable alone does not, nor one in a timer's handler that compares it with what is to be
/// written.
fn limited(facts: &ScriptFacts<'_>, step: &Step<'_>, n: i32, set: &Expr) -> bool {
    let is_timer = matches!(facts.event(step), EventPattern::Timer(_));
    facts.guards_of(step).any(|guard| {
        let written = set.span.of(facts.source);
        let harmless = reads_only(facts, guard, n)
            || is_timer && compares(facts, facts.guards[guard].condition, n, written);
        !harmless
    })
}

/// Whether a condition looks at nothing but a flash variable.
fn reads_only(facts: &ScriptFacts<'_>, guard: usize, n: i32) -> bool {
    let mut only = true;
    each_node(facts.guards[guard].condition, &mut |node| {
        only &= match &node.kind {
            ExprKind::Flash(flash) => flash.value == n,
            ExprKind::Variable | ExprKind::Special(_) => false,
            ExprKind::Call(call) => !call.function().is_volatile(),
            _ => true,
        };
    });
    only
}

/// Whether a condition compares a flash variable with this text of the source.
fn compares(facts: &ScriptFacts<'_>, condition: &Expr, n: i32, written: &[u8]) -> bool {
    let mut found = false;
    each_node(condition, &mut |node| {
        let ExprKind::Chain(chain) = &node.kind else { return };
        let [link] = chain.rest.as_slice() else { return };
        if !matches!(link.operator, Operator::Equal | Operator::NotEqual) {
            return;
        }
        let is_flash =
            |expr: &Expr| matches!(expr.kind, ExprKind::Flash(flash) if flash.value == n);
        let is_written = |expr: &Expr| expr.span.of(facts.source) == written;
        found |= is_flash(&chain.first) && is_written(&link.operand)
            || is_flash(&link.operand) && is_written(&chain.first);
    });
    found
}

/// The shortest time from one run of each timer's handler to the next, in milliseconds, as far as
/// it follows from literals: a timer that arms itself, or several that arm each other in turn.
fn periods(facts: &ScriptFacts<'_>, topics: &Topics<'_>) -> BTreeMap<i32, u64> {
    let mut numbers: Vec<i32> = Vec::new();
    let mut edges: Vec<(i32, i32, u64)> = Vec::new();
    for step in &facts.steps {
        let (
            EventPattern::Timer(from),
            ActionKind::Numbered { word: ActionWord::SetTimer, number: timer, value: ms },
        ) = (facts.event(step), &step.action.kind)
        else {
            continue;
        };
        let Some(ms) = value(facts.source, ms, topics) else { continue };
        let Ok(ms @ 1..) = u64::try_from(parse_number(&ms)) else { continue };
        edges.push((from.value, timer.value, ms));
        for number in [from.value, timer.value] {
            if !numbers.contains(&number) && numbers.len() < MAX_TIMERS {
                numbers.push(number);
            }
        }
    }
    // Floyd and Warshall's shortest paths, from each timer back to itself.
    let count = numbers.len();
    let index = |number| numbers.iter().position(|&known| known == number);
    let mut ways = vec![u64::MAX; count * count];
    for (from, to, ms) in edges {
        if let (Some(from), Some(to)) = (index(from), index(to)) {
            let way = &mut ways[from * count + to];
            *way = (*way).min(ms);
        }
    }
    for over in 0..count {
        for from in 0..count {
            for to in 0..count {
                let detour = ways[from * count + over].saturating_add(ways[over * count + to]);
                let way = &mut ways[from * count + to];
                *way = (*way).min(detour);
            }
        }
    }
    numbers
        .iter()
        .enumerate()
        .map(|(at, &number)| (number, ways[at * count + at]))
        .filter(|&(_, period)| period < u64::MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{record_len, span_of_time, writes};

    #[test]
    fn a_flash_takes_so_many_writes() {
        assert_eq!(record_len(1), 12);
        assert_eq!(record_len(63), 72);
        assert_eq!(writes(63), 45_511_111);
    }

    #[test]
    fn times_are_told_in_words() {
        assert_eq!(span_of_time(0), "less than a day");
        assert_eq!(span_of_time(526), "about 526 days");
        assert_eq!(span_of_time(1900), "about 5 years");
    }
}
