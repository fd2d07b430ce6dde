//! The clock on the wall: the board's, or what a user set it to.

use crate::engine::{LocalTime, UNDATED};
use umqtt_net::Instant;

const DAY_MS: u64 = 86_400_000;
/// A Monday.
const MONDAY: u32 = 4;

/// The clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// What a user set: local time in milliseconds since 1970, and when it was that.
    set: Option<(u64, Instant)>,
    /// What a time server said: UTC in milliseconds since 1970, and when it was that.
    synchronised: Option<(u64, Instant)>,
    /// The clock or its zone was set, and the script has not got the event yet.
    changed: bool,
}

impl Clock {
    /// The time now: what a user set, else what a time server said or the board knows (`board`,
    /// milliseconds since 1970 in UTC), in a time zone so many seconds ahead of UTC. `None` if none
    /// is known.
    pub(crate) fn at(&self, now: Instant, board: Option<u64>, zone: i32) -> Option<LocalTime> {
        let local = match (self.set, self.synchronised_at(now).or(board)) {
            (Some((local, then)), _) => local + (now - then).as_millis(),
            (None, Some(utc)) => utc.saturating_add_signed(i64::from(zone) * 1000),
            (None, None) => return None,
        };
        let day = u32::try_from(local / DAY_MS).unwrap_or(u32::MAX);
        Some(LocalTime { day, millis: (local % DAY_MS) as u32 })
    }

    /// UTC in milliseconds since 1970, if it is what a time server said, or the board's: not what a
    /// user set, who has set it in a zone and perhaps without a date.
    pub(crate) fn utc_at(&self, now: Instant, board: Option<u64>) -> Option<u64> {
        match self.set {
            Some(_) => None,
            None => self.synchronised_at(now).or(board),
        }
    }

    fn synchronised_at(&self, now: Instant) -> Option<u64> {
        let (utc, then) = self.synchronised?;
        Some(utc.saturating_add(now.saturating_duration_since(then).as_millis()))
    }

    /// A time server has said what time it is in UTC: that counts until a user sets another. It is
    /// a correction: alarms that have rung today do not ring again.
    pub(crate) fn synchronise(&mut self, utc: u64, now: Instant) {
        self.set = None;
        self.synchronised = Some((utc, now));
    }

    /// No time server is asked any more: the board's own clock counts again.
    pub(crate) fn forget_synchronisation(&mut self) {
        self.synchronised = None;
    }

    /// The zone has changed.
    pub(crate) fn note_changed(&mut self) {
        self.changed = true;
    }

    /// Whether it was set since this was asked last.
    pub(crate) fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// Sets the time of day, on the day it is now (`today`), which may be unknown.
    pub(crate) fn set_time(&mut self, second: u32, now: Instant, today: Option<LocalTime>) {
        let day = today.map_or(UNDATED, |time| time.day);
        self.set = Some((u64::from(day) * DAY_MS + u64::from(second) * 1000, now));
        self.changed = true;
    }

    /// Sets the day of the week, 0 for Monday, keeping the time of day (`today`, else midnight).
    pub(crate) fn set_weekday(&mut self, weekday: u8, now: Instant, today: Option<LocalTime>) {
        let known = today.and_then(|time| Some((time.day, weekday_of(time)?)));
        let (day, today_is) = known.unwrap_or((MONDAY, 0));
        let ahead = (u32::from(weekday) + 7 - u32::from(today_is)) % 7;
        let millis = today.map_or(0, |time| time.millis);
        self.set = Some((u64::from(day + ahead) * DAY_MS + u64::from(millis), now));
        self.changed = true;
    }
}

/// The day of the week of a time, 0 for Monday; `None` if it is unknown.
pub(crate) fn weekday_of(time: LocalTime) -> Option<u8> {
    // 1 January 1970 was a Thursday.
    (time.day < UNDATED).then_some(((time.day + 3) % 7) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    #[test]
    fn the_time_zone_moves_the_boards_clock_over_midnight() {
        let clock = Clock::default();
        assert_eq!(clock.at(Instant::ZERO, None, 2), None);
        // 1970-01-02 23:30, a Friday.
        let utc = DAY_MS + 23 * HOUR_MS + HOUR_MS / 2;
        let local = clock.at(Instant::ZERO, Some(utc), 7200).unwrap();
        assert_eq!((&local.hms(), &local.weekday()), (b"01:30:00", b"Sat"));
        assert_eq!(clock.at(Instant::ZERO, Some(HOUR_MS), -3600).unwrap().millis, 0);
    }

    #[test]
    fn a_set_clock_goes_on_from_there() {
        let mut clock = Clock::default();
        clock.set_time(86_399, Instant::from_millis(5_000), None);
        let time = clock.at(Instant::from_millis(5_000), None, 0);
        assert_eq!((weekday_of(time.unwrap()), &time.unwrap().weekday()), (None, b"xxx"));
        let tomorrow = clock.at(Instant::from_millis(6_000), None, 0).unwrap();
        assert_eq!((&tomorrow.hms(), &tomorrow.weekday()), (b"00:00:00", b"xxx"));
        clock.set_weekday(6, Instant::from_millis(5_000), time);
        let later = clock.at(Instant::from_millis(6_500), Some(0), 9).unwrap();
        assert_eq!((&later.hms(), &later.weekday()), (b"00:00:00", b"Mon"));
        assert_eq!(later.millis, 500);
    }
}
