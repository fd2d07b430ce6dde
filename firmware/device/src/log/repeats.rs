//! Rate limit for repeated lines of the log: after some of a kind the rest is counted and
//! left out.
//!
//! A kind is how a line begins, numbers not looked at. So a script that fails at each message, a
//! peer that does not read and whatever else may repeat itself fills neither log nor serial port,
//! wherever the line is written; and however many kinds there are, those that find no place here
//! share one.

use alloc::string::String;
use core::fmt;

use super::Level;
use umqtt_net::{Duration, Instant};

/// Milliseconds for which lines are counted together.
pub(crate) const WINDOW: Duration = Duration::from_millis(10_000);
/// Lines of a kind that are logged in that time.
pub(crate) const LINES: u32 = 50;
/// Kinds counted apart at a time.
const KINDS: usize = 8;
/// Bytes of a line's beginning that make its kind.
const BEGINNING: usize = 28;

/// A kind of lines that came of late.
#[derive(Debug)]
struct LineKind {
    beginning: [u8; BEGINNING],
    level: Level,
    since: Instant,
    lines: u32,
}

/// What was left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Suppressed {
    pub(crate) level: Level,
    lines: u32,
    beginning: String,
}

impl fmt::Display for Suppressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Suppressed { lines, beginning, .. } = self;
        write!(f, "... {lines} more like this in {} s: {beginning}", WINDOW.as_secs())
    }
}

/// A rate limit for each kind of repeated log lines. The last place is for all kinds that have none
/// of their own.
#[derive(Debug, Default)]
pub(crate) struct RepeatLimiter {
    kinds: [Option<LineKind>; KINDS],
}

impl RepeatLimiter {
    /// Whether to log a line.
    pub(crate) fn admits(&mut self, level: Level, line: &[u8], now: Instant) -> bool {
        let mut beginning = [0; BEGINNING];
        let letters = line.iter().filter(|byte| !byte.is_ascii_digit()).take(BEGINNING);
        beginning.iter_mut().zip(letters).for_each(|(to, from)| *to = *from);
        let over = |kind: &LineKind| kind.lines <= LINES && kind.is_over(now);
        for place in &mut self.kinds {
            place.take_if(|kind| over(kind));
        }
        let known = |place: &Option<LineKind>| match place {
            Some(kind) => kind.beginning == beginning && kind.level == level,
            None => false,
        };
        let place = self.kinds.iter().position(known);
        let place = place.or_else(|| self.kinds.iter().position(Option::is_none));
        let Some(place) = self.kinds.get_mut(place.unwrap_or(KINDS - 1)) else { return true };
        let kind = place.get_or_insert(LineKind { beginning, level, since: now, lines: 0 });
        kind.lines = kind.lines.saturating_add(1);
        kind.lines <= LINES
    }

    /// What was left out of a kind whose time is over; ask until `None`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Suppressed> {
        let over = |kind: &mut LineKind| kind.lines > LINES && kind.is_over(now);
        let kind = self.kinds.iter_mut().find_map(|place| place.take_if(over))?;
        let beginning = kind.beginning.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let (level, lines) = (kind.level, kind.lines - LINES);
        Some(Suppressed {
            level,
            lines,
            beginning: beginning.trim_end_matches(['\0', '\r', '\n']).into(),
        })
    }

    /// When to ask what was left out.
    pub(crate) fn poll_at(&self) -> Option<Instant> {
        let over = self.kinds.iter().flatten().filter(|kind| kind.lines > LINES);
        over.map(|kind| kind.since.saturating_add(WINDOW)).min()
    }
}

impl LineKind {
    fn is_over(&self, now: Instant) -> bool {
        now >= self.since.saturating_add(WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn admitted(
        repeats: &mut RepeatLimiter,
        lines: impl Iterator<Item = String>,
        now: Instant,
    ) -> u32 {
        let admits = |line: String| repeats.admits(Level::Script, line.as_bytes(), now);
        lines.map(admits).filter(|admitted| *admitted).count() as u32
    }

    #[test]
    fn what_repeats_itself_is_counted_and_told_of_once() {
        let mut repeats = RepeatLimiter::default();
        let failures = |n: u32| (0..n).map(|n| format!("publish remote t/{n}: no room\r\n"));
        assert_eq!(admitted(&mut repeats, failures(10_000), Instant::from_millis(5)), LINES);
        assert!(repeats.admits(Level::Script, b"something else", Instant::from_millis(6)));
        assert_eq!(
            (repeats.poll(Instant::from_millis(10_004)), repeats.poll_at()),
            (None, Some(Instant::from_millis(10_005)))
        );
        let left_out = repeats.poll(Instant::from_millis(10_005)).unwrap();
        assert_eq!(
            left_out.to_string(),
            "... 9950 more like this in 10 s: publish remote t/: no room"
        );
        assert_eq!((repeats.poll(Instant::from_millis(10_005)), repeats.poll_at()), (None, None));
        assert_eq!(admitted(&mut repeats, failures(LINES), Instant::from_millis(10_006)), LINES);
    }

    #[test]
    fn what_comes_now_and_then_is_never_left_out() {
        let mut repeats = RepeatLimiter::default();
        for now in (0..1_000_000).step_by(WINDOW.as_millis() as usize / LINES as usize) {
            assert!(repeats.admits(Level::Info, b"now and then", Instant::from_millis(now)));
        }
        assert_eq!(repeats.poll(Instant::MAX), None);
    }

    #[test]
    fn many_kinds_share_a_place() {
        let mut repeats = RepeatLimiter::default();
        let letters = |n: u32| char::from_u32(0x4e00 + n).unwrap_or_default();
        let lines = (0..1000).map(|n| format!("{} is wrong", letters(n)));
        assert!(admitted(&mut repeats, lines, Instant::ZERO) <= LINES * KINDS as u32);
        assert!(repeats.poll_at().is_some());
    }
}
