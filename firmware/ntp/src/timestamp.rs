//! Timestamps: 32 bits of seconds since 1900, which begin anew in 2036, and 32 bits of fractions.

/// Seconds from 1900 to 1970.
const UNIX_EPOCH: u64 = 2_208_988_800;
/// 2024-01-01 in milliseconds since 1970. Timestamps are read as the first time from here on, up to
/// 136 years later, so that no clock has to run before the first answer.
pub const FIRST_UNIX_MILLIS: u64 = 1_704_067_200_000;
const FIRST_SECOND: u64 = FIRST_UNIX_MILLIS / 1000 + UNIX_EPOCH;

/// A timestamp. Zero stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timestamp(u64);

impl Timestamp {
    /// None.
    pub const NONE: Timestamp = Timestamp(0);

    /// As it is sent.
    pub const fn from_bits(bits: u64) -> Timestamp {
        Timestamp(bits)
    }

    /// As it is sent.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Whether it stands for none.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// From milliseconds since 1970. The era is lost.
    pub const fn from_unix_millis(millis: u64) -> Timestamp {
        let second = (millis / 1000).wrapping_add(UNIX_EPOCH) as u32;
        // Up, so that it is the same millisecond again when it is read.
        let fraction = ((millis % 1000) << 32).div_ceil(1000);
        let bits = (second as u64) << 32 | fraction;
        // The moment at which the era of 2036 begins is no missing time.
        Timestamp(if bits == 0 { 1 } else { bits })
    }

    /// Milliseconds since 1970, not before [`FIRST_UNIX_MILLIS`].
    pub const fn to_unix_millis(self) -> u64 {
        let ahead = ((self.0 >> 32) as u32).wrapping_sub(FIRST_SECOND as u32);
        FIRST_UNIX_MILLIS + ahead as u64 * 1000 + self.millis()
    }

    /// Milliseconds from another one to this, within 68 years before and after it.
    pub const fn millis_since(self, other: Timestamp) -> i64 {
        let span = Timestamp(self.0.wrapping_sub(other.0));
        ((span.0 >> 32) as u32).cast_signed() as i64 * 1000 + span.millis().cast_signed()
    }

    /// The fraction in milliseconds.
    const fn millis(self) -> u64 {
        ((self.0 & 0xffff_ffff) * 1000) >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        // RFC 5905, figure 4, and what follows from it.
        for (unix, second) in [
            (1_704_067_200, 0xe93c_7f00),
            // The end of the first era: 2036-02-07 06:28:16.
            (2_085_978_495, 0xffff_ffff),
            (2_085_978_496, 0),
            (2_085_978_497, 1),
            // 2038-01-19 03:14:08, where 31 bits end.
            (2_147_483_648, 0x03aa_7e80),
            // 2040-01-01
            (2_208_988_800, 0x0754_fd00),
        ] {
            let timestamp = Timestamp::from_unix_millis(unix * 1000 + 500);
            assert_eq!(timestamp.to_bits(), second << 32 | 0x8000_0000, "{unix}");
            assert_eq!(timestamp.to_unix_millis(), unix * 1000 + 500, "{unix}");
        }
    }

    #[test]
    fn spans_run_over_the_end_of_an_era() {
        let before = Timestamp::from_bits(0xffff_ffff_c000_0000);
        let after = Timestamp::from_bits(0x0000_0001_4000_0000);
        assert_eq!(after.millis_since(before), 1_500);
        assert_eq!(before.millis_since(after), -1_500);
        assert_eq!(before.millis_since(before), 0);
    }
}
