//! Time: CONNECT that does not come, keep-alive, clients that stall, closing connections, stored
//! sessions.
//!
//! A keep-alive moves its end with every packet, but its entry here only when it comes due: a
//! packet costs no work here, a call when nothing is due looks at one entry. A client that stalls
//! is found by looking at it now and then.

use super::Broker;
use crate::connection::{CompactInstant, Phase};
use crate::timers::Timer;
use crate::{Duration, Instant};

/// Retained messages looked at in a millisecond on behalf of new subscribers. A subscription is
/// cheap to ask for and can make the broker look at all there are: this bounds the share of time
/// that can take.
pub(super) const SCANS_PER_MILLI: usize = 4096;

/// Connections and sessions whose time has come that one call ends. A thousand clients whose
/// network fails fall silent together, and each may leave a will: the others get their turn in
/// between.
const ENDS_AT_ONCE: usize = 32;

impl Broker {
    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` if it never will
    /// as things are. That may turn out to be nothing but to name a later time.
    pub fn poll_at(&self) -> Option<Instant> {
        let timer = self.timers.first();
        let scan = (self.local.scanning || !self.scanning.is_empty()).then(|| {
            self.scan_time.saturating_add(Duration::from_millis((self.scans_left == 0).into()))
        });
        timer.into_iter().chain(scan).min()
    }

    /// Does what time makes due, up to a bound. Call it at [`poll_at`](Self::poll_at) or later; any
    /// earlier call costs a comparison.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.allow_scans(now);
        self.scan();
        if self.local.scanning && self.scans_left > 0 {
            self.pump_local();
        }
        let mut ended = 0;
        while ended < ENDS_AT_ONCE
            && let Some(timer) = self.timers.pop(now)
        {
            ended += usize::from(match timer {
                Timer::Connection(slot) => self.connection_due(slot, now),
                Timer::Session(key) => self.session_due(key),
            });
        }
    }

    /// True if that was its end.
    fn connection_due(&mut self, slot: u32, now: Instant) -> bool {
        let Some(connection) = self.connection(slot) else { return false };
        let look = now >= connection.next_stall_check.at(now);
        let silent = connection.keep_alive_deadline(now).is_some_and(|at| at <= now);
        let stalls = look && connection.stalls();
        match connection.phase {
            Phase::Live(_) if silent => self.stats.keep_alive_timeouts += 1,
            Phase::Live(_) if stalls => self.stats.slow += 1,
            Phase::Live(_) => {
                self.watch(slot, look, now);
                return false;
            }
            Phase::AwaitingConnect => self.stats.connect_timeouts += 1,
            Phase::Closing => {}
        }
        self.abort(slot, now);
        true
    }

    fn session_due(&mut self, key: u32) -> bool {
        self.forget_session(key);
        true
    }

    /// Sets the time of a client's connection; `looked` if it was just looked at whether it stalls.
    pub(super) fn watch(&mut self, slot: u32, looked: bool, now: Instant) {
        // Not again in the same millisecond, or it would never end.
        let stall_timeout = self.limits.stall_timeout.max(Duration::from_millis(1));
        let Some(connection) = self.connection(slot) else { return };
        if looked {
            connection.next_stall_check =
                CompactInstant::new(now.saturating_add(stall_timeout), now);
        }
        let look = connection.next_stall_check.at(now);
        let at = connection.keep_alive_deadline(now).map_or(look, |silent| silent.min(look));
        self.set_timer(slot, Some(at));
    }

    /// Goes on looking for retained messages on behalf of those who wait for it, in turn.
    fn scan(&mut self) {
        while self.scans_left > 0 {
            let after = self.scanning.range(self.scan_turn..).next();
            let Some(key) = after.or_else(|| self.scanning.first()).copied() else { return };
            self.scanning.remove(&key);
            self.scan_turn = key + 1;
            self.pump(key);
        }
    }

    /// Allows more looks at retained messages once time has moved.
    pub(super) fn allow_scans(&mut self, now: Instant) {
        if now != self.scan_time {
            (self.scan_time, self.scans_left) = (now, SCANS_PER_MILLI);
        }
    }

    /// Sets, moves or takes away a connection's timer.
    pub(super) fn set_timer(&mut self, slot: u32, at: Option<Instant>) {
        self.timers.set(Timer::Connection(slot), at);
    }

    /// Sets or takes away the time at which a session is forgotten.
    pub(crate) fn set_expiry(&mut self, key: u32, at: Option<Instant>) {
        self.timers.set(Timer::Session(key), at);
    }
}
