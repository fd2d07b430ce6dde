//! The bound on all of the broker's memory together.

use umqtt_memory::{STEP_MARGIN, reserve, reserve_blocks, reserve_margin};

use super::Broker;
use crate::arena::table_grows_by;
use crate::connection::{Connection, Phase};
use crate::delivery::Delivery;
use crate::inflight::Inflight;
use crate::memory::{BLOCK, block};
use crate::message::Publication;
use crate::session::Session;
use crate::{Duration, Instant, Limits};

/// A connection with its places among slots, timers and those that have something to send, and an
/// allowance for the blocks of its packets and its queue.
const CONNECTION: usize = size_of::<Connection>() + 8 + (12 + 8) + 4 + 2 * BLOCK;
// The figures of `docs/memory.md` for the chip, and the bound on what a client may cost there: with
// a client id of 16 bytes, a buffer of 8 for its last answer, and two subscriptions.
#[cfg(target_pointer_width = "32")]
const _: () = {
    assert!(CONNECTION <= 144 && SESSION <= 60 && size_of::<Delivery>() <= 8);
    assert!(CLIENT <= 256);
    assert!(Publication::cost_of(20) <= 68);
};

/// Bytes of unfinished packets and waiting messages from which on [`Broker::relieve`] takes a
/// connection for one that holds memory.
const HOLDS: usize = 128;
/// What a message that is not acknowledged counts there.
const UNACKNOWLEDGED: usize = 64;

/// Time between two stored sessions that make room for connections.
const DISPLACE_INTERVAL: Duration = Duration::from_millis(1000);

/// Stored sessions that make room for one client at most.
const DISPLACED_AT_ONCE: usize = 64;

/// A session with its places among names and subscribers found.
const SESSION: usize = size_of::<Session>() + 4 + 4;

/// What a client takes that has an id of 16 bytes and two subscriptions to filters that others
/// have.
const CLIENT: usize = CONNECTION + SESSION + (16 + BLOCK) + 8 + 2 * 8;
/// What the messages take that the program retains on the broker's own topics: ten of them.
const OWN_MESSAGES: usize = 10 * Publication::cost_of(48);
/// The part of all memory that the local client may subscribe with at any rate.
const LOCAL_PART: usize = 4;

/// What a will takes.
fn will_cost(will_len: usize) -> usize {
    if will_len > 0 { Publication::cost_of(will_len) } else { 0 }
}

impl Broker {
    /// Bytes of the heap that clients make the broker use, with an allowance for what the heap
    /// itself adds. A message counts once, in however many queues it waits. What is only kept to
    /// save allocations does not count.
    pub fn memory(&self) -> usize {
        let clients = self.connections.len() * CONNECTION + self.sessions.len() * SESSION;
        let messages = self.store.held() + self.retained.held() + self.local.held();
        clients + self.shares + messages + self.subscriptions.held()
    }

    /// Bytes that may wait for one client, or of one client for the rest of a packet: half of what
    /// is free. So those who do not read, or do not end what they begin, share what there is, and
    /// however many they are, some is left for the others.
    pub(super) fn share(&self) -> usize {
        self.memory_left() / 2
    }

    /// Lends so many bytes for what passes through, beyond
    /// [`max_memory`](crate::Limits::max_memory): memory its owner does not use at present. With 0
    /// it is asked back: what is there stays, and nothing new comes until there is room again.
    pub fn lend_memory(&mut self, bytes: usize) {
        self.borrowed = bytes;
    }

    /// The heap has had no room for small allocations for so long that a client has to give way:
    /// eviction, one at a time, in this order:
    ///
    /// 1. the connection that holds the most in an unfinished packet and in messages that wait, if
    ///    that is much: it is ended, its will is published;
    /// 2. the stored session whose client has been offline for longest: it is forgotten;
    /// 3. the messages for the local client, which may be the one that finds no memory: they are
    ///    dropped;
    /// 4. any other connection, the one that holds the most first.
    ///
    /// False if there is nothing to give.
    pub fn relieve(&mut self, now: Instant) -> bool {
        let most = self.holds_most();
        if let Some((HOLDS.., slot)) = most {
            self.give_way(slot, now);
        } else if let Some(oldest) = self.offline.oldest() {
            self.displace_session(oldest);
        } else if self.local_waiting() > 0 {
            self.stats.messages_dropped += self.local.drop_messages();
        } else if let Some((_, slot)) = most {
            self.give_way(slot, now);
        } else {
            return false;
        }
        true
    }

    fn give_way(&mut self, slot: u32, now: Instant) {
        self.stats.no_memory += 1;
        if let Some((key, session)) = self.session_of(slot)
            && session.clean
        {
            self.count_lost(key);
        }
        self.abort(slot, now);
    }

    /// The connection that holds the most, and how many bytes: what begins and does not end, and
    /// what waits and is not taken.
    fn holds_most(&self) -> Option<(usize, u32)> {
        let holds = |slot: u32| {
            let connection = self.connections.get(slot)?;
            let session = match connection.phase {
                Phase::Live(key) => self.sessions.get(key).map_or(0, Session::entries),
                _ => 0,
            };
            let waiting = connection.outbox.queued().bytes + session * UNACKNOWLEDGED;
            Some((connection.inbox.capacity() + waiting, slot))
        };
        self.slots.iter().filter_map(|(_, slot)| holds(*slot)).max()
    }

    /// Bytes that messages may still take.
    pub fn memory_left(&self) -> usize {
        (self.limits.max_memory.saturating_add(self.borrowed)).saturating_sub(self.memory())
    }

    /// Whether there is memory for so many bytes that are to be kept: an eighth of all is left for
    /// what passes through.
    pub(super) fn has_memory_to_keep(&self, more: usize) -> bool {
        let more = more.saturating_add(self.limits.max_memory / 8);
        self.memory().saturating_add(more) <= self.limits.max_memory
    }

    /// Bytes that the local client's subscriptions may take: what a full house of clients leaves.
    pub(super) fn local_share(&self) -> usize {
        let Limits { max_memory, max_clients, .. } = self.limits;
        let clients = max_clients.saturating_mul(CLIENT);
        let others = clients.saturating_add(OWN_MESSAGES);
        (max_memory - max_memory / 8).saturating_sub(others).max(max_memory / LOCAL_PART)
    }

    /// Whether there is memory for so many bytes more.
    pub(super) fn has_memory(&self, more: usize) -> bool {
        more <= self.memory_left()
    }

    /// Whether there is memory for a message that so many queues will share.
    pub(super) fn has_memory_for(&self, topic: &[u8], payload: &[u8], queues: usize) -> bool {
        let len = Publication::len_of(topic, payload).unwrap_or(0);
        self.has_memory(Publication::cost_of(len) + queues * size_of::<Delivery>())
    }

    /// Whether there is memory for a client that comes. One that has a session already needs some
    /// for its will only: whatever else is kept, it can come back, and take what waits for it.
    pub(super) fn has_memory_for_client(&self, id: &str, will_len: usize, known: bool) -> bool {
        known && will_cost(will_len) <= self.share()
            || self.has_memory_to_keep(self.memory_to_keep_client(id, will_len))
    }

    fn memory_to_keep_client(&self, id: &str, will_len: usize) -> usize {
        SESSION + block(id.len()) + will_cost(will_len)
    }

    /// The caller has just found [`STEP_MARGIN`] bytes of the heap free: so the broker need not
    /// look itself before it allocates what is small.
    pub fn begin_step(&mut self) {
        self.allowance = STEP_MARGIN / 2;
    }

    /// The caller has not found them: the broker looks itself before each allocation.
    pub fn begin_step_without_margin(&mut self) {
        self.allowance = 0;
    }

    /// Whether the heap has room for a small allocation of so many bytes, which cannot fail then.
    /// It is looked at once for many of them.
    #[inline]
    pub(super) fn may_allocate(&mut self, bytes: usize) -> bool {
        if bytes <= self.allowance {
            self.allowance -= bytes;
            return true;
        }
        self.look_for_memory(bytes)
    }

    #[cold]
    fn look_for_memory(&mut self, bytes: usize) -> bool {
        let there = if bytes <= STEP_MARGIN / 2 { reserve_margin() } else { reserve(bytes) };
        self.stats.out_of_memory += u64::from(!there);
        self.allowance = if there { (STEP_MARGIN / 2).saturating_sub(bytes) } else { 0 };
        there
    }

    /// Whether the heap has so many bytes now; if not, that is counted.
    pub(super) fn heap_has(&mut self, bytes: usize) -> bool {
        let there = reserve(bytes);
        self.allowance = 0;
        self.stats.out_of_memory += u64::from(!there);
        there
    }

    /// Whether the heap has these blocks at once, and half a step's margin.
    pub(super) fn heap_has_blocks<const N: usize>(&mut self, blocks: [usize; N]) -> bool {
        let there = reserve_blocks(blocks, STEP_MARGIN / 2);
        self.allowance = 0;
        self.stats.out_of_memory += u64::from(!there);
        there
    }

    /// Whether the heap has what a new client's CONNECT takes, and so many messages that its
    /// session has waiting for it.
    fn heap_has_client(&mut self, client_id: &str, will_len: usize, waiting: usize) -> bool {
        let sessions = self.sessions.grows_by();
        let timers = self.timers.grows_by(self.connections.len() + self.sessions.len() + 1);
        let names = table_grows_by(&self.names);
        let waiting = waiting * 3 * size_of::<Delivery>();
        self.heap_has_blocks([
            sessions,
            timers,
            names,
            client_id.len() + will_len,
            will_len,
            waiting,
        ])
    }

    /// Whether there is memory for a client that may come in. Stored sessions make room, those that
    /// were offline for longest first, but not its own: so no client is shut out by those that have
    /// left. None is forgotten for a client that would not fit all the same.
    pub(super) fn make_memory_for_client(
        &mut self,
        id: &str,
        will_len: usize,
        known: Option<u32>,
    ) -> bool {
        for _ in 0..DISPLACED_AT_ONCE {
            let fits = self.has_memory_for_client(id, will_len, known.is_some());
            let waiting = known.and_then(|key| self.sessions.get(key)).map_or(0, Session::entries);
            if fits && self.heap_has_client(id, will_len, waiting) {
                return true;
            }
            if !fits && !self.may_fit_client(id, will_len, known) {
                return false;
            }
            let mut others = self.offline.iter(&self.sessions).filter(|key| Some(*key) != known);
            let Some(oldest) = others.next() else { return false };
            drop(others);
            self.displace_session(oldest);
        }
        false
    }

    /// Whether a client fits when stored sessions have made room; true when that is not certain.
    fn may_fit_client(&self, id: &str, will_len: usize, known: Option<u32>) -> bool {
        let needed = self.memory_to_keep_client(id, will_len) + self.limits.max_memory / 8;
        let over = (self.memory() + needed).saturating_sub(self.limits.max_memory);
        let others = self.offline.iter(&self.sessions).filter(|key| Some(*key) != known);
        // What a subscription takes depends on the others: all of them at most.
        let (mut freed, subscriptions) = (0, self.subscriptions.held());
        for session in others.take(DISPLACED_AT_ONCE).filter_map(|key| self.sessions.get(key)) {
            freed += SESSION + session.held();
            freed += session.inflight_ref().map_or(0, Inflight::cost_of_messages);
            if freed + subscriptions >= over {
                return true;
            }
        }
        false
    }

    /// Forgets the stored session that was offline for longest, so that a client can connect; once
    /// in [`DISPLACE_INTERVAL`], as it is not known yet who that is. False if there is none.
    pub(super) fn displace(&mut self, now: Instant) -> bool {
        if now < self.next_displacement {
            return false;
        }
        let Some(oldest) = self.offline.oldest() else { return false };
        self.next_displacement = now.saturating_add(DISPLACE_INTERVAL);
        self.displace_session(oldest);
        true
    }

    /// Forgets a stored session for another, and counts the messages that are lost with it.
    pub(super) fn displace_session(&mut self, key: u32) {
        self.stats.sessions_displaced += 1;
        self.count_lost(key);
        self.forget_session(key);
    }

    /// Counts what a session has not acknowledged of QoS 1 and 2, or was still to get: it goes with
    /// it.
    fn count_lost(&mut self, key: u32) {
        let inflight = self.sessions.get(key).and_then(Session::inflight_ref);
        self.stats.messages_dropped += inflight.map_or(0, Inflight::unfinished) as u64;
    }

    /// Counts what a connection uses now.
    pub(super) fn recount(&mut self, slot: u32) {
        if let Some(connection) = self.connections.get_mut(slot) {
            connection.share.set(connection.held(), &mut self.shares);
        }
    }

    /// Counts what a session uses now.
    pub(crate) fn recount_session(&mut self, key: u32) {
        if let Some(session) = self.sessions.get_mut(key) {
            session.share.set(session.held(), &mut self.shares);
        }
    }
}
