//! The clock on the wall: the board's, or what a user set it to.

use crate::engine::{ClockTime, Millis};

const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

/// The clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Local time in milliseconds since 1970, and when it was that.
    set: Option<(u64, Millis)>,
}

impl Clock {
    /// The time now: what was set, else the board's (`utc`, milliseconds since 1970) in a time zone so many hours
    /// ahead of UTC. `None` if neither is known.
    pub(crate) fn at(&self, now: Millis, utc: Option<u64>, zone: i32) -> Option<ClockTime> {
        let local = match (self.set, utc) {
            (Some((local, then)), _) => local + (now - then),
            (None, Some(utc)) => {
                let shift = u64::from(zone.unsigned_abs()) * HOUR_MS;
                if zone < 0 { utc.saturating_sub(shift) } else { utc + shift }
            }
            (None, None) => return None,
        };
        let day = u32::try_from(local / DAY_MS).unwrap_or(u32::MAX);
        Some(ClockTime { day, millis: (local % DAY_MS) as u32 })
    }

    /// Sets the time of day, on the day it is now (`today`), or on a Monday if that is not known.
    pub(crate) fn set_time(&mut self, second: u32, now: Millis, today: Option<ClockTime>) {
        const MONDAY: u32 = 4;
        let day = today.map_or(MONDAY, |time| time.day);
        self.set = Some((u64::from(day) * DAY_MS + u64::from(second) * 1000, now));
    }

    /// Sets the day of the week, 0 for Monday, keeping the time of day (`today`, else midnight).
    pub(crate) fn set_weekday(&mut self, weekday: u8, now: Millis, today: Option<ClockTime>) {
        let today = today.unwrap_or(ClockTime { day: 4, millis: 0 });
        let ahead = (u32::from(weekday) + 7 - u32::from(weekday_of(today))) % 7;
        let day = u64::from(today.day) + u64::from(ahead);
        self.set = Some((day * DAY_MS + u64::from(today.millis), now));
    }
}

/// The day of the week of a time, 0 for Monday.
pub(crate) fn weekday_of(time: ClockTime) -> u8 {
    ((time.day + 3) % 7) as u8 // 1 January 1970 was a Thursday
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_zone_moves_the_boards_clock_over_midnight() {
        let clock = Clock::default();
        assert_eq!(clock.at(0, None, 2), None);
        // 1970-01-02 23:30, a Friday.
        let utc = DAY_MS + 23 * HOUR_MS + HOUR_MS / 2;
        let local = clock.at(0, Some(utc), 2).unwrap();
        assert_eq!((&local.hms(), &local.weekday()), (b"01:30:00", b"Sat"));
        assert_eq!(clock.at(0, Some(HOUR_MS), -1).unwrap().millis, 0);
    }

    #[test]
    fn a_set_clock_goes_on_from_there() {
        let mut clock = Clock::default();
        clock.set_time(86_399, 5_000, None);
        let time = clock.at(5_000, None, 0);
        assert_eq!(weekday_of(time.unwrap()), 0);
        clock.set_weekday(6, 5_000, time);
        let later = clock.at(6_500, Some(0), 9).unwrap();
        assert_eq!((&later.hms(), &later.weekday()), (b"00:00:00", b"Mon"));
        assert_eq!(later.millis, 500);
    }
}
