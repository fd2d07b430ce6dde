//! Things that measure: `thermostat.script`, `counter.script`, `watering.script`, `weather.script`

use crate::{HOUR, MINUTE, SECOND, on, prepared, running};

#[test]
fn thermostat_does_not_chatter() {
    let mut bench = running("thermostat");
    let mut states = Vec::new();
    for reading in ["20.3", "19.6", "19.5", "19.4", "19.8", "20.2", "20.5", "20.6", "20.1", "-0.5"]
    {
        bench.local("room/temperature", reading);
        states.push(u8::from(bench.pin(12)));
    }
    assert_eq!(states, [0, 0, 0, 1, 1, 1, 1, 0, 0, 1]);
    assert_eq!(
        bench.published(),
        [
            "local room/heater \"on\" retained",
            "local room/heater \"off\" retained",
            "local room/heater \"on\" retained",
        ]
    );
}

#[test]
fn thermostat_follows_its_target_also_below_zero() {
    let mut bench = running("thermostat");
    bench.local_retained("room/target", "5");
    bench.local("room/temperature", "4.9");
    assert!(!bench.pin(12));
    bench.local("room/temperature", "-3.5");
    assert!(bench.pin(12));
    assert_eq!(bench.variable("$now").as_deref(), Some("-35"));
}

#[test]
fn thermostat_gives_up_on_a_silent_sensor() {
    let mut bench = running("thermostat");
    bench.local("room/temperature", "15");
    bench.advance(10 * MINUTE);
    bench.local("room/temperature", "15.5");
    bench.advance(15 * MINUTE - 1);
    assert!(bench.pin(12));
    bench.advance(1);
    assert!(!bench.pin(12));
    assert_eq!(bench.retained("room/heater").as_deref(), Some("off"));
}

/// One pulse of the meter.
fn pulse(bench: &mut umqtt_device::sim::Bench) {
    bench.drive_pin(4, false);
    bench.advance(60);
    bench.drive_pin(4, true);
    bench.advance(60);
}

#[test]
fn counter_counts_and_spares_the_flash() {
    let mut bench = prepared("counter");
    bench.set_flash(1, "12345");
    bench.start();
    assert_eq!(bench.published(), ["local meter/count \"12345\" retained"]);
    for _ in 0..250 {
        pulse(&mut bench);
    }
    assert_eq!(bench.flash(1), "12545");
    let writes = bench.done().iter().filter(|deed| deed.starts_with("flash")).count();
    assert_eq!(writes, 2);

    bench.set_clock(on("Mon", "23:59:00"));
    bench.advance(2 * MINUTE);
    assert_eq!(bench.flash(1), "12595", "saved at midnight");
    assert_eq!(bench.retained("meter/count").as_deref(), Some("12595"));
    bench.done();
    bench.advance(24 * HOUR);
    assert!(!bench.done().iter().any(|deed| deed.starts_with("flash")), "nothing new to save");
}

#[test]
fn counter_tells_the_pulses_of_a_minute() {
    let mut bench = running("counter");
    for _ in 0..3 {
        pulse(&mut bench);
    }
    bench.advance(MINUTE);
    assert_eq!(
        bench.published(),
        ["local meter/count \"3\" retained", "local meter/per_minute \"3\" retained"]
    );
    bench.advance(MINUTE);
    assert_eq!(bench.published(), ["local meter/per_minute \"0\" retained"]);
}

#[test]
fn watering_waits_for_day_and_for_the_water_to_sink_in() {
    let mut bench = prepared("watering");
    bench.set_adc(700);
    bench.start();
    bench.advance(10 * MINUTE);
    assert!(!bench.published().iter().any(|deed| deed.contains("pump")), "no clock, no water");

    bench.set_clock(on("Mon", "05:58:30"));
    bench.advance(MINUTE);
    assert!(!bench.pin(12), "night");
    bench.advance(MINUTE);
    assert!(bench.pin(12), "06:00:30");
    bench.advance(20 * SECOND);
    assert!(!bench.pin(12));
    assert_eq!(bench.retained("garden/watered").as_deref(), Some("06:00:50"));

    bench.advance(29 * MINUTE);
    assert!(!bench.pin(12));
    bench.done();
    bench.advance(MINUTE);
    assert_eq!(bench.done().iter().filter(|deed| *deed == "gpio 12 = 1").count(), 1);
}

#[test]
fn watering_by_hand_and_one_odd_reading() {
    let mut bench = prepared("watering");
    bench.set_adc(500);
    bench.set_clock(on("Mon", "12:00:00"));
    bench.start();
    bench.set_adc(900);
    bench.advance(MINUTE);
    assert_eq!(bench.published(), ["local garden/moisture \"600\""]);
    bench.set_adc(500);
    bench.advance(MINUTE);
    assert!(!bench.pin(12));

    bench.local("garden/pump", "on");
    assert!(bench.pin(12));
    bench.local("garden/pump", "off");
    assert!(!bench.pin(12));
    bench.done();
    bench.advance(30 * SECOND);
    assert!(!bench.published().iter().any(|deed| deed.contains("watered")));
}

#[test]
fn weather_becomes_topics() {
    let mut bench = running("weather");
    bench.advance(5 * SECOND);
    let asked = bench.done();
    assert!(asked[0].starts_with("http_get http://api.open-meteo.com/v1/forecast?"), "{asked:?}");
    let body = r#"{"latitude":52.52,"current":{"time":"2026-01-01T12:00","temperature_2m":-1.4,"wind_speed_10m":12.2}}"#;
    assert!(bench.http_answer(b"200", body));
    assert_eq!(
        bench.published(),
        ["local weather/temperature \"-1.4\" retained", "local weather/wind \"12.2\" retained",]
    );
    bench.advance(10 * MINUTE - 1);
    assert!(bench.done().is_empty());
    bench.advance(1);
    assert_eq!(bench.done().len(), 1, "asks again");
}

#[test]
fn weather_survives_bad_answers_and_forgets_old_news() {
    let mut bench = running("weather");
    bench.advance(5 * SECOND);
    bench.http_answer(b"200", r#"{"current":{"temperature_2m":20,"wind_speed_10m":3}}"#);
    bench.local("weather/refresh", "");
    bench.advance(1);
    bench.done();
    bench.http_answer(b"500", "oops");
    assert_eq!(bench.done(), ["println weather: api.open-meteo.com answered 500"]);
    bench.advance(MINUTE);
    bench.http_answer(b"200", "{\"current\": broken");
    assert_eq!(bench.retained("weather/temperature").as_deref(), Some("20"));
    bench.advance(10 * MINUTE);
    bench.http_answer(b"404", "");
    assert_eq!(bench.retained("weather/temperature"), None);
}
