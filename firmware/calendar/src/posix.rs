//! Reading the rules of a time zone: a POSIX TZ string, or hours ahead of UTC.

use core::fmt;

use crate::zone::{Change, ChangeDay, Summer, Zone};

/// Longest text that is read, bytes. The longest there is among the world's zones has 41.
pub const MAX_ZONE: usize = 63;

/// Most hours of an offset.
const OFFSET_HOURS: i32 = 24;
/// Most hours of a time at which summer time begins or ends (RFC 9636).
const CHANGE_HOURS: i32 = 167;
/// When it does where no time is given.
const CHANGE_AT: i32 = 2 * 3600;

/// What is wrong with a text that is no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ZoneError {
    /// Longer than [`MAX_ZONE`], or empty.
    Length,
    /// The name of a zone such as `Europe/Berlin`, not its rules.
    Name,
    /// A name is not of three or more letters, nor in `<>`.
    Abbreviation,
    /// How far the zone is from UTC is missing or out of range.
    Offset,
    /// Summer time without the days when it begins and ends.
    NoRules,
    /// A day when summer time begins or ends.
    Day,
    /// A time when summer time begins or ends.
    Time,
    /// Something stands behind the end.
    Rest,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ZoneError::Length => "a time zone has 1 to 63 characters",
            ZoneError::Name => "the rules of a zone are needed here, not its name",
            ZoneError::Abbreviation => "an abbreviation has three letters or more, or stands in <>",
            ZoneError::Offset => "how far it is from UTC is missing or more than 24 hours",
            ZoneError::NoRules => "summer time without days when it begins and ends",
            ZoneError::Day => "a day is Mm.w.d, Jn or n",
            ZoneError::Time => "a time is hh, hh:mm or hh:mm:ss, up to 167 hours",
            ZoneError::Rest => "there is something behind the end of it",
        })
    }
}

impl core::error::Error for ZoneError {}

impl Zone {
    /// Reads a POSIX TZ string, as it ends a TZif file (RFC 9636), or hours ahead of UTC: `1`,
    /// `5.5`, `-3:30`. Mind that hours count to the east, offsets in a TZ string to the west.
    ///
    /// # Errors
    /// [`ZoneError`], the first that is found.
    pub fn parse(text: &[u8]) -> Result<Zone, ZoneError> {
        if text.is_empty() || text.len() > MAX_ZONE {
            return Err(ZoneError::Length);
        }
        let mut reader = Reader { rest: text };
        let zone = match text {
            [b'0'..=b'9' | b'+' | b'-', ..] => Zone::fixed(reader.hours()?),
            _ => reader.rules()?,
        };
        if reader.rest.is_empty() { Ok(zone) } else { Err(ZoneError::Rest) }
    }
}

/// Reads a text from its beginning.
struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    fn rules(&mut self) -> Result<Zone, ZoneError> {
        self.abbreviation()?;
        let standard = -self.time(OFFSET_HOURS).ok_or(ZoneError::Offset)?;
        if self.rest.is_empty() {
            return Ok(Zone::fixed(standard));
        }
        self.abbreviation()?;
        let offset = match self.rest.first() {
            None => return Err(ZoneError::NoRules),
            Some(b',') => standard + 3600,
            Some(_) => -self.time(OFFSET_HOURS).ok_or(ZoneError::Offset)?,
        };
        let (start, end) = (self.change()?, self.change()?);
        Ok(Zone { standard, summer: Some(Summer { offset, start, end }) })
    }

    /// `CET`, `<+0330>`
    fn abbreviation(&mut self) -> Result<(), ZoneError> {
        let quoted = self.take(b'<');
        let is_part = |byte: &u8| match byte {
            b'+' | b'-' | b'0'..=b'9' => quoted,
            _ => byte.is_ascii_alphabetic(),
        };
        let len = self.rest.iter().take_while(|byte| is_part(byte)).count();
        self.rest = &self.rest[len..];
        if matches!(self.rest.first(), Some(b'/' | b'_')) {
            return Err(ZoneError::Name);
        }
        if len < 3 || (quoted && !self.take(b'>')) {
            return Err(ZoneError::Abbreviation);
        }
        Ok(())
    }

    /// `,M3.5.0/3`
    fn change(&mut self) -> Result<Change, ZoneError> {
        if !self.take(b',') {
            return Err(ZoneError::NoRules);
        }
        let day = self.day().ok_or(ZoneError::Day)?;
        let second = match self.take(b'/') {
            true => self.time(CHANGE_HOURS).ok_or(ZoneError::Time)?,
            false => CHANGE_AT,
        };
        Ok(Change { day, second })
    }

    /// `M3.5.0`, `J60`, `59`
    fn day(&mut self) -> Option<ChangeDay> {
        if self.take(b'M') {
            let month = self.number(1, 12)?;
            let week = self.take(b'.').then(|| self.number(1, 5))??;
            let sunday_first = self.take(b'.').then(|| self.number(0, 6))??;
            let weekday = ((sunday_first + 6) % 7) as u8;
            return Some(ChangeDay::Month { month: month as u8, week: week as u8, weekday });
        }
        Some(match self.take(b'J') {
            true => ChangeDay::Julian(self.number(1, 365)? as u16),
            false => ChangeDay::Ordinal(self.number(0, 365)? as u16),
        })
    }

    /// `-3`, `5:30`, `+1:00:30`, in seconds.
    fn time(&mut self, most: i32) -> Option<i32> {
        let minus = self.sign();
        let mut seconds = self.number(0, most)? * 3600;
        for unit in [60, 1] {
            if !self.take(b':') {
                break;
            }
            seconds += self.number(0, 59)? * unit;
        }
        Some(if minus { -seconds } else { seconds })
    }

    /// `1`, `5.5`, `-3:30`: hours ahead of UTC, in seconds.
    fn hours(&mut self) -> Result<i32, ZoneError> {
        let minus = matches!(self.rest.first(), Some(b'-'));
        let minutes = self.rest.contains(&b':');
        let whole = self.time(OFFSET_HOURS).ok_or(ZoneError::Offset)?;
        if minutes || !self.take(b'.') {
            return Ok(whole);
        }
        // Thousandths of a second.
        let (mut fraction, mut unit) = (0, 360_000);
        if !self.rest.first().is_some_and(u8::is_ascii_digit) {
            return Err(ZoneError::Offset);
        }
        while let Some((digit @ b'0'..=b'9', rest)) = self.rest.split_first() {
            fraction += i32::from(digit - b'0') * unit;
            unit /= 10;
            self.rest = rest;
        }
        // A fraction of a second is none: `5.3333` is 5:20.
        let fraction = (fraction + 500) / 1000;
        Ok(if minus { whole - fraction } else { whole + fraction })
    }

    fn sign(&mut self) -> bool {
        let minus = self.rest.first() == Some(&b'-');
        if !minus {
            self.take(b'+');
            return false;
        }
        self.take(b'-')
    }

    fn number(&mut self, least: i32, most: i32) -> Option<i32> {
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // More digits than the greatest number has.
        let (digits, rest) = self.rest.split_at_checked(len).filter(|_| (1..=3).contains(&len))?;
        self.rest = rest;
        let number = digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0'));
        (least..=most).contains(&number).then_some(number)
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.rest.first() == Some(&byte);
        if there {
            self.rest = &self.rest[1..];
        }
        there
    }
}
