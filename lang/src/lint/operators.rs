//! Operators where a value is due, which are read as their text (W0020).

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, each_node, each_value};
use super::quote;
use crate::ast::{ActionKind, Chain, Expr, ExprKind, Operator, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::parse::quote as in_quotes;
use crate::tokens;

/// W0020.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for step in &facts.steps {
        match &step.action.kind {
            // A topic may have levels that are numbers.
            ActionKind::Subscribe { .. } | ActionKind::Unsubscribe { .. } => {}
            ActionKind::Publish { data, .. } => divisions(facts, data, found),
            _ => each_value(step.action, &mut |expr| divisions(facts, expr, found)),
        }
    }
    facts.each_expression(&mut |expr| {
        // What stands before and behind it reveals more about an operand of a chain, which is
        // looked at before the operand itself.
        let mut in_chain: Vec<Span> = Vec::new();
        each_node(expr, &mut |node| {
            if let ExprKind::Chain(chain) = &node.kind {
                for (span, diagnostic) in [glued_text(facts, chain), foreign_operator(facts, chain)]
                    .into_iter()
                    .flatten()
                {
                    in_chain.push(span);
                    found.push(diagnostic);
                }
            }
            if is_operator(facts, node) && !in_chain.contains(&node.span) {
                found.push(
                    diagnostic(facts, node.span)
                        .help("a value is missing before or behind it; if the text is meant, put quotes around it")
                        .fix("quote it", in_quotes(facts.source, node.span)),
                );
            }
        });
    });
}

/// `5/2`, which is a text.
fn divisions(facts: &ScriptFacts<'_>, expr: &Expr, found: &mut Vec<Diagnostic>) {
    each_node(expr, &mut |node| {
        let raw = core::str::from_utf8(node.span.of(facts.source)).unwrap_or_default();
        let Some((left, right)) = raw.split_once('/') else { return };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if node.kind != ExprKind::Text || !is_number(left) || !is_number(right) {
            return;
        }
        let text = format!("{left} div {right}");
        let message = format!("`{raw}` is a text here, for `/` is no operator");
        found.push(
            Diagnostic::new(Code::OperatorAsText, node.span, message)
                .help(format!("`div` divides: `{text}`; a text that is meant stands in quotes"))
                .fix("use `div`", vec![Edit { span: node.span, text: text.into_bytes() }]),
        );
    });
}

/// A text that begins with operators: `**start:` is `*` times `start:`.
fn glued_text(facts: &ScriptFacts<'_>, chain: &Chain<Operator>) -> Option<(Span, Diagnostic)> {
    let link = chain.rest.first()?;
    let glued = is_operator(facts, &chain.first)
        && chain.first.span.end == link.operator_span.start
        && link.operator_span.end == link.operand.span.start
        && link.operand.kind == ExprKind::Text
        && !link.operand.span.of(facts.source).starts_with(b"\"");
    let whole = chain.first.span.to(link.operand.span);
    let words = quote(facts.source, whole);
    glued.then(|| {
        let diagnostic = diagnostic(facts, chain.first.span)
            .help(format!(
                "{words} is no text but a computation; a text with operators needs quotes"
            ))
            .fix("put quotes around the text", in_quotes(facts.source, whole));
        (chain.first.span, diagnostic)
    })
}

/// An operator of other languages that is two here: `$x == -1`.
fn foreign_operator(
    facts: &ScriptFacts<'_>,
    chain: &Chain<Operator>,
) -> Option<(Span, Diagnostic)> {
    let at = chain.rest.iter().position(|link| {
        link.operator_span.end == link.operand.span.start && is_operator(facts, &link.operand)
    })?;
    let link = &chain.rest[at];
    let mut both = link.operator_span.to(link.operand.span);
    // `===`
    if let Some(third) = chain.rest.get(at + 1)
        && both.of(facts.source) == b"=="
        && third.operator == Operator::Equal
        && third.operator_span.start == both.end
    {
        both.end = third.operator_span.end;
        let diagnostic = diagnostic(facts, link.operand.span)
            .help(format!("{} is written `=`", quote(facts.source, both)))
            .fix("replace by `=`", vec![Edit { span: both, text: b"=".to_vec() }]);
        return Some((link.operand.span, diagnostic));
    }
    let meant = match both.of(facts.source) {
        step @ (b"++" | b"--") if at + 1 == chain.rest.len() => {
            let sign = if step == b"++" { "+" } else { "-" };
            let step = quote(facts.source, both);
            let text = format!(" {sign} 1").into_bytes();
            let diagnostic = diagnostic(facts, link.operand.span)
                .help(format!("there is no {step}: one more is `+ 1`, one less `- 1`"))
                .fix("write it so", vec![Edit { span: both, text }]);
            return Some((link.operand.span, diagnostic));
        }
        b"==" => "=",
        b"||" => "or",
        b">=" => "gte",
        _ => return None,
    };
    let diagnostic = diagnostic(facts, link.operand.span)
        .help(format!("{} is written `{meant}`", quote(facts.source, both)));
    // What follows it was meant as a number with its sign.
    let number = chain.rest.get(at + 1).filter(|next| {
        let digits = next.operand.span.of(facts.source);
        matches!(next.operator, Operator::Sub | Operator::Add)
            && next.operand.kind == ExprKind::Text
            && digits.iter().all(u8::is_ascii_digit)
    });
    let diagnostic = match number {
        Some(next) => {
            let digits = digits_of(next.operand.span.of(facts.source));
            let text = match next.operator {
                Operator::Sub => format!(" {meant} -{digits}"),
                _ => format!(" {meant} {digits}"),
            };
            let span = both.to(next.operand.span);
            diagnostic
                .fix(format!("replace by `{meant}`"), vec![Edit { span, text: text.into_bytes() }])
        }
        None => diagnostic,
    };
    Some((link.operand.span, diagnostic))
}

/// Digits as a text.
fn digits_of(digits: &[u8]) -> &str {
    core::str::from_utf8(digits).unwrap_or_default()
}

fn diagnostic(facts: &ScriptFacts<'_>, span: Span) -> Diagnostic {
    let word = quote(facts.source, span);
    Diagnostic::new(
        Code::OperatorAsText,
        span,
        format!("a value is due here, so the operator {word} is read as the text {word}"),
    )
}

fn is_operator(facts: &ScriptFacts<'_>, expr: &Expr) -> bool {
    let word = expr.span.of(facts.source);
    expr.kind == ExprKind::Text
        && match word {
            [b'|' | b'+' | b'-' | b'*' | b'=' | b'>'] => true,
            _ => tokens::of_word(word, b"").is_operator(),
        }
}
