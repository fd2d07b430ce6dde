//! Time and watch over the house: `timeclock.script`, `alarm.script`

use crate::{HOUR, MINUTE, SECOND, ms, on, prepared, running};

#[test]
fn timeclock_keeps_the_hours_of_the_week() {
    let mut sim = prepared("timeclock");
    sim.set_flash(3, "23:00");
    sim.start();
    assert_eq!(sim.retained("clock/state").as_deref(), Some("off"));
    sim.advance(ms(3 * HOUR));
    assert!(!sim.pin(12), "without a clock it waits");

    sim.set_clock(on("Fri", "06:29:59"));
    sim.done();
    sim.advance(ms(2 * SECOND));
    assert_eq!(
        sim.done(),
        [
            "publish local clock/switch \"on\"",
            "gpio 12 = 1",
            "println 06:30:00 clock: on",
            "publish local clock/state \"on\" retained",
        ]
    );
    sim.advance(ms(16 * HOUR + 29 * MINUTE));
    assert!(sim.pin(12), "22:59 on Friday");
    sim.advance(ms(MINUTE));
    assert!(!sim.pin(12), "23:00");

    sim.advance(ms(8 * HOUR));
    assert!(!sim.pin(12), "Saturday 07:00: sleep on");
    sim.advance(ms(HOUR));
    assert!(sim.pin(12), "Saturday 08:00");
}

#[test]
fn timeclock_takes_new_times_without_a_restart() {
    let mut sim = running("timeclock");
    sim.set_clock(on("Mon", "12:00:00"));
    sim.set_flash(1, "12:05");
    sim.local("clock/reload", "");
    sim.advance(ms(5 * MINUTE));
    assert!(sim.pin(12));
    sim.local("clock/switch", "off");
    sim.advance(ms(23 * HOUR));
    assert!(!sim.pin(12), "once a day");
}

const DOOR: u8 = 4;
const WINDOW: u8 = 5;
const SIREN: u8 = 12;
const LED: u8 = 13;

/// The panel of a closed house, armed.
fn armed() -> umqtt_device::sim::Simulator {
    let mut sim = prepared("alarm");
    sim.drive_pin(DOOR, false);
    sim.drive_pin(WINDOW, false);
    sim.set_flash(1, "4711");
    sim.set_clock(on("Mon", "08:00:00"));
    sim.start();
    sim.local("alarm/code", "4711");
    sim.advance(ms(30 * SECOND));
    assert_eq!(
        sim.published(),
        [
            "local alarm/state \"disarmed\" retained",
            "local alarm/state \"leaving\" retained",
            "local alarm/state \"armed\" retained",
        ]
    );
    assert!(sim.pin(LED));
    sim
}

#[test]
fn alarm_gives_time_to_come_in() {
    let mut sim = armed();
    sim.advance(ms(HOUR));
    sim.drive_pin(DOOR, true);
    sim.advance(ms(10 * SECOND));
    assert_eq!(
        sim.published(),
        ["local alarm/log \"09:00:30 door opened\"", "local alarm/state \"entering\" retained"]
    );
    sim.local("alarm/code", "4711");
    sim.advance(ms(HOUR));
    assert_eq!(sim.published(), ["local alarm/state \"disarmed\" retained"]);
    assert!(!sim.pin(SIREN) && !sim.pin(LED));
}

#[test]
fn alarm_howls_for_three_minutes_and_stays_armed() {
    let mut sim = armed();
    sim.drive_pin(WINDOW, true);
    sim.advance(ms(SECOND));
    assert!(sim.pin(SIREN));
    sim.advance(ms(3 * MINUTE - 2 * SECOND));
    assert!(sim.pin(SIREN));
    sim.advance(ms(2 * SECOND));
    assert!(!sim.pin(SIREN));
    assert_eq!(
        sim.published(),
        [
            "local alarm/log \"08:00:30 window opened\"",
            "local alarm/state \"alarm\" retained",
            "local alarm/state \"armed\" retained",
        ]
    );
}

#[test]
fn alarm_is_not_armed_with_an_open_window_nor_by_guessing() {
    let mut sim = prepared("alarm");
    sim.drive_pin(DOOR, false);
    sim.start();
    sim.done();
    sim.local("alarm/code", "1234");
    sim.advance(ms(MINUTE));
    assert_eq!(
        sim.published(),
        [
            "local alarm/state \"leaving\" retained",
            "local alarm/log \"99:99:99 not armed: something is open\"",
            "local alarm/state \"disarmed\" retained",
        ]
    );

    for guess in ["0", "1", "2", "1234"] {
        sim.local("alarm/code", guess);
    }
    assert_eq!(
        sim.published().last().map(String::as_str),
        Some("local alarm/log \"99:99:99 code ignored after three wrong ones\"")
    );
    sim.advance(ms(MINUTE));
    sim.local("alarm/code", "1234");
    assert_eq!(sim.published(), ["local alarm/state \"leaving\" retained"]);
}
