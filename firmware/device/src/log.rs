//! The log: what happened, for the serial port, the backlog and the remote consoles.
//!
//! This file keeps text until it is taken; who is shown what is decided in `device`. Lines have
//! their rate limit from `repeats`, what scripts print on the serial port from `print_rate`.

mod print_rate;
mod repeats;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use umqtt_memory::{shrink_deque, try_append, try_deque_room, try_room};

pub(crate) use self::print_rate::PrintRateLimiter;
pub(crate) use self::repeats::RepeatLimiter;

/// Most bytes kept for the remote consoles until they are sent; beyond that the newest are dropped.
const FOR_CONSOLES: usize = 4096;
/// Longest line, bytes; a longer one is cut.
const LONGEST_LINE: usize = 4096;

/// A line of the log as text: cut where it is too long, or where memory ends.
pub(crate) struct Line {
    text: String,
    limit: usize,
}

impl Line {
    /// Writes it; `limit` bytes at most.
    pub(crate) fn write(line: fmt::Arguments<'_>, limit: usize) -> String {
        let mut cut = Line { text: String::new(), limit: limit.min(LONGEST_LINE) };
        if fmt::write(&mut cut, line).is_err() {
            cut.limit += CUT.len();
            let _ = cut.put(CUT);
        }
        cut.limit += END.len();
        let _ = cut.put(END);
        cut.text
    }

    fn put(&mut self, text: &str) -> fmt::Result {
        let room = self.limit - self.text.len();
        let fits = &text[..text.floor_char_boundary(room)];
        if !umqtt_memory::try_string_room(&mut self.text, fits.len()) {
            return Err(fmt::Error);
        }
        self.text.push_str(fits);
        if fits.len() < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

const CUT: &str = " ...";
const END: &str = "\r\n";

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // What the line is made of may hold bytes from anywhere.
        crate::printable::pieces(text.as_bytes(), true, &mut |piece| self.put(piece))
    }
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// What a script prints, and what goes wrong with it.
    Script,
    /// Something went wrong.
    Warning,
    /// Something happened: not for the remote consoles.
    Info,
}

impl Level {
    /// Whether the serial port shows it at this `system_output`.
    pub(crate) fn on_serial(self, system_output: i32) -> bool {
        match self {
            Level::Script | Level::Warning => system_output >= 1,
            Level::Info => system_output >= 2,
        }
    }
}

/// Log text that is kept.
#[derive(Debug)]
pub(crate) struct Log {
    backlog: VecDeque<u8>,
    size: usize,
    /// Bytes each of the two may have at most.
    limit: usize,
    /// Bytes dropped for want of room or memory, counted once for each text.
    dropped: u32,
    for_consoles: Vec<u8>,
    /// The text for the consoles, and that on the serial port, do not end with their last line.
    consoles_open: bool,
    serial_open: bool,
    /// Characters of the prompt and the line behind it that are the last on the serial port; 0 if
    /// they are not.
    serial_prompt: usize,
    /// A line of a reply is on the serial port, not all of it yet: what comes meanwhile waits here.
    serial_replies: bool,
    serial_waits: Vec<u8>,
}

impl Log {
    /// A log that may hold `budget` bytes: half of it for the consoles and the serial port, half as
    /// backlog.
    pub(crate) fn new(budget: usize) -> Log {
        Log {
            backlog: VecDeque::new(),
            size: 0,
            limit: budget / 2,
            dropped: 0,
            for_consoles: Vec::new(),
            consoles_open: false,
            serial_open: false,
            serial_prompt: 0,
            serial_replies: false,
            serial_waits: Vec::new(),
        }
    }

    /// Bytes of the heap.
    pub(crate) fn memory(&self) -> usize {
        self.backlog.capacity() + self.for_consoles.capacity() + self.serial_waits.capacity()
    }

    /// Texts there was no room for since this was last asked.
    pub(crate) fn take_dropped(&mut self) -> u32 {
        core::mem::take(&mut self.dropped)
    }

    /// The most bytes the backlog may hold.
    pub(crate) fn backlog_limit(&self) -> usize {
        self.limit
    }

    /// How many bytes the backlog holds (the parameter `backlog`), within what the log may hold.
    pub(crate) fn set_backlog(&mut self, size: usize) {
        let size = size.min(self.limit);
        self.size = size;
        let over = self.backlog.len().saturating_sub(size);
        self.backlog.drain(..over);
        shrink_deque(&mut self.backlog, size);
    }

    /// The prompt on the serial port loses its place; how many characters it and what was typed
    /// behind it have.
    pub(crate) fn take_serial_prompt(&mut self) -> usize {
        core::mem::take(&mut self.serial_prompt)
    }

    /// So many characters of prompt and line are the last on the serial port.
    pub(crate) fn note_serial_prompt(&mut self, characters: usize) {
        self.serial_prompt = characters;
    }

    /// Whether the prompt is the last on the serial port.
    pub(crate) fn has_serial_prompt(&self) -> bool {
        self.serial_prompt > 0
    }

    /// Whether the prompt has to be shown on the serial port again: something else is there, and
    /// its line is whole.
    pub(crate) fn owes_serial_prompt(&self) -> bool {
        self.serial_prompt == 0 && !self.serial_open
    }

    /// Takes note that text goes to the serial port; true if it has to begin a new line there
    /// first.
    pub(crate) fn note_serial(&mut self, text: &[u8], own_line: bool) -> bool {
        let fresh = own_line && self.serial_open;
        self.serial_open = is_open(text, self.serial_open);
        fresh
    }

    /// Whether a line of a reply on the serial port goes on, so that nothing else may go there.
    pub(crate) fn set_serial_replies(&mut self, replies: bool) {
        self.serial_replies = replies;
    }

    /// Keeps text for the serial port while a line of a reply goes on there; false if none does.
    pub(crate) fn keep_for_serial(&mut self, text: &[u8], own_line: bool) -> bool {
        if !self.serial_replies {
            return false;
        }
        let fresh = own_line && is_open(&self.serial_waits, false);
        let end = if fresh { &b"\r\n"[..] } else { b"" };
        let fits = end.len() + text.len() <= self.room();
        if fits && try_room(&mut self.serial_waits, end.len() + text.len()) {
            self.serial_waits.extend_from_slice(end);
            self.serial_waits.extend_from_slice(text);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
        true
    }

    /// What waits for the serial port, once it may go there.
    pub(crate) fn take_for_serial(&mut self) -> Option<Vec<u8>> {
        let waits = !self.serial_replies && !self.serial_waits.is_empty();
        waits.then(|| core::mem::take(&mut self.serial_waits))
    }

    /// Bytes that the texts which wait may still take.
    fn room(&self) -> usize {
        let waiting = self.for_consoles.len() + self.serial_waits.len();
        FOR_CONSOLES.min(self.limit).saturating_sub(waiting)
    }

    /// Adds a line of its own, which what a script has printed before does not run into.
    pub(crate) fn put_line(&mut self, level: Level, line: &[u8]) {
        if self.backlog.back().is_some_and(|last| *last != b'\n') {
            self.keep(b"\r\n");
        }
        self.keep(line);
        if level != Level::Info {
            if self.consoles_open {
                self.show(b"\r\n");
            }
            self.show(line);
        }
    }

    /// Adds text as it is; a backlog that is full forgets its oldest.
    pub(crate) fn put(&mut self, level: Level, text: &[u8]) {
        self.keep(text);
        if level != Level::Info {
            self.show(text);
        }
    }

    fn keep(&mut self, text: &[u8]) {
        let text = &text[text.len().saturating_sub(self.size)..];
        let over = (self.backlog.len() + text.len()).saturating_sub(self.size);
        self.backlog.drain(..over.min(self.backlog.len()));
        if try_deque_room(&mut self.backlog, text.len()) {
            self.backlog.extend(text);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    fn show(&mut self, text: &[u8]) {
        let fits = &text[..text.len().min(self.room())];
        if !try_append(&mut self.for_consoles, fits) || fits.len() < text.len() {
            self.dropped = self.dropped.saturating_add(1);
        }
        self.consoles_open = is_open(text, self.consoles_open);
    }

    /// What the remote consoles have not been shown yet.
    pub(crate) fn for_consoles(&self) -> &[u8] {
        &self.for_consoles
    }

    /// So many bytes of it have been shown.
    pub(crate) fn shown(&mut self, bytes: usize) {
        self.for_consoles.drain(..bytes.min(self.for_consoles.len()));
        if self.for_consoles.is_empty() {
            self.for_consoles = Vec::new();
        }
    }

    /// The backlog, piece by piece.
    pub(crate) fn backlog(&self, each: &mut dyn FnMut(&[u8])) {
        let (first, second) = self.backlog.as_slices();
        each(first);
        each(second);
    }
}

/// Whether a line is left open by text behind one that was open, or not.
fn is_open(text: &[u8], was: bool) -> bool {
    text.last().map_or(was, |last| *last != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_for_consoles(log: &mut Log) -> Vec<u8> {
        let text = log.for_consoles().to_vec();
        log.shown(text.len());
        text
    }

    fn backlog(log: &Log) -> Vec<u8> {
        let mut all = Vec::new();
        log.backlog(&mut |bytes| all.extend_from_slice(bytes));
        all
    }

    #[test]
    fn a_full_backlog_forgets_its_oldest() {
        let mut log = Log::new(64 * 1024);
        log.put(Level::Info, b"lost");
        assert_eq!(backlog(&log), b"");
        log.set_backlog(6);
        for text in ["ab", "cd", "efg"] {
            log.put(Level::Info, text.as_bytes());
        }
        assert_eq!(backlog(&log), b"bcdefg");
        log.put(Level::Info, b"0123456789");
        assert_eq!(backlog(&log), b"456789");
        log.set_backlog(2);
        assert_eq!(backlog(&log), b"89");
    }

    #[test]
    fn consoles_get_what_scripts_print_up_to_a_bound() {
        let mut log = Log::new(64 * 1024);
        log.put(Level::Info, b"x");
        for _ in 0..100 {
            log.put(Level::Script, &[b'a'; 100]);
        }
        assert_eq!(take_for_consoles(&mut log), [b'a'; FOR_CONSOLES]);
        assert!(take_for_consoles(&mut log).is_empty());
    }

    #[test]
    fn a_line_of_the_log_does_not_run_into_what_was_printed() {
        let mut log = Log::new(64 * 1024);
        log.set_backlog(100);
        log.put(Level::Script, b"no end");
        log.put_line(Level::Info, b"info\r\n");
        log.put_line(Level::Warning, b"warning\r\n");
        log.put(Level::Script, b"again");
        log.put(Level::Script, b"\r\n");
        log.put_line(Level::Warning, b"last\r\n");
        assert_eq!(backlog(&log), b"no end\r\ninfo\r\nwarning\r\nagain\r\nlast\r\n");
        assert_eq!(take_for_consoles(&mut log), b"no end\r\nwarning\r\nagain\r\nlast\r\n");
        assert!(!log.note_serial(b"no end", false));
        assert!(log.note_serial(b"line\r\n", true) && !log.note_serial(b"line\r\n", true));
    }
}
