//! Computing at compile time what the machine would compute each time, with the same result.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use umqtt_vm::parse_number;

use crate::ast::{Call, Chain, Expr, ExprKind, FunctionWord, Logic, Operator};
use crate::literal::{unescape, unhex};

/// A value known at compile time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConstValue<'s> {
    /// A number, or a text that is exactly a number's text.
    Int(i32),
    /// Any other text.
    Text(Cow<'s, [u8]>),
}

impl<'s> ConstValue<'s> {
    /// A text; one that is a number's canonical text becomes that number, which means the same.
    pub(crate) fn text(bytes: Cow<'s, [u8]>) -> ConstValue<'s> {
        let number = parse_number(&bytes);
        let mut digits = itoa::Buffer::new();
        if digits.format(number).as_bytes() == &*bytes {
            ConstValue::Int(number)
        } else {
            ConstValue::Text(bytes)
        }
    }

    pub(crate) fn bool(value: bool) -> ConstValue<'s> {
        ConstValue::Int(value.into())
    }

    pub(crate) fn number(&self) -> i32 {
        match self {
            ConstValue::Int(value) => *value,
            ConstValue::Text(text) => parse_number(text),
        }
    }

    pub(crate) fn truth(&self) -> bool {
        self.number() != 0
    }

    pub(crate) fn into_bytes(self) -> Cow<'s, [u8]> {
        match self {
            ConstValue::Int(value) => {
                Cow::Owned(itoa::Buffer::new().format(value).as_bytes().to_vec())
            }
            ConstValue::Text(text) => text,
        }
    }
}

/// How many levels of brackets, functions and chains are looked into. Deeper ones are computed by
/// the machine from there on.
const LEVELS: u8 = 5;

/// The constant value of an expression, if it has one; never longer than `limit`.
pub(crate) fn known<'s>(source: &'s [u8], expr: &Expr, limit: usize) -> Option<ConstValue<'s>> {
    known_within(source, expr, limit, LEVELS)
}

fn known_within<'s>(
    source: &'s [u8],
    expr: &Expr,
    limit: usize,
    levels: u8,
) -> Option<ConstValue<'s>> {
    let levels = levels.checked_sub(1)?;
    match &expr.kind {
        ExprKind::Text => Some(ConstValue::text(unescape(expr.span.of(source)))),
        ExprKind::Hex => Some(ConstValue::text(Cow::Owned(unhex(expr.span.of(source))?))),
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
) -> Option<ConstValue<'s>> {
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
) -> Option<ConstValue<'s>> {
    let mut value = known_within(source, &chain.first, limit, levels)?.truth();
    for link in &chain.rest {
        let operand = known_within(source, &link.operand, limit, levels)?.truth();
        value = match link.operator {
            Logic::And => value && operand,
            Logic::Or => value || operand,
        };
    }
    Some(ConstValue::bool(value))
}

fn known_call<'s>(
    source: &'s [u8],
    call: &Call,
    limit: usize,
    levels: u8,
) -> Option<ConstValue<'s>> {
    let Call::Unary(function, operand) = call else { return None };
    let mapped = |value: ConstValue<'s>, map: fn(&u8) -> u8| {
        ConstValue::text(Cow::Owned(value.into_bytes().iter().map(map).collect()))
    };
    match function {
        FunctionWord::Not => {
            Some(ConstValue::bool(!known_within(source, operand, limit, levels)?.truth()))
        }
        FunctionWord::Len => Some(ConstValue::Int(
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
            Some(ConstValue::text(Cow::Owned([byte].to_vec())))
        }
        FunctionWord::EatWhite => {
            let text = known_within(source, operand, limit, levels)?.into_bytes();
            let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
            Some(ConstValue::text(Cow::Owned(
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
    a: ConstValue<'s>,
    b: ConstValue<'s>,
    limit: usize,
) -> Option<ConstValue<'s>> {
    let numbers = (a.number(), b.number());
    Some(match operator {
        Operator::Equal => ConstValue::bool(a == b),
        Operator::NotEqual => ConstValue::bool(a != b),
        Operator::Greater => ConstValue::bool(numbers.0 > numbers.1),
        Operator::GreaterEqual => ConstValue::bool(numbers.0 >= numbers.1),
        Operator::Less => ConstValue::bool(numbers.0 < numbers.1),
        Operator::LessEqual => ConstValue::bool(numbers.0 <= numbers.1),
        Operator::StringGreater => ConstValue::bool(a.into_bytes() > b.into_bytes()),
        Operator::StringGreaterEqual => ConstValue::bool(a.into_bytes() >= b.into_bytes()),
        Operator::Add => ConstValue::Int(numbers.0.wrapping_add(numbers.1)),
        Operator::Sub => ConstValue::Int(numbers.0.wrapping_sub(numbers.1)),
        Operator::Mul => ConstValue::Int(numbers.0.wrapping_mul(numbers.1)),
        Operator::Div if numbers.1 != 0 => ConstValue::Int(numbers.0.wrapping_div(numbers.1)),
        Operator::Mod if numbers.1 != 0 => ConstValue::Int(numbers.0.wrapping_rem(numbers.1)),
        Operator::Div | Operator::Mod => return None,
        Operator::Join => {
            let (a, b) = (a.into_bytes(), b.into_bytes());
            if a.len() + b.len() > limit {
                return None;
            }
            let mut joined = Vec::with_capacity(a.len() + b.len());
            joined.extend_from_slice(&a);
            joined.extend_from_slice(&b);
            ConstValue::text(Cow::Owned(joined))
        }
    })
}
