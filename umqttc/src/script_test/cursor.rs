//! A line of a test file, read from left to right.

use umqtt_device::net::Duration;
use umqtt_lang::ast::Span;
use umqtt_lang::literal::{self, number, time_of_day};

use super::problem::Problem;
use super::surplus;
use super::token::Token;

/// Where in a line we are.
pub(super) struct Cursor<'l, 's> {
    line: &'l [Token<'s>],
    at: usize,
}

impl<'l, 's> Cursor<'l, 's> {
    /// At the start of a line, which has a token at least.
    pub(super) fn new(line: &'l [Token<'s>]) -> Cursor<'l, 's> {
        Cursor { line, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.line.len()
    }

    /// Nothing was taken yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.at == 0
    }

    /// Where the next token stands; behind the last one at the end.
    pub(super) fn span(&self) -> Span {
        match (self.line.get(self.at), self.line.last()) {
            (Some(token), _) => token.span,
            (None, Some(last)) => Span { start: last.span.end, end: last.span.end },
            (None, None) => Span::new(0, 0),
        }
    }

    /// From the next token to the last one.
    pub(super) fn line_span(&self) -> Span {
        let end = self.line.last().map_or(0, |last| last.span.end);
        Span { start: self.span().start, end }
    }

    /// The next token as it stands there.
    pub(super) fn shown(&self) -> String {
        self.line.get(self.at).map(Token::shown).unwrap_or_default()
    }

    /// The next token if it is a bare word.
    pub(super) fn peek_word(&self) -> Option<&'s str> {
        self.line.get(self.at).and_then(Token::word)
    }

    /// What is left of the line: its bare words, and `None` for each other token.
    pub(super) fn rest_words(&self) -> Vec<Option<&'s str>> {
        self.line.iter().skip(self.at).map(Token::word).collect()
    }

    /// Whether the token before the next one is this word.
    pub(super) fn is_first_behind(&self, word: &str) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.line.get(at));
        before.and_then(Token::word) == Some(word)
    }

    /// Whether the token behind the next one is this word or sign.
    pub(super) fn next_is(&self, word: &str) -> bool {
        self.line.get(self.at + 1).and_then(Token::word) == Some(word)
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Takes the next token if it is this word or sign.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == Some(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_word(&mut self, word: &str, form: &str) -> Result<(), Problem> {
        match self.take_word(word) {
            true => Ok(()),
            false => Err(self.missing(&format!("`{word}`"), form)),
        }
    }

    /// A bare word.
    pub(super) fn word(&mut self, what: &str, form: &str) -> Result<&'s str, Problem> {
        let word = self.peek_word().ok_or_else(|| self.missing(what, form))?;
        self.skip();
        Ok(word)
    }

    /// The next token, whatever it is.
    pub(super) fn token(&mut self, what: &str, form: &str) -> Result<&'l Token<'s>, Problem> {
        let token = self.line.get(self.at).ok_or_else(|| self.missing(what, form))?;
        self.skip();
        Ok(token)
    }

    /// A word's or a string's bytes.
    pub(super) fn value(&mut self, what: &str, form: &str) -> Result<Vec<u8>, Problem> {
        Ok(self.token(what, form)?.value().into_owned())
    }

    /// A word or a string that is text.
    pub(super) fn string(&mut self, what: &str, form: &str) -> Result<String, Problem> {
        let span = self.span();
        let bytes = self.value(what, form)?;
        String::from_utf8(bytes).map_err(|_| Problem::new(span, format!("{what} is no text")))
    }

    /// A number up to a limit.
    pub(super) fn number(&mut self, what: &str, max: u8, form: &str) -> Result<u8, Problem> {
        let span = self.span();
        let token = self.token(what, form)?;
        let found = number(token.shown().as_bytes()).and_then(|n| u8::try_from(n).ok());
        found.filter(|n| *n <= max).ok_or_else(|| {
            Problem::new(span, format!("{what} is a number from 0 to {max}")).help(form_help(form))
        })
    }

    /// How many times: from 1 up to a limit.
    pub(super) fn count(&mut self, max: u32, form: &str) -> Result<u32, Problem> {
        let span = self.span();
        let token = self.token("how many times", form)?;
        let found = number(token.shown().as_bytes()).and_then(|n| u32::try_from(n).ok());
        found.filter(|n| (1..=max).contains(n)).ok_or_else(|| {
            Problem::new(span, format!("this is a number from 1 to {max}")).help(form_help(form))
        })
    }

    /// The number of a flash variable, `@1`.
    pub(super) fn flash_variable(&mut self, form: &str) -> Result<u8, Problem> {
        const MAX: u8 = umqtt_vm::Profile::DESKTOP.flash_variables;
        let span = self.span();
        let word = self.word("a flash variable", form)?;
        let n = word.strip_prefix('@').and_then(|n| n.parse::<u8>().ok());
        n.filter(|n| (1..=MAX).contains(n)).ok_or_else(|| {
            Problem::new(span, format!("a flash variable is one of @1 to @{MAX}"))
                .help(form_help(form))
        })
    }

    /// `50ms`, `5s`, `10m`, `1h`.
    pub(super) fn duration(&mut self, form: &str) -> Result<Duration, Problem> {
        let span = self.span();
        let word = self.word("a time", form)?;
        duration(word).ok_or_else(|| {
            let problem = Problem::new(span, format!("`{word}` is no span of time"));
            problem.help("a number and its unit in one word: 50ms, 5s, 10m, 24h, 7d")
        })
    }

    /// `hh:mm` or `hh:mm:ss`, as seconds of the day.
    pub(super) fn time_of_day(&mut self, form: &str) -> Result<u32, Problem> {
        let span = self.span();
        let word = self.word("a time of day", form)?;
        time_of_day(word.as_bytes()).ok_or_else(|| {
            let problem = Problem::new(span, format!("`{word}` is no time of day"));
            problem.help("hh:mm or hh:mm:ss: 07:00, 23:59:59")
        })
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Problem> {
        if self.is_at_end() {
            return Ok(());
        }
        let problem = Problem::new(self.line_span(), "this is more than belongs on the line");
        Err(problem.help(surplus::help(self.line, self.at)))
    }

    /// What should stand here.
    pub(super) fn missing(&self, what: &str, form: &str) -> Problem {
        let found = match self.is_at_end() {
            true => format!("{what} is missing here"),
            false => format!("{what} should stand here, not `{}`", self.shown()),
        };
        Problem::new(self.span(), found).help(form_help(form))
    }
}

fn form_help(form: &str) -> String {
    format!("as in `{form}`")
}

/// Most days that a test lets pass at once: a hundred years.
const MAX_DAYS: u64 = 36_525;

/// A number and its unit in one word: as behind `every`, or days.
fn duration(word: &str) -> Option<Duration> {
    let millis = match word.strip_suffix('d') {
        Some(days) => {
            let days = days.parse::<u64>().ok().filter(|days| *days <= MAX_DAYS)?;
            days * 24 * 3_600_000
        }
        None => literal::duration(word.as_bytes(), u32::MAX)?.into(),
    };
    Some(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time() {
        let millis = |word| duration(word).map(Duration::as_millis);
        assert_eq!(millis("50ms"), Some(50));
        assert_eq!(millis("5s"), Some(5000));
        assert_eq!(millis("2m"), Some(120_000));
        assert_eq!(millis("1.5s"), Some(1500));
        assert_eq!(millis("7d"), Some(7 * 86_400_000));
        for wrong in ["", "5", "s", "-5s", "5 s", "5x", "99999999999999999999s", "999999999999d"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
