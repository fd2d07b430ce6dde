//! Points in time and spans of time, so that one is not taken for the other: `now + now` does not
//! compile.

use core::ops::{Add, AddAssign, Div, Mul, Sub};

/// Milliseconds of a clock that never goes back; where it starts does not matter.
///
/// ```compile_fail
/// # use umqtt_net::Instant;
/// let now = Instant::from_millis(1);
/// let nonsense = now + now;
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Instant(u64);

/// A span of time in milliseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(transparent)]
pub struct Duration(u64);

impl Instant {
    /// Where the clock starts.
    pub const ZERO: Instant = Instant(0);
    /// A time that never comes.
    pub const MAX: Instant = Instant(u64::MAX);

    /// So many milliseconds after [`Instant::ZERO`].
    pub const fn from_millis(millis: u64) -> Instant {
        Instant(millis)
    }

    /// Milliseconds after [`Instant::ZERO`].
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time since an earlier point, or zero if that is later.
    pub const fn saturating_duration_since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// That much later, [`Instant::MAX`] at most.
    pub const fn saturating_add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(duration.0))
    }

    /// That much earlier, [`Instant::ZERO`] at least.
    pub const fn saturating_sub(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_sub(duration.0))
    }
}

impl Duration {
    /// No time.
    pub const ZERO: Duration = Duration(0);
    /// More time than there is.
    pub const MAX: Duration = Duration(u64::MAX);

    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Duration {
        Duration(millis)
    }

    /// So many seconds.
    pub const fn from_secs(secs: u64) -> Duration {
        Duration(secs * 1000)
    }

    /// Milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Whole seconds, the last one begun counted.
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(1000)
    }

    /// Whether it is no time.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// That much shorter, zero at least.
    pub const fn saturating_sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }

    /// That many times as long, [`Duration::MAX`] at most.
    pub const fn saturating_mul(self, times: u64) -> Duration {
        Duration(self.0.saturating_mul(times))
    }
}

impl core::fmt::Debug for Instant {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "at {} ms", self.0)
    }
}

impl core::fmt::Debug for Duration {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0 + duration.0)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        self.0 += duration.0;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant(self.0 - duration.0)
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        Duration(self.0 - earlier.0)
    }
}

/// [`Duration::MAX`] at most: a sum of spans that were read is not to overflow.
impl Add for Duration {
    type Output = Duration;

    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl Sub for Duration {
    type Output = Duration;

    fn sub(self, other: Duration) -> Duration {
        Duration(self.0 - other.0)
    }
}

impl Mul<u64> for Duration {
    type Output = Duration;

    fn mul(self, times: u64) -> Duration {
        Duration(self.0 * times)
    }
}

impl Div<u64> for Duration {
    type Output = Duration;

    fn div(self, parts: u64) -> Duration {
        Duration(self.0 / parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_spans() {
        let start = Instant::from_millis(500);
        let later = start + Duration::from_secs(2);
        assert_eq!(later.as_millis(), 2_500);
        assert_eq!(later - start, Duration::from_millis(2_000));
        assert_eq!(later - Duration::from_millis(2_000), start);
        assert_eq!(start.saturating_duration_since(later), Duration::ZERO);
        assert_eq!(Instant::MAX.saturating_add(Duration::from_secs(1)), Instant::MAX);
        assert_eq!(start.saturating_sub(Duration::from_secs(1)), Instant::ZERO);
        assert_eq!(Duration::from_secs(3) / 2 + Duration::from_millis(1) * 2, Duration(1_502));
        assert_eq!(Duration::from_millis(2_999).as_secs(), 2);
    }
}
