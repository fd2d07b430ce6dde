//! Computing at compile time what the machine would compute each time, with the same result.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use umqtt_vm::parse_number;

use crate::ast::{Call, Chain, Expr, ExprKind, FunctionWord, Logic, Operator};
use crate::text::{unescape, unhex};

/// A value known at compile time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known<'s> {
    /// A number, or a text that is exactly a number's text.
    Int(i32),
    /// Any other text.
    Text(Cow<'s, [u8]>),
}

impl<'s> Known<'s> {
    /// A text; one that is a number's canonical text becomes that number, which means the same.
    pub(crate) fn text(bytes: Cow<'s, [u8]>) -> Known<'s> {
        let number = parse_number(&bytes);
        let mut digits = itoa::Buffer::new();
        if digits.format(number).as_bytes() == &*bytes {
            Known::Int(number)
        } else {
            Known::Text(bytes)
        }
    }

    pub(crate) fn bool(value: bool) -> Known<'s> {
        Known::Int(value.into())
    }

    pub(crate) fn number(&self) -> i32 {
        match self {
            Known::Int(value) => *value,
            Known::Text(text) => parse_number(text),
        }
    }

    pub(crate) fn truth(&self) -> bool {
        self.number() != 0
    }

    pub(crate) fn into_bytes(self) -> Cow<'s, [u8]> {
        match self {
            Known::Int(value) => Cow::Owned(itoa::Buffer::new().format(value).as_bytes().to_vec()),
            Known::Text(text) => text,
        }
    }
}

/// How many levels of brackets, functions and chains are looked into. Deeper ones are computed by
/// the machine from there on.
const LEVELS: u8 = 5;

/// What an expression is always worth, if that can be told; never longer than `limit`.
pub(crate) fn known<'s>(source: &'s [u8], expr: &Expr, limit: usize) -> Option<Known<'s>> {
    known_within(source, expr, limit, LEVELS)
}

fn known_within<'s>(source: &'s [u8], expr: &Expr, limit: usize, levels: u8) -> Option<Known<'s>> {
    let levels = levels.checked_sub(1)?;
    match &expr.kind {
        ExprKind::Text => Some(Known::text(unescape(expr.span.of(source)))),
        ExprKind::Hex => Some(Known::text(Cow::Owned(unhex(expr.span.of(source))?))),
        ExprKind::Bracketed(inner) => known_within(source, inner, limit, levels),
        ExprKind::Chain(chain) => known_chain(source, chain, limit, levels),
        ExprKind::Logic(chain) => known_logic(source, chain, limit, levels),
        ExprKind::Call(call) => known_call(source, call, limit, levels),
        ExprKind::Variable | ExprKind::Flash(_) | ExprKind::Special(_) => None,
    }
}

fn known_chain<'s>(
    source: &'s [u8],
    chain: &Chain<Operator>,
    limit: usize,
    levels: u8,
) -> Option<Known<'s>> {
    let (last, before) = chain.rest.split_last()?;
    let mut value = known_within(source, &last.operand, limit, levels)?;
    let mut operator = last.operator;
    for link in before.iter().rev() {
        value = apply(operator, known_within(source, &link.operand, limit, levels)?, value, limit)?;
        operator = link.operator;
    }
    apply(operator, known_within(source, &chain.first, limit, levels)?, value, limit)
}

fn known_logic<'s>(
    source: &'s [u8],
    chain: &Chain<Logic>,
    limit: usize,
    levels: u8,
) -> Option<Known<'s>> {
    let mut value = known_within(source, &chain.first, limit, levels)?.truth();
    for link in &chain.rest {
        let operand = known_within(source, &link.operand, limit, levels)?.truth();
        value = match link.operator {
            Logic::And => value && operand,
            Logic::Or => value || operand,
        };
    }
    Some(Known::bool(value))
}

fn known_call<'s>(source: &'s [u8], call: &Call, limit: usize, levels: u8) -> Option<Known<'s>> {
    let Call::Unary(function, operand) = call else { return None };
    let mapped = |value: Known<'s>, map: fn(&u8) -> u8| {
        Known::text(Cow::Owned(value.into_bytes().iter().map(map).collect()))
    };
    match function {
        FunctionWord::Not => {
            Some(Known::bool(!known_within(source, operand, limit, levels)?.truth()))
        }
        FunctionWord::Len => Some(Known::Int(
            known_within(source, operand, limit, levels)?.into_bytes().len() as i32,
        )),
        FunctionWord::Lower => {
            Some(mapped(known_within(source, operand, limit, levels)?, u8::to_ascii_lowercase))
        }
        FunctionWord::Upper => {
            Some(mapped(known_within(source, operand, limit, levels)?, u8::to_ascii_uppercase))
        }
        FunctionWord::Binary => {
            let byte = known_within(source, operand, limit, levels)?.number() as u8;
            Some(Known::text(Cow::Owned([byte].to_vec())))
        }
        FunctionWord::EatWhite => {
            let text = known_within(source, operand, limit, levels)?.into_bytes();
            let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
            Some(Known::text(Cow::Owned(
                text.iter().copied().filter(|byte| !white(byte)).collect(),
            )))
        }
        // What others give is known only where it runs.
        _ => None,
    }
}

/// Applies an operator; not where the machine would count a warning, which users should see.
pub(crate) fn apply<'s>(
    operator: Operator,
    a: Known<'s>,
    b: Known<'s>,
    limit: usize,
) -> Option<Known<'s>> {
    let numbers = (a.number(), b.number());
    Some(match operator {
        Operator::Equal => Known::bool(a == b),
        Operator::NotEqual => Known::bool(a != b),
        Operator::Greater => Known::bool(numbers.0 > numbers.1),
        Operator::GreaterEqual => Known::bool(numbers.0 >= numbers.1),
        Operator::Less => Known::bool(numbers.0 < numbers.1),
        Operator::LessEqual => Known::bool(numbers.0 <= numbers.1),
        Operator::TextGreater => Known::bool(a.into_bytes() > b.into_bytes()),
        Operator::TextGreaterEqual => Known::bool(a.into_bytes() >= b.into_bytes()),
        Operator::Add => Known::Int(numbers.0.wrapping_add(numbers.1)),
        Operator::Sub => Known::Int(numbers.0.wrapping_sub(numbers.1)),
        Operator::Mul => Known::Int(numbers.0.wrapping_mul(numbers.1)),
        Operator::Div if numbers.1 != 0 => Known::Int(numbers.0.wrapping_div(numbers.1)),
        Operator::Mod if numbers.1 != 0 => Known::Int(numbers.0.wrapping_rem(numbers.1)),
        Operator::Div | Operator::Mod => return None,
        Operator::Join => {
            let (a, b) = (a.into_bytes(), b.into_bytes());
            if a.len() + b.len() > limit {
                return None;
            }
            let mut joined = Vec::with_capacity(a.len() + b.len());
            joined.extend_from_slice(&a);
            joined.extend_from_slice(&b);
            Known::text(Cow::Owned(joined))
        }
    })
}
