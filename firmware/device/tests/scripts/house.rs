//! Time and watch over the house: `timeclock.script`, `alarm.script`

use crate::{HOUR, MINUTE, SECOND, on, prepared, running};

#[test]
fn timeclock_keeps_the_hours_of_the_week() {
    let mut bench = prepared("timeclock");
    bench.set_flash(3, "23:00");
    bench.start();
    assert_eq!(bench.retained("clock/state").as_deref(), Some("off"));
    bench.advance(3 * HOUR);
    assert!(!bench.pin(12), "without a clock it waits");

    bench.set_clock(on("Fri", "06:29:59"));
    bench.done();
    bench.advance(2 * SECOND);
    assert_eq!(
        bench.done(),
        [
            "publish local clock/switch \"on\"",
            "gpio 12 = 1",
            "println 06:30:00 clock: on",
            "publish local clock/state \"on\" retained",
        ]
    );
    bench.advance(16 * HOUR + 29 * MINUTE);
    assert!(bench.pin(12), "22:59 on Friday");
    bench.advance(MINUTE);
    assert!(!bench.pin(12), "23:00");

    bench.advance(8 * HOUR);
    assert!(!bench.pin(12), "Saturday 07:00: sleep on");
    bench.advance(HOUR);
    assert!(bench.pin(12), "Saturday 08:00");
}

#[test]
fn timeclock_takes_new_times_without_a_restart() {
    let mut bench = running("timeclock");
    bench.set_clock(on("Mon", "12:00:00"));
    bench.set_flash(1, "12:05");
    bench.local("clock/reload", "");
    bench.advance(5 * MINUTE);
    assert!(bench.pin(12));
    bench.local("clock/switch", "off");
    bench.advance(23 * HOUR);
    assert!(!bench.pin(12), "once a day");
}

const DOOR: u8 = 4;
const WINDOW: u8 = 5;
const SIREN: u8 = 12;
const LED: u8 = 13;

/// The panel of a closed house, armed.
fn armed() -> umqtt_device::sim::Bench {
    let mut bench = prepared("alarm");
    bench.drive_pin(DOOR, false);
    bench.drive_pin(WINDOW, false);
    bench.set_flash(1, "4711");
    bench.set_clock(on("Mon", "08:00:00"));
    bench.start();
    bench.local("alarm/code", "4711");
    bench.advance(30 * SECOND);
    assert_eq!(
        bench.published(),
        [
            "local alarm/state \"disarmed\" retained",
            "local alarm/state \"leaving\" retained",
            "local alarm/state \"armed\" retained",
        ]
    );
    assert!(bench.pin(LED));
    bench
}

#[test]
fn alarm_gives_time_to_come_in() {
    let mut bench = armed();
    bench.advance(HOUR);
    bench.drive_pin(DOOR, true);
    bench.advance(10 * SECOND);
    assert_eq!(
        bench.published(),
        ["local alarm/log \"09:00:30 door opened\"", "local alarm/state \"entering\" retained"]
    );
    bench.local("alarm/code", "4711");
    bench.advance(HOUR);
    assert_eq!(bench.published(), ["local alarm/state \"disarmed\" retained"]);
    assert!(!bench.pin(SIREN) && !bench.pin(LED));
}

#[test]
fn alarm_howls_for_three_minutes_and_stays_armed() {
    let mut bench = armed();
    bench.drive_pin(WINDOW, true);
    bench.advance(SECOND);
    assert!(bench.pin(SIREN));
    bench.advance(3 * MINUTE - 2 * SECOND);
    assert!(bench.pin(SIREN));
    bench.advance(2 * SECOND);
    assert!(!bench.pin(SIREN));
    assert_eq!(
        bench.published(),
        [
            "local alarm/log \"08:00:30 window opened\"",
            "local alarm/state \"alarm\" retained",
            "local alarm/state \"armed\" retained",
        ]
    );
}

#[test]
fn alarm_is_not_armed_with_an_open_window_nor_by_guessing() {
    let mut bench = prepared("alarm");
    bench.drive_pin(DOOR, false);
    bench.start();
    bench.done();
    bench.local("alarm/code", "1234");
    bench.advance(MINUTE);
    assert_eq!(
        bench.published(),
        [
            "local alarm/state \"leaving\" retained",
            "local alarm/log \"99:99:99 not armed: something is open\"",
            "local alarm/state \"disarmed\" retained",
        ]
    );

    for guess in ["0", "1", "2", "1234"] {
        bench.local("alarm/code", guess);
    }
    assert_eq!(
        bench.published().last().map(String::as_str),
        Some("local alarm/log \"99:99:99 code ignored after three wrong ones\"")
    );
    bench.advance(MINUTE);
    bench.local("alarm/code", "1234");
    assert_eq!(bench.published(), ["local alarm/state \"leaving\" retained"]);
}
