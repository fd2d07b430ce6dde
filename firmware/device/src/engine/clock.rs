//! Time, as every call of the engine gets it: how long the device runs, and its local time.

use umqtt_net::Instant;

/// Later than anything.
pub(super) const NEVER: Instant = Instant::MAX;

/// Days from here on are counted from an unknown day.
pub(crate) const UNDATED: u32 = 1 << 31;

/// Before this day no date is one: only the day of the week of such a clock was set.
const FIRST_DATE: u32 = 365;

/// Milliseconds in a day.
pub(super) const DAY_MS: u32 = 86_400_000;

/// Local date and time of day, once the clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// Days since Thursday, 1 January 1970, in local time. Where only the day of the week is known,
    /// any day that falls on it; where not even that is, one from 2<sup>31</sup> on.
    pub day: u32,
    /// Milliseconds since midnight, 0 to 86,399,999.
    pub millis: u32,
}

impl LocalTime {
    /// From seconds since 1970 in local time, up to the year 5,000,000.
    pub fn from_unix(seconds: u64) -> LocalTime {
        let day = u32::try_from(seconds / 86_400).unwrap_or(u32::MAX).min(UNDATED - 1);
        LocalTime { day, millis: (seconds % 86_400) as u32 * 1000 }
    }

    /// The time of day as `hh:mm:ss`.
    pub fn hms(self) -> [u8; 8] {
        hms(self.second())
    }

    /// The day of the week, `Mon` to `Sun`; `xxx` if it is unknown.
    pub fn weekday(self) -> [u8; 3] {
        const NAMES: [[u8; 3]; 7] = [*b"Thu", *b"Fri", *b"Sat", *b"Sun", *b"Mon", *b"Tue", *b"Wed"];
        if self.day >= UNDATED {
            return *b"xxx";
        }
        NAMES[(self.day % 7) as usize]
    }

    /// Seconds since midnight.
    pub(super) fn second(self) -> u32 {
        self.millis / 1000
    }
}

/// Whether the date of a clock is known, and not only its day of the week.
pub(crate) fn is_dated(clock: LocalTime) -> bool {
    (FIRST_DATE..UNDATED).contains(&clock.day)
}

/// Seconds since midnight as `hh:mm:ss`.
pub(super) fn hms(second: u32) -> [u8; 8] {
    let two = |n: u32| [b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
    let ([h0, h1], [m0, m1], [s0, s1]) =
        (two(second / 3600), two(second / 60 % 60), two(second % 60));
    [h0, h1, b':', m0, m1, b':', s0, s1]
}

/// The time of a call: every call of the engine gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// How long the device runs.
    pub now: Instant,
    /// The local time, `None` until the clock is set.
    pub clock: Option<LocalTime>,
}

/// So many milliseconds after the start.
#[cfg(test)]
pub(super) const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_its_weekday_and_time() {
        // 2024-02-29 23:59:59, a Thursday.
        let time = LocalTime::from_unix(1_709_251_199);
        assert_eq!(&time.weekday(), b"Thu");
        assert_eq!(&time.hms(), b"23:59:59");
        let next = LocalTime::from_unix(1_709_251_200);
        assert_eq!((&next.weekday(), &next.hms()), (b"Fri", b"00:00:00"));
    }
}
