//! What a script does, as lines for people: every event, the handlers it met, which way their
//! conditions went with the values they compared, and their actions with what became of them.
//!
//! A [`Tracer`] takes the [`Step`]s of the engine and keeps the lines until they are taken. It is
//! bounded in every way, and counts what it leaves out; that of a script's own behaviour nothing
//! depends on it.
//!
//! ```text
//! trace +12.345 topic local relay/command "toggle"
//! trace line 27: the handler begins
//! trace line 31: "toggle" = "on" is false, goes on in line 33
//! trace line 36: setvar $on = 1
//! trace line 41: gpio_out 12 1
//! ```
//!
//! | file | job |
//! |---|---|
//! | `mod.rs` | the tracer: what is shown, and how much of it |
//! | `words.rs` | a step in words |
//! | `buffer.rs` | the lines that wait, and what was left out |

mod buffer;
mod words;

use alloc::string::String;
use core::fmt::Arguments;

use umqtt_memory::try_string_room;
use umqtt_net::Instant;
use umqtt_vm::words::Trigger;
use umqtt_vm::{Event, Step};

use crate::engine::is_within;

pub use buffer::{LINES_PER_EVENT, LINES_PER_SECOND};
use buffer::{LineBuffer, write_within};
pub use words::VALUE_SHOWN;
use words::{Action, Answer, EventWords, Value};

/// What every line begins with.
pub const LEAD: &str = "trace ";

/// Longest line, bytes; what is longer ends with `...`.
pub const LINE: usize = 320;

/// Shows one handler alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerFilter {
    /// A line of it.
    pub line: u32,
    /// What wakes it: events of this kind are shown too if they do not.
    pub trigger: Trigger,
}

/// See the module.
#[derive(Debug)]
pub struct Tracer {
    filter: Option<HandlerFilter>,
    lines: LineBuffer,
    /// What happened, until it is written.
    event: String,
    /// The event is one the filter is about.
    concerned: bool,
    /// A handler that is shown runs, or ran for this event.
    inside: bool,
    shown: bool,
    /// A handler has begun, and nothing of it was shown yet.
    begun: bool,
    /// The line of the script that is carried out.
    line: Option<u32>,
    /// A line that more may come behind.
    open: String,
}

impl Tracer {
    /// Keeps so many bytes of lines that wait; `None` if there is no memory for them.
    pub fn new(bytes: usize, filter: Option<HandlerFilter>) -> Option<Tracer> {
        let (mut event, mut open) = (String::new(), String::new());
        if !try_string_room(&mut event, LINE) || !try_string_room(&mut open, LINE) {
            return None;
        }
        Some(Tracer {
            filter,
            lines: LineBuffer::new(bytes)?,
            event,
            concerned: true,
            inside: filter.is_none(),
            shown: false,
            begun: false,
            line: None,
            open,
        })
    }

    /// Bytes of the heap.
    pub fn memory(&self) -> usize {
        self.lines.memory() + self.event.capacity() + self.open.capacity()
    }

    /// The lines that wait: whole ones, at most so many bytes.
    pub fn take(&mut self, most: usize, give: impl FnOnce(&str)) {
        self.lines.take(most, give);
    }

    /// Whether lines wait.
    pub fn has_lines(&self) -> bool {
        self.lines.has_lines()
    }

    /// A step of the script at this time.
    pub fn step(&mut self, step: &Step<'_>, now: Instant) {
        match step {
            Step::Branch { jumps, line, .. } => {
                let has_lines = self.line.is_some() && !self.open.is_empty();
                match line {
                    _ if !*jumps || !has_lines || *line == self.line => {}
                    Some(line) => append(&mut self.open, format_args!(", goes on in line {line}")),
                    None => append(&mut self.open, format_args!(", goes on at the end")),
                }
                return self.close(now);
            }
            _ => self.close(now),
        }
        match step {
            Step::Event(event) => self.begin(event, now),
            Step::Waits(event) if self.concerns(event) => {
                let (time, event) = (Time(now), EventWords(event));
                self.put(format_args!("{time} {event}: waits for its turn"), now);
            }
            Step::Handler { lines, .. } => {
                let wanted = self.filter.zip(*lines);
                self.inside = match self.filter {
                    None => true,
                    Some(_) => wanted.is_some_and(|(filter, lines)| is_within(lines, filter.line)),
                };
                self.line = None;
                if self.inside {
                    self.write_event(now);
                    self.begun = true;
                }
            }
            Step::Handled(handlers) => {
                self.inside = self.filter.is_none();
                if !self.shown && self.concerned && self.filter.is_some() {
                    self.write_event(now);
                    let line = self.filter.map_or(0, |filter| filter.line);
                    self.put(format_args!("not for the handler of line {line}"), now);
                } else if *handlers == 0 && self.shown && self.filter.is_none() {
                    self.put(format_args!("no handler"), now);
                }
                self.event.clear();
            }
            Step::Instruction { at, debug } if self.inside => {
                self.line = debug.line(*at);
                if core::mem::take(&mut self.begun) {
                    self.put_at_line(format_args!("the handler begins"), now);
                }
            }
            _ if self.inside => self.within(step, now),
            _ => {}
        }
    }

    /// A step within a handler.
    fn within(&mut self, step: &Step<'_>, now: Instant) {
        match step {
            Step::Compared { relation, left, right, holds } => {
                let (left, right) = (Value(left), Value(right));
                let sign = words::sign(*relation);
                self.open(format_args!("{left} {sign} {right} is {holds}"));
            }
            Step::Tested { value, holds } => {
                self.open(format_args!("{} is {holds}", Value(value)));
            }
            Step::Action { op, number, values } => {
                let values = *values;
                self.put_at_line(
                    format_args!("{}", Action { op: *op, number: *number, values }),
                    now,
                );
            }
            Step::Refused(error) => self.put_at_line(format_args!("refused: {error}"), now),
            Step::Note(text) => self.put_at_line(*text, now),
            Step::Answer { op, number, value } => {
                let value = Value(value);
                self.put_at_line(format_args!("{} is {value}", Answer(*op, *number)), now);
            }
            Step::Assigned { variable, name, value } => {
                let (name, value) = (words::Variable(*variable, name), Value(value));
                self.put_at_line(format_args!("setvar {name} = {value}"), now);
            }
            Step::End(Err(trap)) => {
                self.lines.make_way();
                self.put_at_line(format_args!("stopped: {}", trap.code), now);
            }
            Step::End(Ok(())) => self.line = None,
            _ => {}
        }
    }

    /// An event has its turn.
    fn begin(&mut self, event: &Event<'_>, now: Instant) {
        self.lines.begin_event();
        self.concerned = self.concerns(event);
        (self.shown, self.line) = (false, None);
        self.inside = self.filter.is_none();
        self.event.clear();
        if self.concerned || self.filter.is_some() {
            append(&mut self.event, format_args!("{} {}", Time(now), EventWords(event)));
        }
        // Most scripts have no `config` lines.
        if self.filter.is_none() && !matches!(event, Event::Config) {
            self.write_event(now);
        }
    }

    fn concerns(&self, event: &Event<'_>) -> bool {
        let trigger = event.trigger().0.of_specials();
        self.filter.is_none_or(|filter| filter.trigger.of_specials() == trigger)
    }

    fn write_event(&mut self, now: Instant) {
        self.shown = true;
        if !self.event.is_empty() {
            self.lines.put(format_args!("{}", self.event), now);
            self.event.clear();
        }
    }

    fn put(&mut self, text: Arguments<'_>, now: Instant) {
        self.lines.put(text, now);
    }

    fn put_at_line(&mut self, text: Arguments<'_>, now: Instant) {
        match self.line {
            Some(line) => self.lines.put(format_args!("line {line}: {text}"), now),
            None => self.lines.put(format_args!("{text}"), now),
        }
    }

    /// Begins a line that more may come behind.
    fn open(&mut self, text: Arguments<'_>) {
        match self.line {
            Some(line) => append(&mut self.open, format_args!("line {line}: {text}")),
            None => append(&mut self.open, text),
        }
    }

    /// Writes the line that was begun.
    fn close(&mut self, now: Instant) {
        if !self.open.is_empty() {
            self.lines.put(format_args!("{}", self.open), now);
            self.open.clear();
        }
    }
}

/// Adds to a text what there is room for: its memory is there.
fn append(text: &mut String, more: Arguments<'_>) {
    let room = LINE.saturating_sub(text.len());
    write_within(text, room, more);
}

/// Seconds since the start.
struct Time(Instant);

impl core::fmt::Display for Time {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let millis = self.0.as_millis();
        write!(f, "+{}.{:03}", millis / 1000, millis % 1000)
    }
}

#[cfg(test)]
mod tests;
