//! Light, lamp, shutter: `pir.script`, `fade.script`, `shutter.script`

use crate::{MINUTE, SECOND, running};

const SENSOR: u8 = 4;

#[test]
fn pir_lights_the_hall_in_the_dark() {
    let mut bench = running("pir");
    bench.set_adc(100);
    bench.drive_pin(SENSOR, true);
    bench.advance(50);
    assert_eq!(
        bench.done(),
        [
            "publish local hall/motion \"1\"",
            "gpio 12 = 1",
            "publish local hall/light \"on\" retained",
        ]
    );

    bench.drive_pin(SENSOR, false);
    bench.advance(50);
    assert_eq!(bench.published(), ["local hall/motion \"0\""]);
    // Somebody comes back before the minute is over: it starts again.
    bench.advance(50 * SECOND);
    bench.drive_pin(SENSOR, true);
    bench.advance(20 * SECOND);
    bench.drive_pin(SENSOR, false);
    bench.advance(59 * SECOND);
    assert!(bench.pin(12));
    bench.done();
    bench.advance(2 * SECOND);
    assert_eq!(bench.done(), ["gpio 12 = 0", "publish local hall/light \"off\" retained"]);
}

#[test]
fn pir_leaves_daylight_alone_and_can_be_set() {
    let mut bench = running("pir");
    bench.set_adc(900);
    bench.drive_pin(SENSOR, true);
    bench.advance(MINUTE);
    assert_eq!(bench.done(), ["publish local hall/motion \"1\""]);
    bench.drive_pin(SENSOR, false);
    bench.advance(10 * MINUTE);

    bench.local_retained("hall/dark", "1024");
    bench.local_retained("hall/delay", "5");
    bench.local_retained("hall/delay", "nonsense");
    bench.drive_pin(SENSOR, true);
    bench.advance(SECOND);
    bench.drive_pin(SENSOR, false);
    bench.done();
    bench.advance(5 * SECOND);
    assert!(bench.pin(12), "the delay counts from the settled pin");
    bench.advance(50);
    assert!(!bench.pin(12));
}

#[test]
fn pir_finds_its_settings_retained() {
    let mut bench = crate::prepared("pir");
    bench.local_retained("hall/delay", "7");
    bench.start();
    assert_eq!(bench.variable("$delay").as_deref(), Some("7"));
}

#[test]
fn fade_glides_up_and_down() {
    let mut bench = running("fade");
    bench.local("lamp/level", "50");
    bench.advance(20);
    assert_eq!(bench.pwm(5), 0, "10 squared is below one thousandth");
    bench.advance(24 * 20);
    assert_eq!(bench.pwm(5), 62, "half way, 250, squared");
    bench.done();
    bench.advance(MINUTE);
    assert_eq!(bench.pwm(5), 250);
    assert_eq!(bench.published(), ["local lamp/status \"50\" retained"]);
    assert_eq!(bench.next_at(), None, "arrived, it rests");

    // Turned round under way, and from a target that is not a multiple of the step.
    bench.local("lamp/level", "100");
    bench.advance(100);
    bench.local("lamp/level", "-5");
    bench.advance(MINUTE);
    assert_eq!(
        (bench.pwm(5), bench.published().join(" ")),
        (0, "local lamp/status \"0\" retained".into())
    );
    bench.local("lamp/level", "250");
    bench.advance(MINUTE);
    assert_eq!(bench.pwm(5), 1000);
}

const UP: u8 = 12;
const DOWN: u8 = 14;

#[test]
fn shutter_goes_to_a_position_and_never_both_ways() {
    let mut bench = running("shutter");
    bench.local("shutter/command", "30");
    bench.advance(499);
    assert!(!bench.pin(UP) && !bench.pin(DOWN));
    bench.advance(1);
    assert!(bench.pin(DOWN) && !bench.pin(UP));
    // 70 percent of 20 seconds.
    bench.advance(14 * SECOND - 1);
    assert!(bench.pin(DOWN));
    bench.advance(1);
    assert!(!bench.pin(DOWN));
    assert_eq!(
        bench.done(),
        ["gpio 14 = 1", "gpio 14 = 0", "publish local shutter/position \"30\" retained"]
    );

    // Sent down, then up while it runs: it rests before it turns round.
    bench.local("shutter/command", "down");
    bench.advance(2 * SECOND);
    bench.local("shutter/command", "up");
    assert!(!bench.pin(UP) && !bench.pin(DOWN));
    bench.advance(500);
    assert!(bench.pin(UP) && !bench.pin(DOWN));
    bench.advance(MINUTE);
    assert_eq!(bench.retained("shutter/position").as_deref(), Some("100"));
    assert!(!bench.pin(UP) && !bench.pin(DOWN));
}

#[test]
fn shutter_stops_where_it_is() {
    let mut bench = running("shutter");
    bench.local("shutter/command", "down");
    bench.advance(500 + 5 * SECOND);
    bench.local("shutter/command", "stop");
    bench.advance(MINUTE);
    assert_eq!(bench.retained("shutter/position").as_deref(), Some("75"));
    assert!(!bench.pin(UP) && !bench.pin(DOWN));
}
