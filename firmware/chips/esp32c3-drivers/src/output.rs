//! Bytes that wait for a serial port.

use heapless::Deque;

/// A queue that takes everything: without room the oldest bytes are dropped and counted.
#[derive(Debug)]
pub struct OutputQueue<const N: usize> {
    bytes: Deque<u8, N>,
    dropped: u32,
    /// How many bytes may go; the others are held.
    before_hold: Option<usize>,
}

impl<const N: usize> OutputQueue<N> {
    /// An empty queue.
    pub const fn new() -> OutputQueue<N> {
        OutputQueue { bytes: Deque::new(), dropped: 0, before_hold: None }
    }

    /// Puts bytes behind those that wait.
    pub fn write(&mut self, bytes: &[u8]) {
        // What would be dropped again at once need not come in.
        let skipped = bytes.len().saturating_sub(N);
        self.dropped = self.dropped.saturating_add(skipped as u32);
        for &byte in &bytes[skipped..] {
            if self.bytes.is_full() {
                self.pop();
                self.dropped = self.dropped.saturating_add(1);
            }
            let _ = self.bytes.push_back(byte); // there is room now
        }
    }

    /// Gives bytes to a port, the oldest first, until there are none, the others are held, or it
    /// takes no more (`false`).
    pub fn drain(&mut self, mut take: impl FnMut(u8) -> bool) {
        while !self.is_held()
            && let Some(&byte) = self.bytes.front()
        {
            if !take(byte) {
                return;
            }
            self.pop();
        }
    }

    fn pop(&mut self) {
        self.bytes.pop_front();
        self.before_hold = self.before_hold.map(|bytes| bytes.saturating_sub(1));
    }

    /// Holds what is written from here on, until [`release`](Self::release).
    pub fn hold(&mut self) {
        self.before_hold = Some(self.bytes.len());
    }

    /// Whether all that was written before [`hold`](Self::hold) has gone, and nothing else may.
    pub fn is_held(&self) -> bool {
        self.before_hold == Some(0)
    }

    /// Lets go what was held.
    pub fn release(&mut self) {
        self.before_hold = None;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that were dropped.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}

impl<const N: usize> Default for OutputQueue<N> {
    fn default() -> OutputQueue<N> {
        OutputQueue::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained<const N: usize>(queue: &mut OutputQueue<N>, most: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        queue.drain(|byte| {
            let room = taken.len() < most;
            if room {
                taken.push(byte);
            }
            room
        });
        taken
    }

    #[test]
    fn a_port_that_takes_little_gets_all_in_order() {
        let mut queue = OutputQueue::<8>::new();
        queue.write(b"hello");
        assert_eq!(drained(&mut queue, 2), b"he");
        queue.write(b"!");
        assert_eq!(drained(&mut queue, 9), b"llo!");
        assert!(queue.is_empty());
        assert_eq!(queue.dropped(), 0);
    }

    #[test]
    fn without_room_the_oldest_is_dropped_and_counted() {
        let mut queue = OutputQueue::<4>::new();
        queue.write(b"abc");
        queue.write(b"def");
        assert_eq!(queue.dropped(), 2);
        assert_eq!(drained(&mut queue, 9), b"cdef");
        queue.write(b"0123456789");
        assert_eq!(queue.dropped(), 8);
        assert_eq!(drained(&mut queue, 9), b"6789");
    }

    #[test]
    fn what_is_held_waits_until_it_is_let_go() {
        let mut queue = OutputQueue::<8>::new();
        queue.write(b"old");
        queue.hold();
        queue.write(b"new");
        assert_eq!(drained(&mut queue, 2), b"ol");
        assert!(!queue.is_held());
        assert_eq!(drained(&mut queue, 9), b"d");
        assert!(queue.is_held());
        assert_eq!(drained(&mut queue, 9), b"");
        queue.release();
        assert_eq!(drained(&mut queue, 9), b"new");
    }

    #[test]
    fn what_is_dropped_before_the_hold_has_gone_too() {
        let mut queue = OutputQueue::<4>::new();
        queue.write(b"ab");
        queue.hold();
        queue.write(b"cdefgh");
        assert!(queue.is_held());
        assert_eq!(drained(&mut queue, 9), b"");
        queue.release();
        assert_eq!(drained(&mut queue, 9), b"efgh");
    }
}
