//! The script's alarms: once a day, when the clock passes a time.
//!
//! A script gives `hh`, `hh:mm` or `hh:mm:ss`, and an alarm is due when the clock's `hh:mm:ss` is
//! not less than that text, compared byte by byte. As times grow with their text, that is the same
//! as the first second of the day that is not less: this is found once, and from then on only
//! numbers are compared.
//!
//! A clock that is set forward passes what lies between. Set back by its owner
//! ([`Alarms::clock_set`]), or by more than [`CORRECTION_MS`], it passes the alarms of the day that
//! lie ahead again, and they ring. Set back by less it was corrected (by a time server, at the end
//! of summer time), and what has rung does not ring again.
//!
//! A clock whose date was not known until it was corrected shows another date by that, not another
//! time of day: only the way to the nearest moment of that time of day is what it was corrected by.

use alloc::vec::Vec;

use umqtt_net::{Duration, Instant};

use super::clock::{DAY_MS, LocalTime, Now, is_dated};

const SECONDS_PER_DAY: u32 = 86_400;

/// A clock that goes back by up to so many milliseconds without being set was corrected.
const CORRECTION_MS: u64 = 3 * 3_600_000;

#[derive(Clone, Copy, Debug)]
struct Alarm {
    n: u8,
    /// Rings at the first moment of this second of the day.
    second: u32,
    /// The first day on which it may ring; unknown as long as the clock is not set.
    day: Option<u32>,
}

impl Alarm {
    /// Set to a time past already, it rings tomorrow.
    fn prime(&mut self, clock: LocalTime) {
        self.day = Some(day(clock) + u32::from(clock.second() >= self.second));
    }
}

/// The alarms that are set: at most one per number, so never more than the profile has.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    set: Vec<Alarm>,
    /// When the clock was last looked at, and what it showed.
    seen: Option<(Instant, LocalTime)>,
}

impl Alarms {
    /// Sets alarm `n` anew; a text no time of day ever reaches (or an empty one) disarms it.
    pub(super) fn set(&mut self, n: u8, time: &[u8], at: &Now) {
        if self.set.is_empty() {
            self.seen = at.clock.map(|clock| (at.now, clock));
        }
        self.set.retain(|alarm| alarm.n != n);
        let Some(second) = first_second(time) else { return };
        let mut alarm = Alarm { n, second, day: None };
        if let Some(clock) = at.clock {
            alarm.prime(clock);
        }
        let place = self.set.partition_point(|other| (other.second, other.n) < (second, n));
        self.set.insert(place, alarm);
    }

    /// The next alarm that rings at this time; it is then done for today.
    pub(super) fn take_due(&mut self, now: Instant, clock: LocalTime) -> Option<u8> {
        if self.set.is_empty() {
            return None;
        }
        self.find_date(now, clock);
        if self.expected(now).is_some_and(|shown| shown > total(clock) + CORRECTION_MS) {
            self.set.iter_mut().for_each(|alarm| alarm.prime(clock));
        }
        self.seen = Some((now, clock));
        for alarm in &mut self.set {
            let Some(first) = alarm.day else {
                alarm.prime(clock);
                continue;
            };
            // As a pair: one that was due before midnight still rings after it.
            if (first, alarm.second) <= (day(clock), clock.second()) {
                alarm.prime(clock);
                return Some(alarm.n);
            }
        }
        None
    }

    /// The owner has set the clock to this: where it was set back, the alarms that lie ahead ring
    /// today. Another date alone changes nothing about what is done for today.
    pub(super) fn clock_set(&mut self, now: Instant, clock: LocalTime) {
        if let Some(shown) = self.expected(now) {
            let shown_day = (shown / u64::from(DAY_MS)) as u32;
            let ahead = day(clock).wrapping_sub(shown_day);
            for alarm in &mut self.set {
                alarm.day = alarm.day.map(|day| day.wrapping_add(ahead));
                if u64::from(clock.millis) < shown % u64::from(DAY_MS) {
                    alarm.prime(clock);
                }
            }
        }
        self.seen = Some((now, clock));
    }

    /// If the clock has a date that it had not when it was last looked at, moves all to that date.
    fn find_date(&mut self, now: Instant, clock: LocalTime) {
        let Some((_, seen)) = self.seen else { return };
        let Some(shown) = self.expected(now) else { return };
        if !is_dated(clock) || is_dated(seen) {
            return;
        }
        // Back or forward by half a day at most.
        let half = u64::from(DAY_MS / 2);
        let shown_day = (shown / u64::from(DAY_MS)) as u32;
        let (shown_time, time) = (shown % u64::from(DAY_MS), u64::from(clock.millis));
        let shown_as = match () {
            () if time > shown_time + half => clock.day + 1,
            () if shown_time > time + half => clock.day.saturating_sub(1),
            () => clock.day,
        };
        let ahead = shown_as.wrapping_sub(shown_day);
        for alarm in &mut self.set {
            alarm.day = alarm.day.map(|day| day.wrapping_add(ahead));
        }
        self.seen = Some((now, LocalTime { day: shown_as, millis: shown_time as u32 }));
    }

    /// What the clock would show now if nothing had changed it, in milliseconds.
    fn expected(&self, now: Instant) -> Option<u64> {
        let (then, clock) = self.seen?;
        Some(total(clock).saturating_add(now.saturating_duration_since(then).as_millis()))
    }

    /// The next alarm that rings, and how long it waits if the clock is not set meanwhile: not at
    /// all if one is due.
    pub(super) fn next(&self, clock: LocalTime) -> Option<(Duration, u8)> {
        let wait = |alarm: &Alarm| {
            let days = u64::from(alarm.day?.saturating_sub(day(clock)));
            let ms = days * u64::from(DAY_MS) + u64::from(alarm.second * 1000);
            Some(Duration::from_millis(ms.saturating_sub(clock.millis.into())))
        };
        // Not yet primed: look at once.
        self.set.iter().map(|alarm| (wait(alarm).unwrap_or(Duration::ZERO), alarm.n)).min()
    }

    /// Disarms all.
    pub(super) fn clear(&mut self) {
        self.set.clear();
    }
}

/// The day, such that there always is another one after it.
fn day(clock: LocalTime) -> u32 {
    clock.day.min(u32::MAX - 1)
}

/// Milliseconds since day 0.
fn total(clock: LocalTime) -> u64 {
    u64::from(clock.day) * u64::from(DAY_MS) + u64::from(clock.millis)
}

/// Whether a text is `hh`, `hh:mm` or `hh:mm:ss`, or disarms an alarm: empty, or what the clock
/// shows that is not set. Others are compared all the same, but not as they were meant: `8:00` is
/// never reached, and `0630` at six.
pub(super) fn is_alarm_time(text: &[u8]) -> bool {
    let is_right = |(at, byte): (usize, &u8)| match at % 3 {
        2 => *byte == b':',
        _ => byte.is_ascii_digit(),
    };
    matches!(text.len(), 0 | 2 | 5 | 8) && text.iter().enumerate().all(is_right)
}

/// The first second of a day whose `hh:mm:ss` is not less than `text`.
fn first_second(text: &[u8]) -> Option<u32> {
    /// The least and the greatest byte at a place of `hh:mm:ss`, and the seconds a digit is worth.
    const PLACES: [(u8, u8, u32); 8] = [
        (b'0', b'2', 36_000),
        (b'0', b'9', 3600),
        (b':', b':', 0),
        (b'0', b'5', 600),
        (b'0', b'9', 60),
        (b':', b':', 0),
        (b'0', b'5', 10),
        (b'0', b'9', 1),
    ];
    if text.is_empty() {
        return None;
    }
    // The first second of those whose text begins as this does so far, and how many there are.
    let (mut second, mut span) = (0, SECONDS_PER_DAY);
    for (at, byte) in text.iter().enumerate() {
        let Some((least, greatest, worth)) = PLACES.get(at) else {
            // More than a whole time.
            second += span;
            break;
        };
        if byte < least {
            break;
        }
        if byte > greatest {
            second += span;
            break;
        }
        second += u32::from(byte - least) * worth;
        if *worth > 0 {
            span = *worth;
        }
    }
    (second < SECONDS_PER_DAY).then_some(second)
}

#[cfg(test)]
mod tests;
