//! Things that measure: `thermostat.script`, `counter.script`, `watering.script`, `weather.script`

use crate::{HOUR, MINUTE, SECOND, ms, on, prepared, running};

#[test]
fn thermostat_does_not_chatter() {
    let mut sim = running("thermostat");
    let mut states = Vec::new();
    for reading in ["20.3", "19.6", "19.5", "19.4", "19.8", "20.2", "20.5", "20.6", "20.1", "-0.5"]
    {
        sim.local("room/temperature", reading);
        states.push(u8::from(sim.pin(12)));
    }
    assert_eq!(states, [0, 0, 0, 1, 1, 1, 1, 0, 0, 1]);
    assert_eq!(
        sim.published(),
        [
            "local room/heater \"on\" retained",
            "local room/heater \"off\" retained",
            "local room/heater \"on\" retained",
        ]
    );
}

#[test]
fn thermostat_follows_its_target_also_below_zero() {
    let mut sim = running("thermostat");
    sim.local_retained("room/target", "5");
    sim.local("room/temperature", "4.9");
    assert!(!sim.pin(12));
    sim.local("room/temperature", "-3.5");
    assert!(sim.pin(12));
    assert_eq!(sim.variable("$now").as_deref(), Some("-35"));
}

#[test]
fn thermostat_gives_up_on_a_silent_sensor() {
    let mut sim = running("thermostat");
    sim.local("room/temperature", "15");
    sim.advance(ms(10 * MINUTE));
    sim.local("room/temperature", "15.5");
    sim.advance(ms(15 * MINUTE - 1));
    assert!(sim.pin(12));
    sim.advance(ms(1));
    assert!(!sim.pin(12));
    assert_eq!(sim.retained("room/heater").as_deref(), Some("off"));
}

/// One pulse of the meter.
fn pulse(sim: &mut umqtt_device::sim::Simulator) {
    sim.drive_pin(4, false);
    sim.advance(ms(60));
    sim.drive_pin(4, true);
    sim.advance(ms(60));
}

#[test]
fn counter_counts_and_spares_the_flash() {
    let mut sim = prepared("counter");
    sim.set_flash(1, "12345");
    sim.start();
    assert_eq!(sim.published(), ["local meter/count \"12345\" retained"]);
    for _ in 0..250 {
        pulse(&mut sim);
    }
    assert_eq!(sim.flash(1), "12545");
    let writes = sim.done().iter().filter(|action| action.starts_with("flash")).count();
    assert_eq!(writes, 2);

    sim.set_clock(on("Mon", "23:59:00"));
    sim.advance(ms(2 * MINUTE));
    assert_eq!(sim.flash(1), "12595", "saved at midnight");
    assert_eq!(sim.retained("meter/count").as_deref(), Some("12595"));
    sim.done();
    sim.advance(ms(24 * HOUR));
    assert!(!sim.done().iter().any(|action| action.starts_with("flash")), "nothing new to save");
}

#[test]
fn counter_tells_the_pulses_of_a_minute() {
    let mut sim = running("counter");
    for _ in 0..3 {
        pulse(&mut sim);
    }
    sim.advance(ms(MINUTE));
    assert_eq!(
        sim.published(),
        ["local meter/count \"3\" retained", "local meter/per_minute \"3\" retained"]
    );
    sim.advance(ms(MINUTE));
    assert_eq!(sim.published(), ["local meter/per_minute \"0\" retained"]);
}

#[test]
fn watering_waits_for_day_and_for_the_water_to_sink_in() {
    let mut sim = prepared("watering");
    sim.set_adc(700);
    sim.start();
    sim.advance(ms(10 * MINUTE));
    assert!(!sim.published().iter().any(|action| action.contains("pump")), "no clock, no water");

    sim.set_clock(on("Mon", "05:58:30"));
    sim.advance(ms(MINUTE));
    assert!(!sim.pin(12), "night");
    sim.advance(ms(MINUTE));
    assert!(sim.pin(12), "06:00:30");
    sim.advance(ms(20 * SECOND));
    assert!(!sim.pin(12));
    assert_eq!(sim.retained("garden/watered").as_deref(), Some("06:00:50"));

    sim.advance(ms(29 * MINUTE));
    assert!(!sim.pin(12));
    sim.done();
    sim.advance(ms(MINUTE));
    assert_eq!(sim.done().iter().filter(|action| *action == "gpio 12 = 1").count(), 1);
}

#[test]
fn watering_by_hand_and_one_odd_reading() {
    let mut sim = prepared("watering");
    sim.set_adc(500);
    sim.set_clock(on("Mon", "12:00:00"));
    sim.start();
    sim.set_adc(900);
    sim.advance(ms(MINUTE));
    assert_eq!(sim.published(), ["local garden/moisture \"600\""]);
    sim.set_adc(500);
    sim.advance(ms(MINUTE));
    assert!(!sim.pin(12));

    sim.local("garden/pump", "on");
    assert!(sim.pin(12));
    sim.local("garden/pump", "off");
    assert!(!sim.pin(12));
    sim.done();
    sim.advance(ms(30 * SECOND));
    assert!(!sim.published().iter().any(|action| action.contains("watered")));
}

#[test]
fn weather_becomes_topics() {
    let mut sim = running("weather");
    sim.advance(ms(5 * SECOND));
    let asked = sim.done();
    assert!(asked[0].starts_with("http_get http://api.open-meteo.com/v1/forecast?"), "{asked:?}");
    let body = r#"{"latitude":52.52,"current":{"time":"2026-01-01T12:00","temperature_2m":-1.4,"wind_speed_10m":12.2}}"#;
    assert!(sim.http_answer(b"200", body));
    assert_eq!(
        sim.published(),
        ["local weather/temperature \"-1.4\" retained", "local weather/wind \"12.2\" retained",]
    );
    sim.advance(ms(10 * MINUTE - 1));
    assert!(sim.done().is_empty());
    sim.advance(ms(1));
    assert_eq!(sim.done().len(), 1, "asks again");
}

#[test]
fn weather_survives_bad_answers_and_forgets_old_news() {
    let mut sim = running("weather");
    sim.advance(ms(5 * SECOND));
    sim.http_answer(b"200", r#"{"current":{"temperature_2m":20,"wind_speed_10m":3}}"#);
    sim.local("weather/refresh", "");
    sim.advance(ms(1));
    sim.done();
    sim.http_answer(b"500", "oops");
    assert_eq!(sim.done(), ["println weather: api.open-meteo.com answered 500"]);
    sim.advance(ms(MINUTE));
    sim.http_answer(b"200", "{\"current\": broken");
    assert_eq!(sim.retained("weather/temperature").as_deref(), Some("20"));
    sim.advance(ms(10 * MINUTE));
    sim.http_answer(b"404", "");
    assert_eq!(sim.retained("weather/temperature"), None);
}
