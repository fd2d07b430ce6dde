//! Sunrise and sunset, held against NOAA's algorithm in floating point.

use umqtt_calendar::{Place, SunTimes, Zone};

/// Latitude and longitude in degrees, hours ahead of UTC.
const PLACES: [(&str, f64, f64, f64); 12] = [
    ("Berlin", 52.52, 13.405, 1.0),
    ("London", 51.5074, -0.1278, 0.0),
    ("Quito", -0.1807, -78.4678, -5.0),
    ("Sydney", -33.8688, 151.2093, 10.0),
    ("New York", 40.7128, -74.006, -5.0),
    ("Reykjavik", 64.1466, -21.9426, 0.0),
    ("Yakutsk", 62.0355, 129.6755, 9.0),
    ("Kiritimati", 1.8721, -157.4278, 14.0),
    ("Ushuaia", -54.8019, -68.303, -3.0),
    ("Kathmandu", 27.7172, 85.324, 5.75),
    ("65 north", 65.0, -180.0, 12.0),
    ("65 south", -65.0, 180.0, -12.0),
];

/// NOAA's calculator, as its page has it: seconds of UTC, from midnight of the day.
mod noaa {
    pub(crate) fn sun(latitude: f64, longitude: f64, days: f64, rises: bool) -> Option<f64> {
        let mut minutes = 720.0;
        for _ in 0..3 {
            let century = (days - 10_957.5 + minutes / 1440.0) / 36_525.0;
            let (late, declination) = position(century);
            let (latitude, up) = (latitude.to_radians(), 90.833_f64.to_radians());
            let cos = up.cos() / (latitude.cos() * declination.cos())
                - latitude.tan() * declination.tan();
            if cos.abs() > 1.0 {
                return None;
            }
            let angle = cos.acos().to_degrees();
            let angle = if rises { -angle } else { angle };
            minutes = 720.0 - 4.0 * longitude - late + 4.0 * angle;
        }
        Some(minutes * 60.0)
    }

    /// The equation of time in minutes and the declination.
    fn position(t: f64) -> (f64, f64) {
        let longitude = 280.46646 + t * (36000.76983 + t * 0.0003032);
        let anomaly = (357.52911 + t * (35999.05029 - 0.0001537 * t)).to_radians();
        let eccentricity = 0.016_708_634 - t * (0.000_042_037 + 0.000_000_126_7 * t);
        let centre = anomaly.sin() * (1.914_602 - t * (0.004_817 + 0.000_014 * t))
            + (2.0 * anomaly).sin() * (0.019_993 - 0.000_101 * t)
            + (3.0 * anomaly).sin() * 0.000_289;
        let node = (125.04 - 1934.136 * t).to_radians();
        let apparent = (longitude + centre - 0.00569 - 0.00478 * node.sin()).to_radians();
        let seconds = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001_813));
        let obliquity = 23.0 + (26.0 + seconds / 60.0) / 60.0 + 0.00256 * node.cos();
        let obliquity = obliquity.to_radians();
        let declination = (obliquity.sin() * apparent.sin()).asin();
        let y = (obliquity / 2.0).tan().powi(2);
        let (l, m, e) = (longitude.to_radians(), anomaly, eccentricity);
        let late = y * (2.0 * l).sin() - 2.0 * e * m.sin()
            + 4.0 * e * y * m.sin() * (2.0 * l).cos()
            - 0.5 * y * y * (4.0 * l).sin()
            - 1.25 * e * e * (2.0 * m).sin();
        (4.0 * late.to_degrees(), declination)
    }
}

fn place(latitude: f64, longitude: f64) -> Place {
    let units = |degrees: f64| (degrees * 10_000.0).round() as i32;
    Place { latitude: units(latitude), longitude: units(longitude) }
}

fn reference(latitude: f64, longitude: f64, zone: f64, day: i32) -> Option<[f64; 2]> {
    // The date of noon there.
    let noon = f64::from(day) * 24.0 + 12.0 - longitude / 15.0 + zone;
    let utc_day = day + day - (noon / 24.0).floor() as i32;
    let to_local = f64::from(utc_day - day) * 86_400.0 + zone * 3600.0;
    let at = |rises| noaa::sun(latitude, longitude, utc_day.into(), rises);
    Some([at(true)? + to_local, at(false)? + to_local])
}

/// 2000, 2026 and 2050.
const YEARS: [i32; 3] = [10_957, 20_454, 29_220];

#[test]
fn within_two_minutes_of_the_algorithm_in_floats() {
    let mut worst = 0.0_f64;
    for (name, latitude, longitude, hours) in PLACES {
        let zone = Zone::fixed((hours * 3600.0) as i32);
        let mut most = 0.0_f64;
        for day in YEARS.into_iter().flat_map(|first| first..first + 366) {
            let SunTimes { rise, set } = place(latitude, longitude).sun(&zone, day).expect(name);
            let right = reference(latitude, longitude, hours, day).expect(name);
            for (found, right) in [rise, set].into_iter().zip(right) {
                let off = (f64::from(found) - right).abs();
                assert!(off < 120.0, "{name} day {day}: {found} for {right}");
                most = most.max(off);
            }
        }
        println!("{name}: at most {most:.0} s off");
        worst = worst.max(most);
    }
    assert!(worst < 45.0, "{worst} s: worse than it was");
}

#[test]
fn rises_before_it_sets_on_the_same_day_about_noon() {
    for (name, latitude, longitude, hours) in PLACES {
        let zone = Zone::fixed((hours * 3600.0) as i32);
        for day in 20_454..20_454 + 366 {
            let SunTimes { rise, set } = place(latitude, longitude).sun(&zone, day).expect(name);
            assert!(rise < set && set - rise < 86_400, "{name} {day}");
            let noon = (rise + set) / 2;
            assert!((0..86_400).contains(&noon), "{name} {day}: noon at {noon}");
        }
    }
}

#[test]
fn polar_days_and_nights_have_none() {
    // Longyearbyen and Vostok, at the solstices.
    for latitude in [78.2, -78.5] {
        for day in [20_624, 20_808] {
            assert_eq!(place(latitude, 15.6).sun(&Zone::UTC, day), None, "{latitude} {day}");
        }
        assert!(place(latitude, 15.6).sun(&Zone::UTC, 20_532).is_some());
    }
    for latitude in [90.0, -90.0] {
        for day in (20_454..20_819).step_by(30) {
            assert_eq!(place(latitude, 0.0).sun(&Zone::UTC, day), None);
        }
    }
}

#[test]
fn summer_time_moves_the_sun() {
    let berlin = Zone::parse(b"CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let before = place(52.52, 13.405).sun(&berlin, 20_540).unwrap(); // 28 March 2026
    let after = place(52.52, 13.405).sun(&berlin, 20_541).unwrap();
    assert!((3400..3600).contains(&(after.rise - before.rise)), "{before:?} {after:?}");
    assert!((3600..3800).contains(&(after.set - before.set)), "{before:?} {after:?}");
}

#[test]
fn any_place_and_day_is_computed() {
    for latitude in [-900_000, -660_000, 0, 660_000, 900_000] {
        for longitude in [-1_800_000, 0, 1_800_000] {
            for day in [i32::MIN, -1, 0, i32::MAX] {
                Place { latitude, longitude }.sun(&Zone::UTC, day);
            }
        }
    }
}
