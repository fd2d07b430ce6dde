//! The script's one-shot timers: a short list, the next to run out first.

use alloc::vec::Vec;

use umqtt_net::{Duration, Instant};

use super::NEVER;

#[derive(Clone, Copy, Debug)]
struct Armed {
    at: Instant,
    n: u8,
}

/// The armed timers, sorted by deadline; of equal deadlines the one armed first comes first. At
/// most one entry per timer number, so never more than the profile has timers.
#[derive(Debug, Default)]
pub(super) struct Timers {
    armed: Vec<Armed>,
}

impl Timers {
    /// Arms timer `n` anew to run out in `ms`; 0 or less disarms it.
    pub(super) fn set(&mut self, n: u8, ms: i32, now: Instant) {
        if let Some(place) = self.armed.iter().position(|timer| timer.n == n) {
            self.armed.remove(place);
        }
        let Ok(ms @ 1..) = u32::try_from(ms) else { return };
        let at = now.saturating_add(Duration::from_millis(ms.into()));
        let place = self.armed.partition_point(|timer| timer.at <= at);
        self.armed.insert(place, Armed { at, n });
    }

    /// When the next one runs out; [`NEVER`] if none is armed.
    #[inline]
    pub(super) fn next_at(&self) -> Instant {
        self.armed.first().map_or(NEVER, |timer| timer.at)
    }

    /// The next one to run out.
    pub(super) fn next(&self) -> Option<u8> {
        self.armed.first().map(|timer| timer.n)
    }

    /// Takes the first timer out of the list.
    pub(super) fn take_first(&mut self) -> Option<u8> {
        (!self.armed.is_empty()).then(|| self.armed.remove(0).n)
    }

    /// Disarms all.
    pub(super) fn clear(&mut self) {
        self.armed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::at;

    #[test]
    fn replaced_disarmed_and_in_order() {
        let mut timers = Timers::default();
        timers.set(1, 100, at(0));
        timers.set(2, 50, at(0));
        timers.set(3, 50, at(0));
        timers.set(4, 10, at(0));
        timers.set(4, 0, at(5));
        timers.set(5, -1, at(5));
        assert_eq!(timers.next_at(), at(50));
        timers.set(1, 20, at(10));
        assert_eq!(timers.next_at(), at(30));
        assert_eq!([(); 4].map(|()| timers.take_first()), [Some(1), Some(2), Some(3), None]);
        assert_eq!(timers.next_at(), NEVER);
    }
}
