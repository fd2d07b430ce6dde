//! How much a script may print on a serial port: as much as the port takes away. More would make
//! everybody wait for the port; it is left out and counted.

use umqtt_net::Instant;

/// Bytes that may be printed at once, after a while without.
const BURST: u16 = 2048;

/// A rate limit for what a script prints on a serial port, with a burst of `BURST` bytes.
#[derive(Debug)]
pub(crate) struct PrintRateLimiter {
    /// Bytes a millisecond; `None`: as much as there is.
    per_milli: Option<u8>,
    left: u16,
    /// The lower half of the time.
    at: u32,
    /// Bytes left out since something was printed last.
    dropped: u32,
}

impl PrintRateLimiter {
    pub(crate) fn new(per_milli: Option<u8>) -> PrintRateLimiter {
        PrintRateLimiter { per_milli, left: BURST, at: 0, dropped: 0 }
    }

    /// Whether to print so many bytes. After some were left out it takes a pause before others are
    /// printed, so that lines are whole more often than not.
    pub(crate) fn admits(&mut self, bytes: usize, now: Instant) -> bool {
        let Some(per_milli) = self.per_milli else { return true };
        let passed = (now.as_millis() as u32).wrapping_sub(self.at);
        self.at = now.as_millis() as u32;
        let more = passed.saturating_mul(per_milli.into()).min(BURST.into()) as u16;
        self.left = (self.left + more).min(BURST);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let paused = self.dropped > 0 && self.left < BURST / 2;
        if paused || bytes > self.left.into() {
            self.dropped = self.dropped.saturating_add(bytes);
            return false;
        }
        self.left -= bytes as u16; // no more than there were
        true
    }

    /// How many bytes were left out before what is printed now.
    pub(crate) fn take_dropped(&mut self) -> u32 {
        core::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_port_does_not_take_is_left_out_and_counted() {
        let mut rate = PrintRateLimiter::new(Some(8));
        let (mut printed, mut dropped) = (0, 0);
        for now in 1..=10_000 {
            for _ in 0..3 {
                if rate.admits(100, Instant::from_millis(now)) {
                    dropped += rate.take_dropped();
                    printed += 100;
                }
            }
        }
        dropped += rate.take_dropped();
        assert!(printed > 70_000 && printed <= 8 * 10_000 + u32::from(BURST), "{printed}");
        assert_eq!(printed + dropped, 3_000_000);
        assert!(PrintRateLimiter::new(None).admits(usize::MAX, Instant::ZERO));
    }

    #[test]
    fn what_is_printed_now_and_then_is_never_left_out() {
        let mut rate = PrintRateLimiter::new(Some(8));
        for now in (0..1_000_000).step_by(100) {
            assert!(rate.admits(800, Instant::from_millis(now)));
        }
        assert_eq!(rate.take_dropped(), 0);
    }
}
