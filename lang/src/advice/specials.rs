//! Variables the device sets, misspelt or guessed: `$thisdata`, `$payload`.

use alloc::format;
use alloc::vec::Vec;

use super::words::Words;
use super::{Advice, list};
use crate::ast::{Special, Trigger};
use crate::diagnostic::{Code, Diagnostic};
use crate::suggest::nearest;
use crate::tokens::Token;

/// The names of the variables that exist in the handlers of an event, or in all.
fn names_of(event: Option<&str>) -> impl Iterator<Item = &'static str> + Clone {
    let of = move |special: &&Special| special.event().map(Trigger::event_word) == event;
    Special::ALL.iter().filter(of).flat_map(|special| special.keywords()).copied()
}

/// The events with variables of their own.
fn events() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    Special::ALL.iter().filter_map(move |special| {
        let event = special.event()?.event_word();
        (core::mem::replace(&mut last, event) != event).then_some(event)
    })
}

/// From this length on, a name that is near another is surely meant to be it.
const SURE: usize = 7;

/// Names of other systems, without `$` and `this_`, and what they mean in the handlers of an event;
/// of any, if it is empty.
const MEANT: [(&str, &[&str], &str); 13] = [
    ("topic", &["topic", "channel", "subject"], "$this_topic"),
    (
        "topic",
        &["data", "payload", "message", "msg", "value", "content", "text", "body", "item"],
        "$this_data",
    ),
    ("gpio_interrupt", &["gpio", "pin", "level", "state", "value", "data"], "$this_gpio"),
    ("serial", &["serial", "line", "data", "text", "input", "message", "value"], "$this_serial"),
    ("http_response", &["body", "http_body", "response", "data", "payload"], "$this_http_body"),
    ("http_response", &["code", "status", "http_code", "status_code"], "$this_http_code"),
    ("http_response", &["host", "http_host"], "$this_http_host"),
    ("http_response", &["path", "http_path", "url"], "$this_http_path"),
    ("http_response", &["cut", "http_cut"], "$this_http_cut"),
    ("", &["time", "now", "clock"], "$timestamp"),
    ("", &["day", "dow", "day_of_week"], "$weekday"),
    ("", &["analog", "a0", "adc0"], "$adc"),
    ("", &["this_time", "this_timestamp"], "$timestamp"),
];

/// Those that mean the same wherever they stand.
const UNMISTAKABLE: [&str; 7] =
    ["topic", "payload", "message", "msg", "http_code", "http_body", "status_code"];

/// What was meant by a variable that nothing sets, if it is one of the device's.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    if diagnostic.code != Code::UndeclaredVariable || diagnostic.fix.is_some() {
        return None;
    }
    let name = core::str::from_utf8(diagnostic.span.of(words.source)).ok()?;
    let event = event(words, words.at(diagnostic.span)?);
    let own: Vec<&str> = names_of(Some(event)).collect();
    let near = |names: &mut dyn Iterator<Item = &'static str>| {
        let near = nearest(name.as_bytes(), names.map(str::as_bytes))?;
        core::str::from_utf8(near).ok()
    };
    let bare = name.trim_start_matches('$').to_ascii_lowercase();
    let short = bare.strip_prefix("this").unwrap_or(&bare).trim_start_matches('_');
    let means = |&&(of, names, _): &&(&str, &[&str], &str)| {
        (of == event || of.is_empty())
            && names.iter().any(|known| *known == bare || *known == short)
    };
    if let Some((_, _, meant)) = MEANT.iter().find(means) {
        let edit = crate::diagnostic::Edit { span: diagnostic.span, text: (*meant).into() };
        let advice = Advice::new(match names_of(None).any(|name| name == *meant) {
            true => format!("`{meant}` is what the device sets"),
            false => format!("`{meant}` is what `on {event}` brings"),
        });
        return Some(advice.fix(format!("replace by `{meant}`"), alloc::vec![edit]));
    }
    if matches!(short, "timer" | "alarm" | "timer_number" | "alarm_number") {
        let word = &short[..5];
        return Some(Advice::new(format!(
            "each {word} has its handler, `on {word} N do`, which knows its number"
        )));
    }
    let here = own.iter().copied().chain(names_of(None));
    if let Some(meant) = near(&mut here.clone()) {
        let advice = Advice::new(format!("did you mean `{meant}`?"));
        if name.len() < SURE {
            return Some(advice);
        }
        let edit = crate::diagnostic::Edit { span: diagnostic.span, text: meant.into() };
        return Some(advice.fix(format!("replace by `{meant}`"), alloc::vec![edit]));
    }
    let other = events().find_map(|of| {
        let meant = near(&mut names_of(Some(of)))?;
        Some(Advice::new(format!("did you mean `{meant}`? It is there in `on {of}`")))
    });
    if other.is_some() {
        return other;
    }
    // Names that nobody gives to a variable of his own, where that event is not.
    let elsewhere = MEANT.iter().find(|(of, names, _)| {
        !of.is_empty() && UNMISTAKABLE.contains(&short) && names.contains(&short)
    });
    if let Some((of, _, meant)) = elsewhere {
        return Some(Advice::new(format!(
            "`{meant}` is what `on {of}` brings: keep it there, `setvar {name} = {meant}`"
        )));
    }
    (bare.starts_with("this") && !own.is_empty())
        .then(|| Advice::new(format!("`on {event}` brings {}", list(&own))))
}

/// The event of the handler a word stands in; empty if it is not known.
fn event<'s>(words: &Words<'s>, at: usize) -> &'s str {
    let begins = |&at: &usize| {
        words.token(at) == Some(Token::On)
            && words.token(at + 1).is_some_and(|token| token.starts_event())
    };
    let on = (0..at).rev().find(begins);
    on.and_then(|on| core::str::from_utf8(words.text(on + 1)).ok()).unwrap_or_default()
}
