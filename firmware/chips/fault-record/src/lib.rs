//! What a chip's program keeps over a reset: why the last run ended, and how many faults in a row
//! there were. [`Record`] lies in memory that a reset leaves alone and a power cut makes anything:
//! what is damaged counts as nothing.
//!
//! That memory is the chip's ([`Words`]): some can be written only a word at a time. What comes of
//! the faults is not decided here but in `umqtt_device::crash_loop`.
#![cfg_attr(not(test), no_std)]

use core::fmt::{self, Write};

use heapless::String;

/// Bytes of the text that are kept.
pub const MAX_TEXT: usize = 256;
/// Words of memory that the record takes.
pub const WORDS: usize = TEXT + MAX_TEXT / 4;

/// "This holds something": memory after power-on hardly does.
const MAGIC: u32 = 0x6d71_7474;
/// Where the words are: the magic, the sum of those that follow, the faults, the text's length, the
/// text.
const SUM: usize = 1;
const FAULTS: usize = 2;
const LENGTH: usize = 3;
const TEXT: usize = 4;

/// A line of text about what happened.
pub type Text = String<MAX_TEXT>;

/// Memory that a reset leaves alone: [`WORDS`] words, numbered from 0. Only whole words are read
/// and written.
pub trait Words {
    /// The word of that number.
    fn read(&self, index: usize) -> u32;
    /// Writes it.
    fn write(&mut self, index: usize, word: u32);
}

impl Words for &mut [u32; WORDS] {
    fn read(&self, index: usize) -> u32 {
        self[index]
    }

    fn write(&mut self, index: usize, word: u32) {
        self[index] = word;
    }
}

/// The record in such memory.
#[derive(Debug)]
pub struct Record<W>(W);

impl<W: Words> Record<W> {
    /// The record in this memory, whatever is in it.
    pub fn new(words: W) -> Record<W> {
        Record(words)
    }

    /// Faults in a row.
    pub fn faults(&self) -> u32 {
        if self.is_whole() { self.0.read(FAULTS) } else { 0 }
    }

    /// One more fault. Its text is noted afterwards, for making it may fail too.
    pub fn count_fault(&mut self) {
        let faults = self.faults().saturating_add(1);
        self.write(faults, "");
    }

    /// Faults are counted anew: the program has run well for a while.
    pub fn clear_faults(&mut self) {
        self.write(0, "");
    }

    /// Keeps why the run ends, as much as there is room for.
    pub fn note_cause(&mut self, text: &str) {
        let faults = self.faults();
        self.write(faults, text);
    }

    /// A fault: counted, and the text is kept.
    pub fn note_fault(&mut self, text: &str) {
        self.count_fault();
        self.note_cause(text);
    }

    /// A restart that is wanted: faults are counted anew, and the text is kept.
    pub fn note_restart(&mut self, text: &str) {
        self.write(0, text);
    }

    /// Why the last run ended, as far as it is text; it is not given a second time.
    pub fn take_cause(&mut self) -> Option<Text> {
        if !self.is_whole() {
            return None;
        }
        let mut text = Text::new();
        for chunk in self.bytes().utf8_chunks() {
            let _ = text.push_str(chunk.valid()); // it has that room
        }
        let faults = self.faults();
        self.write(faults, "");
        (!text.is_empty()).then_some(text)
    }

    fn bytes(&self) -> heapless::Vec<u8, MAX_TEXT> {
        let words = (TEXT..WORDS).map(|index| self.0.read(index));
        let bytes = words.flat_map(u32::to_le_bytes);
        bytes.take(self.0.read(LENGTH) as usize).collect()
    }

    fn write(&mut self, faults: u32, text: &str) {
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        // From here on until all of it is there, it holds nothing.
        self.0.write(0, 0);
        self.0.write(FAULTS, faults);
        self.0.write(LENGTH, text.len() as u32);
        for (index, chunk) in (TEXT..).zip(text.as_bytes().chunks(4)) {
            let mut bytes = [0; 4];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.0.write(index, u32::from_le_bytes(bytes));
        }
        self.0.write(SUM, self.sum());
        self.0.write(0, MAGIC);
    }

    fn is_whole(&self) -> bool {
        let length = self.0.read(LENGTH) as usize;
        self.0.read(0) == MAGIC && length <= MAX_TEXT && self.0.read(SUM) == self.sum()
    }

    /// Of the text only the words that are in use count.
    fn sum(&self) -> u32 {
        let used = TEXT + (self.0.read(LENGTH) as usize).min(MAX_TEXT).div_ceil(4);
        (FAULTS..used)
            .map(|index| self.0.read(index))
            .fold(MAGIC, |sum, word| sum.rotate_left(5) ^ word.wrapping_mul(0x9e37_79b1))
    }
}

/// The text of a cause, cut where it no longer fits.
pub fn cause(what: fmt::Arguments<'_>) -> Text {
    let mut text = Cut(Text::new());
    let _ = text.write_fmt(what);
    text.0
}

struct Cut(Text);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.0.capacity() - self.0.len();
        let end = text.floor_char_boundary(room);
        self.0.push_str(&text[..end]).map_err(|_| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program finds that starts after a reset.
    fn after_reset(words: &mut [u32; WORDS]) -> Record<&mut [u32; WORDS]> {
        Record::new(words)
    }

    #[test]
    fn what_was_noted_is_found_after_the_reset_once() {
        let mut words = [0; WORDS];
        after_reset(&mut words).note_fault("panic at a.rs:1: too bad");
        let mut record = after_reset(&mut words);
        assert_eq!(record.faults(), 1);
        assert_eq!(record.take_cause().as_deref(), Some("panic at a.rs:1: too bad"));
        assert_eq!(record.take_cause(), None);
        assert_eq!(record.faults(), 1);
        record.note_fault(&"ä".repeat(200));
        assert_eq!(record.faults(), 2);
        assert_eq!(record.take_cause().as_deref(), Some(&"ä".repeat(128)[..]));
    }

    #[test]
    fn a_fault_counts_before_its_text_is_there() {
        let mut words = [0; WORDS];
        after_reset(&mut words).note_fault("the first");
        after_reset(&mut words).count_fault();
        let mut record = after_reset(&mut words);
        assert_eq!((record.faults(), record.take_cause()), (2, None));
        record.note_cause("the second");
        assert_eq!((record.faults(), record.take_cause().as_deref()), (2, Some("the second")));
    }

    #[test]
    fn a_wanted_restart_and_a_good_run_count_faults_anew() {
        let mut words = [0; WORDS];
        let mut record = after_reset(&mut words);
        record.note_fault("too bad");
        record.note_restart("reset");
        assert_eq!((record.faults(), record.take_cause().as_deref()), (0, Some("reset")));
        record.note_fault("too bad");
        record.clear_faults();
        assert_eq!((record.faults(), record.take_cause()), (0, None));
    }

    #[test]
    fn memory_after_power_on_holds_nothing() {
        for fill in [0, u32::MAX, MAGIC, 0x5555_5555] {
            let mut words = [fill; WORDS];
            let mut record = after_reset(&mut words);
            assert_eq!((record.faults(), record.take_cause()), (0, None), "{fill:#x}");
        }
    }

    #[test]
    fn a_flipped_bit_is_found() {
        let mut words = [0; WORDS];
        after_reset(&mut words).note_fault("stack overflow");
        let used = TEXT + "stack overflow".len().div_ceil(4);
        for bit in 0..used * 32 {
            let mut damaged = words;
            damaged[bit / 32] ^= 1 << (bit % 32);
            let mut record = after_reset(&mut damaged);
            assert_eq!((record.faults(), record.take_cause()), (0, None), "bit {bit}");
        }
    }

    #[test]
    fn a_reset_in_the_middle_of_a_note_leaves_nothing_false() {
        /// Memory whose writes end after so many.
        struct Failing<'a>(&'a mut [u32; WORDS], usize);
        impl Words for Failing<'_> {
            fn read(&self, index: usize) -> u32 {
                self.0[index]
            }
            fn write(&mut self, index: usize, word: u32) {
                if let Some(left) = self.1.checked_sub(1) {
                    self.1 = left;
                    self.0[index] = word;
                }
            }
        }
        for writes in 0..20 {
            let mut words = [0; WORDS];
            after_reset(&mut words).note_fault("the first");
            Record::new(Failing(&mut words, writes)).note_cause("the second one");
            let mut record = after_reset(&mut words);
            let found = (record.faults(), record.take_cause());
            let text = found.1.as_deref();
            assert!(
                matches!((found.0, text), (1, Some("the first" | "the second one")) | (0, None)),
                "{writes}: {found:?}"
            );
        }
    }

    #[test]
    fn a_long_cause_is_cut_between_characters() {
        let long = "ä".repeat(200);
        assert_eq!(cause(format_args!("x{long}")).len(), 255);
        assert_eq!(cause(format_args!("fault {}", 7)), "fault 7");
    }
}
