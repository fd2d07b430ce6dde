//! Division by a constant that reads as 0 (W0014).

use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::number::{Number, parse_number};

use super::facts::{ScriptFacts, each_node};
use super::fold::{Literals, suffixes, value};
use super::quote;
use crate::ast::{Call, ExprKind, FunctionWord, Operator, Span};
use crate::diagnostic::{Code, Diagnostic};

/// W0014.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if let ExprKind::Call(call) = &node.kind
                && let Call::Triple(FunctionWord::Divide, _, divisor, _) = &**call
                && value(facts.source, divisor, &Literals)
                    .is_some_and(|divisor| Number::parse(&divisor).is_ok_and(Number::is_zero))
            {
                found.push(warning(facts, "divide", divisor.span));
            }
            let ExprKind::Chain(chain) = &node.kind else { return };
            if !chain.rest.iter().any(|link| divides(link.operator)) {
                return;
            }
            let values = suffixes(facts.source, chain, &Literals);
            for (at, link) in chain.rest.iter().enumerate() {
                let Some(divisor) = &values[at + 1] else { continue };
                if !divides(link.operator) || parse_number(divisor) != 0 {
                    continue;
                }
                // All that follows the operator is the divisor: chains group from the right.
                let span = Span { start: link.operand.span.start, end: node.span.end };
                let word = if link.operator == Operator::Div { "div" } else { "mod" };
                found.push(warning(facts, word, span));
            }
        });
    });
}

fn warning(facts: &ScriptFacts<'_>, word: &str, divisor: Span) -> Diagnostic {
    let message = format!("`{word}` by {}, which is the number 0", quote(facts.source, divisor));
    Diagnostic::new(Code::DivisionByZero, divisor, message)
        .help("the result is 0, and the device counts a warning each time")
}

fn divides(operator: Operator) -> bool {
    matches!(operator, Operator::Div | Operator::Mod)
}
