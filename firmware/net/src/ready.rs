//! What a stack has to report to the device: each connection waits in a queue at most once, with a
//! set of what happened, so that both stay small however often things happen.

use alloc::collections::VecDeque;

/// Something to report about a connection, in the order in which it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Readiness {
    /// [`NetEvent::Accepted`](crate::NetEvent::Accepted)
    Accepted,
    /// [`NetEvent::Connected`](crate::NetEvent::Connected)
    Connected,
    /// [`NetEvent::Readable`](crate::NetEvent::Readable), or
    /// [`NetEvent::Datagram`](crate::NetEvent::Datagram)
    Readable,
    /// [`NetEvent::Writable`](crate::NetEvent::Writable)
    Writable,
    /// [`NetEvent::PeerClosed`](crate::NetEvent::PeerClosed)
    PeerClosed,
    /// [`NetEvent::Closed`](crate::NetEvent::Closed)
    Closed,
}

const ALL: [Readiness; 6] = [
    Readiness::Accepted,
    Readiness::Connected,
    Readiness::Readable,
    Readiness::Writable,
    Readiness::PeerClosed,
    Readiness::Closed,
];

/// What is to be reported about one connection. The connection's entry in its stack's table holds
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadySet(u8);

impl ReadySet {
    /// It waits in the queue.
    const QUEUED: u8 = 1 << 7;

    /// Whether there is nothing to report.
    pub fn is_empty(self) -> bool {
        self.0 & !ReadySet::QUEUED == 0
    }

    fn take_first(&mut self) -> Option<Readiness> {
        let first = ALL.get(self.0.trailing_zeros() as usize).copied()?;
        self.0 &= self.0 - 1;
        Some(first)
    }
}

/// The connections that have something to report, in the order in which they got it.
///
/// ```
/// use umqtt_net::{Readiness, ReadyQueue, ReadySet};
///
/// let mut table = [Some(Entry(ReadySet::default()))];
/// # struct Entry(ReadySet);
/// # impl AsMut<ReadySet> for Entry {
/// #     fn as_mut(&mut self) -> &mut ReadySet {
/// #         &mut self.0
/// #     }
/// # }
/// let mut queue = ReadyQueue::with_capacity(table.len());
/// let set = table[0].as_mut().unwrap().as_mut();
/// // However often it becomes readable, that is reported once.
/// queue.push(0, set, Readiness::Readable);
/// queue.push(0, set, Readiness::Readable);
/// assert_eq!(queue.pop(&mut table), Some((0, Readiness::Readable)));
/// assert_eq!(queue.pop(&mut table), None);
/// ```
#[derive(Debug)]
pub struct ReadyQueue(VecDeque<u32>);

impl ReadyQueue {
    /// A queue for the entries of a table of this size. It never holds more, and so never allocates
    /// again.
    pub fn with_capacity(entries: usize) -> ReadyQueue {
        ReadyQueue(VecDeque::with_capacity(entries))
    }

    /// Notes something to report about entry `index`, whose set is `set`.
    pub fn push(&mut self, index: u32, set: &mut ReadySet, readiness: Readiness) {
        if set.0 & ReadySet::QUEUED == 0 {
            self.0.push_back(index);
        }
        set.0 |= ReadySet::QUEUED | 1 << readiness as u8;
    }

    /// Takes out what is to be reported next about an entry of this table. An entry with more to
    /// report goes to the end of the queue.
    pub fn pop<E: AsMut<ReadySet>>(&mut self, table: &mut [Option<E>]) -> Option<(u32, Readiness)> {
        loop {
            let index = self.0.pop_front()?;
            let Some(Some(entry)) = table.get_mut(index as usize) else { continue };
            let set = entry.as_mut();
            set.0 &= !ReadySet::QUEUED;
            let Some(first) = set.take_first() else { continue };
            if !set.is_empty() {
                set.0 |= ReadySet::QUEUED;
                self.0.push_back(index);
            }
            return Some((index, first));
        }
    }

    /// Forgets an entry that leaves its table with this set.
    pub fn remove(&mut self, index: u32, set: ReadySet) {
        if set.0 & ReadySet::QUEUED != 0 {
            self.0.retain(|waiting| *waiting != index);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// A queue and its table.
    struct World {
        queue: ReadyQueue,
        table: Vec<Option<Entry>>,
    }

    #[derive(Clone, Copy, Default, Debug, PartialEq)]
    struct Entry(ReadySet);

    impl AsMut<ReadySet> for Entry {
        fn as_mut(&mut self) -> &mut ReadySet {
            &mut self.0
        }
    }

    impl World {
        fn new(entries: usize) -> World {
            let table = core::iter::repeat_n(Some(Entry::default()), entries).collect();
            World { queue: ReadyQueue::with_capacity(entries), table }
        }

        fn push(&mut self, index: u32, readiness: Readiness) {
            let entry = self.table[index as usize].as_mut().unwrap();
            self.queue.push(index, &mut entry.0, readiness);
        }

        fn pop(&mut self) -> Option<(u32, Readiness)> {
            self.queue.pop(&mut self.table)
        }

        fn remove(&mut self, index: u32) {
            let entry = self.table[index as usize].take().unwrap();
            self.queue.remove(index, entry.0);
        }
    }

    #[test]
    fn each_kind_comes_once_and_in_order() {
        let mut world = World::new(1);
        for readiness in
            [Readiness::Closed, Readiness::Readable, Readiness::Accepted, Readiness::Readable]
        {
            world.push(0, readiness);
        }
        let order: Vec<_> = core::iter::from_fn(|| world.pop()).collect();
        assert_eq!(
            order,
            [(0, Readiness::Accepted), (0, Readiness::Readable), (0, Readiness::Closed)]
        );
        assert!(world.queue.is_empty());
        assert_eq!(world.table[0], Some(Entry::default()));
    }

    #[test]
    fn entries_take_turns() {
        let mut world = World::new(2);
        world.push(1, Readiness::Readable);
        world.push(1, Readiness::PeerClosed);
        world.push(0, Readiness::Readable);
        let order: Vec<_> = core::iter::from_fn(|| world.pop()).collect();
        let expected =
            [(1, Readiness::Readable), (0, Readiness::Readable), (1, Readiness::PeerClosed)];
        assert_eq!(order, expected);
    }

    #[test]
    fn an_entry_that_is_removed_reports_nothing_and_its_successor_only_its_own() {
        let mut world = World::new(2);
        world.push(0, Readiness::Readable);
        world.push(1, Readiness::Readable);
        world.remove(0);
        world.table[0] = Some(Entry::default());
        world.push(0, Readiness::Accepted);
        let order: Vec<_> = core::iter::from_fn(|| world.pop()).collect();
        assert_eq!(order, [(1, Readiness::Readable), (0, Readiness::Accepted)]);
    }

    #[test]
    fn it_never_grows_beyond_the_table() {
        let mut world = World::new(8);
        let capacity = world.queue.0.capacity();
        let mut dice = 7_u32;
        for _ in 0..10_000 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let index = (dice >> 16) % 8;
            match dice >> 30 {
                0 => drop(world.pop()),
                1 => {
                    world.remove(index);
                    world.table[index as usize] = Some(Entry::default());
                }
                _ => world.push(index, ALL[(dice >> 20) as usize % ALL.len()]),
            }
            assert!(world.queue.0.len() <= 8);
        }
        assert_eq!(world.queue.0.capacity(), capacity);
    }
}
