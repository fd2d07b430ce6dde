//! The lines of a trace that wait to be taken: bounded in bytes, in lines for each event and in
//! lines for each second; what is left out is counted, and told where there is room again.

use alloc::string::String;
use core::fmt::{self, Write};

use umqtt_memory::try_string_room;
use umqtt_net::{Duration, Instant};

use super::{LEAD, LINE};

/// Most lines of one event.
pub const LINES_PER_EVENT: u32 = 100;
/// Most lines of a second.
pub const LINES_PER_SECOND: u32 = 500;
/// The end of a line that was cut.
const END: &str = "...\n";
/// Bytes of the line that says how many were left out.
const COUNT_LINE: usize = 40;

/// See the module.
#[derive(Debug)]
pub(super) struct LineBuffer {
    text: String,
    limit: usize,
    left_out: u32,
    of_event: u32,
    of_second: u32,
    second: Instant,
}

impl LineBuffer {
    pub(super) fn new(limit: usize) -> Option<LineBuffer> {
        let mut text = String::new();
        let (left_out, of_event, of_second, second) = (0, 0, 0, Instant::ZERO);
        let fits = limit >= COUNT_LINE && try_string_room(&mut text, limit);
        fits.then_some(LineBuffer { text, limit, left_out, of_event, of_second, second })
    }

    pub(super) fn memory(&self) -> usize {
        self.text.capacity()
    }

    pub(super) fn has_lines(&self) -> bool {
        !self.text.is_empty() || self.left_out > 0
    }

    /// The lines to come are of another event.
    pub(super) fn begin_event(&mut self) {
        self.of_event = 0;
    }

    /// The next line is shown whatever there was of the event.
    pub(super) fn make_way(&mut self) {
        self.of_event = self.of_event.min(LINES_PER_EVENT - 1);
    }

    /// Adds a line, or counts it if there is no room.
    pub(super) fn put(&mut self, line: fmt::Arguments<'_>, now: Instant) {
        if now.saturating_duration_since(self.second) >= Duration::from_millis(1000) {
            (self.second, self.of_second) = (now, 0);
        }
        let within = self.of_event < LINES_PER_EVENT && self.of_second < LINES_PER_SECOND;
        let start = self.text.len();
        if !within || !self.write(line) {
            self.text.truncate(start);
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.of_event += 1;
        self.of_second += 1;
    }

    fn write(&mut self, line: fmt::Arguments<'_>) -> bool {
        let room = self.limit.saturating_sub(self.text.len());
        let told = self.left_out;
        if told > 0 {
            if room < COUNT_LINE {
                return false;
            }
            let _ = writeln!(self.text, "{LEAD}{told} lines left out");
        }
        let room = self.limit.saturating_sub(self.text.len() + END.len());
        let is_whole = write_within(&mut self.text, room.min(LINE), format_args!("{LEAD}{line}"));
        // A line is cut at its own limit, not at that of the buffer.
        if !is_whole && room < LINE {
            return false;
        }
        self.text.push_str(if is_whole { "\n" } else { END });
        self.left_out = 0;
        true
    }

    /// Whole lines of at most so many bytes, if there are any; one that is longer is taken alone.
    pub(super) fn take(&mut self, most: usize, give: impl FnOnce(&str)) {
        let fits = self.text.bytes().take(most).rposition(|byte| byte == b'\n');
        let Some(end) = fits.or_else(|| self.text.find('\n')) else {
            if self.left_out > 0 {
                let told = core::mem::take(&mut self.left_out);
                let _ = writeln!(self.text, "{LEAD}{told} lines left out");
                self.take(most, give);
            }
            return;
        };
        give(self.text.get(..=end).unwrap_or_default());
        self.text.drain(..=end);
    }
}

/// Writes at most so many bytes more; false if that is not all.
pub(super) fn write_within(text: &mut String, room: usize, more: fmt::Arguments<'_>) -> bool {
    Cut { text, room }.write_fmt(more).is_ok()
}

struct Cut<'t> {
    text: &'t mut String,
    room: usize,
}

impl Write for Cut<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let fits = more.floor_char_boundary(self.room);
        self.text.push_str(more.get(..fits).unwrap_or_default());
        self.room -= fits;
        if fits < more.len() {
            self.room = 0;
            return Err(fmt::Error);
        }
        Ok(())
    }
}
