//! Light, lamp, shutter: `pir.script`, `fade.script`, `shutter.script`

use crate::{MINUTE, SECOND, ms, running};

const SENSOR: u8 = 4;

#[test]
fn pir_lights_the_hall_in_the_dark() {
    let mut sim = running("pir");
    sim.set_adc(100);
    sim.drive_pin(SENSOR, true);
    sim.advance(ms(50));
    assert_eq!(
        sim.done(),
        [
            "publish local hall/motion \"1\"",
            "gpio 12 = 1",
            "publish local hall/light \"on\" retained",
        ]
    );

    sim.drive_pin(SENSOR, false);
    sim.advance(ms(50));
    assert_eq!(sim.published(), ["local hall/motion \"0\""]);
    // Somebody comes back before the minute is over: it starts again.
    sim.advance(ms(50 * SECOND));
    sim.drive_pin(SENSOR, true);
    sim.advance(ms(20 * SECOND));
    sim.drive_pin(SENSOR, false);
    sim.advance(ms(59 * SECOND));
    assert!(sim.pin(12));
    sim.done();
    sim.advance(ms(2 * SECOND));
    assert_eq!(sim.done(), ["gpio 12 = 0", "publish local hall/light \"off\" retained"]);
}

#[test]
fn pir_leaves_daylight_alone_and_can_be_set() {
    let mut sim = running("pir");
    sim.set_adc(900);
    sim.drive_pin(SENSOR, true);
    sim.advance(ms(MINUTE));
    assert_eq!(sim.done(), ["publish local hall/motion \"1\""]);
    sim.drive_pin(SENSOR, false);
    sim.advance(ms(10 * MINUTE));

    sim.local_retained("hall/dark", "1024");
    sim.local_retained("hall/delay", "5");
    sim.local_retained("hall/delay", "nonsense");
    sim.drive_pin(SENSOR, true);
    sim.advance(ms(SECOND));
    sim.drive_pin(SENSOR, false);
    sim.done();
    sim.advance(ms(5 * SECOND));
    assert!(sim.pin(12), "the delay counts from the settled pin");
    sim.advance(ms(50));
    assert!(!sim.pin(12));
}

#[test]
fn pir_finds_its_settings_retained() {
    let mut sim = crate::prepared("pir");
    sim.local_retained("hall/delay", "7");
    sim.start();
    assert_eq!(sim.variable("$delay").as_deref(), Some("7"));
}

#[test]
fn fade_glides_up_and_down() {
    let mut sim = running("fade");
    sim.local("lamp/level", "50");
    sim.advance(ms(20));
    assert_eq!(sim.pwm(5), 0, "10 squared is below one thousandth");
    sim.advance(ms(24 * 20));
    assert_eq!(sim.pwm(5), 62, "half way, 250, squared");
    sim.done();
    sim.advance(ms(MINUTE));
    assert_eq!(sim.pwm(5), 250);
    assert_eq!(sim.published(), ["local lamp/status \"50\" retained"]);
    assert_eq!(sim.next_at(), None, "arrived, it rests");

    // Turned round under way, and from a target that is not a multiple of the step.
    sim.local("lamp/level", "100");
    sim.advance(ms(100));
    sim.local("lamp/level", "-5");
    sim.advance(ms(MINUTE));
    assert_eq!(
        (sim.pwm(5), sim.published().join(" ")),
        (0, "local lamp/status \"0\" retained".into())
    );
    sim.local("lamp/level", "250");
    sim.advance(ms(MINUTE));
    assert_eq!(sim.pwm(5), 1000);
}

const UP: u8 = 12;
const DOWN: u8 = 14;

#[test]
fn shutter_goes_to_a_position_and_never_both_ways() {
    let mut sim = running("shutter");
    sim.local("shutter/command", "30");
    sim.advance(ms(499));
    assert!(!sim.pin(UP) && !sim.pin(DOWN));
    sim.advance(ms(1));
    assert!(sim.pin(DOWN) && !sim.pin(UP));
    // 70 percent of 20 seconds.
    sim.advance(ms(14 * SECOND - 1));
    assert!(sim.pin(DOWN));
    sim.advance(ms(1));
    assert!(!sim.pin(DOWN));
    assert_eq!(
        sim.done(),
        ["gpio 14 = 1", "gpio 14 = 0", "publish local shutter/position \"30\" retained"]
    );

    // Sent down, then up while it runs: it rests before it turns round.
    sim.local("shutter/command", "down");
    sim.advance(ms(2 * SECOND));
    sim.local("shutter/command", "up");
    assert!(!sim.pin(UP) && !sim.pin(DOWN));
    sim.advance(ms(500));
    assert!(sim.pin(UP) && !sim.pin(DOWN));
    sim.advance(ms(MINUTE));
    assert_eq!(sim.retained("shutter/position").as_deref(), Some("100"));
    assert!(!sim.pin(UP) && !sim.pin(DOWN));
}

#[test]
fn shutter_stops_where_it_is() {
    let mut sim = running("shutter");
    sim.local("shutter/command", "down");
    sim.advance(ms(500 + 5 * SECOND));
    sim.local("shutter/command", "stop");
    sim.advance(ms(MINUTE));
    assert_eq!(sim.retained("shutter/position").as_deref(), Some("75"));
    assert!(!sim.pin(UP) && !sim.pin(DOWN));
}
