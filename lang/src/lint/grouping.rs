//! Chains whose grouping from the right gives another result than ordinary precedence would
//! (W0001).

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::chain::{Grouping, MAX_OPERATORS, is_surprising};
use super::facts::{ScriptFacts, each_node};
use super::fold::{Literals, operate, value};
use super::quote_bytes;
use crate::ast::{Chain, ExprKind, Operator, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};

/// Most brackets the fix adds to one chain: it must not run into the limit of nesting.
const MAX_BRACKETS: usize = 12;

/// W0001. The fix writes down what the device computes, so it changes no behaviour; the help shows
/// the other reading.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if let ExprKind::Chain(chain) = &node.kind {
                found.extend(check_chain(facts.source, chain, node.span));
            }
        });
    });
}

fn check_chain(source: &[u8], chain: &Chain<Operator>, span: Span) -> Option<Diagnostic> {
    let operators: Vec<Operator> = chain.rest.iter().map(|link| link.operator).collect();
    if operators.len() > MAX_OPERATORS || !is_surprising(&operators) {
        return None;
    }
    let ordinary = Grouping::ordinary(&operators);
    if has_one_value(source, chain, &ordinary, &Grouping::from_right(&operators)) {
        return None;
    }
    let opens = needed_brackets(&operators);
    let (mut before, mut behind) = (vec![0; operators.len() + 1], vec![0; operators.len() + 1]);
    opens.iter().for_each(|&at| before[at] += 1);
    behind[operators.len()] = opens.len();
    let means = with_brackets(source, chain, &before, &behind);
    let (before, behind) = ordinary.brackets();
    let otherwise = with_brackets(source, chain, &before, &behind);

    let surprise = Diagnostic::new(
        Code::Grouping,
        span,
        format!("operators group from the right: this computes {}", quote_bytes(&means)),
    )
    .help(format!("if it should be {}, write it so", quote_bytes(&otherwise)));
    if opens.len() > MAX_BRACKETS {
        return Some(surprise);
    }
    let mut edits: Vec<Edit> = opens
        .iter()
        .map(|&at| {
            let start = chain.rest[at - 1].operand.span.start;
            Edit { span: Span { start, end: start }, text: b"(".to_vec() }
        })
        .collect();
    edits.push(Edit {
        span: Span { start: span.end, end: span.end },
        text: vec![b')'; opens.len()],
    });
    Some(surprise.fix("write the brackets the device computes with", edits))
}

/// Whether all is literal and both groupings give the same.
fn has_one_value(source: &[u8], chain: &Chain<Operator>, one: &Grouping, other: &Grouping) -> bool {
    let operands: Option<Vec<Vec<u8>>> = core::iter::once(&chain.first)
        .chain(chain.rest.iter().map(|link| &link.operand))
        .map(|operand| value(source, operand, &Literals))
        .collect();
    let Some(operands) = operands else { return false };
    let compute = |grouping: &Grouping| {
        let mut values: Vec<Vec<u8>> = Vec::with_capacity(grouping.nodes.len());
        for node in &grouping.nodes {
            values.push(match node.pair {
                None => operands[node.low].clone(),
                Some((operator, left, right)) => operate(operator, &values[left], &values[right])?,
            });
        }
        values.pop()
    };
    let one = compute(one);
    one.is_some() && one == compute(other)
}

/// The operands before which a bracket must open, closing at the chain's end, so that no part of
/// the chain surprises and the device still computes the same. In ascending order, never the first
/// operand.
fn needed_brackets(operators: &[Operator]) -> Vec<usize> {
    let mut opens = Vec::new();
    let mut end = operators.len();
    for start in (0..operators.len()).rev() {
        if is_surprising(&operators[start..end]) {
            opens.push(start + 1);
            end = start + 1;
        }
    }
    opens.reverse();
    opens
}

/// The chain's text with brackets added before and behind its operands.
fn with_brackets(
    source: &[u8],
    chain: &Chain<Operator>,
    before: &[usize],
    behind: &[usize],
) -> Vec<u8> {
    let mut out = Vec::new();
    for at in 0..=chain.rest.len() {
        let operand = if at == 0 { &chain.first } else { &chain.rest[at - 1].operand };
        out.extend(core::iter::repeat_n(b'(', before[at]));
        out.extend(operand.span.of(source));
        out.extend(core::iter::repeat_n(b')', behind[at]));
        if let Some(link) = chain.rest.get(at) {
            out.push(b' ');
            out.extend(link.operator_span.of(source));
            out.push(b' ');
        }
    }
    out
}
