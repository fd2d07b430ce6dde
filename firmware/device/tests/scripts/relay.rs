//! `relay.script`

use crate::{ms, running};

#[test]
fn starts_off_and_says_so() {
    let mut sim = crate::prepared("relay");
    sim.start();
    assert_eq!(
        sim.done(),
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
    let mut sim = running("relay");
    sim.local("relay/command", "toggle");
    assert_eq!(
        sim.done(),
        [
            "println relay: toggle",
            "gpio 12 = 1",
            "gpio 13 = 0",
            "publish local relay/status \"on\" retained",
        ]
    );
    sim.local("relay/command", "on");
    assert_eq!(
        sim.done(),
        ["println relay: on", "publish local relay/status \"on\" retained"],
        "it is on already"
    );
    sim.local("relay/command", "off");
    assert!(!sim.pin(12) && sim.pin(13));
    assert_eq!(sim.retained("relay/status").as_deref(), Some("off"));

    sim.done();
    sim.local("relay/command", "explode");
    assert_eq!(
        sim.done(),
        [
            "println relay: explode",
            "println relay: I know on, off, toggle and blink",
            "publish local relay/status \"off\" retained",
        ]
    );
}

#[test]
fn blinks_until_told_otherwise() {
    let mut sim = running("relay");
    sim.local("relay/command", "blink");
    assert_eq!(sim.published(), ["local relay/status \"blink\" retained"]);
    sim.advance(ms(499));
    assert!(sim.done().is_empty());
    sim.advance(ms(1));
    assert_eq!(sim.done(), ["gpio 12 = 1", "gpio 13 = 0"]);
    sim.advance(ms(1000));
    assert_eq!(sim.done(), ["gpio 12 = 0", "gpio 13 = 1", "gpio 12 = 1", "gpio 13 = 0"]);

    sim.local("relay/command", "off");
    sim.done();
    sim.advance(ms(10_000));
    assert!(sim.done().is_empty() && !sim.pin(12));
}

#[test]
fn the_button_toggles_once_a_press() {
    let mut sim = running("relay");
    // It bounces, and is held for a while.
    for _ in 0..3 {
        sim.drive_pin(0, false);
        sim.advance(ms(2));
        sim.drive_pin(0, true);
        sim.advance(ms(2));
    }
    sim.drive_pin(0, false);
    sim.advance(ms(300));
    sim.drive_pin(0, true);
    sim.advance(ms(300));
    assert_eq!(
        sim.published(),
        ["local relay/command \"toggle\"", "local relay/status \"on\" retained"]
    );
    assert!(sim.pin(12));
}
