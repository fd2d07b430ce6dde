//! The log on standard error: a line each, with time and level.

use std::sync::Arc;

use umqtt_device::board::LogLevel;

use crate::byte_queue::{ByteQueue, write_all};

/// Longest piece of a line that a script prints, bytes.
const LONGEST: usize = 4096;

/// How much is logged: each level, and all that matter more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Nothing.
    #[default]
    Off,
    /// Scripts that fail.
    Error,
    /// What goes wrong otherwise.
    Warn,
    /// What happens, and what scripts print.
    Info,
    /// Connections too.
    Debug,
}

impl Verbosity {
    fn name(self) -> &'static str {
        match self {
            Verbosity::Off => "OFF",
            Verbosity::Error => "ERROR",
            Verbosity::Warn => "WARN",
            Verbosity::Info => "INFO",
            Verbosity::Debug => "DEBUG",
        }
    }
}

/// The log.
pub(crate) struct Log {
    verbosity: Verbosity,
    to: Arc<ByteQueue>,
    /// What a script has printed of a line.
    printed: Vec<u8>,
}

impl Log {
    /// A log on standard error; on a terminal whose lines are edited, through that (`terminal`).
    pub(crate) fn new(
        verbosity: Verbosity,
        terminal: Option<Arc<ByteQueue>>,
    ) -> std::io::Result<Option<Log>> {
        if verbosity == Verbosity::Off {
            return Ok(None);
        }
        let to = match terminal {
            Some(terminal) => terminal,
            None => {
                let to = Arc::<ByteQueue>::default();
                let queue = to.clone();
                let thread = std::thread::Builder::new().name("log".to_owned());
                thread.spawn(move || write_all(std::io::stderr(), &queue))?;
                to
            }
        };
        Ok(Some(Log { verbosity, to, printed: Vec::new() }))
    }

    /// Whether it wants all there is.
    pub(crate) fn debugs(&self) -> bool {
        self.verbosity == Verbosity::Debug
    }

    /// Takes a piece of the device's log.
    pub(crate) fn add(&mut self, level: LogLevel, text: &[u8]) {
        if level != LogLevel::Print {
            self.end_printed();
            for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                self.line(verbosity_of(level, line), line);
            }
            return;
        }
        for &byte in text {
            if byte == b'\n' || self.printed.len() == LONGEST {
                self.end_printed();
            }
            if byte != b'\n' {
                self.printed.push(byte);
            }
        }
    }

    fn end_printed(&mut self) {
        if !self.printed.is_empty() {
            let line = std::mem::take(&mut self.printed);
            self.line(Verbosity::Info, &line);
        }
    }

    fn line(&mut self, level: Verbosity, line: &[u8]) {
        if level <= self.verbosity {
            let time = jiff::ZonedDateTime::now().strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
            let text = format!("{time} {:5} {}\n", level.name(), shown(line));
            self.to.push_line(text.as_bytes());
        }
    }

    /// The queue its lines wait in.
    pub(crate) fn queue(&self) -> &ByteQueue {
        &self.to
    }
}

/// How much a line matters.
fn verbosity_of(level: LogLevel, line: &[u8]) -> Verbosity {
    match level {
        LogLevel::Script if line.starts_with(b"Script: ") => Verbosity::Info,
        LogLevel::Script
            if line.starts_with(b"Script error") || line.starts_with(b"Script disabled") =>
        {
            Verbosity::Error
        }
        LogLevel::Script | LogLevel::Warning => Verbosity::Warn,
        LogLevel::Print | LogLevel::Info => Verbosity::Info,
        LogLevel::Debug => Verbosity::Debug,
    }
}

/// A line as text that is safe to show: nothing a terminal would obey.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut text = String::new();
    for character in String::from_utf8_lossy(line).chars() {
        match character {
            '\t' => text.push(' '),
            _ if character.is_control() => text += &format!("\\x{:02x}", u32::from(character)),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(verbosity: Verbosity, pieces: &[(LogLevel, &[u8])]) -> Vec<String> {
        let queue = Arc::<ByteQueue>::default();
        let mut log = Log::new(verbosity, Some(queue.clone())).unwrap().unwrap();
        for (level, text) in pieces {
            log.add(*level, text);
        }
        let text = String::from_utf8(queue.take()).unwrap();
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn lines_have_a_level_and_no_more_than_the_wanted_ones_are_there() {
        let pieces: &[(LogLevel, &[u8])] = &[
            (LogLevel::Print, b"re"),
            (LogLevel::Print, b"lay \x1b[2J\xc3\xa9\r\nop"),
            (LogLevel::Script, b"Script error in line 2: too long, stopped\r\n"),
            (LogLevel::Script, b"Script warning: slow\r\n"),
            (LogLevel::Debug, b"connection\r\n"),
            (LogLevel::Warning, b"one\r\ntwo\r\n"),
        ];
        let all = [
            "INFO  relay \\x1b[2J\u{e9}",
            "INFO  op",
            "ERROR Script error in line 2: too long, stopped",
            "WARN  Script warning: slow",
            "DEBUG connection",
            "WARN  one",
            "WARN  two",
        ];
        assert_eq!(logged(Verbosity::Debug, pieces), all);
        let most = |level: &str| all.iter().filter(|line| !line.starts_with(level)).count();
        assert_eq!(logged(Verbosity::Info, pieces).len(), most("DEBUG"));
        assert_eq!(logged(Verbosity::Error, pieces), [all[2]]);
    }

    #[test]
    fn on_a_terminal_a_line_waits_for_the_end_of_another() {
        let queue = Arc::<ByteQueue>::default();
        let mut log = Log::new(Verbosity::Info, Some(queue.clone())).unwrap().unwrap();
        queue.push(b"a reply that ");
        log.add(LogLevel::Info, b"x\r\n");
        log.add(LogLevel::Info, b"y\r\n");
        queue.push(b"goes on\r\n");
        log.add(LogLevel::Info, b"z\r\n");
        let text = String::from_utf8(queue.take()).unwrap();
        let last: Vec<_> = text.lines().map(|line| line.rsplit("INFO  ").next()).collect();
        assert_eq!(last, ["a reply that goes on", "x", "y", "z"].map(Some));
    }

    #[test]
    fn a_line_has_its_time() {
        let queue = Arc::<ByteQueue>::default();
        let mut log = Log::new(Verbosity::Info, Some(queue.clone())).unwrap().unwrap();
        log.add(LogLevel::Info, b"x\r\n");
        let text = String::from_utf8(queue.take()).unwrap();
        let (time, rest) = text.split_once(' ').unwrap();
        assert_eq!(rest, "INFO  x\n");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}
