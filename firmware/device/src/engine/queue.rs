//! Events that wait for their handlers: the only place where a script's events are kept.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use umqtt_memory::{shrink_deque, try_deque_room, try_room_exact};
use umqtt_net::Instant;
use umqtt_vm::{Event, Side};

use super::NEVER;

/// Most events waiting.
pub const QUEUE_EVENTS: usize = 64;

/// An event and what it carries, all its bytes in one piece.
#[derive(Debug)]
struct Waiting {
    at: Instant,
    kind: Kind,
    bytes: Box<[u8]>,
}

/// What an event is, and where its parts lie in its bytes; the last goes to the end. The engine's
/// own events (config, init, timers, alarms, pins) are found when they are due and never wait here.
#[derive(Clone, Copy, Debug)]
enum Kind {
    WifiConnect,
    WifiDisconnect,
    MqttConnect,
    Serial,
    Topic { side: Side, topic: u32 },
    Http { host: u32, path: u32, code: [u8; 3], cut: bool },
}

/// Room kept when nothing waits; what a burst took beyond it is given back.
const KEPT: usize = 4;

/// Bytes of the heap that are always left to it: an event that waits, with what it carries.
pub(super) const LEAST: usize = KEPT * size_of::<Waiting>() + 128;

/// Events in the order they came, bounded in number by [`QUEUE_EVENTS`] and in bytes by the limit
/// it was made with. `bytes` is always the sum of what the waiting events carry.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    limit: usize,
}

impl Queue {
    /// An empty queue whose events may carry `limit` bytes together.
    pub(super) fn new(limit: usize) -> Queue {
        Queue { waiting: VecDeque::new(), bytes: 0, limit }
    }

    /// Whether an event of this many bytes can be taken, and the queue has no more than `budget`
    /// bytes of the heap then.
    pub(super) fn has_room(&self, bytes: usize, budget: usize) -> bool {
        self.waiting.len() < QUEUE_EVENTS
            && bytes <= self.limit - self.bytes
            && self.bytes + bytes + self.next_capacity() * size_of::<Waiting>() <= budget
    }

    /// For how many events it has room once there is one more.
    fn next_capacity(&self) -> usize {
        match self.waiting.capacity() {
            0 => KEPT,
            full if full == self.waiting.len() => 2 * full,
            capacity => capacity,
        }
    }

    /// Whether an event is too large even for an empty queue.
    pub(super) fn too_large(&self, event: &Event<'_>) -> bool {
        size(event) > self.limit
    }

    /// Copies an event to the end of the queue; false if there is no room or memory, or it is none
    /// that waits.
    pub(super) fn push(&mut self, event: &Event<'_>, at: Instant, budget: usize) -> bool {
        if !self.has_room(size(event), budget) {
            return false;
        }
        // No part is longer than the limit, so its length fits.
        let len = |part: &[u8]| part.len() as u32;
        let (kind, parts): (Kind, [&[u8]; 3]) = match *event {
            Event::WifiConnect => (Kind::WifiConnect, [b""; 3]),
            Event::WifiDisconnect => (Kind::WifiDisconnect, [b""; 3]),
            Event::MqttConnect => (Kind::MqttConnect, [b""; 3]),
            Event::Serial { line } => (Kind::Serial, [line, b"", b""]),
            Event::Topic { side, topic, data } => {
                (Kind::Topic { side, topic: len(topic) }, [topic, data, b""])
            }
            Event::HttpResponse { host, path, code, body, cut } => {
                (Kind::Http { host: len(host), path: len(path), code, cut }, [host, path, body])
            }
            // Config, init, timers, alarms, pins: found when they are due.
            _ => return false,
        };
        let mut bytes = Vec::new();
        let more = self.next_capacity() - self.waiting.len();
        if !try_room_exact(&mut bytes, size(event)) || !try_deque_room(&mut self.waiting, more) {
            return false;
        }
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        self.bytes += bytes.len();
        self.waiting.push_back(Waiting { at, kind, bytes: bytes.into_boxed_slice() });
        true
    }

    /// When the first one came; [`NEVER`] if none waits.
    #[inline]
    pub(super) fn next_at(&self) -> Instant {
        self.waiting.front().map_or(NEVER, |waiting| waiting.at)
    }

    /// Takes the first one.
    pub(super) fn pop(&mut self) -> Option<Taken> {
        let waiting = self.waiting.pop_front()?;
        self.bytes -= waiting.bytes.len();
        if self.waiting.is_empty() {
            shrink_deque(&mut self.waiting, KEPT);
        }
        Some(Taken(waiting))
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.waiting.capacity() * size_of::<Waiting>()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.bytes = 0;
    }
}

/// An event taken out of the queue.
#[derive(Debug)]
pub(super) struct Taken(Waiting);

impl Taken {
    /// The event as the machine wants it.
    pub(super) fn event(&self) -> Event<'_> {
        let bytes = &*self.0.bytes;
        let split =
            |bytes, at: u32| <[u8]>::split_at_checked(bytes, at as usize).unwrap_or_default();
        match self.0.kind {
            Kind::WifiConnect => Event::WifiConnect,
            Kind::WifiDisconnect => Event::WifiDisconnect,
            Kind::MqttConnect => Event::MqttConnect,
            Kind::Serial => Event::Serial { line: bytes },
            Kind::Topic { side, topic } => {
                let (topic, data) = split(bytes, topic);
                Event::Topic { side, topic, data }
            }
            Kind::Http { host, path, code, cut } => {
                let (host, rest) = split(bytes, host);
                let (path, body) = split(rest, path);
                Event::HttpResponse { host, path, code, body, cut }
            }
        }
    }
}

/// How many bytes an event carries.
fn size(event: &Event<'_>) -> usize {
    match event {
        Event::Serial { line } => line.len(),
        Event::Topic { topic, data, .. } => topic.len() + data.len(),
        Event::HttpResponse { host, path, body, .. } => host.len() + path.len() + body.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::at;

    fn topic<'e>(topic: &'e [u8], data: &'e [u8]) -> Event<'e> {
        Event::Topic { side: Side::Remote, topic, data }
    }

    #[test]
    fn events_come_out_as_they_went_in() {
        let mut queue = Queue::new(100);
        let events = [
            topic(b"a/b", b""),
            Event::WifiDisconnect,
            Event::HttpResponse {
                host: b"h",
                path: b"/p",
                code: *b"404",
                body: b"gone",
                cut: true,
            },
            Event::Serial { line: b"line" },
            Event::MqttConnect,
        ];
        for (millis, event) in (1..).zip(&events) {
            assert!(queue.push(event, at(millis), usize::MAX));
        }
        assert_eq!(queue.next_at(), at(1));
        for event in &events {
            assert_eq!(queue.pop().unwrap().event(), *event);
        }
        assert!(queue.pop().is_none() && queue.bytes == 0);
    }

    #[test]
    fn a_full_queue_refuses_the_newcomer() {
        let mut queue = Queue::new(10);
        assert!(queue.push(&topic(b"abc", b"1234"), at(0), usize::MAX));
        assert!(!queue.push(&topic(b"abc", b"1"), at(0), usize::MAX));
        assert!(queue.push(&topic(b"a", b"12"), at(0), usize::MAX));
        assert!(
            queue.push(&Event::MqttConnect, at(0), usize::MAX),
            "no bytes, and there is room for one more"
        );
        assert_eq!(queue.pop().unwrap().event(), topic(b"abc", b"1234"));
        assert!(queue.push(&topic(b"abc", b"1234"), at(0), usize::MAX));
        assert!(queue.too_large(&topic(b"abc", b"12345678")));

        queue.clear();
        for _ in 0..QUEUE_EVENTS {
            assert!(queue.push(&Event::WifiConnect, at(0), usize::MAX));
        }
        assert!(!queue.push(&Event::WifiConnect, at(0), usize::MAX));
    }

    #[test]
    fn a_queue_keeps_within_its_budget() {
        let mut queue = Queue::new(10_000);
        for budget in [LEAST, 3 * LEAST] {
            while queue.push(&topic(b"abc", &[b'x'; 20]), at(0), budget) {
                assert!(queue.memory() <= budget);
            }
            assert!(!queue.is_empty());
        }
        let first = queue.waiting.len();
        queue.clear();
        assert!(queue.push(&topic(b"abc", &[b'x'; 125]), at(0), LEAST), "{first}");
        assert!(!queue.push(&topic(b"abc", &[b'x'; 126]), at(0), LEAST) && queue.memory() <= LEAST);
    }

    #[test]
    fn waiting_costs_little() {
        // On a 32-bit chip it is less still.
        assert!(size_of::<Waiting>() <= 48, "{}", size_of::<Waiting>());
        let mut queue = Queue::new(10);
        while queue.push(&Event::WifiConnect, at(0), usize::MAX) {}
        while queue.pop().is_some() {}
        assert!(queue.waiting.capacity() <= 2 * KEPT);
    }
}
