//! Variables inside texts, which are not replaced by their values (W0028): `"T=$adc"`,
//! `stat/$name/power`.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, each_node, each_value};
use crate::ast::{
    ActionKind, ActionWord, EventPattern, Expr, ExprKind, Operator, Span, Special, Target, Trigger,
};
use crate::diagnostic::{Code, Diagnostic, Edit};

/// A part of a text that names variables.
pub(crate) enum Piece<'s> {
    /// As it stands in the source, without quotes.
    Text(&'s str),
    /// The name of a variable, with its `$`.
    Variable(String),
}

/// W0028; the names of the variables that were meant to be read there, without `$`.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) -> BTreeSet<Vec<u8>> {
    let mut names = BTreeSet::new();
    let mut each = |event: &EventPattern, expr: &Expr, is_command: bool| {
        let mut computed: Vec<Span> = Vec::new();
        each_node(expr, &mut |node| match &node.kind {
            ExprKind::Chain(chain)
                if chain.rest.iter().any(|link| link.operator != Operator::Join) =>
            {
                computed.push(chain.first.span);
                computed.extend(chain.rest.iter().map(|link| link.operand.span));
            }
            ExprKind::Text => {
                let brackets = computed.contains(&node.span);
                found.extend(text(facts, event, node.span, (brackets, is_command), &mut names));
            }
            _ => {}
        });
    };
    for clause in &facts.handlers {
        if let EventPattern::Topic { filter, .. } = &clause.event {
            each(&clause.event, filter, false);
        }
    }
    for step in &facts.steps {
        // `set @1 ...` is a command of the console.
        let is_command =
            matches!(step.action.kind, ActionKind::Unary { word: ActionWord::System, .. });
        each_value(step.action, &mut |expr| each(facts.event(step), expr, is_command));
    }
    names
}

fn text(
    facts: &ScriptFacts<'_>,
    event: &EventPattern,
    span: Span,
    (brackets, is_command): (bool, bool),
    names: &mut BTreeSet<Vec<u8>>,
) -> Option<Diagnostic> {
    let raw = core::str::from_utf8(span.of(facts.source)).ok()?;
    // Told of otherwise.
    if raw.starts_with('!') || super::punctuation::QUOTES.iter().any(|&mark| raw.starts_with(mark))
    {
        return None;
    }
    let inner = raw.strip_prefix('"').map_or(raw, |text| text.strip_suffix('"').unwrap_or(text));
    let special =
        |name: &str| Special::ALL.iter().find(|special| special.keywords().contains(&name));
    let is_set = |name: &str| {
        let name = name.trim_start_matches('$').as_bytes();
        facts.variables.get(name).is_some_and(|variable| !variable.sets.is_empty())
    };
    let is_flash = |name: &str| {
        let number = name.strip_prefix('@').and_then(|digits| digits.parse::<i32>().ok());
        !is_command && number.is_some_and(|number| sets_flash(facts, number))
    };
    let is_known = |name: &str| special(name).is_some() || is_set(name) || is_flash(name);
    let pieces = split(inner, &is_known, false)?;
    let mut first = None;
    let mut is_there = true;
    for piece in &pieces {
        if let Piece::Variable(name) = piece {
            names.insert(name.trim_start_matches('$').into());
            let of = special(name).and_then(|special| special.event());
            is_there &= of.is_none_or(|of| brings(event, of));
            first = first.or(Some(name));
        }
    }
    let first = first?;
    let mut joined = joined(&pieces);
    let diagnostic = Diagnostic::new(
        Code::VariableInText,
        span,
        format!("`{first}` stays as it is in a text: no value is put in its place"),
    )
    .help(format!("join texts and values: `{joined}`"));
    if brackets {
        joined = format!("({joined})");
    }
    Some(match is_there && (raw.starts_with('"') || !raw.contains('\\')) {
        true => diagnostic.fix("join it", vec![Edit { span, text: joined.into_bytes() }]),
        false => diagnostic,
    })
}

/// Whether the script sets a flash variable.
fn sets_flash(facts: &ScriptFacts<'_>, number: i32) -> bool {
    facts.steps.iter().any(|step| match &step.action.kind {
        ActionKind::SetVar { target: Target::Flash(flash), .. } => flash.value == number,
        _ => false,
    })
}

/// Whether the handlers of an event have the variables of this one.
fn brings(event: &EventPattern, of: Trigger) -> bool {
    match event {
        EventPattern::Simple(trigger) => *trigger == of,
        EventPattern::Topic { .. } => of == Trigger::LocalName,
        EventPattern::GpioInterrupt { .. } => of == Trigger::Gpio,
        EventPattern::Timer(_)
        | EventPattern::Alarm(_)
        | EventPattern::Every(..)
        | EventPattern::Clock(..)
        | EventPattern::Sub(_) => false,
    }
}

/// Cuts a text, as it stands in the source, at the variables in it: `$name`, `${name}`, `{$name}`,
/// and where `in_braces` also `{name}`. None if it names none that is known.
pub(crate) fn split<'s>(
    text: &'s str,
    is_known: &dyn Fn(&str) -> bool,
    in_braces: bool,
) -> Option<Vec<Piece<'s>>> {
    let mut pieces = Vec::new();
    let (mut at, mut start) = (0, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        let found = match byte {
            b'\\' => {
                at += 2;
                continue;
            }
            b'@' => flash(text, at).filter(|(name, _)| is_known(name)),
            b'$' | b'#' | b'{' => {
                variable(&text[at..], in_braces).filter(|(name, _)| is_known(name))
            }
            _ => None,
        };
        let Some((name, len)) = found else {
            at += 1;
            continue;
        };
        if start < at {
            pieces.push(Piece::Text(&text[start..at]));
        }
        pieces.push(Piece::Variable(name));
        at += len;
        start = at;
    }
    if start == 0 && !matches!(pieces.first(), Some(Piece::Variable(_))) {
        return None;
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    Some(pieces)
}

/// The flash variable that stands in a text as a word of its own.
fn flash(text: &str, at: usize) -> Option<(String, usize)> {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.');
    let digits = text[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
    let end = at + 1 + digits;
    let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
    let behind = text.as_bytes().get(end);
    let is_alone = !is_word(before) && !behind.is_some_and(u8::is_ascii_alphanumeric);
    (digits > 0 && is_alone).then(|| (text[at..end].into(), end - at))
}

/// The variable a text begins with, and the bytes it takes with what marks it.
fn variable(text: &str, in_braces: bool) -> Option<(String, usize)> {
    let marks = text.len() - text.trim_start_matches(['$', '#', '{']).len();
    let (mark, rest) = text.split_at(marks);
    let len = rest.bytes().take_while(|&b| b.is_ascii_alphanumeric() || b == b'_').count();
    let closed = rest[len..].starts_with('}');
    let whole = marks + len;
    let is_variable = match mark {
        "$" => return (len > 0).then(|| (format!("${}", &rest[..len]), whole)),
        "${" | "{$" | "#{$" => closed,
        "{" | "#{" => closed && in_braces,
        _ => false,
    };
    (is_variable && len > 0).then(|| (format!("${}", &rest[..len]), whole + 1))
}

/// The expression that joins the pieces.
pub(crate) fn joined(pieces: &[Piece<'_>]) -> String {
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        let bar = if at == 0 { "" } else { " | " };
        match piece {
            Piece::Text(text) => out.push_str(&format!("{bar}\"{text}\"")),
            Piece::Variable(name) => out.push_str(&format!("{bar}{name}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{joined, split};

    #[test]
    fn texts_are_cut_at_what_is_known() {
        let known = |name: &str| matches!(name, "$x" | "$adc");
        for (text, expected) in [
            ("T=$adc", Some("\"T=\" | $adc")),
            ("$x", Some("$x")),
            ("a ${x} b {$adc}", Some("\"a \" | $x | \" b \" | $adc")),
            ("$xy and \\$x cost 5$", None),
            ("{x}", None),
            ("$$x", Some("\"$\" | $x")),
            ("gr\u{fc}n$x\u{fc}", Some("\"gr\u{fc}n\" | $x | \"\u{fc}\"")),
            ("\\", None),
        ] {
            let found = split(text, &known, false);
            assert_eq!(found.map(|pieces| joined(&pieces)).as_deref(), expected, "{text}");
        }
        let found = split("T={x}, {y}", &known, true).map(|pieces| joined(&pieces));
        assert_eq!(found.as_deref(), Some("\"T=\" | $x | \", {y}\""));
    }
}
