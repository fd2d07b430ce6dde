//! What waits to be sent to a user: bounded, and whole lines.
//!
//! A reply that may be longer than the buffer is made in pieces: `Output::begin_piece` says from
//! which [`Position`] on its text is wanted, the whole reply is printed, what lies before is passed
//! over and what no longer fits is left out, and `Output::end_piece` says where the next piece
//! begins. So nothing of it is kept, and it may be as long as it likes.

use alloc::vec::Vec;
use core::fmt;

use umqtt_memory::{try_room, try_room_exact};

/// Bytes kept free for the mark that something was cut off, and the prompt.
const RESERVE: usize = 16;
/// Longest reply that is not made in pieces, about, bytes.
const SHORT_REPLY: usize = 160;
/// Bytes of a buffer that is kept when it is empty.
const KEPT: usize = if cfg!(target_pointer_width = "64") { 256 } else { 0 };

/// A place in a reply: a line, from 0, and a byte of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    line: u32,
    column: u32,
}

impl Position {
    /// The place behind one more byte.
    fn next(self, byte: u8) -> Position {
        match byte {
            b'\n' => Position { line: self.line + 1, column: 0 },
            _ => Position { line: self.line, column: self.column + 1 },
        }
    }
}

/// The piece of a reply that is being made.
#[derive(Debug)]
struct Piece {
    /// Text before this is not wanted.
    from: Position,
    /// Where the reply is.
    at: Position,
    /// Where the buffer was when the piece began, and behind the last whole line of it.
    start: usize,
    /// The first text that did not fit.
    full: Option<Position>,
}

/// A buffer that takes no more than its limit; what does not fit is dropped, and a line `...` says
/// so.
#[derive(Debug)]
pub struct Output {
    bytes: Vec<u8>,
    limit: usize,
    cut: bool,
    /// The last line has not been ended.
    open: bool,
    piece: Option<Piece>,
}

impl Output {
    /// Room for `limit` bytes.
    pub fn new(limit: usize) -> Output {
        Output { bytes: Vec::new(), limit, cut: false, open: false, piece: None }
    }

    /// Adds bytes, or none of them if they do not fit.
    pub fn put(&mut self, bytes: &[u8]) {
        if self.piece.is_some() {
            self.put_piece(bytes);
        } else if self.cut || bytes.len() > self.room() || !self.append(bytes) {
            self.cut = true;
        } else {
            self.open = bytes.last().map_or(self.open, |last| *last != b'\n');
        }
    }

    /// Adds as much of a text as fits, LF made CR LF; how much of it that is.
    pub(super) fn take(&mut self, text: &[u8]) -> usize {
        let mut taken = 0;
        if self.cut {
            return taken;
        }
        for part in text.split_inclusive(|byte| *byte == b'\n') {
            let line = part.strip_suffix(b"\n");
            let text = line.map_or(part, |line| line.strip_suffix(b"\r").unwrap_or(line));
            let end = if line.is_some() { 2 } else { 0 };
            let room = self.room();
            if text.len() + end <= room {
                if !self.grow(text.len() + end) {
                    break;
                }
                self.bytes.extend_from_slice(text);
                self.bytes.extend_from_slice(&b"\r\n"[..end]);
                taken += part.len();
                self.open = end == 0 && (!text.is_empty() || self.open);
                continue;
            }
            // The beginning of a long line; its end comes with the rest.
            let begins = text.len().min(room);
            if self.append(&text[..begins]) {
                taken += begins;
                self.open |= begins > 0;
            }
            break;
        }
        taken
    }

    /// Marks that something was left out.
    pub(super) fn cut(&mut self) {
        self.cut = !self.bytes.is_empty() || !self.append(b"...\r\n");
    }

    fn append(&mut self, bytes: &[u8]) -> bool {
        let fits = self.grow(bytes.len());
        if fits {
            self.bytes.extend_from_slice(bytes);
        }
        fits
    }

    fn grow(&mut self, more: usize) -> bool {
        // A large buffer grows by doubling, a small one is as large as it has to be.
        if KEPT > 0 {
            try_room(&mut self.bytes, more)
        } else {
            try_room_exact(&mut self.bytes, more)
        }
    }

    fn put_piece(&mut self, mut bytes: &[u8]) {
        let room = self.room();
        let Some(piece) = &mut self.piece else { return };
        while let Some((first, rest)) = bytes.split_first()
            && piece.at < piece.from
        {
            piece.at = piece.at.next(*first);
            bytes = rest;
        }
        if piece.full.is_some() || bytes.is_empty() {
            return;
        }
        let fits = bytes.len().min(room);
        let begins = piece.at;
        piece.at = bytes[..fits].iter().fold(piece.at, |at, byte| at.next(*byte));
        if fits < bytes.len() {
            piece.full = Some(piece.at);
        }
        if !self.append(&bytes[..fits])
            && let Some(piece) = &mut self.piece
        {
            piece.full = Some(begins);
        }
    }

    /// What is put from here on is a reply of which the text from a position on is wanted.
    pub(super) fn begin_piece(&mut self, from: Position) {
        let (at, start) = (Position::default(), self.bytes.len());
        self.piece = Some(Piece { from, at, start, full: None });
    }

    /// The reply is at its end; if not all that was wanted has fitted, where the next piece begins.
    pub(super) fn end_piece(&mut self) -> Option<Position> {
        let piece = self.piece.take()?;
        let mut next = piece.full;
        // What is shown may have changed until then: so the next piece begins with a line, unless
        // that is a long one.
        if let Some(full) = &mut next
            && full.column > 0
            && let Some(end) = self.bytes[piece.start..].iter().rposition(|byte| *byte == b'\n')
        {
            self.bytes.truncate(piece.start + end + 1);
            full.column = 0;
        }
        self.open = self.bytes.last().map_or(self.open, |last| *last != b'\n');
        next
    }

    /// How many bytes would still fit.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len() + RESERVE)
    }

    /// Bytes of the heap.
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Adds a line and ends it.
    pub fn line(&mut self, text: fmt::Arguments<'_>) {
        // Writing here never fails.
        let _ = fmt::write(self, text);
        self.put(b"\r\n");
    }

    /// Ends a line that is open.
    pub(super) fn end_line(&mut self) {
        if self.open {
            self.put(b"\r\n");
        }
    }

    /// Ends a reply, and its last line if that is open: after it there is room again, if only for
    /// the prompt.
    pub fn end_reply(&mut self, prompt: &[u8]) {
        if self.bytes.len() + RESERVE > self.limit {
            // The peer does not read: even the prompt would be too much.
            return;
        }
        if core::mem::take(&mut self.open) {
            let _ = self.append(b"\r\n");
        }
        if core::mem::take(&mut self.cut) {
            let _ = self.append(b"...\r\n");
        }
        let _ = self.append(prompt);
    }

    /// Whether the last line has not been ended.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Adds what takes the prompt away, or as much of it as fits.
    pub(super) fn lead(&mut self, lead: &[u8]) {
        let fits = lead.len().min(self.room());
        let _ = self.append(&lead[..fits]);
    }

    /// Adds a prompt and what has been typed behind it; false if there is no room.
    pub(super) fn prompt(&mut self, prompt: &[u8], typed: &[u8]) -> bool {
        let fits = prompt.len() + typed.len() <= self.room() + RESERVE / 2;
        fits && self.grow(prompt.len() + typed.len()) && self.append(prompt) && self.append(typed)
    }

    /// What waits.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first `n` bytes have been sent.
    pub fn sent(&mut self, n: usize) {
        self.bytes.drain(..n.min(self.bytes.len()));
        if self.bytes.is_empty() {
            // Shrinking would be an allocation, which must not fail.
            if self.bytes.capacity() > KEPT {
                self.bytes = Vec::new();
            }
            if core::mem::take(&mut self.cut) {
                let _ = self.append(b"...\r\n");
            }
        }
    }

    /// Drops what waits.
    pub(super) fn clear(&mut self) {
        self.bytes = Vec::new();
        (self.cut, self.open, self.piece) = (false, false, None);
    }

    /// Whether more than half of the room is taken, or too much for a reply of a line or two.
    pub fn is_busy(&self) -> bool {
        self.bytes.len() > self.limit / 2 || self.bytes.len() + SHORT_REPLY > self.limit
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}
