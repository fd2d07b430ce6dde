//! Constant folding: what the machine would compute each time is computed at compile time, with the
//! same result.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cell::Cell;

use umqtt_vm::number::{Number, NumberText, TooLarge, decimals, parse_number};

use crate::ast::{Call, Chain, Expr, ExprKind, FunctionWord, Logic, Operator, Span};
use crate::literal::{unescape, unhex};
use crate::named::NamedConstants;

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

    /// A number, as the machine would have computed it. A decimal is its text: that is read as the
    /// same number.
    pub(crate) fn computed(number: Number) -> ConstValue<'s> {
        match number.as_int() {
            Some(value) => ConstValue::Int(value),
            None => ConstValue::Text(Cow::Owned(number.text(&mut NumberText::new()).to_vec())),
        }
    }

    /// What it reads as.
    pub(crate) fn number(&self) -> Result<Number, TooLarge> {
        match self {
            ConstValue::Int(value) => Ok(Number::int(*value)),
            ConstValue::Text(text) => Number::parse(text),
        }
    }

    /// What it reads as where a whole number is wanted.
    pub(crate) fn int(&self) -> i32 {
        match self {
            ConstValue::Int(value) => *value,
            ConstValue::Text(text) => parse_number(text),
        }
    }

    pub(crate) fn truth(&self) -> bool {
        // What is too large is not 0.
        self.number().map_or(true, |number| !number.is_zero())
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

/// What expressions are computed with: their source, and what the script names.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub(crate) text: &'s [u8],
    pub(crate) named: &'s NamedConstants,
    /// Takes a name that stands for nothing known.
    pub(crate) missing: Option<&'s Cell<Option<Span>>>,
}

impl<'s> Scope<'s> {
    /// The value of a constant by its name.
    fn named(self, name: Span) -> Option<ConstValue<'s>> {
        let value = self.named.value(name.of(self.text));
        if let (None, Some(missing)) = (&value, self.missing) {
            missing.set(Some(name));
        }
        value.map(|bytes| ConstValue::text(Cow::Borrowed(bytes)))
    }
}

/// How many levels of brackets, functions and chains are looked into. Deeper ones are computed by
/// the machine from there on.
const LEVELS: u8 = 5;

/// The constant value of an expression, if it has one; never longer than `limit`.
pub(crate) fn known<'s>(source: Scope<'s>, expr: &Expr, limit: usize) -> Option<ConstValue<'s>> {
    known_within(source, expr, limit, LEVELS)
}

fn known_within<'s>(
    source: Scope<'s>,
    expr: &Expr,
    limit: usize,
    levels: u8,
) -> Option<ConstValue<'s>> {
    let levels = levels.checked_sub(1)?;
    match &expr.kind {
        ExprKind::Text => Some(ConstValue::text(unescape(expr.span.of(source.text)))),
        ExprKind::Hex => Some(ConstValue::text(Cow::Owned(unhex(expr.span.of(source.text))?))),
        ExprKind::Bracketed(inner) => known_within(source, inner, limit, levels),
        ExprKind::Chain(chain) => known_chain(source, chain, limit, levels),
        ExprKind::Logic(chain) => known_logic(source, chain, limit, levels),
        ExprKind::Call(call) => known_call(source, call, limit, levels),
        ExprKind::Variable => source.named(expr.span),
        ExprKind::Flash(_) | ExprKind::Special(_) => None,
    }
}

fn known_chain<'s>(
    source: Scope<'s>,
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
    source: Scope<'s>,
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
    source: Scope<'s>,
    call: &Call,
    limit: usize,
    levels: u8,
) -> Option<ConstValue<'s>> {
    let value = |expr| known_within(source, expr, limit, levels);
    let (function, operand) = match call {
        Call::Unary(function, operand) => (function, operand),
        Call::Pair(function, a, b) => {
            return of_numbers(*function, &[value(a)?, value(b)?], limit);
        }
        Call::Triple(function, a, b, c) => {
            return of_numbers(*function, &[value(a)?, value(b)?, value(c)?], limit);
        }
        _ => return None,
    };
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
        FunctionWord::Text => known_within(source, operand, limit, levels),
        FunctionWord::Binary => {
            let byte = known_within(source, operand, limit, levels)?.int() as u8;
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
        _ => of_numbers(*function, &[value(operand)?], limit),
    }
}

/// What a function makes of numbers; not where the machine would count a warning.
pub(crate) fn of_numbers<'s>(
    function: FunctionWord,
    values: &[ConstValue<'_>],
    limit: usize,
) -> Option<ConstValue<'s>> {
    let number = |at: usize| values.get(at)?.number().ok();
    let decimals = |at: usize| values.get(at).map(|value| decimals(value.int()));
    Some(ConstValue::computed(match function {
        FunctionWord::Int => Number::int(values.first()?.int()),
        FunctionWord::Abs => number(0)?.abs(),
        FunctionWord::Min => number(0)?.min(number(1)?),
        FunctionWord::Max => number(0)?.max(number(1)?),
        FunctionWord::Round => number(0)?.round(decimals(1)?),
        FunctionWord::Divide => number(0)?.over(number(1)?, decimals(2)?)?.ok()?,
        FunctionWord::Fixed => {
            let mut room = NumberText::new();
            let text = number(0)?.fixed(decimals(1)?, &mut room);
            return (text.len() <= limit).then(|| ConstValue::text(Cow::Owned(text.to_vec())));
        }
        _ => return None,
    }))
}

/// Applies an operator; not where the machine would count a warning, which users should see.
pub(crate) fn apply<'s>(
    operator: Operator,
    a: ConstValue<'s>,
    b: ConstValue<'s>,
    limit: usize,
) -> Option<ConstValue<'s>> {
    Some(match operator {
        Operator::Equal => ConstValue::bool(a == b),
        Operator::NotEqual => ConstValue::bool(a != b),
        Operator::StringGreater => ConstValue::bool(a.into_bytes() > b.into_bytes()),
        Operator::StringGreaterEqual => ConstValue::bool(a.into_bytes() >= b.into_bytes()),
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
        _ => compute(operator, a.number().ok()?, b.number().ok()?)?,
    })
}

/// Applies an operator of numbers.
fn compute<'s>(operator: Operator, a: Number, b: Number) -> Option<ConstValue<'s>> {
    let computed = match operator {
        Operator::Greater => return Some(ConstValue::bool(a > b)),
        Operator::GreaterEqual => return Some(ConstValue::bool(a >= b)),
        Operator::Less => return Some(ConstValue::bool(a < b)),
        Operator::LessEqual => return Some(ConstValue::bool(a <= b)),
        Operator::Add => a.plus(b).ok()?,
        Operator::Sub => a.minus(b).ok()?,
        Operator::Mul => a.times(b).ok()?,
        Operator::Div if b.cut() != 0 => Number::int(a.cut().wrapping_div(b.cut())),
        Operator::Mod if b.cut() != 0 => Number::int(a.cut().wrapping_rem(b.cut())),
        _ => return None,
    };
    Some(ConstValue::computed(computed))
}
