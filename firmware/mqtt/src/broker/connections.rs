//! Connections come and go, and what is to be sent on them.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::{shrink_deque, try_append, try_deque_room};

use super::receive::ProtocolError;
use super::{Broker, ConnId, Refused};
use crate::arena::{make_room, table_grows_by};
use crate::connection::{Connection, LastWill, Phase};
use crate::journal::SessionLog;
use crate::session::{Presence, Session};
use crate::timers::Timer;
use crate::{Duration, Hooks, Instant, Peer};

/// The time a connection that is to be closed has to take what is still to be sent to it.
const LINGER: Duration = Duration::from_secs(5);

impl Broker {
    /// A network connection was made. It has [`connect_timeout`](crate::Limits::connect_timeout)
    /// for its CONNECT. Where [`max_waiting`](crate::Limits::max_waiting) of them wait, the one
    /// that has waited longest is closed for it.
    ///
    /// # Errors
    /// [`Refused`]: close it, the broker knows nothing of it.
    pub fn open(
        &mut self,
        conn: ConnId,
        peer: Peer,
        now: Instant,
        hooks: &mut dyn Hooks,
    ) -> Result<(), Refused> {
        if self.slot(conn).is_some() {
            return Err(Refused::AlreadyOpen);
        }
        // A caller that uses an id again has closed what had it before.
        self.closes.retain(|old| *old != conn);
        if !hooks.on_connect(&peer) {
            self.stats.refused += 1;
            return Err(Refused::ByHook);
        }
        let most = self.limits.max_waiting;
        let full = self.connections.len() - self.live >= most;
        if self.closes.len() >= most || full && !self.close_longest_waiting(now) {
            self.stats.refused += 1;
            return Err(Refused::TooMany);
        }
        let room =
            self.has_room_for_connection() || self.displace(now) && self.has_room_for_connection();
        if !room {
            self.stats.refused += 1;
            return Err(Refused::NoMemory);
        }
        let slot = self.connections.insert(Connection::new(conn, peer, now));
        self.timers
            .make_room(Timer::Connection(slot), self.connections.len() + self.sessions.len());
        make_room(&mut self.slots);
        let place = self.slots.partition_point(|slot| slot.0 < conn);
        self.slots.insert(place, (conn, slot));
        self.waiting.push_back(slot);
        self.set_timer(slot, Some(now.saturating_add(self.limits.connect_timeout)));
        self.stats.opened += 1;
        Ok(())
    }

    /// How many connections have not sent their CONNECT yet.
    pub fn waiting_len(&self) -> usize {
        self.waiting.len()
    }

    /// The network has no room for one more connection: closes the one that has been without its
    /// CONNECT for longest, if others have not sent it either. False if there are none.
    pub fn make_way(&mut self, now: Instant) -> bool {
        self.waiting.len() > 1 && self.close_longest_waiting(now)
    }

    /// Closes the connection that has been without its CONNECT for longest: a client sends it at
    /// once, so whoever holds a place in silence has the least claim to it. False if there is none.
    fn close_longest_waiting(&mut self, now: Instant) -> bool {
        let Some(slot) = self.waiting.front().copied() else { return false };
        self.stats.refused += 1;
        self.abort(slot, now);
        true
    }

    /// The connection is no longer one that has yet to send its CONNECT.
    pub(super) fn end_wait(&mut self, slot: u32) {
        // A client that sends it at once is the last.
        if let Some(place) = self.waiting.iter().rposition(|other| *other == slot) {
            self.waiting.remove(place);
        }
    }

    /// Whether the heap has what a connection takes, and makes room in the queues.
    fn has_room_for_connection(&mut self) -> bool {
        let open = self.connections.len() + self.closes.len() + 8;
        let waiting = self.waiting.len() + 1;
        let timers = self.timers.grows_by(self.connections.len() + 1 + self.sessions.len());
        let blocks =
            [self.connections.grows_by(), table_grows_by(&self.slots), timers, timers, 8 * open];
        self.heap_has_blocks(blocks)
            && room_for(&mut self.writable, open)
            && room_for(&mut self.closes, open)
            && room_for(&mut self.waiting, waiting)
    }

    /// The network connection is gone, by whatever way: publishes the client's will unless it took
    /// its leave, and forgets it or keeps its session. An unknown id is ignored.
    pub fn closed(&mut self, conn: ConnId, now: Instant) {
        match self.slot(conn) {
            Some(slot) => {
                let will = self.detach(slot, now);
                self.release(slot);
                self.publish_will(will);
            }
            None => self.closes.retain(|old| *old != conn),
        }
    }

    /// Closes the connection of a client as if it had failed: its will is published. False if no
    /// such client is connected.
    pub fn disconnect(&mut self, client_id: &str, now: Instant) -> bool {
        let key = self.find_name(client_id).ok().and_then(|place| self.names.get(place));
        let session = key.and_then(|key| self.sessions.get(*key));
        let Some(slot) = session.and_then(Session::connection) else { return false };
        self.abort(slot, now);
        true
    }

    /// The next run of bytes to send on a connection, empty if there is none. Report what of it
    /// went with [`sent`](Self::sent), before any other call: what waits may change with it.
    pub fn outgoing(&mut self, conn: ConnId) -> &[u8] {
        match self.slot(conn).and_then(|slot| self.connections.get_mut(slot)) {
            Some(connection) if !connection.outbox.is_blocked() => {
                connection.outbox.outgoing(&mut self.piece)
            }
            _ => &[],
        }
    }

    /// Copies as much of what is to be sent as fits into `buffer`, over any number of packets, so
    /// that one write to the socket sends many small ones; how many bytes that was. Nothing is
    /// taken away: report what of it went with [`sent`](Self::sent), before any other call: what
    /// waits may change with it.
    pub fn copy_outgoing(&self, conn: ConnId, buffer: &mut [u8]) -> usize {
        let slot = self.slot(conn).and_then(|slot| self.connections.get(slot));
        let slot = slot.filter(|connection| !connection.outbox.is_blocked());
        slot.map_or(0, |connection| connection.outbox.copy(buffer))
    }

    /// The first `n` bytes of what was outgoing are on their way.
    pub fn sent(&mut self, conn: ConnId, n: usize) {
        let Some(slot) = self.slot(conn) else { return };
        let Some(connection) = self.connections.get_mut(slot) else { return };
        connection.outbox.sent(n);
        connection.stalled_out &= n == 0;
        if connection.outbox.is_empty() {
            connection.announced = false;
        }
        let over = connection.phase == Phase::Closing && connection.outbox.is_done();
        connection.share.set(connection.held(), &mut self.shares);
        self.stats.bytes_sent += n as u64;
        if over {
            self.close(slot);
        } else if let Some((key, session)) = self.session_of(slot) {
            if session.has_backlog() {
                self.pump(key);
            }
            self.note_moved(key);
        }
    }

    /// A connection that has something to send and had nothing before. Send until
    /// [`outgoing`](Self::outgoing) is empty, or until its socket takes no more, and then go on
    /// once it does: it is not named again before it has been empty, unless it was
    /// [put off](Self::put_off).
    pub fn poll_writable(&mut self) -> Option<ConnId> {
        while let Some(slot) = self.writable.pop_front() {
            if let Some(connection) = self.connection(slot)
                && !connection.outbox.is_empty()
                && !connection.outbox.is_blocked()
            {
                return Some(connection.id);
            } else if let Some(connection) = self.connection(slot) {
                connection.announced = false;
            }
        }
        None
    }

    /// A connection that [`poll_writable`](Self::poll_writable) has named is to be named again,
    /// behind the others: it has had its share, and its socket takes more.
    pub fn put_off(&mut self, conn: ConnId) {
        if let Some(slot) = self.slot(conn) {
            self.writable.push_back(slot);
        }
    }

    /// How many connections [`poll_writable`](Self::poll_writable) has not named yet, at most.
    pub fn writable_len(&self) -> usize {
        self.writable.len()
    }

    /// A connection to close now: what was to be sent first is sent, or has taken too long. The
    /// broker has forgotten it; there is no need to call [`closed`](Self::closed).
    pub fn poll_close(&mut self) -> Option<ConnId> {
        self.closes.pop_front()
    }

    /// Queues control bytes, and the connection as writable.
    /// False if there is no memory for them.
    #[must_use]
    pub(super) fn send_control(&mut self, slot: u32, bytes: &[u8]) -> bool {
        let queued = self
            .connection(slot)
            .is_none_or(|connection| try_append(connection.outbox.control(), bytes));
        self.stats.out_of_memory += u64::from(!queued);
        self.announce(slot);
        queued
    }

    /// Puts a connection on the list of those with something to send, once.
    pub(crate) fn announce(&mut self, slot: u32) {
        if let Some(connection) = self.connections.get_mut(slot) {
            note(connection, slot, &mut self.writable, &mut self.shares);
        }
    }

    /// Ends a connection for its client's fault: reads no more, sends what is due, then closes; its
    /// will is published.
    pub(super) fn fail(&mut self, slot: u32, fault: ProtocolError, now: Instant) {
        *match fault {
            ProtocolError::Malformed => &mut self.stats.protocol_errors,
            ProtocolError::TooLarge => &mut self.stats.too_large,
            ProtocolError::NoMemory => &mut self.stats.no_memory,
            ProtocolError::Unread => &mut self.stats.slow,
            ProtocolError::Unreleased => &mut self.stats.unreleased,
        } += 1;
        let will = self.detach(slot, now);
        self.close_after_flush(slot, now);
        self.publish_will(will);
    }

    /// Ends a connection in peace: no will.
    pub(super) fn leave(&mut self, slot: u32, now: Instant) {
        self.detach(slot, now);
        self.close_after_flush(slot, now);
    }

    /// Ends a connection at once, sending nothing more; its will is published.
    pub(super) fn abort(&mut self, slot: u32, now: Instant) {
        let will = self.detach(slot, now);
        self.close(slot);
        self.publish_will(will);
    }

    /// Separates a connection from its session, which ends or is kept; hands out the will.
    fn detach(&mut self, slot: u32, now: Instant) -> Option<Box<LastWill>> {
        let connection = self.connections.get_mut(slot)?;
        let will = connection.will.take();
        connection.inbox = Vec::new();
        let not_sent = connection.outbox.first_not_sent();
        let phase = core::mem::replace(&mut connection.phase, Phase::Closing);
        connection.outbox.abandon();
        self.recount(slot);
        if phase == Phase::AwaitingConnect {
            self.end_wait(slot);
        }
        if let Phase::Live(key) = phase {
            self.live -= 1;
            let session = self.sessions.get_mut(key)?;
            session.presence = Presence::New;
            if let Some(inflight) = session.inflight_if_any() {
                inflight.not_sent_from(not_sent);
            }
            if session.clean {
                self.forget_session(key);
                return will;
            }
            session.log.offline(now);
            self.offline.add(key, &mut self.sessions);
            if self.limits.session_expiry < Duration::MAX {
                self.set_expiry(key, Some(now.saturating_add(self.limits.session_expiry)));
            }
        }
        will
    }

    /// Lets a closing connection send what is due, for a while.
    fn close_after_flush(&mut self, slot: u32, now: Instant) {
        match self.connection(slot) {
            Some(connection) if !connection.outbox.is_done() => {
                self.set_timer(slot, Some(now.saturating_add(LINGER)));
            }
            _ => self.close(slot),
        }
    }

    /// Forgets a connection, and queues it to be closed.
    pub(crate) fn close(&mut self, slot: u32) {
        if let Some(id) = self.release(slot) {
            self.closes.push_back(id);
        }
    }

    fn release(&mut self, slot: u32) -> Option<ConnId> {
        self.set_timer(slot, None);
        let mut connection = self.connections.remove(slot)?;
        connection.share.set(0, &mut self.shares);
        self.journal.forget_gate(slot);
        if let Ok(place) = self.slots.binary_search_by_key(&connection.id, |slot| slot.0) {
            self.slots.remove(place);
        }
        if connection.announced {
            self.writable.retain(|other| *other != slot);
        }
        if self.connections.len() == 0 {
            self.store.clear();
            (self.slots, self.writable) = (Vec::new(), VecDeque::new());
            self.waiting = VecDeque::new();
            shrink_deque(&mut self.closes, 1);
        }
        Some(connection.id)
    }

    fn publish_will(&mut self, will: Option<Box<LastWill>>) {
        if let Some(will) = will {
            self.stats.wills += 1;
            let message = &will.publication;
            self.publish_from_client(
                message.topic(),
                message.payload(),
                (will.qos, will.retain),
                None,
            );
        }
    }

    /// Where a client id is in `names`, or would be.
    pub(crate) fn find_name(&self, client_id: &str) -> Result<usize, usize> {
        self.names.binary_search_by(|key| {
            self.sessions.get(*key).map_or("", |s| &s.client_id).cmp(client_id)
        })
    }

    /// Makes a session under a client id that has none, at its place among the names.
    pub(crate) fn add_session(
        &mut self,
        client_id: &str,
        place: usize,
        log: SessionLog,
        clean: bool,
    ) -> u32 {
        let key = self.sessions.insert(Session::new(client_id, clean, log));
        self.timers.make_room(Timer::Session(key), self.connections.len() + self.sessions.len());
        make_room(&mut self.names);
        self.names.insert(place, key);
        self.stored += usize::from(!clean);
        key
    }

    /// Ends a session that has no connection.
    pub(super) fn forget_session(&mut self, key: u32) {
        self.set_expiry(key, None);
        self.offline.remove(key, &mut self.sessions);
        let Some(session) = self.sessions.get(key) else { return };
        if let Ok(place) = self.find_name(&session.client_id) {
            self.names.remove(place);
        }
        let Some(mut session) = self.sessions.remove(key) else { return };
        session.share.set(0, &mut self.shares);
        self.stored -= usize::from(!session.clean);
        let orphans = self.orphans(key, &mut session);
        for node in &session.subscriptions {
            self.subscriptions.unsubscribe(key, *node);
        }
        // Before the session lets go of them, so that those who get them need not keep them anew.
        self.pass_on(orphans);
        if let Some(inflight) = session.inflight_if_any() {
            inflight.abandon();
        }
        session.log.gone();
        if self.sessions.len() == 0 {
            self.names = Vec::new();
        }
    }
}

/// Makes room in a queue for so many entries, if there is not; false if there is no memory.
fn room_for<T>(queue: &mut VecDeque<T>, entries: usize) -> bool {
    entries <= queue.capacity() || try_deque_room(queue, entries - queue.len())
}

/// Something was queued for a connection, perhaps: counts it, and puts the connection on the list
/// of those with something to send, once.
pub(super) fn note(
    connection: &mut Connection,
    slot: u32,
    writable: &mut VecDeque<u32>,
    shares: &mut usize,
) {
    connection.share.set(connection.held(), shares);
    if !connection.announced && !connection.outbox.is_empty() {
        connection.announced = true;
        writable.push_back(slot);
    }
}
