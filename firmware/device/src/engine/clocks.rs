//! The handlers of `on clock`: once a day, when the local clock passes their time.
//!
//! Each remembers the day whose event it has had, and when the next one is due. A clock that is set
//! forward passes what lies between; so does one that summer time makes leap. One that goes back,
//! for it was corrected or summer time has ended, passes some times again: what was had on that day
//! is not had twice. A clock that shows another date from one moment to the next did not pass the
//! days between, its date was wrong: then what was done on the day it showed counts for the day it
//! is.

use alloc::vec::Vec;

use umqtt_calendar::{DAY, weekday};
use umqtt_net::{Duration, Instant};
use umqtt_vm::schedule::{ClockBase, ClockTime, Days};

use super::clock::{DAY_MS, LocalTime, UNDATED};

/// So many days ahead the next time of a handler is looked for: each day of the week, and one more
/// to either side for an offset. Where there is none, as in a polar night, it is looked for again
/// then.
const DAYS_AHEAD: u32 = 9;

/// The clock goes back by less all the time, where it is read twice.
const BACK: i64 = 1000;

/// Sunrise and sunset of a local day, in seconds from its midnight.
pub(super) type Sun<'s> = dyn FnMut(u32) -> Option<[i32; 2]> + 's;

/// A handler.
#[derive(Clone, Copy, Debug)]
struct Entry {
    n: u8,
    time: ClockTime,
    /// The day whose event it has had last; [`u32::MAX`] for none.
    done: u32,
    /// The day whose event is the next; `None` if none of the coming days has one.
    day: Option<u32>,
    /// When that is, or when it is looked for again.
    due: LocalTime,
}

/// The handlers, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    entries: Vec<Entry>,
    /// When the clock was last looked at, and what it showed.
    seen: Option<(Instant, LocalTime)>,
    /// Their next times are to be found anew.
    stale: bool,
}

impl Clocks {
    /// Adds a handler; false if there is no memory.
    pub(super) fn add(&mut self, n: u8, time: ClockTime) -> bool {
        if self.entries.try_reserve_exact(1).is_err() {
            return false;
        }
        let due = LocalTime { day: 0, millis: 0 };
        self.entries.push(Entry { n, time, done: u32::MAX, day: None, due });
        self.stale = true;
        true
    }

    /// Sunrise, sunset or the zone may have changed.
    pub(super) fn set_stale(&mut self) {
        self.stale = true;
    }

    /// The next handler whose time has come.
    pub(super) fn take_due(
        &mut self,
        now: Instant,
        clock: LocalTime,
        sun: &mut Sun<'_>,
    ) -> Option<u8> {
        if self.entries.is_empty() {
            return None;
        }
        self.look(now, clock, sun);
        // What is due longest comes first.
        while let Some(at) = self.first()
            && let Some(entry) = self.entries.get_mut(at).filter(|entry| entry.due <= clock)
        {
            let day = entry.day;
            entry.done = day.unwrap_or(entry.done);
            entry.find_next(clock, sun);
            // Without a day it was only to be looked for again.
            if day.is_some() {
                return Some(entry.n);
            }
        }
        None
    }

    /// The place of the one that is due first.
    fn first(&self) -> Option<usize> {
        let entries = self.entries.iter().enumerate();
        entries.min_by_key(|(at, entry)| (entry.due, *at)).map(|(at, _)| at)
    }

    /// Notes what the clock shows, and whether it was set meanwhile.
    fn look(&mut self, now: Instant, clock: LocalTime, sun: &mut Sun<'_>) {
        let mut from = clock;
        if let Some((then, seen)) = self.seen {
            let elapsed = now.saturating_duration_since(then).as_millis();
            let shown = seen.total().saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX));
            let jump = clock.total() - shown;
            // The nearest to no other time of day.
            let days = (jump + i64::from(DAY_MS / 2)).div_euclid(DAY_MS.into());
            if jump.unsigned_abs() >= DAY_MS.into() {
                let days = days as u32;
                for entry in self.entries.iter_mut().filter(|entry| entry.done != u32::MAX) {
                    entry.done = entry.done.wrapping_add(days);
                }
                from = LocalTime::from_total(
                    shown.saturating_add(i64::from(days.cast_signed()) * i64::from(DAY_MS)),
                );
                self.stale = true;
            } else if jump <= -BACK {
                self.stale = true;
            } else {
                from = seen;
            }
        }
        self.seen = Some((now, clock));
        if core::mem::take(&mut self.stale) {
            self.entries.iter_mut().for_each(|entry| entry.find_next(from, sun));
        }
    }

    /// How long it is until the next one, if the clock is not set meanwhile.
    pub(super) fn next(&self, clock: LocalTime) -> Option<(Duration, u8)> {
        let at = self.first()?;
        let wait = if self.stale { 0 } else { self.entries[at].due.total() - clock.total() };
        Some((Duration::from_millis(u64::try_from(wait).unwrap_or(0)), self.entries[at].n))
    }
}

impl Entry {
    /// Finds the first time behind `from` that is of another day than what was had.
    fn find_next(&mut self, from: LocalTime, sun: &mut Sun<'_>) {
        let first = from.day.saturating_sub(2);
        for day in first..=from.day.saturating_add(DAYS_AHEAD) {
            if day == self.done || !is_on(self.time.days, day) {
                continue;
            }
            let second = match self.time.base {
                ClockBase::Midnight => Some(0),
                base if day < UNDATED => {
                    sun(day).map(|sun| sun[usize::from(base == ClockBase::Sunset)])
                }
                _ => None,
            };
            let Some(second) = second else { continue };
            let due = LocalTime::at(day, second + self.time.seconds);
            if due > from {
                (self.day, self.due) = (Some(day), due);
                return;
            }
        }
        (self.day, self.due) = (None, LocalTime { day: from.day.saturating_add(7), millis: 0 });
    }
}

/// Whether a day is one of these.
fn is_on(days: Days, day: u32) -> bool {
    match i32::try_from(day) {
        Ok(day) => days.has(weekday(day)),
        // One whose name is not known.
        Err(_) => days == Days::ALL,
    }
}

impl LocalTime {
    /// So many seconds from the midnight of a day, which may be another day's.
    fn at(day: u32, second: i32) -> LocalTime {
        let day = day.saturating_add_signed(second.div_euclid(DAY));
        LocalTime { day, millis: second.rem_euclid(DAY).cast_unsigned() * 1000 }
    }

    /// Milliseconds since day 0.
    fn total(self) -> i64 {
        i64::from(self.day) * i64::from(DAY_MS) + i64::from(self.millis)
    }

    fn from_total(total: i64) -> LocalTime {
        let (day, millis) = (total.div_euclid(DAY_MS.into()), total.rem_euclid(DAY_MS.into()));
        LocalTime { day: u32::try_from(day).unwrap_or(0), millis: millis as u32 }
    }
}
