//! Time: CONNECT that does not come, keep-alive, closing connections, stored sessions.
//!
//! A keep-alive moves its end with every packet, but its entry here only when it comes due: a packet
//! costs no work here, a call when nothing is due looks at one entry.

use super::Broker;
use crate::Millis;
use crate::connection::Phase;

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
        self.timers.first().map(|(at, _)| *at)
    }

    /// Does what time makes due. Call it at [`poll_at`](Self::poll_at) or later; any earlier call costs a
    /// comparison.
    pub fn handle_timeout(&mut self, now: Millis) {
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
