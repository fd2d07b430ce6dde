//! Expressions whose value is known without running the script.
//!
//! Means what the machine means (language reference, section 3), for as much of it as conditions
//! and topics are made of; the rest is unknown. Recursion follows brackets and calls, whose nesting
//! the parser has limited.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::number::{Number, NumberText, parse_number};

use super::facts::variable_name;
use crate::ast::*;
use crate::codegen::fold;
use crate::literal::{unescape, unhex};

/// Longest value that is followed, bytes: longer ones count as unknown.
const MAX_KNOWN: usize = 1024;

/// What is known beside the literals.
pub(super) trait KnownValues {
    /// The value of `$name`, without its `$`.
    fn variable(&self, _name: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// The value of a special.
    fn special(&self, _special: Special) -> Option<Vec<u8>> {
        None
    }
}

/// Nothing beside the literals.
pub(super) struct Literals;

impl KnownValues for Literals {}

/// The value of an expression, if it is known.
pub(super) fn value(source: &[u8], expr: &Expr, known: &dyn KnownValues) -> Option<Vec<u8>> {
    let found = match &expr.kind {
        ExprKind::Text => unescape(expr.span.of(source)).into_owned(),
        ExprKind::Hex => unhex(expr.span.of(source))?,
        ExprKind::Variable => known.variable(&variable_name(source, expr.span))?,
        ExprKind::Flash(_) => return None,
        ExprKind::Special(special) => known.special(*special)?,
        ExprKind::Bracketed(inner) => return value(source, inner, known),
        ExprKind::Call(call) => self::call(source, call, known)?,
        ExprKind::Chain(chain) => suffixes(source, chain, known).swap_remove(0)?,
        ExprKind::Logic(_) => bit(truth(source, expr, known)?),
    };
    (found.len() <= MAX_KNOWN).then_some(found)
}

/// Whether an expression is true, if that is known: `0 and $x` is false whatever `$x` is.
pub(super) fn truth(source: &[u8], expr: &Expr, known: &dyn KnownValues) -> Option<bool> {
    match &expr.kind {
        ExprKind::Bracketed(inner) => truth(source, inner, known),
        ExprKind::Call(call) => match &**call {
            Call::Unary(FunctionWord::Not, inner) => {
                truth(source, inner, known).map(|known| !known)
            }
            _ => value(source, expr, known)
                .map(|value| fold::ConstValue::text(Cow::Owned(value)).truth()),
        },
        ExprKind::Logic(chain) => {
            let mut result = truth(source, &chain.first, known);
            for link in &chain.rest {
                let next = truth(source, &link.operand, known);
                result = match link.operator {
                    Logic::And if result == Some(false) || next == Some(false) => Some(false),
                    Logic::Or if result == Some(true) || next == Some(true) => Some(true),
                    Logic::And => result.and(next),
                    Logic::Or => result.and(next),
                };
            }
            result
        }
        _ => value(source, expr, known)
            .map(|value| fold::ConstValue::text(Cow::Owned(value)).truth()),
    }
}

/// The values of a chain from each of its operands to its end, as they group: the first is the
/// whole chain's.
pub(super) fn suffixes(
    source: &[u8],
    chain: &Chain<Operator>,
    known: &dyn KnownValues,
) -> Vec<Option<Vec<u8>>> {
    let mut found: Vec<Option<Vec<u8>>> = Vec::with_capacity(chain.rest.len() + 1);
    for at in (0..=chain.rest.len()).rev() {
        let operand = if at == 0 { &chain.first } else { &chain.rest[at - 1].operand };
        let own = value(source, operand, known);
        let joined = match (chain.rest.get(at), found.last()) {
            (Some(link), Some(right)) => match (own, right) {
                (Some(left), Some(right)) => operate(link.operator, &left, right),
                _ => None,
            },
            _ => own,
        };
        found.push(joined);
    }
    found.reverse();
    found
}

/// What an operator makes of two values; `None` if the result is too long to follow, or counted as
/// a warning when it runs.
pub(super) fn operate(operator: Operator, left: &[u8], right: &[u8]) -> Option<Vec<u8>> {
    let folded = |value| fold::ConstValue::text(Cow::Borrowed(value));
    let result = fold::apply(operator, folded(left), folded(right), MAX_KNOWN)?;
    Some(result.into_bytes().into_owned())
}

fn call(source: &[u8], call: &Call, known: &dyn KnownValues) -> Option<Vec<u8>> {
    Some(match call {
        Call::Unary(FunctionWord::Not, inner) => bit(!truth(source, inner, known)?),
        Call::Unary(FunctionWord::Text, inner) => value(source, inner, known)?,
        Call::Unary(FunctionWord::Lower, inner) => {
            value(source, inner, known)?.to_ascii_lowercase()
        }
        Call::Unary(FunctionWord::Upper, inner) => {
            value(source, inner, known)?.to_ascii_uppercase()
        }
        Call::Unary(FunctionWord::Len, inner) => {
            decimal(value(source, inner, known)?.len().try_into().ok()?)
        }
        Call::Substr(inner, start, len) => {
            let text = value(source, inner, known)?;
            let from = match start.value {
                back if back < 0 => text.len().checked_sub(back.unsigned_abs() as usize)?,
                from => (from as usize).min(text.len()),
            };
            let len = usize::try_from(len.value).ok()?;
            text[from..].iter().copied().take(len).collect()
        }
        Call::Unary(function, a) => numbers(source, *function, [a], known)?,
        Call::Pair(function, a, b) => numbers(source, *function, [a, b], known)?,
        Call::Triple(function, a, b, c) => numbers(source, *function, [a, b, c], known)?,
        _ => return None,
    })
}

/// What a function makes of numbers.
fn numbers<const N: usize>(
    source: &[u8],
    function: FunctionWord,
    operands: [&Expr; N],
    known: &dyn KnownValues,
) -> Option<Vec<u8>> {
    let mut values = Vec::with_capacity(N);
    for operand in operands {
        values.push(fold::ConstValue::text(Cow::Owned(value(source, operand, known)?)));
    }
    Some(fold::of_numbers(function, &values, MAX_KNOWN)?.into_bytes().into_owned())
}

/// A number as the text it becomes.
pub(super) fn decimal(number: i32) -> Vec<u8> {
    format!("{number}").into_bytes()
}

/// Whether a text is one that a computed number can be.
pub(super) fn is_number(text: &[u8]) -> bool {
    Number::parse(text).is_ok_and(|number| number.text(&mut NumberText::new()) == text)
}

/// Whether a text is one that a computed integer can be.
pub(super) fn is_integer(text: &[u8]) -> bool {
    decimal(parse_number(text)) == text
}

fn bit(value: bool) -> Vec<u8> {
    Vec::from(if value { b"1" } else { b"0" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_texts_are_those_numbers_become() {
        assert!(is_integer(b"-7") && is_integer(b"0") && is_integer(b"-2147483648"));
        assert!(is_number(b"-7") && is_number(b"21.5") && is_number(b"-0.25"));
        for text in ["007", "-0", "on", "", "2147483648", "+1", " 1", "21.50", ".5", "1.0"] {
            assert!(!is_number(text.as_bytes()), "{text:?}");
            assert!(!is_integer(text.as_bytes()), "{text:?}");
        }
        assert!(!is_integer(b"21.5"));
    }
}
