//! Literals that are not read as they are written (W0022): `10s` is 10 milliseconds, `high` is 0,
//! `7:00` is no time of day, and `div` takes `21.5` for 21.

mod calls;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::parse_number;

use super::compare::is_decimal;
use super::facts::{ScriptFacts, each_node, unbracketed};
use super::{quote, quote_bytes};
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::literal::unescape;

/// Longest duty cycle, per mille.
const FULL_DUTY: i32 = 1000;

/// W0022.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for step in &facts.steps {
        let ActionKind::Numbered { word, value, .. } = &step.action.kind else { continue };
        if *word == ActionWord::PinWrite
            && let Some(set) = facts.set_to_texts_only(unbracketed(value))
        {
            let name = quote(facts.source, value.span);
            let message = format!("{name} is set to texts, which read as 0: the pin goes low");
            found.push(
                Diagnostic::new(Code::MisreadValue, value.span, message)
                    .related(set, "such as here")
                    .help("set it to 1 and 0"),
            );
            continue;
        }
        let written = facts.constant(value);
        let Some(literal) = Literal::of(facts, written) else { continue };
        let told = match word {
            ActionWord::SetTimer => literal.duration(),
            ActionWord::SetAlarm => literal.time_of_day(),
            ActionWord::PinWrite => literal.level(),
            ActionWord::Pwm => literal.duty(),
            _ => None,
        };
        found.extend(told.map(|mut told| {
            if !core::ptr::eq(written, value) {
                // It may stand elsewhere too, and be right there.
                let name = quote(facts.source, value.span);
                told.message = format!("{name} is {}: {}", literal.shown, told.message);
                told.span = value.span;
                told.fix = None;
            }
            told
        }));
    }
    for step in &facts.steps {
        match &step.action.kind {
            ActionKind::Unary {
                word: ActionWord::Print | ActionWord::Println | ActionWord::SerialOut,
                value,
            }
            | ActionKind::Numbered { value, .. } => found.extend(bare_name(facts, value)),
            _ => {}
        }
    }
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if let ExprKind::Chain(chain) = &node.kind {
                found.extend(bare_name(facts, &chain.first));
                let compares = |link: &&ChainLink<Operator>| {
                    matches!(link.operator, Operator::Equal | Operator::NotEqual | Operator::Join)
                };
                let rest = chain.rest.iter().filter(|link| !compares(link));
                found.extend(rest.filter_map(|link| bare_name(facts, &link.operand)));
            }
            if let ExprKind::Call(call) = &node.kind {
                calls::check(facts, call, found);
            }
            let ExprKind::Chain(chain) = &node.kind else { return };
            if let Some(diagnostic) = hours_only(facts, chain, node.span) {
                found.push(diagnostic);
                return;
            }
            if let Some(diagnostic) = added_texts(facts, chain) {
                found.push(diagnostic);
                return;
            }
            for (at, link) in chain.rest.iter().enumerate() {
                if !is_numeric(link.operator) {
                    continue;
                }
                let left = if at == 0 { &chain.first } else { &chain.rest[at - 1].operand };
                // To the right of an operator stands all the rest: a literal only if it is the
                // last.
                let right = (at + 1 == chain.rest.len()).then_some(&link.operand);
                for operand in core::iter::once(left).chain(right) {
                    let Some(literal) = Literal::of(facts, operand) else { continue };
                    let diagnostic = literal.decimal(link).or_else(|| literal.added(link));
                    // An operand in the middle belongs to two operators, and an operator has two.
                    found.extend(diagnostic.filter(|diagnostic| {
                        found.last().is_none_or(|last| {
                            last.span != diagnostic.span
                                && (last.fix.is_none() || last.fix != diagnostic.fix)
                        })
                    }));
                }
            }
        });
    });
}

/// `println count` where `$count` is set.
fn bare_name(facts: &ScriptFacts<'_>, expr: &Expr) -> Option<Diagnostic> {
    let expr = unbracketed(expr);
    let word = expr.span.of(facts.source);
    let is_word = expr.kind == ExprKind::Text && !word.starts_with(b"\"");
    let variable = facts.variables.get(word).filter(|_| is_word)?;
    if variable.sets.is_empty() {
        return None;
    }
    let word = String::from_utf8_lossy(word);
    let start = expr.span.start;
    let edit = Edit { span: Span { start, end: start }, text: b"$".to_vec() };
    Some(
        Diagnostic::new(
            Code::MisreadValue,
            expr.span,
            format!("`{word}` is a text here; the variable is `${word}`"),
        )
        .help("the name of a variable begins with `$`, wherever it stands; a text that is meant stands in quotes")
        .fix("add `$`", vec![edit]),
    )
}

/// `"T=" + $adc + "C"`: in a chain of nothing but `+` and `|`, all were meant to join.
fn added_texts(facts: &ScriptFacts<'_>, chain: &Chain<Operator>) -> Option<Diagnostic> {
    let adds = |link: &&ChainLink<Operator>| link.operator == Operator::Add;
    if !chain.rest.iter().all(|link| adds(&link) || link.operator == Operator::Join) {
        return None;
    }
    let lefts = core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand));
    let last = chain.rest.last().map(|link| (&link.operand, link));
    let mut diagnostic = lefts
        .zip(&chain.rest)
        .chain(last)
        .find_map(|(operand, link)| Literal::of(facts, operand)?.added(link))?;
    let edits = chain.rest.iter().filter(adds);
    let edits = edits.map(|link| Edit { span: link.operator_span, text: b"|".to_vec() });
    diagnostic.fix = diagnostic.fix.map(|fix| Fix { edits: edits.collect(), ..fix });
    Some(diagnostic)
}

/// `$timestamp > "08:30"`: as a number a time is its hour.
fn hours_only(facts: &ScriptFacts<'_>, chain: &Chain<Operator>, span: Span) -> Option<Diagnostic> {
    let [link] = &chain.rest[..] else { return None };
    let is_clock = |expr: &Expr| unbracketed(expr).kind == ExprKind::Special(Special::Timestamp);
    let (time, mirrored) = match (is_clock(&chain.first), is_clock(&link.operand)) {
        (true, false) => (Literal::of(facts, &link.operand)?, false),
        (false, true) => (Literal::of(facts, &chain.first)?, true),
        _ => return None,
    };
    let (by, swapped) = match link.operator {
        Operator::Greater => ("str_gt", false),
        Operator::GreaterEqual => ("str_gte", false),
        Operator::Less => ("str_gt", true),
        Operator::LessEqual => ("str_gte", true),
        _ => return None,
    };
    let (hour, rest) = time.text.split_at_checked(time.text.iter().position(|&b| b == b':')?)?;
    // From a full hour on, and before it: there the hour is enough.
    let is_full = rest.iter().all(|byte| b":0".contains(byte));
    let from = matches!(link.operator, Operator::GreaterEqual | Operator::Less);
    if is_full && from != mirrored {
        return None;
    }
    let raw = |expr: &Expr| String::from_utf8_lossy(expr.span.of(facts.source)).into_owned();
    let (left, right) = match swapped {
        false => (raw(&chain.first), raw(&link.operand)),
        true => (raw(&link.operand), raw(&chain.first)),
    };
    let meant = format!("{left} {by} {right}");
    let message = format!(
        "{} compares numbers, and as one a time is its hour: {} reads as {}",
        quote(facts.source, link.operator_span),
        time.shown,
        parse_number(&time.text)
    );
    let warning = Diagnostic::new(Code::MisreadValue, span, message);
    let is_padded = hour.len() == 2 && matches!(time.text.len(), 5 | 8);
    Some(match is_padded {
        true => warning
            .help(format!("times are compared as texts: `{meant}`"))
            .fix(format!("use `{by}`"), vec![Edit { span, text: meant.into_bytes() }]),
        false => warning.help(format!(
            "times are compared as texts, by `{by}`, and with two digits each, as in `07:30`"
        )),
    })
}

/// Operators that read numbers.
fn is_numeric(operator: Operator) -> bool {
    !matches!(
        operator,
        Operator::Equal
            | Operator::NotEqual
            | Operator::Join
            | Operator::StringGreater
            | Operator::StringGreaterEqual
    )
}

/// A text that stands in the source as it is.
struct Literal {
    span: Span,
    /// As it is written, in backquotes.
    shown: String,
    text: Vec<u8>,
    is_quoted: bool,
}

impl Literal {
    /// The literal text of an expression; nothing for a `;` at its end, which has a warning of its
    /// own.
    fn of(facts: &ScriptFacts<'_>, expr: &Expr) -> Option<Literal> {
        let expr = unbracketed(expr);
        if expr.kind != ExprKind::Text {
            return None;
        }
        let raw = expr.span.of(facts.source);
        let text = unescape(raw).into_owned();
        (!text.ends_with(b";")).then(|| Literal {
            span: expr.span,
            shown: quote(facts.source, expr.span),
            text,
            is_quoted: raw.starts_with(b"\""),
        })
    }

    fn diagnostic(&self, message: String) -> Diagnostic {
        Diagnostic::new(Code::MisreadValue, self.span, message)
    }

    fn replaced(&self, diagnostic: Diagnostic, by: &str) -> Diagnostic {
        let text = if self.is_quoted { format!("\"{by}\"") } else { by.into() };
        diagnostic.fix(
            format!("write {}", quote_bytes(by.as_bytes())),
            vec![Edit { span: self.span, text: text.into_bytes() }],
        )
    }

    /// The number at the start of the text, and what follows.
    fn split(&self) -> (i32, &[u8]) {
        let digits = self.text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (parse_number(&self.text), &self.text[digits..])
    }

    /// `settimer 1 10s`
    fn duration(&self) -> Option<Diagnostic> {
        let (number, rest) = self.split();
        let starts_with_digit = self.text.first().is_some_and(u8::is_ascii_digit);
        if rest.is_empty() || self.text.starts_with(b"-") {
            return None;
        }
        let diagnostic = self.diagnostic(match number {
            0 => format!("{} reads as 0, which disarms the timer", self.shown),
            _ => format!("{} reads as {number}: the timer runs out after {number} ms", self.shown),
        });
        let diagnostic = diagnostic.help("a timer takes whole milliseconds, in digits");
        let meant = starts_with_digit.then(|| milliseconds(&self.text)).flatten();
        Some(match meant {
            Some(meant) => self.replaced(diagnostic, &format!("{meant}")),
            None => diagnostic,
        })
    }

    /// `setalarm 1 7:00`
    fn time_of_day(&self) -> Option<Diagnostic> {
        // The latter is how an alarm is put out of the way.
        if self.text.is_empty() || self.text == b"99:99:99" || is_time(&self.text) {
            return None;
        }
        let passed = self.text.as_slice() <= b"23:59:59".as_slice();
        let diagnostic = self
            .diagnostic(if passed {
                format!("{} is not a time of day", self.shown)
            } else {
                format!("{} is not a time of day: this alarm never fires", self.shown)
            })
            .help(match self.text.as_slice() {
                b"sunrise" | b"sunset" => {
                    "an alarm has a time of day; the sun has an event of its own: `on clock sunset do`"
                }
                _ => "times are compared as texts: write `hh:mm` or `hh:mm:ss`, as in `07:00`",
            });
        Some(match time(&self.text) {
            Some(meant) => self.replaced(diagnostic, &meant),
            None => diagnostic,
        })
    }

    /// `gpio_out 2 high`
    fn level(&self) -> Option<Diagnostic> {
        let (_, rest) = self.split();
        // A number, perhaps with a unit, or nothing, which is low.
        if rest.len() < self.text.len() || self.text.is_empty() || self.text.starts_with(b"-") {
            return None;
        }
        let diagnostic = self
            .diagnostic(format!("{} reads as 0: the pin goes low", self.shown))
            .help("a level is 0, or another number for high");
        let is = |words: &[&str]| {
            words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(&self.text))
        };
        Some(if is(&["high", "on", "true", "yes"]) {
            self.replaced(diagnostic, "1")
        } else if is(&["low", "off", "false", "no"]) {
            self.replaced(diagnostic, "0")
        } else {
            diagnostic
        })
    }

    /// `gpio_pwm 4 2000`
    fn duty(&self) -> Option<Diagnostic> {
        let (number, rest) = self.split();
        if self.text.is_empty() || self.text.starts_with(b"-") {
            return None;
        }
        let message = match number {
            0 if rest.len() == self.text.len() => format!("{} reads as 0: no pulses", self.shown),
            _ if number > FULL_DUTY => {
                format!("{} is more than the {FULL_DUTY} there are: the pin stays high", self.shown)
            }
            _ if !rest.is_empty() => format!("{} reads as {number}", self.shown),
            _ => return None,
        };
        Some(
            self.diagnostic(message)
                .help("the duty cycle goes from 0 to 1000, in digits: half is 500"),
        )
    }

    /// `"a" + $x`
    fn added(&self, link: &ChainLink<Operator>) -> Option<Diagnostic> {
        let is_text = self.text.trim_ascii_start().first().is_some_and(u8::is_ascii_alphabetic);
        if link.operator != Operator::Add || !self.is_quoted || !is_text {
            return None;
        }
        Some(
            self.diagnostic(format!("{} reads as 0 here: `+` adds numbers", self.shown))
                .help("`|` joins texts")
                .fix(
                    "replace by `|`",
                    vec![Edit { span: link.operator_span, text: b"|".to_vec() }],
                ),
        )
    }

    /// `21.5 div 2`
    fn decimal(&self, link: &ChainLink<Operator>) -> Option<Diagnostic> {
        let (word, help) = match link.operator {
            Operator::Div => ("div", "`divide(a, b, n)` gives the quotient with `n` decimals"),
            Operator::Mod => ("mod", "what stands behind the point does not count"),
            _ => return None,
        };
        if !is_decimal(&self.text) {
            return None;
        }
        let number = parse_number(&self.text);
        Some(
            self.diagnostic(format!(
                "{} reads as {number} here: `{word}` computes with whole numbers",
                self.shown
            ))
            .help(help),
        )
    }
}

/// `10s`, `1.5 min`, `2h` in milliseconds.
pub(crate) fn milliseconds(text: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(text).ok()?;
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let factor: u32 = match text[unit..].trim().to_ascii_lowercase().as_str() {
        "ms" | "msec" | "millis" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        _ => return None,
    };
    let (whole, tenths) = match text[..unit].split_once('.') {
        Some((whole, tenths)) if tenths.len() == 1 => (whole, tenths.parse::<u32>().ok()?),
        Some(_) => return None,
        None => (&text[..unit], 0),
    };
    let ms = whole.parse::<u32>().ok()?.checked_mul(factor)?.checked_add(tenths * factor / 10)?;
    (ms <= i32::MAX as u32).then_some(ms)
}

/// `hh`, `hh:mm`, `hh:mm:ss`
fn is_time(text: &[u8]) -> bool {
    let mut parts = text.split(|&byte| byte == b':');
    let two = |part: Option<&[u8]>, below: i32| match part {
        Some(part) => {
            part.len() == 2 && part.iter().all(u8::is_ascii_digit) && parse_number(part) < below
        }
        None => true,
    };
    two(parts.next(), 24)
        && two(parts.next(), 60)
        && two(parts.next(), 60)
        && parts.next().is_none()
}

/// The time of day that was probably meant.
fn time(text: &[u8]) -> Option<String> {
    match text.to_ascii_lowercase().as_slice() {
        b"noon" | b"midday" => return Some("12:00".into()),
        b"midnight" | b"24:00" | b"24:00:00" => return Some("00:00".into()),
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    let (text, is_pm) = match (lower.strip_suffix(b"am"), lower.strip_suffix(b"pm")) {
        (Some(time), _) => (time.trim_ascii_end(), Some(false)),
        (_, Some(time)) => (time.trim_ascii_end(), Some(true)),
        _ => (text, None),
    };
    let mut out = String::new();
    for part in text.split(|byte| matches!(byte, b':' | b'.')) {
        if !matches!(part.len(), 1 | 2) || !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        if !out.is_empty() {
            out.push(':');
        }
        let number = match (parse_number(part), is_pm.filter(|_| out.is_empty())) {
            (13.., Some(_)) | (0, Some(_)) => return None,
            (12, Some(is_pm)) => 12 * i32::from(is_pm),
            (hour, Some(true)) => hour + 12,
            (number, _) => number,
        };
        out.push_str(&format!("{number:02}"));
    }
    is_time(out.as_bytes()).then_some(out)
}

#[cfg(test)]
mod tests;
