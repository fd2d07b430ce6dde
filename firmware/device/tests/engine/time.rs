//! Timers, alarms and the settling of pins.

use umqtt_device::engine::LocalTime;

use crate::{ms, running};

#[test]
fn timers_are_one_shot_replaced_and_disarmed() {
    let mut sim = running(
        "on init do subscribe local \"set\" settimer 1 100 settimer 2 50 settimer 3 70 settimer 3 0
         on timer 1 do println \"1\"
         on timer 2 do println \"2\" settimer 3 \"-5\"
         on timer 3 do println \"3\"
         on topic local \"set\" do settimer 1 $this_data",
    );
    sim.advance(ms(99));
    assert_eq!(sim.done(), ["println 2"]);
    sim.local("set", "200");
    sim.advance(ms(199));
    assert!(sim.done().is_empty(), "set again, it counts from there");
    sim.advance(ms(1));
    assert_eq!(sim.done(), ["println 1"]);
    assert_eq!(sim.next_at(), None, "once");
}

#[test]
fn a_timer_disarmed_when_it_ran_out_already_stays_silent() {
    let mut sim = running(
        "on init do settimer 1 10 settimer 2 10
         on timer 1 do println \"1\" settimer 2 0
         on timer 2 do println \"2\"",
    );
    sim.advance(ms(100));
    assert_eq!(sim.done(), ["println 1"]);
}

#[test]
fn timers_and_messages_do_not_starve_each_other() {
    let mut sim = running(
        "on init do setvar $ticks = 0 setvar $rounds = 0 subscribe local \"round\" settimer 1 1
            publish local \"round\" 0
         on timer 1 do setvar $ticks = $ticks + 1 settimer 1 1
         on topic local \"round\" do setvar $rounds = $rounds + 1 publish local \"round\" 0",
    );
    sim.advance(ms(20));
    let number = |text: Option<String>| text.unwrap().parse::<u32>().unwrap();
    assert!(number(sim.variable("$ticks")) >= 10);
    assert!(number(sim.variable("$rounds")) >= 1000);
    assert!(sim.enabled());
}

/// Days since 1970-01-01, a Thursday, and seconds of the day.
fn at(day: u32, hour: u32, minute: u32, second: u32) -> LocalTime {
    LocalTime { day, millis: ((hour * 60 + minute) * 60 + second) * 1000 }
}

const DAY: u64 = 86_400_000;

#[test]
fn the_clock_in_scripts() {
    let mut sim =
        running("on init do subscribe local t on topic local t do println $weekday | $timestamp");
    sim.local("t", "");
    sim.set_clock(at(4, 23, 59, 59));
    sim.local("t", "");
    sim.advance(ms(1000));
    sim.local("t", "");
    assert_eq!(sim.done(), ["println xxx99:99:99", "println Mon23:59:59", "println Tue00:00:00"]);
}

#[test]
fn alarms_ring_to_the_second_once_a_day() {
    let mut sim = running(
        "on init do setalarm 1 \"07\" setalarm 2 06:30 setalarm 3 00:00:00 setalarm 4 05:00 setalarm 4 \"\"
         on alarm 1 do println \"1 at \" | $timestamp
         on alarm 2 do println \"2 at \" | $timestamp
         on alarm 3 do println \"3 at \" | $timestamp
         on alarm 4 do println never",
    );
    sim.advance(ms(DAY));
    assert!(sim.done().is_empty(), "no clock");
    sim.set_clock(at(10, 6, 45, 0));
    sim.advance(ms(DAY));
    assert_eq!(
        sim.done(),
        ["println 1 at 07:00:00", "println 3 at 00:00:00", "println 2 at 06:30:00"]
    );
    sim.advance(ms(10 * DAY));
    assert_eq!(sim.done().len(), 30);
}

#[test]
fn an_alarm_set_by_its_own_handler_rings_at_the_new_time() {
    let mut sim = running(
        "on init do setalarm 1 08:00
         on alarm 1 do println $timestamp
            if $timestamp str_gte 09:00 then setalarm 1 08:00 else setalarm 1 09:00 endif",
    );
    sim.set_clock(at(10, 7, 0, 0));
    sim.advance(ms(DAY + 2 * 3_600_000));
    let times = ["println 08:00:00", "println 09:00:00", "println 08:00:00", "println 09:00:00"];
    assert_eq!(sim.done(), times);
}

#[test]
fn a_clock_set_forward_rings_and_set_back_does_not_ring_twice() {
    let mut sim = running("on init do setalarm 1 12:00 on alarm 1 do println $timestamp");
    sim.set_clock(at(10, 11, 0, 0));
    sim.set_clock(at(10, 13, 0, 0));
    assert_eq!(sim.done(), ["println 13:00:00"]);
    sim.set_clock(at(10, 11, 59, 0));
    sim.advance(ms(3_600_000));
    assert!(sim.done().is_empty(), "a correction");
    sim.advance(ms(DAY));
    assert_eq!(sim.done(), ["println 12:00:00"]);
    sim.owner_sets_clock(at(11, 11, 59, 0));
    sim.advance(ms(3_600_000));
    assert_eq!(sim.done(), ["println 12:00:00"], "as somebody has set it");
    sim.set_clock(at(11, 5, 0, 0));
    sim.advance(ms(DAY));
    assert_eq!(sim.done(), ["println 12:00:00"], "too far back for a correction");
}

#[test]
fn a_clock_that_is_corrected_every_minute_rings_once() {
    let mut sim = running("on init do setalarm 1 12:00 on alarm 1 do println $timestamp");
    // Ten seconds back each time, hours of them in sum.
    let mut shown = 11 * 3600 + 55 * 60;
    sim.set_clock(at(10, 0, 0, shown));
    for _ in 0..2000 {
        sim.advance(ms(9_000));
        shown += 8;
        sim.set_clock(at(10, 0, 0, shown));
    }
    assert_eq!(sim.done().len(), 1);
}

#[test]
fn pins_settle_before_they_count() {
    let mut sim = running(
        "on init do
         on gpio_interrupt 2 pullup do println \"2 is \" | $this_gpio
         on gpio_interrupt 4 nopullup do println \"4 is \" | $this_gpio
         on gpio_interrupt 4 nopullup do println \"again \" | $this_gpio",
    );
    // A glitch: back before anybody looked.
    sim.drive_pin(2, false);
    sim.advance(ms(30));
    sim.drive_pin(2, true);
    sim.advance(ms(100));
    assert!(sim.done().is_empty());

    sim.drive_pin(2, false);
    sim.advance(ms(10));
    sim.drive_pin(4, true);
    sim.advance(ms(39));
    assert!(sim.done().is_empty());
    sim.advance(ms(1));
    assert_eq!(sim.done(), ["println 2 is 0"], "50 ms after the edge");
    sim.advance(ms(10));
    assert_eq!(sim.done(), ["println 4 is 1", "println again 1"]);
    sim.drive_pin(5, true);
    sim.advance(ms(100));
    assert!(sim.done().is_empty(), "nobody watches that pin");
}

#[test]
fn the_level_at_the_start_is_no_news() {
    let mut sim = crate::prepared("on init do on gpio_interrupt 4 pullup do println $this_gpio");
    sim.drive_pin(4, false);
    sim.start();
    sim.advance(ms(1000));
    assert!(sim.done().is_empty());
    sim.drive_pin(4, true);
    sim.advance(ms(50));
    assert_eq!(sim.done(), ["println 1"]);
}
