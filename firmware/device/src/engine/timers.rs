//! The script's one-shot timers: a short list, the next to run out first.

use alloc::vec::Vec;

use umqtt_net::{Duration, Instant};

use umqtt_vm::Event;

use super::NEVER;

#[derive(Clone, Copy, Debug)]
struct Armed {
    at: Instant,
    /// Milliseconds from one time to the next, 0 for a timer, which runs out once.
    period: u32,
    n: u8,
}

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The timer of that number ran out.
    Timer(u8),
    /// The period of that number has passed.
    Every(u8),
}

/// The armed timers, sorted by deadline; of equal deadlines the one armed first comes first. At
/// most one entry per timer number, and one per handler of `on every`, so never more than twice as
/// many as the profile has timers.
#[derive(Debug, Default)]
pub(super) struct Timers {
    armed: Vec<Armed>,
}

impl Timers {
    /// Arms timer `n` anew to run out in `ms`; 0 or less disarms it.
    pub(super) fn set(&mut self, n: u8, ms: i32, now: Instant) {
        if let Some(place) = self.armed.iter().position(|timer| timer.n == n && timer.period == 0) {
            self.armed.remove(place);
        }
        let Ok(ms @ 1..) = u32::try_from(ms) else { return };
        let at = now.saturating_add(Duration::from_millis(ms.into()));
        self.insert(Armed { at, period: 0, n });
    }

    /// Has the period of `on every` number `n` pass again and again, for the first time after one;
    /// false if there is no memory.
    pub(super) fn repeat(&mut self, n: u8, period: u32, now: Instant) -> bool {
        let at = now.saturating_add(Duration::from_millis(period.into()));
        let there = self.armed.try_reserve(1).is_ok();
        if there {
            self.insert(Armed { at, period, n });
        }
        there
    }

    fn insert(&mut self, armed: Armed) {
        // Periods that pass at once are in the order of the script.
        let behind = |timer: &Armed| armed.period == 0 || timer.period == 0 || timer.n < armed.n;
        let place = self
            .armed
            .partition_point(|timer| timer.at < armed.at || timer.at == armed.at && behind(timer));
        self.armed.insert(place, armed);
    }

    /// When the next one runs out; [`NEVER`] if none is armed.
    #[inline]
    pub(super) fn next_at(&self) -> Instant {
        self.armed.first().map_or(NEVER, |timer| timer.at)
    }

    /// The next one to run out.
    pub(super) fn next(&self) -> Option<Due> {
        self.armed.first().map(Armed::due)
    }

    /// Takes the first out of the list. A period comes again at the next of its times that lies
    /// ahead: those missed are skipped, and it does not drift.
    pub(super) fn take_first(&mut self, now: Instant) -> Option<Due> {
        let armed = (!self.armed.is_empty()).then(|| self.armed.remove(0))?;
        if let Some(late) =
            now.saturating_duration_since(armed.at).as_millis().checked_div(armed.period.into())
        {
            let ahead = (late + 1).saturating_mul(armed.period.into());
            let at = armed.at.saturating_add(Duration::from_millis(ahead));
            self.insert(Armed { at, ..armed });
        }
        Some(armed.due())
    }

    /// Disarms all.
    pub(super) fn clear(&mut self) {
        self.armed.clear();
    }
}

impl Due {
    pub(super) fn event(self) -> Event<'static> {
        match self {
            Due::Timer(n) => Event::Timer(n),
            Due::Every(n) => Event::Every(n),
        }
    }
}

impl Armed {
    fn due(&self) -> Due {
        if self.period == 0 { Due::Timer(self.n) } else { Due::Every(self.n) }
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
        let due = [1, 2, 3].map(|n| Some(Due::Timer(n)));
        assert_eq!([(); 4].map(|()| timers.take_first(at(50))), [due[0], due[1], due[2], None]);
        assert_eq!(timers.next_at(), NEVER);
    }

    #[test]
    fn periods_do_not_drift_and_skip_what_was_missed() {
        let mut timers = Timers::default();
        assert!(timers.repeat(1, 100, at(7)));
        timers.set(1, 150, at(7));
        let taken = |timers: &mut Timers, now| (timers.take_first(at(now)), timers.next_at());
        assert_eq!(timers.next_at(), at(107));
        assert_eq!(taken(&mut timers, 109), (Some(Due::Every(1)), at(157)));
        assert_eq!(taken(&mut timers, 160), (Some(Due::Timer(1)), at(207)));
        assert_eq!(taken(&mut timers, 507), (Some(Due::Every(1)), at(607)));
        assert_eq!(taken(&mut timers, 606 + 100), (Some(Due::Every(1)), at(707)));
    }

    #[test]
    fn periods_go_on_where_milliseconds_of_32_bits_end() {
        let mut timers = Timers::default();
        let wrap = 1 << 32;
        assert!(timers.repeat(0, 86_400_000, at(0)));
        let mut passed = 0;
        while timers.next_at() < at(wrap + 2 * 86_400_000) {
            let now = timers.next_at();
            assert_eq!(now, at((passed + 1) * 86_400_000));
            assert_eq!(timers.take_first(now), Some(Due::Every(0)));
            passed += 1;
        }
        assert_eq!(passed, 51);
    }
}
