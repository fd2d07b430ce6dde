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
}

impl Log {
    /// How many bytes the backlog holds (the parameter `backlog`).
    pub(crate) fn set_backlog(&mut self, size: usize) {
        self.size = size;
        let over = self.backlog.len().saturating_sub(size);
        self.backlog.drain(..over);
        self.backlog.shrink_to(size);
    }

    /// Adds text; a backlog that is full forgets its oldest.
    pub(crate) fn put(&mut self, level: Level, text: &[u8]) {
        let text_kept = &text[text.len().saturating_sub(self.size)..];
        let over = (self.backlog.len() + text_kept.len()).saturating_sub(self.size);
        self.backlog.drain(..over.min(self.backlog.len()));
        self.backlog.extend(text_kept);
        if level != Level::Info {
            let room = FOR_CONSOLES - self.for_consoles.len();
            self.for_consoles.extend_from_slice(&text[..text.len().min(room)]);
        }
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
}
