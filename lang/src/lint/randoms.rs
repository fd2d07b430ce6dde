//! Random numbers that are always the same (W0029): `random(0)`, `random("abc")`.

use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::parse_number;

use super::facts::{ScriptFacts, each_node, unbracketed};
use super::quote;
use crate::ast::{Call, ExprKind, FunctionWord};
use crate::diagnostic::{Code, Diagnostic};
use crate::literal::unescape;

/// W0029.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            let ExprKind::Call(call) = &node.kind else { return };
            let Call::Unary(FunctionWord::Random, bound) = &**call else { return };
            let bound = unbracketed(bound);
            if bound.kind != ExprKind::Text {
                return;
            }
            let text = unescape(bound.span.of(facts.source));
            if parse_number(&text) > 1 {
                return;
            }
            let is_number = text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
            let shown = quote(facts.source, bound.span);
            let whole = quote(facts.source, node.span);
            let message = match is_number {
                true => format!("{whole} is always 0"),
                false => format!("{shown} reads as 0, so {whole} is always 0"),
            };
            found.push(
                Diagnostic::new(Code::ConstantRandom, node.span, message)
                    .help("`random(N)` is one of 0 to N - 1: `random(10)` is one of 0 to 9"),
            );
        });
    });
}
