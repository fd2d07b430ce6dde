//! The clock on the wall: the board's, or what a user set it to.

use alloc::boxed::Box;
use core::cell::Cell;

use umqtt_calendar::{Period, Zone};
use umqtt_net::Instant;

use crate::engine::{LocalTime, UNDATED, is_dated};

const DAY_MS: u64 = 86_400_000;
/// A Monday.
const MONDAY: u32 = 4;

/// The time, and where it is from.
#[derive(Debug, Default)]
pub(crate) struct WallClock {
    /// What is known besides what the board knows: the latest word counts.
    known: Option<Known>,
    /// The zone, if one is set.
    zone: Option<Box<LocalZone>>,
    /// The clock, its zone or its place was set, and the script has not got the event yet.
    changed: bool,
}

/// A time that was told.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Milliseconds since 1970, in UTC or local time.
    millis: u64,
    /// When it was that.
    then: Instant,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A user, who has set a time of day or a day of the week: local time, whose date is not known.
    UserLocal,
    /// A user has set the time of a known day.
    User,
    /// A time server.
    Server,
}

/// A zone, and the time around now within which its offset does not change.
#[derive(Debug)]
struct LocalZone {
    zone: Zone,
    period: Cell<Period>,
}

impl WallClock {
    /// The time now: what a user set, else what a time server said or the board knows (`board`,
    /// milliseconds since 1970 in UTC), in a zone that is so many seconds ahead of UTC at a time in
    /// UTC. `None` if none is known.
    pub(crate) fn at(
        &self,
        now: Instant,
        board: Option<u64>,
        offset: impl FnOnce(u64) -> i32,
    ) -> Option<LocalTime> {
        let local = match self.known {
            Some(Known { source: Source::UserLocal, .. }) => self.told_at(now)?,
            _ => {
                let utc = self.told_at(now).or(board)?;
                utc.saturating_add_signed(i64::from(offset(utc)) * 1000)
            }
        };
        let day = u32::try_from(local / DAY_MS).unwrap_or(u32::MAX);
        Some(LocalTime { day, millis: (local % DAY_MS) as u32 })
    }

    /// UTC in milliseconds since 1970, if it is what a time server said, or the board's: not what a
    /// user set.
    pub(crate) fn utc_at(&self, now: Instant, board: Option<u64>) -> Option<u64> {
        match self.known {
            Some(Known { source: Source::UserLocal | Source::User, .. }) => None,
            _ => self.told_at(now).or(board),
        }
    }

    /// The same, also of what a user set on a day that was known.
    pub(crate) fn dated_utc(&self, now: Instant, board: Option<u64>) -> Option<u64> {
        match self.known {
            Some(Known { source: Source::UserLocal, .. }) => None,
            _ => self.told_at(now).or(board),
        }
    }

    fn told_at(&self, now: Instant) -> Option<u64> {
        let Known { millis, then, .. } = self.known?;
        Some(millis.saturating_add(now.saturating_duration_since(then).as_millis()))
    }

    /// A time server has said what time it is in UTC: that counts until a user sets another. It is
    /// a correction: alarms that have rung today do not ring again.
    pub(crate) fn synchronise(&mut self, utc: u64, now: Instant) {
        self.known = Some(Known { millis: utc, then: now, source: Source::Server });
    }

    /// No time server is asked any more: the board's own clock counts again.
    pub(crate) fn forget_synchronisation(&mut self) {
        self.known.take_if(|known| known.source == Source::Server);
    }

    /// The zone that counts, or none of its own.
    pub(crate) fn set_zone(&mut self, zone: Option<Zone>) {
        let period = Cell::new(Period { offset: 0, from: 0, until: 0 });
        self.zone = zone.map(|zone| Box::new(LocalZone { zone, period }));
        self.changed = true;
    }

    /// The zone, if one was set.
    pub(crate) fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref().map(|local| &local.zone)
    }

    /// Seconds that the zone that was set is ahead of UTC at a time in UTC, milliseconds since
    /// 1970.
    pub(crate) fn offset_at(&self, utc: u64) -> Option<i32> {
        let local = self.zone.as_ref()?;
        let utc = i64::try_from(utc / 1000).unwrap_or(i64::MAX);
        let mut period = local.period.get();
        if !(period.from..period.until).contains(&utc) {
            period = local.zone.period_at(utc);
            local.period.set(period);
        }
        Some(period.offset)
    }

    /// The zone or the place has changed.
    pub(crate) fn note_changed(&mut self) {
        self.changed = true;
    }

    /// Whether it was set since this was asked last.
    pub(crate) fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// Sets the time of day, on the day it is now (`today`), which may be unknown. `zone` is the
    /// one that counts.
    pub(crate) fn set_time(
        &mut self,
        second: u32,
        now: Instant,
        today: Option<LocalTime>,
        zone: &Zone,
    ) {
        let day = today.map_or(UNDATED, |time| time.day);
        self.set_local(LocalTime { day, millis: second * 1000 }, now, zone);
    }

    /// Sets the day of the week, 0 for Monday, keeping the time of day (`today`, else midnight).
    pub(crate) fn set_weekday(
        &mut self,
        weekday: u8,
        now: Instant,
        today: Option<LocalTime>,
        zone: &Zone,
    ) {
        let known = today.and_then(|time| Some((time.day, weekday_of(time)?)));
        let (day, today_is) = known.unwrap_or((MONDAY, 0));
        let ahead = (u32::from(weekday) + 7 - u32::from(today_is)) % 7;
        let millis = today.map_or(0, |time| time.millis);
        self.set_local(LocalTime { day: day + ahead, millis }, now, zone);
    }

    fn set_local(&mut self, time: LocalTime, now: Instant, zone: &Zone) {
        let mut millis = u64::from(time.day) * DAY_MS + u64::from(time.millis);
        let mut source = Source::UserLocal;
        if is_dated(time) {
            let local = i64::try_from(millis / 1000).unwrap_or(0);
            let ahead = local - zone.to_utc(local);
            (millis, source) = (millis.saturating_add_signed(-ahead * 1000), Source::User);
        }
        self.known = Some(Known { millis, then: now, source });
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
        let clock = WallClock::default();
        assert_eq!(clock.at(Instant::ZERO, None, |_| 2), None);
        // 1970-01-02 23:30, a Friday.
        let utc = DAY_MS + 23 * HOUR_MS + HOUR_MS / 2;
        let local = clock.at(Instant::ZERO, Some(utc), |_| 7200).unwrap();
        assert_eq!((&local.hms(), &local.weekday()), (b"01:30:00", b"Sat"));
        assert_eq!(clock.at(Instant::ZERO, Some(HOUR_MS), |_| -3600).unwrap().millis, 0);
    }

    #[test]
    fn a_set_clock_goes_on_from_there() {
        let mut clock = WallClock::default();
        clock.set_time(86_399, Instant::from_millis(5_000), None, &Zone::UTC);
        let time = clock.at(Instant::from_millis(5_000), None, |_| 0);
        assert_eq!((weekday_of(time.unwrap()), &time.unwrap().weekday()), (None, b"xxx"));
        let tomorrow = clock.at(Instant::from_millis(6_000), None, |_| 0).unwrap();
        assert_eq!((&tomorrow.hms(), &tomorrow.weekday()), (b"00:00:00", b"xxx"));
        clock.set_weekday(6, Instant::from_millis(5_000), time, &Zone::UTC);
        let later = clock.at(Instant::from_millis(6_500), Some(0), |_| 9).unwrap();
        assert_eq!((&later.hms(), &later.weekday()), (b"00:00:00", b"Mon"));
        assert_eq!(later.millis, 500);
    }
}
