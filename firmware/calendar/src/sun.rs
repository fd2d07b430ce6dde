//! Sunrise and sunset, after the algorithm of NOAA's solar calculator (J. Meeus, Astronomical
//! Algorithms, ch. 25): the sun's mean longitude and anomaly, the equation of the centre, its
//! declination and right ascension, and the hour angle at which its upper edge is at the horizon.
//!
//! In integers: angles are binary, see [`crate::angle`]. What changes by less than a few seconds
//! within our lives (the obliquity of the ecliptic, the eccentricity of the orbit, nutation) is a
//! constant here. The tests hold it against the algorithm in floating point.

use crate::angle::{BITS, ONE, atan2, sin_cos};
use crate::date::DAY;
use crate::zone::{Zone, day_of};

/// A place on earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Ten thousandths of a degree north of the equator, -900,000 to 900,000.
    pub latitude: i32,
    /// Ten thousandths of a degree east of Greenwich, -1,800,000 to 1,800,000.
    pub longitude: i32,
}

/// When the sun rises and sets, in seconds from the beginning of a local day. Far from the middle
/// of its zone, or far north, one of them may be before that, or behind the day's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SunTimes {
    /// Sunrise.
    pub rise: i32,
    /// Sunset.
    pub set: i32,
}

/// 1 January 2000, from which the sun's positions are counted, at noon.
const EPOCH: i32 = 10_957;
/// The mean anomaly then, and what it grows by in a day and in a second.
const ANOMALY: (u32, u32, i32) = (4_265_488_430, 11_758_669, 136);
/// The mean longitude.
const LONGITUDE: (u32, u32, i32) = (3_346_095_204, 11_759_231, 136);
/// The equation of the centre: what the sine of the anomaly and that of its double are multiplied
/// with, in 2<sup>10</sup>.
const CENTRE: (i32, i32) = (22_307, 233);
/// Aberration: the sun is seen where it was when its light left.
const ABERRATION: u32 = 67_884;
/// Sine and cosine of the obliquity of the ecliptic in 2025.
const OBLIQUITY: (i32, i32) = (13_033, 30_065);
/// The sine of the height of the sun's middle when its upper edge is seen at the horizon: 50
/// arc minutes below it, for the sun's radius and the refraction of the air.
const HORIZON: i32 = -476;

/// Days from 1970 farther than which the sun is not computed: what changes slowly is a constant.
const FARTHEST: i32 = 1_000_000;

impl Place {
    /// Sunrise and sunset of a local day, counted from 1970; `None` where the sun stays above the
    /// horizon or below it.
    pub fn sun(self, zone: &Zone, day: i32) -> Option<SunTimes> {
        let day = day.clamp(-FARTHEST, FARTHEST);
        // On the other side of the date line noon of the same date is on another day of UTC.
        let seconds = self.longitude * 3 / 125;
        let noon = |day: i32| i64::from(day) * i64::from(DAY) + i64::from(DAY / 2 - seconds);
        let of_zone = day_of(zone.to_local(noon(day)));
        let utc_day = 2 * day - of_zone;
        let noon = noon(utc_day);
        let mut found = [0; 2];
        for (rises, found) in [true, false].into_iter().zip(&mut found) {
            // The sun's position at noon, and then at the time that was found with it.
            let mut at = noon;
            for _ in 0..2 {
                let (late, half_day) = self.half_day(at)?;
                let from_noon = if rises { late - half_day } else { late + half_day };
                at = noon + i64::from(from_noon);
            }
            *found = (zone.to_local(at) - i64::from(day) * i64::from(DAY)) as i32;
        }
        Some(SunTimes { rise: found[0], set: found[1] })
    }

    /// By how many seconds the sun is late at noon, and for how many it is up before and behind
    /// that, with the position it has at a time in UTC.
    fn half_day(self, utc: i64) -> Option<(i32, i32)> {
        let day = day_of(utc);
        let second = (utc - i64::from(day) * i64::from(DAY)) as i32 - DAY / 2;
        let days = day.wrapping_sub(EPOCH).cast_unsigned();
        let mean = |(start, by_day, by_second): (u32, u32, i32)| {
            let in_day = (second * by_second).cast_unsigned();
            start.wrapping_add(days.wrapping_mul(by_day)).wrapping_add(in_day)
        };
        let (anomaly, longitude) = (mean(ANOMALY), mean(LONGITUDE));
        let centre = times(CENTRE.0, sin_cos(anomaly).0)
            + times(CENTRE.1, sin_cos(anomaly.wrapping_mul(2)).0);
        let seen = longitude.wrapping_add((centre << 10).cast_unsigned()).wrapping_sub(ABERRATION);
        let (sin, cos) = sin_cos(seen);
        let ascension = atan2(times(OBLIQUITY.1, sin), cos);
        let late = ascension.wrapping_sub(longitude).wrapping_add(ABERRATION).cast_signed();

        let sin_declination = times(OBLIQUITY.0, sin);
        let cos_declination = root(ONE * ONE - sin_declination * sin_declination);
        let latitude = self.latitude * 1193 + self.latitude * 3 / 64;
        let (sin_latitude, cos_latitude) = sin_cos(latitude.cast_unsigned());
        let along = HORIZON - times(sin_latitude, sin_declination);
        let most = times(cos_latitude, cos_declination);
        // Above the horizon all day, or below it.
        if along.abs() >= most {
            return None;
        }
        let across = root((most - along) * (most + along));
        Some((seconds(late), seconds(atan2(across, along).cast_signed())))
    }
}

/// The product of a number and a fraction.
fn times(number: i32, fraction: i32) -> i32 {
    (number * fraction + (1 << (BITS - 1))) >> BITS
}

/// The square root.
fn root(square: i32) -> i32 {
    square.cast_unsigned().isqrt().cast_signed()
}

/// The time in which the earth turns by an angle.
fn seconds(angle: i32) -> i32 {
    // 86,400 is 675 times 2 to the power of 7.
    ((angle >> 16) * 675) >> 9
}
