//! Random delays, so that hosts that are switched on together do not speak at the same time.

use umqtt_net::Duration;

/// Xorshift from a random seed.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u32);

impl Jitter {
    pub(super) const fn new(seed: u32) -> Jitter {
        Jitter(seed | 1)
    }

    /// So many milliseconds, the last one not included.
    pub(super) fn delay(&mut self, from: u32, to: u32) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        Duration::from_millis(u64::from(from + self.0 % (to - from)))
    }
}
