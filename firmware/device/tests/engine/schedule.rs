//! `on every` and `on clock`, in virtual time: summer time, clocks that are corrected, the sun.

use umqtt_calendar::{Date, Place, Zone};
use umqtt_device::engine::LocalTime;
use umqtt_device::net::Duration;
use umqtt_device::sim::Simulator;

use crate::{ms, prepared, running};

const DAY: u64 = 86_400_000;
const HOUR: u64 = 3_600_000;
const BERLIN: &[u8] = b"CET-1CEST,M3.5.0,M10.5.0/3";

fn local(year: i32, month: u8, day: u8, time: &str) -> LocalTime {
    let day = Date { year, month, day }.days().cast_unsigned();
    let parts: Vec<u32> = time.split(':').map(|part| part.parse().unwrap()).collect();
    LocalTime { day, millis: (parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1000 }
}

/// A script that has started in Berlin at a local time.
fn berlin(script: &str, at: LocalTime) -> Simulator {
    let mut sim = prepared(script);
    sim.set_zone(Zone::parse(BERLIN).unwrap());
    sim.set_clock(at);
    sim.start();
    sim.done();
    sim
}

/// What is printed, with the date and the time.
const NOTES: &str = "println $date | \" \" | $timestamp | \" \" | $weekday";

fn printed(sim: &mut Simulator) -> Vec<String> {
    let done = sim.done();
    done.iter().filter_map(|action| action.strip_prefix("println ")).map(String::from).collect()
}

fn hours(count: u64) -> Duration {
    ms(count * HOUR)
}

#[test]
fn a_period_comes_again_and_again_without_drift() {
    let mut sim = running("on every 250ms do setvar $n = $n + 1 on every 1s do println $n");
    sim.advance(ms(249));
    assert_eq!(sim.variable("$n").unwrap(), "");
    sim.advance(ms(10_000));
    // In script order where several come at once.
    assert_eq!(printed(&mut sim), (1..=10).map(|n| (4 * n).to_string()).collect::<Vec<_>>());
}

#[test]
fn the_first_time_is_one_period_after_the_start() {
    let mut sim = prepared("on init do println \"init\" on every 2s do println $uptime");
    sim.advance(ms(5_500));
    sim.start();
    sim.advance(ms(2_000));
    assert_eq!(printed(&mut sim), ["init", "7"]);
    sim.advance(ms(2_000));
    assert_eq!(printed(&mut sim), ["9"]);
}

#[test]
fn periods_that_were_missed_are_skipped() {
    let mut sim = running("on every 1s do println $uptime");
    // Nobody looked for seven seconds and a half.
    let late = umqtt_device::engine::Now {
        now: umqtt_device::net::Instant::from_millis(7_500),
        clock: None,
    };
    let mut host = umqtt_vm::NullHost;
    let mut polls = 0;
    while sim.engine().poll(late, &mut host) {
        polls += 1;
    }
    assert_eq!(polls, 1);
    let next = sim.engine().poll_at();
    assert_eq!(next, Some(umqtt_device::net::Instant::from_millis(8_000)));
}

#[test]
fn periods_and_days_go_on_behind_49_days() {
    let mut sim = running(
        "on every 24h do setvar $n = $n + 1
         on clock 12:00 do setvar $noons = $noons + 1",
    );
    sim.set_clock(local(2026, 1, 1, "06:00:00"));
    sim.advance(ms(49 * DAY + 17 * HOUR));
    assert_eq!(sim.variable("$n").unwrap(), "49");
    sim.advance(ms(DAY));
    assert_eq!(sim.variable("$n").unwrap(), "50");
    assert_eq!(sim.variable("$noons").unwrap(), "51");
    sim.advance(ms(50 * DAY));
    assert_eq!(sim.variable("$n").unwrap(), "100");
    assert_eq!(sim.variable("$noons").unwrap(), "101");
}

#[test]
fn once_a_day_at_its_time_on_its_days() {
    let script = format!("on clock 07:30 weekdays do {NOTES} on clock 09:00 sat sun do {NOTES}");
    // A Thursday.
    let mut sim = berlin(&script, local(2026, 1, 1, "08:00:00"));
    sim.advance(ms(5 * DAY));
    assert_eq!(
        printed(&mut sim),
        [
            "2026-01-02 07:30:00 Fri",
            "2026-01-03 09:00:00 Sat",
            "2026-01-04 09:00:00 Sun",
            "2026-01-05 07:30:00 Mon",
            "2026-01-06 07:30:00 Tue",
        ]
    );
}

#[test]
fn an_offset_leads_to_another_day_and_its_days_are_those_of_the_time() {
    let script = format!("on clock 23:30 +1h fri do {NOTES} on clock 00:10:05 -20m mon do {NOTES}");
    let mut sim = berlin(&script, local(2026, 1, 1, "00:00:00"));
    sim.advance(ms(14 * DAY));
    assert_eq!(
        printed(&mut sim),
        [
            "2026-01-03 00:30:00 Sat",
            "2026-01-04 23:50:05 Sun",
            "2026-01-10 00:30:00 Sat",
            "2026-01-11 23:50:05 Sun",
        ]
    );
}

#[test]
fn a_time_that_summer_time_leaps_over_comes_at_the_leap() {
    let script = format!("on clock 02:30 do {NOTES} on clock 03:30 do {NOTES}");
    let mut sim = berlin(&script, local(2026, 3, 28, "12:00:00"));
    sim.advance(ms(2 * DAY));
    assert_eq!(
        printed(&mut sim),
        [
            "2026-03-29 03:00:00 Sun",
            "2026-03-29 03:30:00 Sun",
            "2026-03-30 02:30:00 Mon",
            "2026-03-30 03:30:00 Mon",
        ]
    );
}

#[test]
fn a_time_that_summer_time_repeats_comes_once() {
    let script = format!("on clock 02:30 do {NOTES} on clock 03:30 do {NOTES}");
    let mut sim = berlin(&script, local(2026, 10, 24, "12:00:00"));
    sim.advance(ms(2 * DAY));
    assert_eq!(
        printed(&mut sim),
        [
            "2026-10-25 02:30:00 Sun",
            "2026-10-25 03:30:00 Sun",
            "2026-10-26 02:30:00 Mon",
            "2026-10-26 03:30:00 Mon",
        ]
    );
    // One that starts between the two is in time for the second.
    let mut sim = berlin(&script, local(2026, 10, 25, "02:45:00"));
    sim.advance(hours(2));
    assert_eq!(printed(&mut sim), ["2026-10-25 02:30:00 Sun", "2026-10-25 03:30:00 Sun"]);
}

#[test]
fn a_whole_year_has_each_of_its_days_once() {
    let mut sim = berlin(
        "on clock 02:15 do setvar $a = $a + 1 on clock 02:45 tue do setvar $b = $b + 1
         on clock sunrise do setvar $c = $c + 1 on clock sunset +2h do setvar $d = $d + 1",
        local(2026, 1, 1, "00:00:00"),
    );
    sim.set_place(Place { latitude: 525_200, longitude: 134_050 });
    sim.advance(ms(365 * DAY));
    for (name, times) in [("$a", "365"), ("$b", "52"), ("$c", "365"), ("$d", "365")] {
        assert_eq!(sim.variable(name).as_deref(), Some(times), "{name}");
    }
}

#[test]
fn corrections_backwards_bring_nothing_again() {
    let script = format!("on clock 12:00 do {NOTES}");
    let mut sim = berlin(&script, local(2026, 5, 1, "11:59:00"));
    sim.advance(ms(120_000));
    assert_eq!(printed(&mut sim), ["2026-05-01 12:00:00 Fri"]);
    // By seconds and by hours, by a server and by hand.
    for (time, by_hand) in [
        ("11:59:50", false),
        ("11:30:00", false),
        ("06:00:00", false),
        ("11:00:00", true),
        ("00:00:00", true),
    ] {
        let at = local(2026, 5, 1, time);
        if by_hand {
            sim.owner_sets_clock(at)
        } else {
            sim.set_clock(at)
        }
        sim.advance(hours(13));
        assert_eq!(printed(&mut sim), [""; 0], "{time}");
        sim.set_clock(local(2026, 5, 1, "13:00:00"));
    }
    sim.advance(ms(DAY));
    assert_eq!(printed(&mut sim), ["2026-05-02 12:00:00 Sat"]);
}

#[test]
fn corrections_forwards_bring_what_they_pass_once() {
    let script = format!("on clock 12:00 do {NOTES} on clock 12:30 do {NOTES}");
    let mut sim = berlin(&script, local(2026, 5, 1, "11:59:00"));
    sim.set_clock(local(2026, 5, 1, "12:10:00"));
    assert_eq!(printed(&mut sim), ["2026-05-01 12:10:00 Fri"]);
    sim.owner_sets_clock(local(2026, 5, 1, "23:00:00"));
    assert_eq!(printed(&mut sim), ["2026-05-01 23:00:00 Fri"]);
    sim.advance(ms(DAY));
    assert_eq!(printed(&mut sim), ["2026-05-02 12:00:00 Sat", "2026-05-02 12:30:00 Sat"]);
}

#[test]
fn a_clock_that_was_too_late_when_it_started_misses_nothing() {
    let script = format!("on clock 12:00 do {NOTES}");
    let mut sim = berlin(&script, local(2026, 5, 1, "21:00:00"));
    sim.set_clock(local(2026, 5, 1, "08:00:00"));
    sim.advance(hours(5));
    assert_eq!(printed(&mut sim), ["2026-05-01 12:00:00 Fri"]);
}

#[test]
fn a_date_that_is_found_is_no_other_day() {
    let script = format!("on clock 12:00 do {NOTES} on clock 18:00 do {NOTES}");
    // A clock that was set without a date.
    let mut sim = prepared(&script);
    sim.set_clock(LocalTime { day: 1 << 31, millis: 11 * 3_600_000 });
    sim.start();
    sim.done();
    sim.advance(hours(2));
    assert_eq!(printed(&mut sim), ["9999-99-99 12:00:00 xxx"]);
    // The server says it is a little earlier than that, and which day.
    sim.set_clock(local(2026, 5, 1, "11:55:00"));
    sim.advance(hours(10));
    assert_eq!(printed(&mut sim), ["2026-05-01 18:00:00 Fri"]);
    sim.advance(hours(24));
    assert_eq!(printed(&mut sim), ["2026-05-02 12:00:00 Sat", "2026-05-02 18:00:00 Sat"]);
    // A year that was wrong.
    sim.set_clock(local(2027, 5, 2, "22:00:00"));
    assert_eq!(printed(&mut sim), [""; 0]);
    sim.advance(hours(15));
    assert_eq!(printed(&mut sim), ["2027-05-03 12:00:00 Mon"]);
}

#[test]
fn without_a_clock_it_waits() {
    let mut sim = running("on clock 12:00 do println $timestamp on clock sunrise do println 1");
    sim.advance(ms(3 * DAY));
    assert_eq!(printed(&mut sim), [""; 0]);
    sim.set_clock(local(2026, 5, 1, "13:00:00"));
    sim.advance(ms(DAY));
    assert_eq!(printed(&mut sim), ["12:00:00"], "and the sun waits for a place");
}

#[test]
fn the_sun_rises_and_sets_where_the_place_is() {
    let script = format!(
        "on clock sunrise do {NOTES} on clock sunset -30m do {NOTES}
         on serial do println $sunrise | \" \" | $sunset"
    );
    let mut sim = berlin(&script, local(2026, 6, 21, "00:00:00"));
    sim.serial("");
    assert_eq!(printed(&mut sim), ["99:99:99 99:99:99"]);
    sim.set_place(Place { latitude: 525_200, longitude: 134_050 });
    sim.serial("");
    let shown = printed(&mut sim);
    assert_eq!(shown, ["04:43:06 21:33:17"]);
    sim.advance(ms(DAY));
    assert_eq!(printed(&mut sim), ["2026-06-21 04:43:06 Sun", "2026-06-21 21:03:17 Sun"]);
}

#[test]
fn polar_nights_and_days_have_no_sunrise() {
    let mut sim = berlin(
        "on clock sunrise do setvar $first = $date setvar $n = $n + 1
         on serial do println $sunrise",
        local(2026, 11, 1, "00:00:00"),
    );
    // Tromso.
    sim.set_place(Place { latitude: 696_500, longitude: 189_550 });
    sim.advance(ms(40 * DAY));
    let before: u32 = sim.variable("$n").unwrap().parse().unwrap();
    assert!((25..29).contains(&before), "{before}");
    sim.serial("");
    assert_eq!(printed(&mut sim), ["99:99:99"]);
    sim.advance(ms(30 * DAY));
    assert_eq!(sim.variable("$n").unwrap(), before.to_string());
    sim.advance(ms(20 * DAY));
    let after: u32 = sim.variable("$n").unwrap().parse().unwrap();
    assert!(after > before + 10, "{after}");
}

#[test]
fn between_two_times_of_day() {
    let mut sim = berlin(
        "on serial do println between(\"08:00\", 17) | between(\"22:00\", \"06:30:30\")
            | between($sunset, $sunrise) | between(\"08:00\", \"noon\") | between(8, 8)",
        local(2026, 6, 21, "06:00:00"),
    );
    for (time, expected) in [
        ("06:30:29", "01000"),
        ("06:30:30", "00000"),
        ("08:00:00", "10000"),
        ("16:59:59", "10000"),
        ("17:00:00", "00000"),
        ("21:59:59", "00000"),
        ("22:00:00", "01000"),
        ("23:59:59", "01000"),
        ("00:00:00", "01000"),
    ] {
        sim.set_clock(local(2026, 6, 21, time));
        sim.serial("");
        assert_eq!(printed(&mut sim), [expected], "{time}");
    }
    sim.set_place(Place { latitude: 525_200, longitude: 134_050 });
    sim.set_clock(local(2026, 6, 21, "22:00:00"));
    sim.serial("");
    assert_eq!(printed(&mut sim), ["01100"]);
}

#[test]
fn dates_and_seconds() {
    let mut sim = running("on serial do println $date | \" \" | $unixtime | \" \" | $uptime");
    sim.advance(ms(2_500));
    sim.serial("");
    assert_eq!(printed(&mut sim), ["9999-99-99 0 2"]);
    sim.set_zone(Zone::fixed(7200));
    sim.set_clock(local(2040, 2, 29, "01:00:00"));
    sim.serial("");
    assert_eq!(printed(&mut sim), ["2040-02-29 2214082800 2"]);
}

#[test]
fn a_script_that_ends_has_no_times_any_more() {
    let mut sim = running("on every 1s do println 1 on clock 12:00 do println 2");
    sim.set_clock(local(2026, 5, 1, "11:59:59"));
    sim.stop();
    assert_eq!(sim.next_at(), None);
    sim.advance(ms(DAY));
    assert_eq!(printed(&mut sim), [""; 0]);
}
