//! What waits to be sent to a user: bounded, and whole lines.

use alloc::vec::Vec;
use core::fmt;

/// Bytes kept free for the mark that something was cut off, and the prompt.
const RESERVE: usize = 16;

/// A buffer that takes no more than its limit; what does not fit is dropped, and a line `...` says so.
#[derive(Debug)]
pub struct Output {
    bytes: Vec<u8>,
    limit: usize,
    cut: bool,
    /// The last line has not been ended.
    open: bool,
}

impl Output {
    /// Room for `limit` bytes.
    pub fn new(limit: usize) -> Output {
        Output { bytes: Vec::new(), limit, cut: false, open: false }
    }

    /// Adds bytes, or none of them if they do not fit.
    pub fn put(&mut self, bytes: &[u8]) {
        if self.cut || self.bytes.len() + bytes.len() + RESERVE > self.limit {
            self.cut = true;
        } else {
            self.bytes.extend_from_slice(bytes);
            self.open = bytes.last().map_or(self.open, |last| *last != b'\n');
        }
    }

    /// How many bytes would still fit.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len() + RESERVE)
    }

    /// Adds a line and ends it.
    pub fn line(&mut self, text: fmt::Arguments<'_>) {
        // Writing here never fails.
        let _ = fmt::write(self, text);
        self.put(b"\r\n");
    }

    /// Ends a reply, and its last line if that is open: after it there is room again, if only for the prompt.
    pub fn end_reply(&mut self, prompt: &[u8]) {
        if self.bytes.len() + RESERVE > self.limit {
            // Nobody reads: even the prompt would be too much.
            return;
        }
        if core::mem::take(&mut self.open) {
            self.bytes.extend_from_slice(b"\r\n");
        }
        if core::mem::take(&mut self.cut) {
            self.bytes.extend_from_slice(b"...\r\n");
        }
        self.bytes.extend_from_slice(prompt);
    }

    /// What waits.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first `n` bytes have been sent.
    pub fn sent(&mut self, n: usize) {
        self.bytes.drain(..n.min(self.bytes.len()));
        if self.bytes.is_empty() {
            self.bytes.shrink_to(256);
            if core::mem::take(&mut self.cut) {
                self.bytes.extend_from_slice(b"...\r\n");
            }
        }
    }

    /// Drops what waits.
    pub(super) fn clear(&mut self) {
        self.bytes = Vec::new();
        (self.cut, self.open) = (false, false);
    }

    /// Whether more than half of the room is taken.
    pub fn is_busy(&self) -> bool {
        self.bytes.len() > self.limit / 2
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}
