//! Sines and arc tangents by CORDIC: shifts and additions, for chips whose multiplication is slow
//! and that have no FPU.
//!
//! An angle is binary: the circle is 2<sup>32</sup>, so that angles wrap as they should. Sines and
//! lengths are numbers with [`BITS`] bits behind the point.

/// Bits of a fraction: [`ONE`] is 1.
pub(crate) const BITS: u32 = 15;
/// The sine of a right angle.
pub(crate) const ONE: i32 = 1 << BITS;

/// A right angle.
const RIGHT: u32 = 1 << 30;

/// The angles whose tangents are 1, 1/2, 1/4, ...
const TURNS: [u32; 18] = [
    536_870_912,
    316_933_406,
    167_458_907,
    85_004_756,
    42_667_331,
    21_354_465,
    10_679_838,
    5_340_245,
    2_670_163,
    1_335_087,
    667_544,
    333_772,
    166_886,
    83_443,
    41_722,
    20_861,
    10_430,
    5_215,
];

/// Bits behind the point while it is computed.
const FINE: u32 = 29;
/// 1 divided by what the turns make a vector longer, with [`FINE`] bits.
const SHRINK: i32 = 326_016_437;

/// Sine and cosine of an angle.
pub(crate) fn sin_cos(angle: u32) -> (i32, i32) {
    // Half a turn changes both signs, and leaves an angle of up to a right one to either side.
    let turned = angle.wrapping_add(RIGHT) >= 2 * RIGHT;
    let mut left = if turned { angle.wrapping_add(2 * RIGHT) } else { angle }.cast_signed();
    let (mut x, mut y) = (SHRINK, 0);
    for (shift, turn) in TURNS.iter().enumerate() {
        let (across, along) = (y >> shift, x >> shift);
        if left >= 0 {
            (x, y, left) = (x - across, y + along, left - turn.cast_signed());
        } else {
            (x, y, left) = (x + across, y - along, left + turn.cast_signed());
        }
    }
    let [sin, cos] = [y, x].map(|value| (value + (1 << (FINE - BITS - 1))) >> (FINE - BITS));
    if turned { (-sin, -cos) } else { (sin, cos) }
}

/// The angle of a vector whose length is at most [`ONE`], or little more.
pub(crate) fn atan2(y: i32, x: i32) -> u32 {
    let turned = x < 0;
    let (mut x, mut y) = if turned { (-x, -y) } else { (x, y) };
    (x, y) = (x << (FINE - BITS - 1), y << (FINE - BITS - 1));
    let mut angle = if turned { 2 * RIGHT } else { 0 };
    for (shift, turn) in TURNS.iter().enumerate() {
        let (across, along) = (y >> shift, x >> shift);
        if y >= 0 {
            (x, y, angle) = (x + across, y - along, angle.wrapping_add(*turn));
        } else {
            (x, y, angle) = (x - across, y + along, angle.wrapping_sub(*turn));
        }
    }
    angle
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Binary angles in radians.
    fn radians(angle: u32) -> f64 {
        f64::from(angle) / 2f64.powi(31) * core::f64::consts::PI
    }

    #[test]
    fn sines_are_right_to_the_last_bit_or_two() {
        for step in 0..=10_000_u32 {
            let angle = step.wrapping_mul(429_497);
            let (sin, cos) = sin_cos(angle);
            let off = |found: i32, right: f64| (f64::from(found) - right * f64::from(ONE)).abs();
            assert!(off(sin, radians(angle).sin()) < 1.5, "{angle}");
            assert!(off(cos, radians(angle).cos()) < 1.5, "{angle}");
        }
    }

    #[test]
    fn arc_tangents_are_right_to_a_hundredth_of_a_degree() {
        for step in 0..10_000_u32 {
            let angle = step.wrapping_mul(429_497);
            let (sin, cos) = sin_cos(angle);
            for scale in [1, 2, 7] {
                let found = atan2(sin / scale, cos / scale);
                let off = found.wrapping_sub(angle).cast_signed().unsigned_abs();
                assert!(off < 120_000 * scale.unsigned_abs(), "{angle} {off}");
            }
        }
        assert!(atan2(0, 0) < 2 * RIGHT);
    }
}
