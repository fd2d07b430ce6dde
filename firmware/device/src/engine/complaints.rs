//! Which run-time warnings to log: a script that does the wrong thing a thousand times a second says so now and then.

use alloc::vec::Vec;

use super::Millis;

/// A place complains again after so many milliseconds, not earlier.
pub const COMPLAIN_EVERY_MS: Millis = 60_000;

/// Most places remembered; with more of them complaining, the rest is only counted.
const PLACES: usize = 16;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// A division by zero at this code offset.
    DivisionByZero(u16),
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

/// The complaints logged lately.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    logged: Vec<(Complaint, Millis)>,
}

impl Complaints {
    /// Whether to log this one.
    pub(super) fn may_log(&mut self, complaint: Complaint, now: Millis) -> bool {
        self.logged.retain(|(_, at)| now.saturating_sub(*at) < COMPLAIN_EVERY_MS);
        if self.logged.len() == PLACES || self.logged.iter().any(|(what, _)| *what == complaint) {
            return false;
        }
        self.logged.push((complaint, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_once_a_minute() {
        let mut complaints = Complaints::default();
        assert!(complaints.may_log(Complaint::DivisionByZero(7), 0));
        assert!(!complaints.may_log(Complaint::DivisionByZero(7), 59_999));
        assert!(complaints.may_log(Complaint::ValueCut(7), 10));
        assert!(complaints.may_log(Complaint::DivisionByZero(7), 60_000));
    }

    #[test]
    fn many_places_are_silenced() {
        let mut complaints = Complaints::default();
        let logged = (0..1000).filter(|at| complaints.may_log(Complaint::Topic(*at), 0)).count();
        assert_eq!(logged, PLACES);
    }
}
