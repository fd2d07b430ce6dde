//! Backoff: how long the client waits before it reconnects.

use crate::Duration;

/// Milliseconds before the first repetition, on average three quarters of it.
const FIRST: u32 = 1_000;
/// Milliseconds the wait grows to.
const LONGEST: u32 = 60_000;

/// Waits that double, each with its random half, so that clients which lost their server together
/// do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    wait: u32,
    random: u32,
}

impl Backoff {
    pub(super) fn new(seed: u32) -> Backoff {
        // The generator below gets nowhere from 0.
        Backoff { wait: FIRST, random: if seed == 0 { 0x9e37_79b9 } else { seed } }
    }

    /// It worked: the next failure is a first one.
    pub(super) fn reset(&mut self) {
        self.wait = FIRST;
    }

    pub(super) fn next_delay(&mut self) -> Duration {
        // Marsaglia's xorshift with 32 bits.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        let half = self.wait / 2;
        let delay = half + self.random % (half + 1);
        self.wait = (self.wait * 2).min(LONGEST);
        Duration::from_millis(delay.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_differ() {
        let (mut a, mut b) = (Backoff::new(1), Backoff::new(2));
        let mut differ = false;
        for round in 0..20 {
            let full = (1_000 << round.min(10)).min(60_000);
            let (wait_a, wait_b) = (a.next_delay(), b.next_delay());
            assert!((full / 2..=full).contains(&wait_a.as_millis()), "{wait_a:?} in round {round}");
            differ |= wait_a != wait_b;
        }
        assert!(differ);
        a.reset();
        assert!(a.next_delay() <= Duration::from_secs(1));
    }
}
