//! `=` and `neq` between something whose form is known and a text it never has (W0010).

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::number::{Number, NumberText, parse_number};

use super::facts::{ScriptFacts, each_node, unbracketed, variable_name};
use super::fold::{Literals, decimal, is_integer, is_number, suffixes, value};
use super::{quote, quote_bytes};
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic, Edit};

/// What texts a value can be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Any,
    /// A computed number: its text.
    Number,
    /// The same without decimals.
    Integer,
    /// A number or empty: a variable before it is set, a byte out of range.
    NumberOrEmpty,
    /// `0` or `1`.
    Bit,
    Weekday,
    Time,
    /// Three digits.
    HttpCode,
    Lower,
    Upper,
}

const WEEKDAYS: [&[u8]; 8] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun", b"xxx"];

impl Form {
    fn can_be(self, text: &[u8]) -> bool {
        match self {
            Form::Any => true,
            Form::Number => is_number(text),
            Form::Integer => is_integer(text),
            Form::NumberOrEmpty => text.is_empty() || is_number(text),
            Form::Bit => matches!(text, b"0" | b"1"),
            Form::Weekday => WEEKDAYS.contains(&text),
            Form::Time => {
                text.len() == 8
                    && text.iter().enumerate().all(|(at, byte)| match at {
                        2 | 5 => *byte == b':',
                        _ => byte.is_ascii_digit(),
                    })
            }
            Form::HttpCode => text.len() == 3 && text.iter().all(u8::is_ascii_digit),
            Form::Lower => !text.iter().any(u8::is_ascii_uppercase),
            Form::Upper => !text.iter().any(u8::is_ascii_lowercase),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Form::Any => "any text",
            Form::Number => "a number",
            Form::Integer => "a whole number",
            Form::NumberOrEmpty => "a number or empty",
            Form::Bit => "0 or 1",
            Form::Weekday => "one of Mon, Tue, Wed, Thu, Fri, Sat, Sun",
            Form::Time => "a time hh:mm:ss",
            Form::HttpCode => "a status of three digits",
            Form::Lower => "in lower case",
            Form::Upper => "in upper case",
        }
    }

    /// The text that was probably meant.
    fn repair(self, text: &[u8]) -> Option<Vec<u8>> {
        let repaired = match self {
            Form::Number | Form::NumberOrEmpty if is_decimal(text) => {
                Number::parse(text).ok()?.text(&mut NumberText::new()).to_vec()
            }
            Form::Number | Form::NumberOrEmpty | Form::Integer | Form::Bit => {
                let digits = text.trim_ascii();
                let digits = digits.strip_prefix(b"+").unwrap_or(digits);
                let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
                if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                decimal(parse_number(digits))
            }
            Form::Weekday => {
                let day = text.get(..3)?;
                WEEKDAYS[..7].iter().find(|known| known.eq_ignore_ascii_case(day))?.to_vec()
            }
            Form::Lower => text.to_ascii_lowercase(),
            Form::Upper => text.to_ascii_uppercase(),
            Form::Any | Form::Time | Form::HttpCode => return None,
        };
        self.can_be(&repaired).then_some(repaired)
    }
}

/// W0010.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    let numeric = numeric_variables(facts);
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if let ExprKind::Chain(chain) = &node.kind {
                check_chain(facts, &numeric, chain, node.span, found);
            }
        });
    });
}

fn check_chain(
    facts: &ScriptFacts<'_>,
    numeric: &BTreeSet<&[u8]>,
    chain: &Chain<Operator>,
    span: Span,
    found: &mut Vec<Diagnostic>,
) {
    if !chain.rest.iter().any(|link| is_equality(link.operator)) {
        return;
    }
    let values = suffixes(facts.source, chain, &Literals);
    for (at, link) in chain.rest.iter().enumerate() {
        if !is_equality(link.operator) {
            continue;
        }
        let left = if at == 0 { &chain.first } else { &chain.rest[at - 1].operand };
        // The right side is all that follows: chains group from the right.
        let right_span = Span { start: link.operand.span.start, end: span.end };
        let right_form = match chain.rest.get(at + 1) {
            Some(next) => form_of_operator(next.operator),
            None => form(facts.source, numeric, &link.operand),
        };
        let left_value = value(facts.source, left, &Literals);
        let (form, of, text, literal) = match (&left_value, &values[at + 1]) {
            (None, Some(text)) => (form(facts.source, numeric, left), left.span, text, right_span),
            (Some(text), None) => (right_form, right_span, text, left.span),
            _ => continue,
        };
        if form.can_be(text) {
            continue;
        }
        let never =
            if link.operator == Operator::Equal { "never equals" } else { "always differs from" };
        let whole = Span { start: left.span.start, end: span.end };
        let mut warning = Diagnostic::new(
            Code::NeverEqual,
            whole,
            format!(
                "{} is {}, so it {never} {}",
                quote(facts.source, of),
                form.words(),
                quote(facts.source, literal)
            ),
        );
        warning = match form.repair(text) {
            Some(repaired) => {
                let shown = quote_bytes(&repaired);
                // A word of digits and letters needs no quotes unless it had some.
                let quoted = literal.of(facts.source).starts_with(b"\"") || !is_plain(&repaired);
                let text = if quoted { in_quotes(&repaired) } else { repaired };
                warning
                    .help(format!("`=` compares texts, byte by byte: did you mean {shown}?"))
                    .fix(format!("compare with {shown}"), vec![Edit { span: literal, text }])
            }
            None => warning.help(String::from(help(form))),
        };
        found.push(warning);
    }
}

fn help(form: Form) -> &'static str {
    match form {
        Form::Time => {
            "`=` compares texts, byte by byte: write all eight characters, as in `07:30:00`, and remember \
             that only an event in that very second sees it"
        }
        Form::HttpCode => "the status is three digits, as in `200`",
        Form::Weekday => "write the day's first three letters, as in `Mon`",
        Form::Integer => {
            "`=` compares texts, byte by byte; a whole number has only digits and perhaps `-`"
        }
        _ => {
            "`=` compares texts, byte by byte; a number has only digits, and perhaps `-` and a point"
        }
    }
}

/// Variables that hold nothing but numbers, some of them computed. One that only ever holds
/// literals is more likely a switch for those who edit the script.
pub(super) fn numeric_variables<'f>(facts: &'f ScriptFacts<'_>) -> BTreeSet<&'f [u8]> {
    let none = BTreeSet::new();
    let is_numeric = |&(_, step): &(Span, usize), computed: &mut bool| {
        let ActionKind::SetVar { value: set, .. } = &facts.steps[step].action.kind else {
            return false;
        };
        match value(facts.source, set, &Literals) {
            Some(text) => is_number(&text),
            None => {
                *computed = true;
                matches!(
                    form(facts.source, &none, set),
                    Form::Number | Form::Integer | Form::NumberOrEmpty | Form::Bit
                )
            }
        }
    };
    let all_numeric = |sets: &[(Span, usize)]| {
        let mut computed = false;
        sets.iter().all(|set| is_numeric(set, &mut computed)) && computed
    };
    facts
        .variables
        .iter()
        .filter(|(_, variable)| all_numeric(&variable.sets))
        .map(|(name, _)| &**name)
        .collect()
}

pub(super) fn form(source: &[u8], numeric: &BTreeSet<&[u8]>, expr: &Expr) -> Form {
    let expr = unbracketed(expr);
    match &expr.kind {
        ExprKind::Variable if numeric.contains(&*variable_name(source, expr.span)) => {
            Form::NumberOrEmpty
        }
        ExprKind::Special(special) => match special {
            Special::Timestamp => Form::Time,
            Special::Weekday => Form::Weekday,
            Special::Adc => Form::Integer,
            Special::ThisGpio | Special::ThisHttpCut => Form::Bit,
            Special::ThisHttpCode => Form::HttpCode,
            _ => Form::Any,
        },
        ExprKind::Call(call) => match &**call {
            Call::Unary(FunctionWord::Lower, _) => Form::Lower,
            Call::Unary(FunctionWord::Upper, _) => Form::Upper,
            Call::ByteVal(..) => Form::NumberOrEmpty,
            call => match call.function().result() {
                ResultKind::String => Form::Any,
                ResultKind::Number => Form::Number,
                ResultKind::Integer => Form::Integer,
                ResultKind::Bit => Form::Bit,
            },
        },
        ExprKind::Chain(chain) => {
            chain.rest.first().map_or(Form::Any, |link| form_of_operator(link.operator))
        }
        ExprKind::Logic(_) => Form::Bit,
        _ => Form::Any,
    }
}

fn form_of_operator(operator: Operator) -> Form {
    match operator {
        Operator::Join => Form::Any,
        Operator::Add | Operator::Sub | Operator::Mul => Form::Number,
        Operator::Div | Operator::Mod => Form::Integer,
        _ => Form::Bit,
    }
}

pub(super) fn is_equality(operator: Operator) -> bool {
    matches!(operator, Operator::Equal | Operator::NotEqual)
}

/// Digits, a point, and digits, perhaps behind a sign.
pub(super) fn is_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let Some(point) = digits.iter().position(|byte| *byte == b'.') else { return false };
    let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    all_digits(&digits[..point]) && all_digits(&digits[point + 1..])
}

fn is_plain(text: &[u8]) -> bool {
    is_number(text) || !text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric)
}

fn in_quotes(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}
