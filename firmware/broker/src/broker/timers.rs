//! Time: CONNECT that does not come, keep-alive, closing connections, stored sessions.
//!
//! A keep-alive moves its end with every packet, but its entry here only when it comes due: a packet
//! costs no work here, a call when nothing is due looks at one entry.

use super::Broker;
use crate::Millis;
use crate::connection::Phase;

/// Retained messages looked at in a millisecond on behalf of new subscribers. A subscription is cheap to ask
/// for and can make the broker look at all there are: this bounds the share of time that can take.
pub(super) const SCANS_PER_MILLI: usize = 4096;

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The connection in this slot.
    Connection(u32),
    /// This session, which has no connection.
    Session(u32),
}

impl Broker {
    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` if it never will as things are.
    /// That may turn out to be nothing but to name a later time.
    pub fn poll_at(&self) -> Option<Millis> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let scan = (!self.scanning.is_empty())
            .then(|| self.scan_time.saturating_add(Millis::from(self.scans_left == 0)));
        timer.into_iter().chain(scan).min()
    }

    /// Does what time makes due. Call it at [`poll_at`](Self::poll_at) or later; any earlier call costs a
    /// comparison.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.allow_scans(now);
        if self.scans_left > 0 {
            for key in core::mem::take(&mut self.scanning) {
                self.pump(key);
            }
        }
        while let Some((at, timer)) = self.timers.first().copied()
            && at <= now
        {
            self.timers.pop_first();
            match timer {
                Timer::Connection(slot) => self.connection_due(slot, now),
                Timer::Session(key) => {
                    if let Some(session) = self.sessions.get_mut(key as usize) {
                        session.expires = None;
                        self.forget_session(key);
                    }
                }
            }
        }
    }

    fn connection_due(&mut self, slot: u32, now: Millis) {
        let Some(connection) = self.connection(slot) else { return };
        connection.timer = None;
        match connection.phase {
            Phase::Live(_) => match connection.silent_at() {
                Some(at) if at <= now => {
                    self.stats.timeouts += 1;
                    self.cut(slot, now);
                }
                later => self.set_timer(slot, later),
            },
            Phase::Waiting => {
                self.stats.timeouts += 1;
                self.cut(slot, now);
            }
            Phase::Closing => self.cut(slot, now),
        }
    }

    /// Allows more looks at retained messages once time has moved.
    pub(super) fn allow_scans(&mut self, now: Millis) {
        if now != self.scan_time {
            (self.scan_time, self.scans_left) = (now, SCANS_PER_MILLI);
        }
    }

    /// Sets, moves or takes away a connection's timer.
    pub(super) fn set_timer(&mut self, slot: u32, at: Option<Millis>) {
        let Some(connection) = self.connections.get_mut(slot as usize) else { return };
        if let Some(old) = core::mem::replace(&mut connection.timer, at) {
            self.timers.remove(&(old, Timer::Connection(slot)));
        }
        if let Some(at) = at {
            self.timers.insert((at, Timer::Connection(slot)));
        }
    }

    /// Sets or takes away the time at which a session is forgotten.
    pub(super) fn set_expiry(&mut self, key: u32, at: Option<Millis>) {
        let Some(session) = self.sessions.get_mut(key as usize) else { return };
        if let Some(old) = core::mem::replace(&mut session.expires, at) {
            self.timers.remove(&(old, Timer::Session(key)));
        }
        if let Some(at) = at {
            self.timers.insert((at, Timer::Session(key)));
        }
    }
}
