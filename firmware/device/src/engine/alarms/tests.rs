use crate::engine::UNDATED;
use crate::engine::clock::hms;

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
fn the_second_is_the_first_whose_text_is_not_less() {
    let times: Vec<[u8; 8]> = (0..SECONDS_PER_DAY).map(hms).collect();
    let bytes = b"/0123459:;";
    let mut texts: Vec<Vec<u8>> = times.iter().map(|time| time.to_vec()).collect();
    // Every prefix of some times, then each of the bytes.
    for time in times.iter().step_by(997).chain([&times[0], &times[86_399]]) {
        for len in 0..=time.len() {
            for byte in bytes {
                texts.push([&time[..len], &[*byte]].concat());
                texts.push([&time[..len], &[*byte, b'3']].concat());
            }
        }
    }
    for text in texts {
        let first = times.partition_point(|time| time.as_slice() < text.as_slice());
        let expected = u32::try_from(first).ok().filter(|second| *second < SECONDS_PER_DAY);
        assert_eq!(first_second(&text), expected, "{}", text.escape_ascii());
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
