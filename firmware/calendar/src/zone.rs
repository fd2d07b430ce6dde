//! A time zone by its rules: how far ahead of UTC it is, and when summer time begins and ends.

use crate::date::{DAY, Date, is_leap, month_len, weekday};

/// The rules of a time zone, those of today. POSIX calls what is not standard time summer time,
/// also where it lies in winter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Seconds that standard time is ahead of UTC.
    pub standard: i32,
    /// Summer time, if there is one.
    pub summer: Option<Summer>,
}

/// Summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summer {
    /// Seconds that it is ahead of UTC.
    pub offset: i32,
    /// When it begins; in standard time.
    pub start: Change,
    /// When it ends; in summer time.
    pub end: Change,
}

/// A time of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The day.
    pub day: ChangeDay,
    /// Seconds from midnight of that day; up to a week before or after it.
    pub second: i32,
}

/// A day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeDay {
    /// Day 1 to 365, 29 February not counted.
    Julian(u16),
    /// Day 0 to 365, 29 February counted.
    Ordinal(u16),
    /// A day of the week in a month.
    Month {
        /// The month, 1 to 12.
        month: u8,
        /// 1 to 4 from the first, or 5 for the last.
        week: u8,
        /// The day of the week, 0 for Monday.
        weekday: u8,
    },
}

/// A time without a change of the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Seconds ahead of UTC.
    pub offset: i32,
    /// Begins at this time in UTC.
    pub from: i64,
    /// Ends before this time in UTC.
    pub until: i64,
}

impl Default for Zone {
    fn default() -> Zone {
        Zone::UTC
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone::fixed(0);

    /// So many seconds ahead of UTC all the year.
    pub const fn fixed(standard: i32) -> Zone {
        Zone { standard, summer: None }
    }

    /// Seconds that local time is ahead of UTC at a time in UTC.
    pub fn offset_at(&self, utc: i64) -> i32 {
        self.period_at(utc).offset
    }

    /// The time around one in UTC within which the offset does not change. Found once, it saves
    /// going through the rules for all times within it.
    pub fn period_at(&self, utc: i64) -> Period {
        let mut period = Period { offset: self.standard, from: i64::MIN, until: i64::MAX };
        let Some(summer) = self.summer else { return period };
        let year = Date::from_days(day_of(utc)).year;
        // One that is before the first of January belongs to the year behind it.
        for year in year - 1..=year + 1 {
            let start = (summer.start.at(year, self.standard), summer.offset);
            let end = (summer.end.at(year, summer.offset), self.standard);
            let changes = if start.0 <= end.0 { [start, end] } else { [end, start] };
            for (at, offset) in changes {
                if at > utc {
                    period.until = period.until.min(at);
                } else if at >= period.from {
                    (period.from, period.offset) = (at, offset);
                }
            }
        }
        period
    }

    /// Local time at a time in UTC.
    pub fn to_local(&self, utc: i64) -> i64 {
        utc.saturating_add(self.offset_at(utc).into())
    }

    /// The time in UTC at a local time: the first of two, and the time of the leap for one that is
    /// leapt over.
    pub fn to_utc(&self, local: i64) -> i64 {
        let by = |offset: i32| local.saturating_sub(offset.into());
        let Some(summer) = self.summer else { return by(self.standard) };
        let early = by(self.standard.max(summer.offset));
        let late = by(self.standard.min(summer.offset));
        let first = self.period_at(early);
        if self.to_local(early) == local {
            return early;
        }
        if self.to_local(late) == local { late } else { first.until.clamp(early, late) }
    }
}

impl Change {
    /// When it is in a year, in UTC, by a clock so many seconds ahead.
    fn at(self, year: i32, offset: i32) -> i64 {
        let first = Date { year, month: 1, day: 1 }.days();
        let day = match self.day {
            ChangeDay::Julian(day) => {
                first + i32::from(day) - 1 + i32::from(day > 59 && is_leap(year))
            }
            ChangeDay::Ordinal(day) => first + i32::from(day),
            ChangeDay::Month { month, week, weekday: wanted } => {
                let first = Date { year, month, day: 1 }.days();
                let ahead = (7 + wanted - weekday(first)) % 7;
                let mut day = ahead + 7 * (week - 1);
                if day >= month_len(year, month) {
                    day -= 7;
                }
                first + i32::from(day)
            }
        };
        i64::from(day) * i64::from(DAY) + i64::from(self.second - offset)
    }
}

/// The day of a time.
pub(crate) fn day_of(time: i64) -> i32 {
    let day = time.div_euclid(DAY.into());
    day.clamp(-i64::from(FARTHEST), FARTHEST.into()) as i32
}

/// Days from 1970 farther than which there are no rules.
const FARTHEST: i32 = 1_000_000_000;
