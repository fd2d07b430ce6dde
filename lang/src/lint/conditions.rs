//! Conditions that are always true or always false (W0012), and loops whose condition nothing in them
//! changes (W0011).

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::facts::{Facts, each_node, unbracketed, variable_name};
use super::fold::{Literals, truth};
use super::quote;
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic};

/// W0011 and W0012.
pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (at, step) in facts.steps.iter().enumerate() {
        match &step.action.kind {
            ActionKind::If { branches, .. } => {
                for branch in branches {
                    constant(facts, &branch.condition, false, found);
                }
            }
            ActionKind::While(branch) => {
                let is_constant = constant(facts, &branch.condition, true, found);
                if !is_constant {
                    unchanging(facts, at, branch, found);
                }
            }
            _ => {}
        }
    }
}

/// W0012 for a condition, or for those parts of its `and`s and `or`s that are constant.
fn constant(
    facts: &Facts<'_>,
    condition: &Expr,
    is_loop: bool,
    found: &mut Vec<Diagnostic>,
) -> bool {
    if let Some(always) = truth(facts.source, condition, &Literals) {
        let mut warning = Diagnostic::new(
            Code::ConstantCondition,
            condition.span,
            format!("this condition is always {always}"),
        );
        warning = match (is_loop, always) {
            (true, true) => warning.help(
                "the loop never ends: the device stops the handler when its budget of steps is used up; to do something \
                 again and again use a timer",
            ),
            (true, false) => warning.help("the loop never runs"),
            (false, _) => warning.help(help(facts, condition)),
        };
        found.push(warning);
        return true;
    }
    each_node(condition, &mut |node| {
        let ExprKind::Logic(chain) = &node.kind else { return };
        let operands =
            core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand));
        for operand in operands {
            if let Some(always) = truth(facts.source, operand, &Literals) {
                found.push(
                    Diagnostic::new(
                        Code::ConstantCondition,
                        operand.span,
                        format!("{} is always {always}", quote(facts.source, operand.span)),
                    )
                    .help(help(facts, operand)),
                );
            }
        }
    });
    false
}

fn help(facts: &Facts<'_>, expr: &Expr) -> String {
    let expr = unbracketed(expr);
    match expr.kind {
        ExprKind::Text | ExprKind::Hex => format!(
            "a value is true if it reads as a number other than 0; to compare, write `... = {}`",
            String::from_utf8_lossy(expr.span.of(facts.source))
        ),
        _ => "nothing in it can change".into(),
    }
}

/// W0011: what the condition looks at must change within the loop, since no other event is handled meanwhile.
fn unchanging(facts: &Facts<'_>, at: usize, branch: &Branch, found: &mut Vec<Diagnostic>) {
    let mut names = BTreeSet::new();
    let mut flash = BTreeSet::new();
    let mut changes_alone = false;
    each_node(&branch.condition, &mut |node| match &node.kind {
        ExprKind::Variable => {
            names.insert(variable_name(facts.source, node.span));
        }
        ExprKind::Flash(number) => {
            flash.insert(number.value);
        }
        ExprKind::Special(Special::Timestamp | Special::Weekday | Special::Adc) => {
            changes_alone = true;
        }
        ExprKind::Call(call) => {
            changes_alone |= matches!(**call, Call::PinRead(_) | Call::Unary(Unary::Retained, _));
        }
        _ => {}
    });
    if changes_alone {
        return;
    }
    let end = facts.steps[at].action.span.end;
    let body = facts.steps[at + 1..].iter().take_while(|step| step.action.span.start < end);
    for step in body {
        let ActionKind::SetVar { target, .. } = step.action.kind else { continue };
        let changed = match target {
            Target::Variable(span) => names.contains(&variable_name(facts.source, span)),
            Target::Flash(number) => flash.contains(&number.value),
        };
        if changed {
            return;
        }
    }
    found.push(
        Diagnostic::new(
            Code::LoopNeverChanges,
            branch.condition.span,
            "nothing in this loop changes its condition",
        )
        .help(
            "once entered it never ends, until the device stops the handler; no event is handled meanwhile: set one of its \
             variables in the loop, or use a timer",
        ),
    );
}
