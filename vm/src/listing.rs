//! The disassembly of an image: what wakes each handler, its instructions, and the source lines
//! they come from.

use core::fmt;

use crate::Image;
use crate::decode::{instructions, write_constant, write_variable};
use crate::image::{Constant, FilterKind, Record, Trigger};
use crate::schedule::{ClockTime, Milliseconds};

/// The disassembly of an image, as [`Display`](fmt::Display) writes it: one instruction a line,
/// under the event of its handler, and under its source line where the image has debug information.
///
/// ```
/// # fn show(bytes: &[u8], source: &str) -> Result<(), umqtt_vm::ImageError> {
/// use umqtt_vm::{Image, Listing};
///
/// let image = Image::parse(bytes)?;
/// println!("{}", Listing::new(&image));
///
/// let lines: Vec<&str> = source.lines().collect();
/// let line = |number: u32| lines.get((number as usize).wrapping_sub(1)).copied();
/// println!("{}", Listing::new(&image).with_source(&line));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Listing<'a> {
    image: &'a Image<'a>,
    source: Option<&'a SourceLine<'a>>,
}

/// The text of a source line by its number, from 1.
type SourceLine<'a> = dyn Fn(u32) -> Option<&'a str> + 'a;

impl<'a> Listing<'a> {
    /// The listing of an image, with the numbers of source lines, not their text.
    pub fn new(image: &'a Image<'a>) -> Listing<'a> {
        Listing { image, source: None }
    }

    /// The same with the text of each source line, which `line` gives by its number, from 1. The
    /// text is written as it is: what a terminal must not get has to be escaped before.
    #[must_use]
    pub fn with_source(mut self, line: &'a dyn Fn(u32) -> Option<&'a str>) -> Listing<'a> {
        self.source = Some(line);
        self
    }

    /// What wakes a handler, as a script spells it: `on timer 1`.
    pub fn event<'l>(&'l self, record: &'l Record) -> impl fmt::Display + 'l {
        fmt::from_fn(move |f| self.write_event(record, f))
    }

    /// Writes a heading for everything that starts at a code offset; returns the offset of the next
    /// heading.
    #[inline(never)]
    fn write_headings(&self, at: u32, f: &mut fmt::Formatter<'_>) -> Result<u32, fmt::Error> {
        let mut next = u32::MAX;
        for record in self.image.records() {
            let (code, filter) = (u32::from(record.code), filter_start(&record));
            for start in [filter, code] {
                if start > at {
                    next = next.min(start);
                }
                if start != at {
                    continue;
                }
                if at > 0 {
                    f.write_str("\n")?;
                }
                if start == filter {
                    writeln!(f, "topic filter of the handler at {code:04}")?;
                } else {
                    self.write_event(&record, f)?;
                    f.write_str("\n")?;
                }
            }
        }
        Ok(next)
    }

    #[inline(never)]
    fn write_line(&self, number: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.source.and_then(|source| source(number));
        let (gap, text) = text.map_or(("", ""), |text| (" ", text));
        writeln!(f, "{number:>5} |{gap}{text}")
    }

    /// Writes the event of a handler as a script spells it.
    #[inline(never)]
    fn write_event(&self, record: &Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(record.trigger, Trigger::Config | Trigger::Sub) {
            f.write_str("on ")?;
        }
        f.write_str(record.trigger.keyword())?;
        let kind = match record.trigger {
            Trigger::Sub => {
                let subs = self.image.records().filter(|record| record.trigger == Trigger::Sub);
                let number = subs.take_while(|sub| sub.order() < record.order()).count();
                return write!(f, " {number}");
            }
            Trigger::Timer | Trigger::Alarm => return write!(f, " {}", record.key),
            Trigger::Gpio => {
                let pull = if record.filter == 1 { "pullup" } else { "nopullup" };
                return write!(f, " {} {pull}", record.key);
            }
            Trigger::Every | Trigger::Clock => {
                let Some(Constant::Int(int)) = self.image.constant(record.filter) else {
                    return f.write_str(" ?");
                };
                return match ClockTime::from_int(int) {
                    _ if record.trigger == Trigger::Every => {
                        write!(f, " {}", Milliseconds(int.cast_unsigned()))
                    }
                    Some(time) => write!(f, " {time}"),
                    None => f.write_str(" ?"),
                };
            }
            Trigger::LocalName | Trigger::RemoteName => Some(FilterKind::Constant),
            Trigger::LocalFilter | Trigger::RemoteFilter => FilterKind::from_code(record.key),
            _ => return Ok(()),
        };
        match kind {
            Some(FilterKind::Constant) => write_constant(self.image, record.filter, f),
            Some(FilterKind::Variable) => write_variable(self.image, record.filter, f),
            Some(FilterKind::Expression) => write!(f, " (computed at {:04})", record.filter),
            None => f.write_str(" ?"),
        }
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.image.code();
        let mut lines = self.image.debug().lines();
        let mut line = None;
        let (mut shown, mut heading, mut end) = (None, 0, 0);
        for (at, instruction) in instructions(code) {
            // Code is at most 65,535 words.
            let here = at as u32;
            if heading <= here {
                heading = self.write_headings(here, f)?;
                shown = None;
            }
            loop {
                line = line.or_else(|| lines.next());
                let Some((start, number)) = line.filter(|(start, _)| *start <= here) else { break };
                line = None;
                if start == here && shown != Some(number) {
                    shown = Some(number);
                    self.write_line(number, f)?;
                }
            }
            writeln!(f, "        {at:04}  {}", instruction.display(self.image))?;
            end = instruction.end;
        }
        if end < code.len() {
            writeln!(f, "        {end:04}  ; from here on it is not code")?;
        }
        Ok(())
    }
}

/// Where the code starts that computes the topic filter of a handler; no offset if none does.
fn filter_start(record: &Record) -> u32 {
    let computed = matches!(record.trigger, Trigger::LocalFilter | Trigger::RemoteFilter)
        && record.key == FilterKind::Expression as u8;
    if computed { record.filter.into() } else { u32::MAX }
}
