//! The words behind `every` and `clock`: a duration, a time of day with its offset and its days.

use alloc::format;

use logos::{Lexer, Logos};
use umqtt_vm::schedule::{ClockBase, ClockTime, Days, EVERY_MAX};

use super::build::Builder;
use super::named::NamedWord;
use super::quote::shown;
use crate::ast::{EventPattern, Span, Trigger};
use crate::diagnostic::{Code, Diagnostic};
use crate::lexer::Lexeme;
use crate::literal::{duration, time_of_day};
use crate::named::NamedConstants;

/// Longest offset, milliseconds.
const OFFSET_MAX: u32 = EVERY_MAX;

/// The words and signs of an event, with their places.
struct Words<'s> {
    lexer: Lexer<'s, Lexeme>,
    /// Where in the source the event starts.
    start: u32,
    event: &'s [u8],
    named: Option<&'s NamedConstants>,
}

impl<'s> Words<'s> {
    fn new(event: &'s [u8], start: u32, named: Option<&'s NamedConstants>) -> Words<'s> {
        Words { lexer: Lexeme::lexer(event), start, event, named }
    }

    /// The next one; a constant is its value.
    fn next(&mut self) -> Option<(&'s [u8], Span)> {
        self.lexer.next()?.ok()?;
        let range = self.lexer.span();
        let (start, end) = (self.start + range.start as u32, self.start + range.end as u32);
        let word = self.event.get(range)?;
        let word = match NamedWord::of(word, self.named) {
            NamedWord::Value(value) => value,
            _ => word,
        };
        Some((word, Span { start, end }))
    }
}

impl Builder<'_, '_> {
    /// An event of one word, or of a word and a time: `init`, `every 10s`, `clock sunset -30m sat`.
    pub(crate) fn simple_event(&mut self, event: Trigger, at: Span) -> EventPattern {
        if !matches!(event, Trigger::Every | Trigger::Clock) {
            return EventPattern::Simple(event);
        }
        let mut words = Words::new(at.of(self.source), at.start, self.named);
        let keyword = words.next().map_or(at, |(_, span)| span);
        let time = words.next();
        let (word, span) = time.unwrap_or((b"", keyword));
        if event == Trigger::Every {
            let period = duration(word, EVERY_MAX);
            let surplus = words.next().filter(|_| period.is_some());
            if period.is_none() {
                let right = "a number and `ms`, `s`, `m` or `h` in one word: `10s`, up to `24h`";
                self.bad_time(time.is_some(), span, "a duration", right);
            } else if let Some((_, surplus)) = surplus {
                self.tell(|source| {
                    let word = shown(surplus.of(source));
                    let message = format!("unexpected `{word}`, expected `do`");
                    Diagnostic::new(Code::UnexpectedWord, surplus, message)
                });
            }
            return EventPattern::Every(period.unwrap_or(EVERY_MAX), at);
        }
        let (base, second) = match word {
            b"sunrise" => (ClockBase::Sunrise, Some(0)),
            b"sunset" => (ClockBase::Sunset, Some(0)),
            _ => (ClockBase::Midnight, time_of_day(word).map(u32::cast_signed)),
        };
        let (offset, days) = match second {
            Some(_) => self.offset_and_days(&mut words),
            None => {
                let right = "`hh:mm`, `hh:mm:ss`, `sunrise` or `sunset`";
                self.bad_time(time.is_some(), span, "a time of day", right);
                (0, Days::ALL)
            }
        };
        let second = second.unwrap_or(0);
        EventPattern::Clock(ClockTime { base, seconds: second + offset, days }, at)
    }

    /// `+30m mon fri`
    fn offset_and_days(&mut self, words: &mut Words<'_>) -> (i32, Days) {
        let (mut offset, mut days) = (None, None);
        while let Some((word, span)) = words.next() {
            if !matches!(word, b"+" | b"-") {
                let Some(day) = Days::from_word(word) else {
                    let right = "`mon` to `sun`, `weekdays`, `weekend`; an offset: `+30m`, `-1h`";
                    self.bad_time(true, span, "a day", right);
                    break;
                };
                days = Some(Days(days.map_or(0, |days: Days| days.0) | day.0));
                continue;
            }
            let by = words.next();
            let both = span.to(by.map_or(span, |(_, by)| by));
            let is_named = |by: &Span| by.of(self.source).first() == Some(&b'$');
            let span = by.map(|(_, by)| by).filter(is_named).unwrap_or(both);
            let millis = by.and_then(|(by, _)| duration(by, OFFSET_MAX));
            let seconds = millis
                .filter(|millis| millis.is_multiple_of(1000) && offset.is_none() && days.is_none());
            if seconds.is_none() {
                let right = "`+30m` or `-1h`, right behind the time and up to `24h`";
                self.bad_time(true, span, "an offset here", right);
                break;
            }
            let seconds = seconds.map_or(0, |millis| (millis / 1000).cast_signed());
            offset = Some(if word == b"-" { -seconds } else { seconds });
        }
        (offset.unwrap_or(0), days.unwrap_or(Days::ALL))
    }

    /// A word that is not what has to stand there, or none at all behind the keyword.
    fn bad_time(&mut self, there: bool, span: Span, what: &str, right: &str) {
        if there && self.tell_named(Code::BadTime, span, what, right) {
            return;
        }
        self.tell(|source| {
            let word = shown(span.of(source));
            let message = match there {
                true => format!("`{word}` is not {what}"),
                false => format!("{what} is missing behind `{word}`"),
            };
            Diagnostic::new(Code::BadTime, span, message).hinted(|it| it.help(right))
        });
    }
}
