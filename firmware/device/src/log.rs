//! The log: what happened, for the serial port, the backlog and the remote consoles.
//!
//! This file keeps text until somebody takes it; who is shown what is decided in `device`.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Bytes kept for the remote consoles between two polls; beyond that the newest are dropped.
const FOR_CONSOLES: usize = 4096;

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
#[derive(Debug, Default)]
pub(crate) struct Log {
    backlog: VecDeque<u8>,
    size: usize,
    for_consoles: Vec<u8>,
    /// The text for the consoles, and that on the serial port, do not end with their last line.
    consoles_open: bool,
    serial_open: bool,
}

impl Log {
    /// How many bytes the backlog holds (the parameter `backlog`).
    pub(crate) fn set_backlog(&mut self, size: usize) {
        self.size = size;
        let over = self.backlog.len().saturating_sub(size);
        self.backlog.drain(..over);
        self.backlog.shrink_to(size);
    }

    /// Takes note that text goes to the serial port; true if it has to begin a new line there first.
    pub(crate) fn note_serial(&mut self, text: &[u8], own_line: bool) -> bool {
        let fresh = own_line && self.serial_open;
        self.serial_open = is_open(text, self.serial_open);
        fresh
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
        self.backlog.extend(text);
    }

    fn show(&mut self, text: &[u8]) {
        let room = FOR_CONSOLES - self.for_consoles.len();
        self.for_consoles.extend_from_slice(&text[..text.len().min(room)]);
        self.consoles_open = is_open(text, self.consoles_open);
    }

    /// What the remote consoles have not been shown yet.
    pub(crate) fn take_for_consoles(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.for_consoles)
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

    fn backlog(log: &Log) -> Vec<u8> {
        let mut all = Vec::new();
        log.backlog(&mut |bytes| all.extend_from_slice(bytes));
        all
    }

    #[test]
    fn a_full_backlog_forgets_its_oldest() {
        let mut log = Log::default();
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
        let mut log = Log::default();
        log.put(Level::Info, b"x");
        for _ in 0..100 {
            log.put(Level::Script, &[b'a'; 100]);
        }
        assert_eq!(log.take_for_consoles(), [b'a'; FOR_CONSOLES]);
        assert!(log.take_for_consoles().is_empty());
    }

    #[test]
    fn a_line_of_the_log_does_not_run_into_what_was_printed() {
        let mut log = Log::default();
        log.set_backlog(100);
        log.put(Level::Script, b"no end");
        log.put_line(Level::Info, b"info\r\n");
        log.put_line(Level::Warning, b"warning\r\n");
        log.put(Level::Script, b"again");
        log.put(Level::Script, b"\r\n");
        log.put_line(Level::Warning, b"last\r\n");
        assert_eq!(backlog(&log), b"no end\r\ninfo\r\nwarning\r\nagain\r\nlast\r\n");
        assert_eq!(log.take_for_consoles(), b"no end\r\nwarning\r\nagain\r\nlast\r\n");
        assert!(!log.note_serial(b"no end", false));
        assert!(log.note_serial(b"line\r\n", true) && !log.note_serial(b"line\r\n", true));
    }
}
