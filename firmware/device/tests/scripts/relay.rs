//! `relay.script`

use crate::running;

#[test]
fn starts_off_and_says_so() {
    let mut bench = crate::prepared("relay");
    bench.start();
    assert_eq!(
        bench.done(),
        [
            "gpio 12 = 0",
            "gpio 13 = 1",
            "subscribe local relay/command",
            "publish local relay/status \"off\" retained",
        ]
    );
}

#[test]
fn obeys_its_commands() {
    let mut bench = running("relay");
    bench.local("relay/command", "toggle");
    assert_eq!(
        bench.done(),
        [
            "println relay: toggle",
            "gpio 12 = 1",
            "gpio 13 = 0",
            "publish local relay/status \"on\" retained",
        ]
    );
    bench.local("relay/command", "on");
    assert_eq!(
        bench.done(),
        ["println relay: on", "publish local relay/status \"on\" retained"],
        "it is on already"
    );
    bench.local("relay/command", "off");
    assert!(!bench.pin(12) && bench.pin(13));
    assert_eq!(bench.retained("relay/status").as_deref(), Some("off"));

    bench.done();
    bench.local("relay/command", "explode");
    assert_eq!(
        bench.done(),
        [
            "println relay: explode",
            "println relay: I know on, off, toggle and blink",
            "publish local relay/status \"off\" retained",
        ]
    );
}

#[test]
fn blinks_until_told_otherwise() {
    let mut bench = running("relay");
    bench.local("relay/command", "blink");
    assert_eq!(bench.published(), ["local relay/status \"blink\" retained"]);
    bench.advance(499);
    assert!(bench.done().is_empty());
    bench.advance(1);
    assert_eq!(bench.done(), ["gpio 12 = 1", "gpio 13 = 0"]);
    bench.advance(1000);
    assert_eq!(bench.done(), ["gpio 12 = 0", "gpio 13 = 1", "gpio 12 = 1", "gpio 13 = 0"]);

    bench.local("relay/command", "off");
    bench.done();
    bench.advance(10_000);
    assert!(bench.done().is_empty() && !bench.pin(12));
}

#[test]
fn the_button_toggles_once_a_press() {
    let mut bench = running("relay");
    // It bounces, and is held for a while.
    for _ in 0..3 {
        bench.drive_pin(0, false);
        bench.advance(2);
        bench.drive_pin(0, true);
        bench.advance(2);
    }
    bench.drive_pin(0, false);
    bench.advance(300);
    bench.drive_pin(0, true);
    bench.advance(300);
    assert_eq!(
        bench.published(),
        ["local relay/command \"toggle\"", "local relay/status \"on\" retained"]
    );
    assert!(bench.pin(12));
}
