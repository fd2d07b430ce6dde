//! Conditions that are always true or always false (W0012), and loops whose condition nothing in
//! them changes (W0011).

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, each_node, each_value, unbracketed, variable_name};
use super::fold::{Literals, truth};
use super::quote;
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic, Edit};

/// W0011 and W0012.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
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
            _ => each_value(step.action, &mut |value| constant_parts(facts, value, found)),
        }
    }
}

/// W0012 for a condition, or for those parts of its `and`s and `or`s that are constant.
fn constant(
    facts: &ScriptFacts<'_>,
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
    if let Some(warning) = false_texts(facts, condition) {
        found.push(warning);
        return true;
    }
    constant_parts(facts, condition, found);
    false
}

/// W0012 for a variable that is only ever set to texts, which are all false: `setvar $on = true`.
fn false_texts(facts: &ScriptFacts<'_>, condition: &Expr) -> Option<Diagnostic> {
    let (variable, always) = match &unbracketed(condition).kind {
        ExprKind::Call(call) => match &**call {
            Call::Unary(FunctionWord::Not, inner) => (unbracketed(inner), true),
            _ => return None,
        },
        _ => (unbracketed(condition), false),
    };
    let set = facts.set_to_texts_only(variable)?;
    let (name, text) = (quote(facts.source, variable.span), quote(facts.source, set));
    Some(
        Diagnostic::new(
            Code::ConstantCondition,
            condition.span,
            format!("this condition is always {always}: {name} is set to texts, which read as 0"),
        )
        .related(set, "such as here")
        .help(format!(
            "set it to 1 and 0 in place of {text}; or compare it: `{} = {}`",
            String::from_utf8_lossy(variable.span.of(facts.source)),
            String::from_utf8_lossy(set.of(facts.source))
        )),
    )
}

/// W0012 for those operands of `and` and `or` that are constant.
fn constant_parts(facts: &ScriptFacts<'_>, expr: &Expr, found: &mut Vec<Diagnostic>) {
    each_node(expr, &mut |node| {
        let ExprKind::Logic(chain) = &node.kind else { return };
        let first = core::iter::once((&chain.first, None));
        let rest = chain.rest.iter().map(|link| (&link.operand, Some(link)));
        let mut compared = None;
        for (operand, link) in first.chain(rest) {
            compared = comparison(operand).or(compared);
            let Some(always) = truth(facts.source, operand, &Literals) else { continue };
            let diagnostic = Diagnostic::new(
                Code::ConstantCondition,
                operand.span,
                format!("{} is always {always}", quote(facts.source, operand.span)),
            );
            let repaired = compared
                .zip(link)
                .and_then(|((left, operator), link)| repeated(facts, left, operator, link));
            found.push(match repaired {
                Some(edits) => diagnostic
                    .help("each side of `and` and `or` is a condition of its own")
                    .fix("compare each time", edits),
                None => diagnostic.help(help(facts, operand)),
            });
        }
    });
}

/// The left side and the operator of `$x = "a"`.
fn comparison(expr: &Expr) -> Option<(&Expr, Operator)> {
    let ExprKind::Chain(chain) = &unbracketed(expr).kind else { return None };
    match chain.rest.as_slice() {
        [link] if matches!(link.operator, Operator::Equal | Operator::NotEqual) => {
            Some((&chain.first, link.operator))
        }
        _ => None,
    }
}

/// `$x = "a" or "b"`: the comparison written out. Nothing differs from one or the other, so with
/// `neq` an `or` was meant as `and`.
fn repeated(
    facts: &ScriptFacts<'_>,
    left: &Expr,
    operator: Operator,
    link: &ChainLink<Logic>,
) -> Option<Vec<Edit>> {
    if !matches!(link.operand.kind, ExprKind::Text | ExprKind::Hex) {
        return None;
    }
    let word = match (operator, link.operator) {
        (Operator::Equal, Logic::Or) => "=",
        (Operator::NotEqual, _) => "neq",
        _ => return None,
    };
    let mut edits = Vec::new();
    if operator == Operator::NotEqual && link.operator == Logic::Or {
        edits.push(Edit { span: link.operator_span, text: b"and".to_vec() });
    }
    let start = link.operand.span.start;
    let mut text = left.span.of(facts.source).to_vec();
    text.extend_from_slice(format!(" {word} ").as_bytes());
    edits.push(Edit { span: Span { start, end: start }, text });
    Some(edits)
}

fn help(facts: &ScriptFacts<'_>, expr: &Expr) -> String {
    let expr = unbracketed(expr);
    match expr.kind {
        ExprKind::Text | ExprKind::Hex => format!(
            "a value is true if it reads as a number other than 0; to compare, write `... = {}`",
            String::from_utf8_lossy(expr.span.of(facts.source))
        ),
        _ => "nothing in it can change".into(),
    }
}

/// W0011: what the condition looks at must change within the loop, since no other event is handled
/// meanwhile.
fn unchanging(facts: &ScriptFacts<'_>, at: usize, branch: &Branch, found: &mut Vec<Diagnostic>) {
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
            changes_alone |= call.function().is_volatile();
        }
        _ => {}
    });
    if changes_alone {
        return;
    }
    for step in &facts.steps[at + 1..facts.steps[at].end] {
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
