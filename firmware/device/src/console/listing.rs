//! Numbered pieces of a script: from a line on, about a kilobyte, then `...` or `--end--`.

use core::fmt::{self, Write};

use super::Output;
use crate::printable::Printable;

/// After so many bytes of text the listing stops at the next line.
const PIECE: usize = 1024;
/// Longer lines are cut here.
const LONGEST: usize = 512;

/// Takes a text piece by piece and prints the lines from a certain one on.
pub(super) struct Listing<'o> {
    out: &'o mut Output,
    first: u32,
    /// The line the next byte belongs to, from 1.
    line: u32,
    /// Bytes of it so far.
    column: usize,
    printed: usize,
    full: bool,
    /// The bytes of a character that is not all there yet.
    pending: heapless::Vec<u8, 4>,
}

impl<'o> Listing<'o> {
    pub(super) fn new(out: &'o mut Output, first: u32) -> Listing<'o> {
        Listing {
            out,
            first,
            line: 1,
            column: 0,
            printed: 0,
            full: false,
            pending: heapless::Vec::new(),
        }
    }

    /// Takes more of the text; false when it needs no more.
    pub(super) fn feed(&mut self, text: &[u8]) -> bool {
        for byte in text {
            self.byte(*byte);
            if self.full {
                return false;
            }
        }
        true
    }

    /// The text is at its end, or enough has been printed.
    pub(super) fn finish(mut self) {
        self.flush();
        if self.column > 0 && self.line >= self.first && !self.full {
            self.out.put(b"\r\n");
        }
        let lines = self.line - u32::from(self.column == 0);
        if lines < self.first && lines > 0 {
            // Writing here never fails.
            let _ = write!(self.out, "The script has {lines} lines\r\n");
        }
        let more = core::mem::take(&mut self.full);
        self.out.put(if more { b"...\r\n" } else { b"--end--\r\n" });
    }

    /// Prints the character that has come, or the bytes that are none.
    fn flush(&mut self) {
        if !self.pending.is_empty() {
            // Writing here never fails.
            let _ = write!(self.out, "{}", Printable(&self.pending));
            self.pending.clear();
        }
    }

    fn byte(&mut self, byte: u8) {
        let wanted = self.line >= self.first;
        if !(0x80..0xC0).contains(&byte) || self.pending.is_full() {
            self.flush();
        }
        if wanted && self.column == 0 {
            if self.printed >= PIECE {
                self.full = true;
                return;
            }
            // Writing here never fails.
            let _ = write!(self.out, "{:4}: ", self.line);
        }
        match byte {
            b'\n' => {
                if wanted {
                    self.out.put(b"\r\n");
                    self.printed += self.column.min(LONGEST) + 8;
                }
                self.line = self.line.saturating_add(1);
                self.column = 0;
                return;
            }
            // The column counts it all the same: a line of it alone has begun.
            b'\r' => {}
            _ if !wanted || self.column > LONGEST => {}
            _ if self.column == LONGEST => self.out.put(b" ..."),
            b'\t' => self.out.put(b"\t"),
            0x20..0x7F => self.out.put(&[byte]),
            // No byte of a script can play with the user's terminal.
            _ => {
                // There is room: see above.
                let _ = self.pending.push(byte);
                if core::str::from_utf8(&self.pending).is_ok() {
                    self.flush();
                }
            }
        }
        self.column += 1;
    }
}

/// An error means: no more is needed.
impl Write for Listing<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.feed(text.as_bytes()).then_some(()).ok_or(fmt::Error)
    }
}
