//! Variables that never change, which `const` would say (W0043); told of only if asked for.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, Step, Variable};
use super::fold::{Literals, value};
use super::quote;
use super::removal::of_action;
use crate::ast::{ActionKind, EventPattern, OnClause, Span, Trigger};
use crate::diagnostic::{Code, Diagnostic, Edit};

/// W0043.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    let is_init = |clause: &&&OnClause| matches!(clause.event, EventPattern::Simple(Trigger::Init));
    let mut starts = facts.handlers.iter().enumerate().filter(|(_, clause)| is_init(clause));
    // With several it is not the first line that counts.
    let (Some((init, clause)), None) = (starts.next(), starts.next()) else { return };
    for variable in facts.variables.values() {
        let [(name, at)] = variable.sets[..] else { continue };
        let Some(step) = facts.steps.get(at) else { continue };
        if step.handler == init && is_sure(facts, clause, step, variable, at) {
            found.extend(told(facts, clause, step, name));
        }
    }
}

/// Whether the variable has this value wherever it is read.
fn is_sure(
    facts: &ScriptFacts<'_>,
    clause: &OnClause,
    step: &Step<'_>,
    variable: &Variable<'_>,
    at: usize,
) -> bool {
    let span = step.action.span;
    let is_own = clause.span.start <= span.start && span.end <= clause.span.end;
    let is_always = step.guard.is_none() && step.outer_loop.is_none();
    // What `init` does before reads it while it is empty; subs are called in no sure order.
    let init = step.handler;
    let is_read_late = |(_, reader): &(Span, Option<usize>)| {
        let Some(reader) = *reader else { return true };
        reader > at || facts.steps.get(reader).is_some_and(|reader| reader.handler != init)
    };
    is_own && is_always && !variable.reads.is_empty() && variable.reads.iter().all(is_read_late)
}

fn told(
    facts: &ScriptFacts<'_>,
    clause: &OnClause,
    step: &Step<'_>,
    name: Span,
) -> Option<Diagnostic> {
    let ActionKind::SetVar { value: expr, .. } = &step.action.kind else { return None };
    value(facts.source, expr, &Literals)?;
    let shown = quote(facts.source, name);
    let name = name.of(facts.source);
    let text = [b"const ", name, b" = ", expr.span.of(facts.source), b"\n"].concat();
    let place = clause.span.start;
    let away = of_action(facts.source, clause, step.action.span);
    // In front of the handler, or in its place.
    let edits = match away.span.start <= place {
        true => vec![Edit { span: away.span, text }],
        false => vec![Edit { span: Span { start: place, end: place }, text }, away],
    };
    let message = format!("{shown} is set once, and never changes");
    Some(
        Diagnostic::new(Code::VariableAsConstant, step.action.span, message)
            .help("`const` takes no memory on the device, and nothing can set it by mistake")
            .fix(format!("make {shown} a constant"), edits),
    )
}
