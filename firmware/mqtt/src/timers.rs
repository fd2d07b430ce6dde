//! Who is to be looked at when: a heap in which each entry's place is known, so that it can be
//! moved.

use alloc::vec::Vec;

use crate::Instant;
use crate::arena::make_room;

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The connection in this slot.
    Connection(u32),
    /// This session, which has no connection.
    Session(u32),
}

impl Timer {
    /// Both kinds in turn: their numbers are small and begin at 0.
    fn number(self) -> u32 {
        match self {
            Timer::Connection(slot) => slot << 1,
            Timer::Session(key) => key << 1 | 1,
        }
    }

    fn of(number: u32) -> Timer {
        if number & 1 == 0 { Timer::Connection(number >> 1) } else { Timer::Session(number >> 1) }
    }
}

/// An entry: the time in two halves, as 64 bits would be aligned to eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    high: u32,
    low: u32,
    number: u32,
}

impl Due {
    fn at(self) -> Instant {
        Instant::from_millis(u64::from(self.high) << 32 | u64::from(self.low))
    }
}

/// See the module. At most one entry for each connection and each session.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// Each entry is no later than the two at twice its place plus 1 and 2.
    heap: Vec<Due>,
    /// By number: the entry's place in the heap, plus 1; 0 for none.
    places: Vec<u32>,
}

impl Timers {
    /// The first time that is due.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.heap.first().map(|due| due.at())
    }

    /// Takes out the first one that is due by now.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Timer> {
        let first = *self.heap.first()?;
        if first.at() > now {
            return None;
        }
        self.remove(0);
        Some(Timer::of(first.number))
    }

    /// Sets, moves or takes away a time.
    pub(crate) fn set(&mut self, who: Timer, at: Option<Instant>) {
        let number = who.number();
        let known = self.places.get(number as usize).map_or(0, |place| *place as usize);
        match at {
            Some(at) => {
                let at = at.as_millis();
                let due = Due { high: (at >> 32) as u32, low: at as u32, number };
                if known > 0 {
                    self.put(known - 1, due);
                } else {
                    self.insert(due);
                }
            }
            None if known > 0 => self.remove(known - 1),
            None => {}
        }
    }

    /// Makes room for a time of `who`, one of so many that may have one, so that setting it
    /// allocates nothing.
    pub(crate) fn make_room(&mut self, who: Timer, entries: usize) {
        while self.places.len() <= who.number() as usize {
            make_room(&mut self.places);
            self.places.push(0);
        }
        if entries > self.heap.capacity() {
            let more = entries - self.heap.len();
            self.heap.reserve_exact(more + more / 8);
        }
    }

    /// Bytes of the largest block that [`make_room`](Self::make_room) takes for one of so many
    /// entries; 0 if there is room.
    pub(crate) fn grows_by(&self, entries: usize) -> usize {
        let heap = if entries > self.heap.capacity() {
            (entries + (entries - self.heap.len()) / 8) * size_of::<Due>()
        } else {
            0
        };
        // Numbers of both kinds in turn, and none is larger than what there are entries.
        let places = (2 * entries + 2).max(self.places.len());
        let places = if places > self.places.capacity() { (places + places / 8) * 4 } else { 0 };
        heap.max(places)
    }

    fn insert(&mut self, due: Due) {
        while self.places.len() <= due.number as usize {
            make_room(&mut self.places);
            self.places.push(0);
        }
        make_room(&mut self.heap);
        self.heap.push(due);
        self.put(self.heap.len() - 1, due);
    }

    fn remove(&mut self, place: usize) {
        let Some(last) = self.heap.pop() else { return };
        let gone = self.heap.get(place).map_or(last, |gone| *gone);
        self.places[gone.number as usize] = 0;
        if place < self.heap.len() {
            self.put(place, last);
        } else if self.heap.is_empty() {
            *self = Timers::default();
        }
    }

    /// Writes an entry at a place, or wherever up or down from there it belongs.
    fn put(&mut self, mut place: usize, due: Due) {
        while place > 0 && due < self.heap[(place - 1) / 2] {
            self.write(place, self.heap[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let Some(mut child) = self.heap.get(left).copied() else { break };
            let mut at = left;
            if let Some(other) = self.heap.get(right).filter(|other| **other < child) {
                (child, at) = (*other, right);
            }
            if due < child {
                break;
            }
            self.write(place, child);
            place = at;
        }
        self.write(place, due);
    }

    fn write(&mut self, place: usize, due: Due) {
        self.heap[place] = due;
        self.places[due.number as usize] = place as u32 + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Duration;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_comes_first_whatever_was_moved(
            steps in proptest::collection::vec((0u32..12, proptest::option::of(0u64..20)), 0..80),
        ) {
            let mut timers = Timers::default();
            let mut plain = BTreeMap::new();
            for (number, at) in steps {
                let at = at.map(|at| Instant::from_millis(at << 30));
                timers.set(Timer::of(number), at);
                match at {
                    Some(at) => plain.insert(number, at),
                    None => plain.remove(&number),
                };
                prop_assert_eq!(timers.first(), plain.values().min().copied());
            }
            while let Some((number, at)) = plain.iter().map(|(n, at)| (*n, *at)).min_by_key(|(n, at)| (*at, *n)) {
                prop_assert_eq!(timers.pop(at.saturating_sub(Duration::from_millis(1))).is_none(), at > Instant::ZERO);
                if at == Instant::ZERO {
                    timers.set(Timer::of(number), None);
                } else {
                    prop_assert_eq!(timers.pop(at), Some(Timer::of(number)));
                }
                plain.remove(&number);
            }
            prop_assert_eq!((timers.heap.capacity(), timers.places.capacity()), (0, 0));
        }
    }
}
