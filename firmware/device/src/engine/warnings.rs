//! Rate limit of run-time warnings: each kind at each place once in a while, however often it
//! happens.

use umqtt_net::{Duration, Instant};

use alloc::vec::Vec;

/// Milliseconds before the same warning is logged again.
pub const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Most warnings remembered; the rest is only counted.
const PLACES: usize = 16;

/// A warning, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WarningKind {
    /// A division by zero at this code offset.
    DivisionByZero(u16),
    /// A decimal that was too large at this code offset.
    DecimalTooLarge(u16),
    /// A value that did not fit at this code offset.
    ValueCut(u16),
    /// A topic refused in the handler that starts at this code offset.
    Topic(u16),
    /// Messages that come round to the handler that starts at this code offset.
    Feedback(u16),
    /// The handler that starts at this code offset had no turn.
    Exhausted(u16),
    /// An event that found no room.
    Dropped,
}

/// The warnings logged lately.
#[derive(Debug, Default)]
pub(super) struct WarningLimiter {
    logged: Vec<(WarningKind, Instant)>,
}

impl WarningLimiter {
    /// Whether to log this one.
    pub(super) fn may_log(&mut self, warning: WarningKind, now: Instant) -> bool {
        self.logged.retain(|(_, at)| now.saturating_duration_since(*at) < WARNING_INTERVAL);
        if self.logged.len() == PLACES || self.logged.iter().any(|(what, _)| *what == warning) {
            return false;
        }
        self.logged.push((warning, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::at;

    #[test]
    fn each_place_once_a_minute() {
        let mut limiter = WarningLimiter::default();
        assert!(limiter.may_log(WarningKind::DivisionByZero(7), at(0)));
        assert!(!limiter.may_log(WarningKind::DivisionByZero(7), at(59_999)));
        assert!(limiter.may_log(WarningKind::ValueCut(7), at(10)));
        assert!(limiter.may_log(WarningKind::DivisionByZero(7), at(60_000)));
    }

    #[test]
    fn many_places_are_silenced() {
        let mut limiter = WarningLimiter::default();
        let logged =
            (0..1000).filter(|start| limiter.may_log(WarningKind::Topic(*start), at(0))).count();
        assert_eq!(logged, PLACES);
    }
}
