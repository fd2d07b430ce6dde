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

use super::clock::{DAY_MS, LocalTime, Now, UNDATED, hms};

const SECONDS_PER_DAY: u32 = 86_400;

/// A clock that goes back by up to so many milliseconds without being set was corrected.
const CORRECTION_MS: u64 = 3 * 3_600_000;

/// Before this day no date is one: only the day of the week of such a clock was set.
const FIRST_DATE: u32 = 365;

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

/// Whether the date of a clock is known, and not only its day of the week.
fn is_dated(clock: LocalTime) -> bool {
    (FIRST_DATE..UNDATED).contains(&clock.day)
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
    if text.is_empty() {
        return None;
    }
    let (mut low, mut high) = (0, SECONDS_PER_DAY);
    while low < high {
        let middle = (low + high) / 2;
        if hms(middle).as_slice() < text { low = middle + 1 } else { high = middle }
    }
    (low < SECONDS_PER_DAY).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u32, time: &str) -> LocalTime {
        let mut parts = time.split(':').map(|part| part.parse::<u32>().unwrap());
        let mut next = || parts.next().unwrap_or(0);
        LocalTime { day, millis: (next() * 3600 + next() * 60 + next()) * 1000 }
    }

    fn rings(alarms: &mut Alarms, day: u32, time: &str) -> bool {
        alarms.take_due(Instant::ZERO, at(day, time)).is_some()
    }

    fn moment(day: u32, time: &str) -> Now {
        Now { now: Instant::ZERO, clock: Some(at(day, time)) }
    }

    const UNSET: Now = Now { now: Instant::ZERO, clock: None };

    #[test]
    fn texts_become_seconds() {
        for (text, second) in [
            ("07", Some(7 * 3600)),
            ("07:30", Some(27_000)),
            ("07:30:01", Some(27_001)),
            ("00", Some(0)),
            ("0", Some(0)),
            // Less than any time, as bytes: due as the day begins.
            ("/", Some(0)),
            // More than 07:30:59 and less than 07:31.
            ("07:30:99", Some(27_060)),
            ("07:30:01x", Some(27_002)),
            ("23:59:59", Some(86_399)),
            ("23:59:59x", None),
            ("24:00", None),
            // As on the device: bytes are compared, and 7 is above 2.
            ("7:30", None),
            ("", None),
        ] {
            assert_eq!(first_second(text.as_bytes()), second, "{text}");
        }
    }

    #[test]
    fn rings_once_a_day() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"07:00", &moment(10, "06:59:58"));
        assert!(!rings(&mut alarms, 10, "06:59:59"));
        assert!(rings(&mut alarms, 10, "07:00:00"));
        assert!(!rings(&mut alarms, 10, "07:00:01"));
        assert!(!rings(&mut alarms, 11, "06:00"));
        assert!(rings(&mut alarms, 11, "09:00"));
    }

    #[test]
    fn past_already_means_tomorrow() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"07:00", &moment(10, "07:00:00"));
        assert!(!rings(&mut alarms, 10, "23:00"));
        assert!(rings(&mut alarms, 11, "07:00"));
    }

    #[test]
    fn waits_for_the_clock() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"07:00", &UNSET);
        alarms.set(2, b"08:00", &UNSET);
        assert_eq!(alarms.take_due(Instant::ZERO, at(10, "07:30")), None);
        assert_eq!(alarms.take_due(Instant::ZERO, at(10, "08:30")), Some(2));
        assert_eq!(alarms.take_due(Instant::ZERO, at(11, "07:30")), Some(1));
    }

    #[test]
    fn a_clock_that_jumps() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"07:00", &moment(10, "06:00"));
        assert!(rings(&mut alarms, 10, "09:00"), "forward over it");
        assert!(!rings(&mut alarms, 10, "06:30"), "a correction");
        assert!(!rings(&mut alarms, 10, "07:00"), "once a day, however often it is corrected");
        assert!(!rings(&mut alarms, 9, "23:00"), "back over midnight, too far for a correction");
        assert!(rings(&mut alarms, 10, "08:00"));
        assert!(rings(&mut alarms, 11, "07:00"));
        assert!(!rings(&mut alarms, 5, "06:00"), "a clock that was days wrong");
        assert!(rings(&mut alarms, 5, "07:00"));
        assert!(!rings(&mut alarms, 5, "07:01"));
    }

    /// Sets the clock as its owner does.
    fn put(alarms: &mut Alarms, day: u32, time: &str) -> Vec<u8> {
        alarms.clock_set(Instant::ZERO, at(day, time));
        core::iter::from_fn(|| alarms.take_due(Instant::ZERO, at(day, time))).collect()
    }

    #[test]
    fn a_clock_the_owner_sets() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"07:00", &moment(10, "06:00"));
        alarms.set(2, b"08:00", &moment(10, "06:00"));
        assert!(rings(&mut alarms, 10, "07:00"));
        assert_eq!(put(&mut alarms, 10, "06:59"), [], "back before one, by a minute");
        assert!(rings(&mut alarms, 10, "07:00"));
        assert_eq!(put(&mut alarms, 10, "07:30"), [], "forward, over none");
        assert_eq!(put(&mut alarms, 10, "08:30"), [2], "forward over one");
        assert_eq!(put(&mut alarms, 10, "07:30"), [], "back between the two");
        assert_eq!(alarms.take_due(Instant::ZERO, at(10, "08:00")), Some(2));
        assert_eq!(alarms.take_due(Instant::ZERO, at(10, "23:00")), None);
        assert_eq!(alarms.take_due(Instant::ZERO, at(11, "07:00")), Some(1));
        // Another date, in both directions: 1 is done for today, 2 is not.
        for day in [14, 4, u32::MAX - 7, 3] {
            assert_eq!(put(&mut alarms, day, "07:30"), [], "{day}");
        }
        assert_eq!(alarms.take_due(Instant::ZERO, at(3, "08:00")), Some(2));
        assert_eq!(alarms.take_due(Instant::ZERO, at(4, "07:00")), Some(1));
    }

    #[test]
    fn one_that_is_past_when_it_is_set_rings_once_the_clock_is_set_back() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"07:00", &moment(10, "09:00"));
        assert_eq!(put(&mut alarms, 10, "06:30"), []);
        assert!(rings(&mut alarms, 10, "07:00"));
        assert!(!rings(&mut alarms, 10, "09:00"));
    }

    #[test]
    fn summer_time_begins_and_ends() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"02:30", &moment(10, "01:59:59"));
        assert!(rings(&mut alarms, 10, "03:00"), "the hour that is not there");
        assert!(!rings(&mut alarms, 10, "03:30"));
        assert!(rings(&mut alarms, 11, "02:30"));
        assert!(!rings(&mut alarms, 11, "02:59:59"));
        for time in ["02:00", "02:30", "02:59:59", "03:00"] {
            assert!(!rings(&mut alarms, 11, time), "the hour that comes twice: {time}");
        }
        assert!(rings(&mut alarms, 12, "02:30"));
    }

    /// A clock that was set by hand and is corrected to a date.
    fn corrected(from_day: u32, from: &str, to: &str, alarm: &str) -> (bool, bool) {
        let mut alarms = Alarms::default();
        alarms.set(1, alarm.as_bytes(), &moment(from_day, from));
        assert!(!rings(&mut alarms, from_day, from));
        let now = rings(&mut alarms, 20_000, to);
        assert!(!rings(&mut alarms, 20_000, to), "once");
        let later = rings(&mut alarms, 20_000, "23:59:59");
        (now, later)
    }

    #[test]
    fn a_clock_that_gets_its_date_keeps_its_alarms() {
        // Known by nothing, or by its day of the week.
        for day in [UNDATED, UNDATED + 7, 4, 10] {
            // Ahead of both: it waits for its time.
            assert_eq!(corrected(day, "06:00:00", "06:00:10", "07:00"), (false, true), "{day}");
            assert_eq!(corrected(day, "06:00:10", "06:00:00", "07:00"), (false, true), "{day}");
            // Between both: it is passed, or was.
            assert_eq!(corrected(day, "06:59:50", "07:00:10", "07:00"), (true, false), "{day}");
            assert_eq!(corrected(day, "07:00:10", "06:59:50", "07:00"), (false, false), "{day}");
            // Behind both.
            assert_eq!(corrected(day, "08:00:00", "08:30:00", "07:00"), (false, false), "{day}");
            // Over midnight, forward: due at both ends of it.
            assert_eq!(corrected(day, "23:59:50", "00:00:20", "00:00:10"), (true, false));
            assert_eq!(corrected(day, "23:59:50", "00:00:20", "23:59:55"), (true, true));
            // Over midnight, back: both were past when they were set.
            assert_eq!(corrected(day, "00:00:10", "23:59:50", "00:00:00"), (false, false));
            assert_eq!(corrected(day, "00:00:10", "23:59:50", "23:59:55"), (false, false));
        }
    }

    #[test]
    fn corrections_over_midnight_neither_lose_an_alarm_nor_ring_it_twice() {
        // 2036-02-07 and 2038-01-19, where others' clocks end, are days as all are.
        for day in [24_143, 24_855] {
            let mut alarms = Alarms::default();
            alarms.set(1, b"00:00:00", &moment(day, "23:59:50"));
            alarms.set(2, b"23:59:55", &moment(day, "23:59:50"));
            let due = |alarms: &mut Alarms, day, time: &str| -> Vec<u8> {
                core::iter::from_fn(|| alarms.take_due(Instant::ZERO, at(day, time))).collect()
            };
            assert_eq!(due(&mut alarms, day + 1, "00:00:05"), [1, 2], "forward over both");
            assert_eq!(due(&mut alarms, day, "23:59:54"), [], "back over both");
            assert_eq!(due(&mut alarms, day, "23:59:59"), [], "they have rung");
            assert_eq!(due(&mut alarms, day + 1, "00:00:00"), []);
            assert_eq!(due(&mut alarms, day + 1, "23:59:55"), [2]);
            assert_eq!(due(&mut alarms, day + 2, "00:00:00"), [1]);
        }
    }

    #[test]
    fn midnight() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"23:59:59", &moment(10, "23:59:58"));
        alarms.set(2, b"00:00:00", &moment(10, "23:59:58"));
        // Nobody looked during the last second of the day.
        assert_eq!(alarms.take_due(Instant::ZERO, at(11, "00:00:00")), Some(2));
        assert_eq!(alarms.take_due(Instant::ZERO, at(11, "00:00:00")), Some(1));
        assert_eq!(alarms.take_due(Instant::ZERO, at(11, "00:00:00")), None);
        assert_eq!(alarms.take_due(Instant::ZERO, at(11, "23:59:59")), Some(1));
    }

    #[test]
    fn the_end_of_time_is_no_endless_alarm() {
        let mut alarms = Alarms::default();
        alarms.set(1, b"07", &moment(u32::MAX, "06:00"));
        assert!(rings(&mut alarms, u32::MAX, "07:00"));
        assert!(!rings(&mut alarms, u32::MAX, "07:00"));
        assert!(alarms.next(at(u32::MAX, "07:00")).is_some_and(|(wait, _)| !wait.is_zero()));
    }

    #[test]
    fn how_long_to_wait() {
        let mut alarms = Alarms::default();
        let now = LocalTime { day: 3, millis: 6 * 3_600_000 + 999 };
        let at_now = Now { now: Instant::ZERO, clock: Some(now) };
        assert_eq!(alarms.next(now), None);
        alarms.set(1, b"07", &at_now);
        assert_eq!(alarms.next(now), Some((Duration::from_millis(3_600_000 - 999), 1)));
        alarms.set(1, b"05", &at_now);
        assert_eq!(alarms.next(now), Some((Duration::from_millis(23 * 3_600_000 - 999), 1)));
        alarms.set(1, b"", &at_now);
        assert_eq!(alarms.next(now), None);
    }

    #[test]
    fn times_for_alarms() {
        for time in ["", "07", "07:00", "23:59:59", "99:99:99"] {
            assert!(is_alarm_time(time.as_bytes()), "{time}");
        }
        for time in ["7", "7:00", "0630", "07-00", "07:0", "07:00:", "noon", "07:00:00 "] {
            assert!(!is_alarm_time(time.as_bytes()), "{time}");
        }
    }
}
