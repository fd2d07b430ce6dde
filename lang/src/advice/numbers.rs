//! Numbers that stick to their word, with brackets or units, names of pins, and what is no number.

use alloc::format;
use alloc::string::String;
use alloc::vec;

use super::words::Words;
use super::{Advice, subs};
use crate::ast::{ActionWord, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::lint::values::milliseconds;
use crate::tokens::Token;

/// `on timer1`, `settimer1 1000`
pub(super) fn stuck_number(
    words: &Words<'_>,
    at: usize,
    diagnostic: &Diagnostic,
) -> Option<Advice> {
    let text = core::str::from_utf8(words.text(at)).ok()?;
    let word = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &text[word.len()..];
    let word = word.trim_end_matches('_').to_ascii_lowercase();
    let is_known = match word.as_str() {
        "timer" | "alarm" | "gpio_interrupt" => diagnostic.message.contains("an event"),
        "settimer" | "setalarm" | "gpio_out" | "gpio_pwm" | "gpio_pinmode" => {
            diagnostic.message.contains("an action")
        }
        _ => false,
    };
    if number.is_empty() || !is_known {
        return None;
    }
    let meant = format!("{word} {number}");
    let edit = Edit { span: words.span(at)?, text: meant.as_bytes().to_vec() };
    Some(
        Advice::new(format!("the number is a word of its own: `{meant}`"))
            .fix(format!("replace by `{meant}`"), vec![edit]),
    )
}

/// `settimer 1 5 seconds`
pub(super) fn unit(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let (number, action) = (at.checked_sub(1)?, at.checked_sub(3)?);
    let is_timer = words.text(action) == b"settimer" && diagnostic.message.contains("an action");
    let text = |at: usize| core::str::from_utf8(words.text(at)).ok();
    let both = format!("{}{}", text(number)?, text(at)?);
    let ms = is_timer.then(|| milliseconds(both.as_bytes()))??;
    let edit = Edit { span: words.span(number)?.to(words.span(at)?), text: format!("{ms}").into() };
    Some(
        Advice::new("a timer takes milliseconds, without a unit")
            .fix(format!("write `{ms}`"), vec![edit]),
    )
}

/// `on timer(1) do`
pub(super) fn number_in_brackets(words: &Words<'_>, at: usize) -> Option<Advice> {
    let event = at.checked_sub(1)?;
    let is_so = words.token(at) == Some(Token::Open)
        && matches!(words.token(event)?, Token::NumberedEvent(_))
        && words.token(at + 2) == Some(Token::Close);
    let number = core::str::from_utf8(words.text(at + 1)).ok().filter(|_| is_so)?;
    let word = core::str::from_utf8(words.text(event)).ok()?;
    let start = words.span(event)?.end;
    let span = Span { start, end: words.span(at + 2)?.end };
    let edit = Edit { span, text: format!(" {number}").into() };
    Some(
        Advice::new(format!("the number has no brackets: `on {word} {number} do`"))
            .fix("remove the brackets", vec![edit]),
    )
}

/// `gpio_out @1 1`, `on timer @1 do`
pub(super) fn computed(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_value = words.token(at)? == Token::Flash;
    let is_due = diagnostic.message.ends_with("expected a number") && diagnostic.help.is_none();
    (is_value && is_due).then(|| {
        Advice::new(
            "this number is known when compiling, `const $name = ...`; what depends on a variable takes an `if` for each value",
        )
    })
}

/// `settimer 1000 1`: what stands behind is a number of a timer, and this is none.
pub(super) fn swapped(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    if diagnostic.code != Code::OutOfRange || diagnostic.help.is_some() {
        return None;
    }
    let at = words.at(diagnostic.span)?;
    let text = |at: usize| core::str::from_utf8(words.text(at)).ok();
    let (number, next) = (text(at)?, text(at + 1)?);
    // A timer of a device there is, and no time that anybody waits for.
    let is_number = next.parse::<u8>().is_ok_and(|n| (1..=16).contains(&n));
    if text(at.checked_sub(1)?)? != "settimer" || !is_number || !words.is_on_line_of(at + 1, at) {
        return None;
    }
    let edit = Edit {
        span: words.span(at)?.to(words.span(at + 1)?),
        text: format!("{next} {number}").into(),
    };
    Some(
        Advice::new(format!(
            "the timer comes first, then its milliseconds: `settimer {next} {number}`"
        ))
        .fix("swap them", vec![edit]),
    )
}

/// `gpio_out D1 1`
pub(super) fn pin(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    if diagnostic.code != Code::BadNumber || diagnostic.help.is_some() {
        return None;
    }
    let at = words.at(diagnostic.span)?;
    let mut before = at.checked_sub(1)?;
    if words.token(before) == Some(Token::Open) {
        before = before.checked_sub(1)?;
    }
    if !words.text(before).starts_with(b"gpio_") {
        return None;
    }
    let word = words.text(at);
    let mut constants = subs::constants(words);
    let value = constants.find(|(name, _)| *name == word).map_or(word, |(_, value)| value);
    let name = core::str::from_utf8(value).ok()?;
    let number = match name.to_ascii_uppercase().as_str() {
        "D0" => 16,
        "D1" => 5,
        "D2" => 4,
        "D3" => 0,
        "D4" => 2,
        "D5" => 14,
        "D6" => 12,
        "D7" => 13,
        "D8" => 15,
        "D9" | "RX" => 3,
        "D10" | "TX" => 1,
        other => {
            let digits = other.strip_prefix("GPIO").or(other.strip_prefix("IO"))?;
            let number: u8 = digits.trim_start_matches('_').parse().ok()?;
            return Some(Advice::new(format!("pins are numbers: `{name}` is {number}")));
        }
    };
    Some(Advice::new(format!(
        "pins go by their GPIO numbers: `{name}` of a NodeMCU or D1 mini is {number}"
    )))
}

/// `settimer 5s 1000`, `on alarm 07:00 do`: something else in the place of its number.
pub(super) fn number(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    if diagnostic.code != Code::BadNumber {
        return None;
    }
    let text = core::str::from_utf8(diagnostic.span.of(words.source)).ok()?;
    // `@1/2`, `@1;`
    let flash =
        text.strip_prefix('@').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    if let Some(rest) = flash.filter(|rest| rest.len() + 1 < text.len()) {
        let end = diagnostic.span.end;
        let span = Span { start: end - rest.len() as u32, end };
        let edit = |text: String| vec![Edit { span, text: text.into_bytes() }];
        if rest == ";" {
            let advice = Advice::new("actions end without a sign");
            return Some(advice.fix("remove the `;`", edit(String::new())));
        }
        let before = words.at(diagnostic.span)?.checked_sub(1);
        if before.and_then(|at| words.token(at)) == Some(Token::SetVar) {
            return Some(Advice::new("behind the `@` stands a number, and nothing behind that"));
        }
        let by = rest.strip_prefix('/').filter(|by| !by.is_empty())?;
        return by.bytes().all(|byte| byte.is_ascii_digit()).then(|| {
            Advice::new(format!("`div` divides: `{} div {by}`", &text[..text.len() - rest.len()]))
                .fix("use `div`", edit(format!(" div {by}")))
        });
    }
    if diagnostic.help.is_some() {
        return None;
    }
    // A constant of another value, of which the message has all.
    if text.starts_with('$') {
        return None;
    }
    let before = words.at(diagnostic.span)?.checked_sub(1)?;
    let word = core::str::from_utf8(words.text(before)).ok()?;
    Some(match words.token(before)? {
        Token::NumberedEvent(_) if word == "alarm" => Advice::new(
            "an alarm has a number, and `setalarm` sets its time: `setalarm 1 07:00`, `on alarm 1 do`",
        ),
        Token::NumberedEvent(_) if word == "timer" => Advice::new(
            "a timer has a number, and `settimer` sets its time: `settimer 1 5000`, `on timer 1 do`",
        ),
        token if token.starts_action() => {
            let usage = ActionWord::from_keyword(word)?.usage();
            Advice::new(format!("a whole number in digits comes first: `{word} {usage}`"))
        }
        _ => return None,
    })
}
