//! Events that time brings, and times, durations and days that are written as elsewhere.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::schedule::{Days, EVERY_MAX};

use super::Advice;
use super::words::Words;
use crate::ast::{ActionWord, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal::{duration, time_of_day};
use crate::tokens::Token;

/// `on sunset do`, `on 07:00 do`, `on interval 10s do`: a word in the place of an event.
pub(super) fn event(words: &Words<'_>, at: usize, word: &str) -> Option<Advice> {
    let span = words.span(at)?;
    let start = Span { start: span.start, end: span.start };
    let clock = "a time of day is `on clock TIME do`: `on clock 07:00 weekdays do`, `on clock sunset -30m do`";
    let every = "a period is `on every DURATION do`: `on every 10s do`";
    let (help, meant, replaced, is_sure) = match word {
        "sunset" | "sunrise" => (clock, "clock ", start, true),
        _ if is_time(word.as_bytes()) => (clock, "clock ", start, true),
        _ if is_duration(word.as_bytes()) => (every, "every ", start, true),
        "time" | "at" | "daily" | "clock" | "cron" | "schedule" => {
            (clock, "clock", span, is_time(words.text(at + 1)))
        }
        "every" | "interval" | "period" | "tick" | "repeat" => {
            (every, "every", span, is_duration(words.text(at + 1)))
        }
        _ if word.starts_with("time#") => (clock, "", span, false),
        _ => return None,
    };
    let advice = Advice::new(help);
    Some(match is_sure {
        true => advice.fix(
            format!("write `{}`", meant.trim_end()),
            vec![Edit { span: replaced, text: meant.into() }],
        ),
        false => advice,
    })
}

/// What was meant by a word that is no time, no duration or no day.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    match diagnostic.code {
        Code::BadTime => quoted(words, at)
            .or_else(|| unit(words, at))
            .or_else(|| time_behind(words, at, diagnostic))
            .or_else(|| day(words, at, diagnostic)),
        Code::UnexpectedWord => {
            let before = at.checked_sub(1).map_or(&b""[..], |before| words.text(before));
            let quoted = || quoted(words, at).filter(|_| matches!(before, b"clock" | b"every"));
            alarm_on_days(words, at)
                .or_else(|| on_days(words, at))
                .or_else(|| equal(words, at))
                .or_else(quoted)
        }
        Code::ReservedWord => on_days(words, at),
        _ => None,
    }
}

/// `on clock "07:00" do`, `on every "10s" do`
fn quoted(words: &Words<'_>, at: usize) -> Option<Advice> {
    let text = core::str::from_utf8(words.text(at)).ok()?;
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let first = inner.split(' ').next()?.as_bytes();
    let advice = Advice::new("times, durations and days stand without quotes");
    let is_sure = is_time(first) || is_duration(first) || Days::from_word(first).is_some();
    let edit = Edit { span: words.span(at)?, text: inner.into() };
    Some(if is_sure { advice.fix("remove the quotes", vec![edit]) } else { advice })
}

/// `on every 10 s do`, `on every 5min do`, `+ 5 minutes`
fn unit(words: &Words<'_>, at: usize) -> Option<Advice> {
    let sign = matches!(words.text(at), b"+" | b"-");
    let at = if sign { at + 1 } else { at };
    let text = core::str::from_utf8(words.text(at)).ok()?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (last, unit) = match &text[digits.len()..] {
        "" => (at + 1, core::str::from_utf8(words.text(at + 1)).ok()?),
        unit => (at, unit),
    };
    let unit = match unit.to_ascii_lowercase().as_str() {
        "ms" | "msec" | "millis" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        _ => return None,
    };
    let meant = format!("{digits}{unit}");
    if !words.is_on_line_of(last, at) && last != at || !is_duration(meant.as_bytes()) {
        return None;
    }
    let span = words.span(at)?.to(words.span(last)?);
    Some(
        Advice::new(format!("a number and `ms`, `s`, `m` or `h` are one word: `{meant}`"))
            .fix(format!("write `{meant}`"), vec![Edit { span, text: meant.clone().into() }]),
    )
}

/// `on clock mon 07:00 do`
fn time_behind(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !diagnostic.message.ends_with("is not a time of day") {
        return None;
    }
    let is_day = |at: usize| Days::from_word(words.text(at)).is_some();
    let time = (at..).find(|&at| !is_day(at)).filter(|&time| time > at)?;
    let is_sure = is_time(words.text(time)) && words.is_on_line_of(time, at);
    let (first, last) = (words.span(at)?, words.span(time)?);
    let days = Span { start: first.start, end: words.span(time - 1)?.end };
    let text = |span: Span| core::str::from_utf8(span.of(words.source)).ok();
    let meant = format!("{} {}", text(last)?, text(days)?);
    is_sure.then(|| {
        Advice::new(format!("the time comes first: `on clock {meant} do`")).fix(
            format!("write `{meant}`"),
            vec![Edit { span: first.to(last), text: meant.clone().into() }],
        )
    })
}

/// `Mon`, `monday`, `mon-fri`, `mon, tue`
fn day(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let span = words.span(at)?;
    if let Some(meant) = day_of(words.text(at)) {
        let edit = Edit { span, text: meant.into() };
        let days = "days are `mon` to `sun`, `weekdays` and `weekend`, in small letters";
        let is_day = diagnostic.message.ends_with("is not a day");
        return is_day.then(|| Advice::new(days).fix(format!("write `{meant}`"), vec![edit]));
    }
    let before = at.checked_sub(1)?;
    let (first, second) = (day_of(words.text(before))?, day_of(words.text(at + 1))?);
    match words.text(at) {
        b"," => {
            let blank = match words.span(at + 1)?.start == span.end {
                true => " ",
                false => "",
            };
            let edit = Edit { span, text: blank.into() };
            let help = "days stand side by side, without commas: `mon tue`";
            Some(Advice::new(help).fix("remove the comma", vec![edit]))
        }
        b"-" => {
            let meant = range(first, second)?;
            let whole = words.span(before)?.to(words.span(at + 1)?);
            let edit = Edit { span: whole, text: meant.clone().into_bytes() };
            Some(
                Advice::new(format!("the days from `{first}` to `{second}` are `{meant}`"))
                    .fix(format!("write `{meant}`"), vec![edit]),
            )
        }
        _ => None,
    }
}

/// The days from one to another.
fn range(first: &str, last: &str) -> Option<String> {
    match (first, last) {
        ("mon", "fri") => return Some("weekdays".into()),
        ("sat", "sun") => return Some("weekend".into()),
        _ => {}
    }
    let place = |day: &str| Days::NAMES.iter().position(|name| *name == day);
    let (first, last) = (place(first)?, place(last)?);
    let count = (last + Days::NAMES.len() - first) % Days::NAMES.len() + 1;
    let days: Vec<&str> = Days::NAMES.iter().cycle().skip(first).take(count).copied().collect();
    Some(days.join(" "))
}

/// The day that a word is in any letters, in short or in full.
fn day_of(word: &[u8]) -> Option<&'static str> {
    let word = core::str::from_utf8(word).ok()?.to_ascii_lowercase();
    let full = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let at = full.iter().position(|day| word.len() >= 3 && day.starts_with(&*word))?;
    Days::NAMES.get(at).copied()
}

/// `setalarm 1 "07:00" weekdays`
fn alarm_on_days(words: &Words<'_>, at: usize) -> Option<Advice> {
    let (time, action) = (at.checked_sub(1)?, at.checked_sub(3)?);
    let day = words.text(at);
    let is_day = Days::from_word(day).is_some() || day_of(day).is_some();
    if words.text(action) != b"setalarm" || !is_day || !words.is_on_line_of(at, action) {
        return None;
    }
    let time = core::str::from_utf8(words.text(time)).ok()?.trim_matches('"');
    let time = if is_time(time.as_bytes()) { time } else { "07:00" };
    Some(Advice::new(format!(
        "an alarm comes every day; on some days: `on clock {time} weekdays do`"
    )))
}

/// `on clock 23:00 on weekdays do`
fn on_days(words: &Words<'_>, at: usize) -> Option<Advice> {
    let word = words.text(at + 1);
    let is_day = Days::from_word(word).is_some() || day_of(word).is_some();
    let before = words.text(at.checked_sub(1)?);
    if words.text(at) != b"on" || !is_day || !is_time(before) || !words.is_on_line_of(at, at - 1) {
        return None;
    }
    let span = Span { start: words.span(at)?.start, end: words.span(at + 1)?.start };
    Some(
        Advice::new("days stand right behind the time: `on clock 07:00 weekdays do`")
            .fix("remove `on`", vec![Edit { span, text: Vec::new() }]),
    )
}

/// `gpio_out 12 = 1`, as tests of scripts have it
fn equal(words: &Words<'_>, at: usize) -> Option<Advice> {
    let (number, action) = (at.checked_sub(1)?, at.checked_sub(2)?);
    let is_so = words.token(at) == Some(Token::Equal)
        && matches!(words.token(action)?, Token::NumberedAction(_))
        && words.is_on_line_of(at + 1, action)
        && words.token(at + 1).is_some_and(Token::starts_value);
    let word = core::str::from_utf8(words.text(action)).ok().filter(|_| is_so)?;
    let usage = ActionWord::from_keyword(word)?.usage();
    let gap = Span { start: words.span(number)?.end, end: words.span(at + 1)?.start };
    let edit = Edit { span: gap, text: b" ".to_vec() };
    Some(
        Advice::new(format!("values stand side by side, without a sign: `{word} {usage}`"))
            .fix("remove the `=`", vec![edit]),
    )
}

fn is_time(word: &[u8]) -> bool {
    matches!(word, b"sunrise" | b"sunset") || time_of_day(word).is_some()
}

fn is_duration(word: &[u8]) -> bool {
    duration(word, EVERY_MAX).is_some()
}
