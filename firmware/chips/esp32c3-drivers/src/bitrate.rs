//! When the serial port changes its speed: the answer to `set bitrate` still goes out at the old
//! one, to the last bit of it, and what comes behind it at the new one.

use crate::output::OutputQueue;

/// Bit/s until the settings say otherwise: those of the boot loader's messages.
pub const AT_START: u32 = 115_200;

/// The speed of the port, and the one it is to have.
#[derive(Debug)]
pub struct Bitrate {
    now: u32,
    change: Change,
}

#[derive(Debug)]
enum Change {
    None,
    /// Asked for in this turn: what answers is not written yet.
    Wanted(u32),
    /// What was written in that turn goes out; the rest is held.
    Sending(u32),
}

impl Bitrate {
    /// The port has [`AT_START`].
    pub const fn new() -> Bitrate {
        Bitrate { now: AT_START, change: Change::None }
    }

    /// Asks for a speed in bit/s. The last one asked for counts.
    pub fn want(&mut self, bits: u32) {
        self.change = Change::Wanted(bits);
    }

    /// At the end of a turn: the speed that the port has from now on, if it is another one.
    /// `is_idle` tells whether the port has sent all it was given.
    pub fn end_turn<const N: usize>(
        &mut self,
        queue: &mut OutputQueue<N>,
        is_idle: impl FnOnce() -> bool,
    ) -> Option<u32> {
        if let Change::Wanted(bits) = self.change {
            if bits == self.now {
                self.change = Change::None;
                queue.release();
                return None;
            }
            self.change = Change::Sending(bits);
            queue.hold();
        }
        let Change::Sending(bits) = self.change else { return None };
        if !queue.is_held() || !is_idle() {
            return None;
        }
        self.now = bits;
        self.change = Change::None;
        queue.release();
        Some(bits)
    }
}

impl Default for Bitrate {
    fn default() -> Bitrate {
        Bitrate::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Queue = OutputQueue<64>;

    fn sent(queue: &mut Queue) -> Vec<u8> {
        let mut bytes = Vec::new();
        queue.drain(|byte| {
            bytes.push(byte);
            true
        });
        bytes
    }

    #[test]
    fn the_answer_goes_out_at_the_old_speed_and_what_follows_at_the_new() {
        let (mut bitrate, mut queue) = (Bitrate::new(), Queue::new());
        bitrate.want(9600);
        queue.write(b"bitrate set to 9600");
        assert_eq!(
            bitrate.end_turn(&mut queue, || unreachable!("not all is given to the port")),
            None
        );
        queue.write(b"CMD>");
        assert_eq!(sent(&mut queue), b"bitrate set to 9600");
        assert_eq!(bitrate.end_turn(&mut queue, || false), None, "its last bits are on the line");
        assert_eq!(sent(&mut queue), b"");
        assert_eq!(bitrate.end_turn(&mut queue, || true), Some(9600));
        assert_eq!(sent(&mut queue), b"CMD>");
        assert_eq!(bitrate.end_turn(&mut queue, || true), None);
    }

    #[test]
    fn a_port_without_output_changes_at_once_and_once() {
        let (mut bitrate, mut queue) = (Bitrate::new(), Queue::new());
        bitrate.want(AT_START);
        assert_eq!(bitrate.end_turn(&mut queue, || true), None, "it has that one");
        bitrate.want(4_000_000);
        assert_eq!(bitrate.end_turn(&mut queue, || true), Some(4_000_000));
        bitrate.want(4_000_000);
        assert_eq!(bitrate.end_turn(&mut queue, || true), None);
    }

    #[test]
    fn the_last_speed_asked_for_counts_and_nothing_stays_held() {
        let (mut bitrate, mut queue) = (Bitrate::new(), Queue::new());
        queue.write(b"one");
        bitrate.want(9600);
        assert_eq!(bitrate.end_turn(&mut queue, || true), None);
        queue.write(b" two");
        bitrate.want(300);
        assert_eq!(bitrate.end_turn(&mut queue, || true), None);
        assert_eq!(sent(&mut queue), b"one two");
        assert_eq!(bitrate.end_turn(&mut queue, || true), Some(300));
        // Taken back before it came to it.
        queue.write(b"three");
        bitrate.want(9600);
        assert_eq!(bitrate.end_turn(&mut queue, || true), None);
        bitrate.want(300);
        assert_eq!(bitrate.end_turn(&mut queue, || true), None);
        queue.write(b" four");
        assert_eq!(sent(&mut queue), b"three four");
    }
}
