//! Numbers: 32-bit integers, and decimals that are exact in base ten. The machine computes with
//! these functions, and so does the compiler where it knows the values.
//!
//! A number is a mantissa and how many of its digits stand behind the decimal point:
//!
//! | | digits behind the point | mantissa |
//! |---|---|---|
//! | integer | 0 | any `i32` |
//! | decimal | 1 to 9 | at most 9 digits, the last of them not 0 |
//!
//! So each number is written in one way, and two are equal only if both parts are. A result is
//! exact where that holds it. Else it is rounded once, half away from zero, to as many digits as
//! there is room for: 9 in all, or the digits before the point where these are more. What is
//! then beyond the integers is the greatest or the least of them, as [`TooLarge`]. Integers among
//! themselves wrap.

mod text;

use core::cmp::Ordering;

pub use text::{NumberText, parse_number};

/// Significant digits of a decimal at most, and its digits behind the point at most.
pub const DECIMAL_DIGITS: u8 = 9;

const DIGITS: u32 = DECIMAL_DIGITS as u32;

/// 1, 10, 100, ...
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// How many digits behind the point are meant where a script asks for so many: 0 to 9.
pub fn decimals(asked: i32) -> u8 {
    asked.clamp(0, DECIMAL_DIGITS.into()) as u8
}

/// A 32-bit integer, or a decimal.
///
/// ```
/// use umqtt_vm::number::{Number, NumberText};
///
/// let sum = Number::parse(b"21.5")?.plus(Number::parse(b"0.75")?)?;
/// assert_eq!(sum.text(&mut NumberText::new()), b"22.25");
/// # Ok::<(), umqtt_vm::number::TooLarge>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    mantissa: i32,
    scale: u32,
}

/// A decimal that would be greater than the greatest integer, or less than the least; with the
/// one of them that is taken in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge(pub Number);

impl core::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a decimal is too large")
    }
}

impl core::error::Error for TooLarge {}

impl Number {
    /// An integer.
    #[inline(always)]
    pub const fn int(value: i32) -> Number {
        Number { mantissa: value, scale: 0 }
    }

    /// A number of these parts, which are those of a number.
    #[inline(always)]
    pub(crate) const fn from_parts(mantissa: i32, scale: u32) -> Number {
        Number { mantissa, scale }
    }

    /// All its digits, as an integer.
    #[inline(always)]
    pub fn mantissa(self) -> i32 {
        self.mantissa
    }

    /// How many of the digits are behind the point, 0 to 9.
    #[inline(always)]
    pub fn scale(self) -> u8 {
        self.scale as u8
    }

    /// The integer, if it is one.
    #[inline(always)]
    pub fn as_int(self) -> Option<i32> {
        (self.scale == 0).then_some(self.mantissa)
    }

    /// Whether it is 0.
    #[inline(always)]
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Without what is behind the point.
    #[inline(never)]
    pub fn cut(self) -> i32 {
        let power = POWERS.get(self.scale as usize).map_or(1, |power| *power as i32);
        self.mantissa / power
    }

    /// The sum.
    ///
    /// # Errors
    /// [`TooLarge`] if it is, and not both are integers: then it wraps. So it is with the others.
    pub fn plus(self, other: Number) -> Result<Number, TooLarge> {
        self.sum(other, 1)
    }

    /// The sum with the other number times 1 or -1: one function on a chip.
    #[inline(never)]
    fn sum(self, other: Number, sign: i32) -> Result<Number, TooLarge> {
        if self.scale | other.scale == 0 {
            let other = other.mantissa.wrapping_mul(sign);
            return Ok(Number::int(self.mantissa.wrapping_add(other)));
        }
        let (a, b, scale) = self.aligned(other);
        let sum = if sign < 0 { a - b } else { a + b };
        fit(sum < 0, sum.unsigned_abs(), scale, DIGITS)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`TooLarge`]
    pub fn minus(self, other: Number) -> Result<Number, TooLarge> {
        self.sum(other, -1)
    }

    /// The product.
    ///
    /// # Errors
    /// [`TooLarge`]
    pub fn times(self, other: Number) -> Result<Number, TooLarge> {
        if self.scale | other.scale == 0 {
            return Ok(Number::int(self.mantissa.wrapping_mul(other.mantissa)));
        }
        let product = i64::from(self.mantissa) * i64::from(other.mantissa);
        fit(product < 0, product.unsigned_abs(), self.scale + other.scale, DIGITS)
    }

    /// The quotient, to so many digits behind the point; `None` if the divisor is 0.
    ///
    /// # Errors
    /// [`TooLarge`], whatever the numbers are.
    pub fn over(self, divisor: Number, decimals: u8) -> Option<Result<Number, TooLarge>> {
        let most = u32::from(decimals).min(DIGITS);
        let by = divisor.mantissa.unsigned_abs();
        let dividend = self.mantissa.unsigned_abs();
        let mut quotient = u64::from(dividend.checked_div(by)?);
        let mut rest = u64::from(dividend % by);
        let by = u64::from(by);
        // How many digits of the quotient are behind the point: where they are less than none, it
        // lacks some before it.
        let mut scale = self.scale as i32 - divisor.scale as i32;
        while scale < 0 || (scale < most as i32 && quotient < POWERS[DIGITS as usize - 1]) {
            rest *= 10;
            quotient *= 10;
            // A processor of 32 bits subtracts nine times sooner than it divides 64 bits.
            while rest >= by {
                rest -= by;
                quotient += 1;
            }
            scale += 1;
        }
        // Where digits are dropped yet, they decide alone how it is rounded.
        if scale as u32 <= most && 2 * rest >= by {
            quotient += 1;
        }
        Some(fit((self.mantissa < 0) != (divisor.mantissa < 0), quotient, scale as u32, most))
    }

    /// To so many digits behind the point at most.
    #[inline(never)]
    pub fn round(self, decimals: u8) -> Number {
        let most = u32::from(decimals).min(DIGITS);
        if self.scale <= most {
            return self;
        }
        let magnitude = self.mantissa.unsigned_abs().into();
        // No decimal is so large that it could not be rounded.
        fit(self.mantissa < 0, magnitude, self.scale, most).unwrap_or(self)
    }

    /// Without its sign; the least integer wraps and stays what it is.
    pub fn abs(self) -> Number {
        Number { mantissa: self.mantissa.wrapping_abs(), ..self }
    }

    /// Both mantissas with as many digits behind the point, and how many. They are below 2^62.
    #[inline(never)]
    fn aligned(self, other: Number) -> (i64, i64, u32) {
        let scale = self.scale.max(other.scale);
        let widened = |number: Number| {
            let power = POWERS.get((scale - number.scale) as usize).copied().unwrap_or(1);
            i64::from(number.mantissa) * power as i64
        };
        (widened(self), widened(other), scale)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    #[inline(never)]
    fn cmp(&self, other: &Number) -> Ordering {
        let (a, b, _) = self.aligned(*other);
        a.cmp(&b)
    }
}

/// The number next to `magnitude` with `scale` of its digits behind the point: there are at most
/// `most` of them in the end. The magnitude is below 10^19 and the scale at most 18.
#[inline(never)]
fn fit(negative: bool, magnitude: u64, scale: u32, most: u32) -> Result<Number, TooLarge> {
    let mut drop = scale.saturating_sub(most);
    while drop < scale && power(DIGITS + drop) <= magnitude {
        drop += 1;
    }
    let (mut magnitude, mut scale) = (magnitude, scale - drop);
    if drop > 0 {
        let unit = power(drop);
        magnitude = (magnitude + unit / 2) / unit;
    }
    let greatest = if negative { i32::MIN } else { i32::MAX };
    if magnitude > greatest.unsigned_abs().into() {
        return Err(TooLarge(Number::int(greatest)));
    }
    let mut digits = magnitude as u32;
    while scale > 0 && digits.is_multiple_of(10) {
        digits /= 10;
        scale -= 1;
    }
    let mantissa = if negative { (digits as i32).wrapping_neg() } else { digits as i32 };
    Ok(Number { mantissa, scale })
}

/// A power of ten; no greater one than 10^19 is ever needed.
fn power(exponent: u32) -> u64 {
    POWERS.get(exponent as usize).copied().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
