//! `=` and `neq` with a decimal literal, which compare texts (W0034).

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::compare::{Form, form, is_decimal, is_equality, numeric_variables};
use super::facts::{ScriptFacts, each_node, unbracketed};
use super::quote;
use crate::ast::{ChainLink, Expr, ExprKind, Operator, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};

/// W0034. What a text in quotes is compared with is meant to be a text; and a number that was
/// computed has one spelling, so it compares well with that.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    let numeric = numeric_variables(facts);
    let is_literal =
        |expr: &Expr| expr.kind == ExprKind::Text && is_decimal(expr.span.of(facts.source));
    let is_open = |expr: &Expr| {
        let form = form(facts.source, &numeric, expr);
        let is_known = matches!(unbracketed(expr).kind, ExprKind::Text | ExprKind::Hex);
        form == Form::Any && !is_known
    };
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            let ExprKind::Chain(chain) = &node.kind else { return };
            for (at, link) in chain.rest.iter().enumerate() {
                if !is_equality(link.operator) {
                    continue;
                }
                let left = if at == 0 { &chain.first } else { &chain.rest[at - 1].operand };
                // To the right of an operator stands all the rest.
                let is_last = at + 1 == chain.rest.len();
                let literal = if is_last && is_literal(unbracketed(&link.operand)) && is_open(left)
                {
                    unbracketed(&link.operand)
                } else if is_literal(unbracketed(left)) && (!is_last || is_open(&link.operand)) {
                    unbracketed(left)
                } else {
                    continue;
                };
                let alone = (chain.rest.len() == 1).then_some(left);
                found.push(warning(facts, literal.span, alone, link));
            }
        });
    });
}

/// With a fix if these are the two sides and nothing else.
fn warning(
    facts: &ScriptFacts<'_>,
    literal: Span,
    left: Option<&Expr>,
    link: &ChainLink<Operator>,
) -> Diagnostic {
    let raw = |span: Span| String::from_utf8_lossy(span.of(facts.source));
    let operator = raw(link.operator_span);
    let warning = Diagnostic::new(
        Code::DecimalAsText,
        literal,
        format!(
            "`{operator}` compares texts, byte by byte: `{decimal}0` is not {}",
            quote(facts.source, literal),
            decimal = raw(literal)
        ),
    );
    let Some(left) = left else {
        return warning.help(format!(
            "put the text in quotes if it is meant, or compare the difference with 0: `(... - {}) {operator} 0`",
            raw(literal)
        ));
    };
    let (start, end) = (left.span.start, link.operand.span.end);
    let edits = vec![
        Edit { span: Span { start, end: start }, text: b"(".to_vec() },
        Edit { span: link.operator_span, text: b"-".to_vec() },
        Edit { span: Span { start: end, end }, text: format!(") {operator} 0").into_bytes() },
    ];
    warning
        .help(format!(
            "put the text in quotes if it is meant, or compare the difference with 0: `({} - {}) {operator} 0`",
            raw(left.span),
            raw(link.operand.span)
        ))
        .fix("compare the numbers", edits)
}
