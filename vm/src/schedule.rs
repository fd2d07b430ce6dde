//! Times at which handlers wake: the period of `on every`, and the time of day, offset and days of
//! `on clock`, as an image has them.

use core::fmt;

/// Longest period of `on every`, milliseconds: a day.
pub const EVERY_MAX: u32 = 86_400_000;

const DAY: i32 = 86_400;

/// What an `on clock` starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ClockBase {
    /// Midnight.
    Midnight = 0,
    /// Sunrise.
    Sunrise = 1,
    /// Sunset.
    Sunset = 2,
}

/// Days of the week: bit 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub u8);

impl Days {
    /// Every day.
    pub const ALL: Days = Days(0x7f);
    /// Their names in a script.
    pub const NAMES: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    /// The days from Monday to Friday, and their name.
    pub const WEEKDAYS: (Days, &'static str) = (Days(0x1f), "weekdays");
    /// Saturday and Sunday, and their name.
    pub const WEEKEND: (Days, &'static str) = (Days(0x60), "weekend");

    /// Whether a day of the week, 0 for Monday, is one of them.
    pub fn has(self, weekday: u8) -> bool {
        self.0 >> weekday & 1 != 0
    }

    /// The days of a word.
    pub fn from_word(word: &[u8]) -> Option<Days> {
        let named = |(_, name): &(Days, &str)| name.as_bytes() == word;
        match [Days::WEEKDAYS, Days::WEEKEND].iter().find(|days| named(days)) {
            Some((days, _)) => Some(*days),
            None => {
                let day = Days::NAMES.iter().position(|name| name.as_bytes() == word)?;
                Some(Days(1 << day))
            }
        }
    }
}

/// What an `on clock` waits for. In an image it is a constant that is a number: seconds, moved by a
/// day, in the lower 19 bits, the base in 2, the days in 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockTime {
    /// From where the seconds are counted.
    pub base: ClockBase,
    /// Seconds behind it, a day before it to two days behind.
    pub seconds: i32,
    /// On which days; those of the base, if the seconds lead to another.
    pub days: Days,
}

impl ClockTime {
    /// As a constant.
    pub fn to_int(self) -> i32 {
        let seconds = (self.seconds.clamp(-DAY, 2 * DAY - 1) + DAY) & 0x7_ffff;
        seconds | (self.base as i32) << 19 | i32::from(self.days.0 & Days::ALL.0) << 21
    }

    /// Out of a constant; `None` if it is none.
    pub fn from_int(int: i32) -> Option<ClockTime> {
        let base = match int >> 19 & 3 {
            0 => ClockBase::Midnight,
            1 => ClockBase::Sunrise,
            2 => ClockBase::Sunset,
            _ => return None,
        };
        let days = Days((int >> 21 & 0x7f) as u8);
        let time = ClockTime { base, seconds: (int & 0x7_ffff) - DAY, days };
        (days.0 != 0 && time.to_int() == int).then_some(time)
    }
}

/// As a script writes it.
impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut offset = self.seconds.div_euclid(DAY) * DAY;
        match self.base {
            ClockBase::Midnight => {
                let second = self.seconds.rem_euclid(DAY);
                let (hour, minute) = (second / 3600, second / 60 % 60);
                write!(f, "{hour:02}:{minute:02}:{:02}", second % 60)?;
            }
            base => {
                f.write_str(if base == ClockBase::Sunrise { "sunrise" } else { "sunset" })?;
                offset = self.seconds;
            }
        }
        if offset != 0 {
            let sign = if offset < 0 { '-' } else { '+' };
            write!(f, " {sign}{}", Milliseconds(offset.unsigned_abs() * 1000))?;
        }
        if self.days == Days::ALL {
            return Ok(());
        }
        for (days, name) in [Days::WEEKDAYS, Days::WEEKEND] {
            if self.days == days {
                return write!(f, " {name}");
            }
        }
        for (day, name) in (0..).zip(Days::NAMES) {
            if self.days.has(day) {
                write!(f, " {name}")?;
            }
        }
        Ok(())
    }
}

/// A period in milliseconds as a script writes it: in the greatest unit of which it is a multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Milliseconds(pub u32);

impl Milliseconds {
    /// The units, the greatest first.
    pub const UNITS: [(u32, &'static str); 4] =
        [(3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
}

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Milliseconds::UNITS.iter().find(|(unit, _)| self.0.is_multiple_of(*unit));
        let (unit, name) = unit.copied().unwrap_or((1, "ms"));
        write!(f, "{}{name}", self.0 / unit)
    }
}

/// A second from midnight as `hh:mm:ss`, of another day as that of the day; `99:99:99` for none.
pub(crate) fn time_text(second: Option<i32>) -> [u8; 8] {
    let Some(second) = second else { return *b"99:99:99" };
    let second = second.rem_euclid(DAY);
    let two = |n: i32| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
    let ([h1, h0], [m1, m0], [s1, s0]) =
        (two(second / 3600), two(second / 60 % 60), two(second % 60));
    [h1, h0, b':', m1, m0, b':', s1, s0]
}

/// The second of the day of a time: `hh`, `hh:mm` or `hh:mm:ss`, each with one digit or two, up to
/// `24:00`; `None` if it is none.
pub fn second_of_day(text: &[u8]) -> Option<u32> {
    let mut parts = [0; 3];
    let mut count = 0;
    for (part, text) in text.trim_ascii().split(|byte| *byte == b':').enumerate() {
        let most = if part == 0 { 24 } else { 59 };
        if !(1..=2).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = text.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        *parts.get_mut(part)? = number;
        count = part;
        if number > most {
            return None;
        }
    }
    let [hours, minutes, seconds] = parts;
    let second = hours * 3600 + minutes * 60 + seconds;
    (count < 3 && second <= DAY.cast_unsigned()).then_some(second)
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for base in [ClockBase::Midnight, ClockBase::Sunrise, ClockBase::Sunset] {
            for seconds in [-DAY, -60, 0, 86_399, 2 * DAY - 1] {
                for days in 1..=0x7f {
                    let time = ClockTime { base, seconds, days: Days(days) };
                    assert_eq!(ClockTime::from_int(time.to_int()), Some(time));
                }
            }
        }
        for int in [0, -1, i32::MIN, i32::MAX, (3 << 19) | (1 << 21), (1 << 21) | (3 * DAY)] {
            assert_eq!(ClockTime::from_int(int), None, "{int}");
        }
    }

    #[test]
    fn times_are_shown_as_scripts_write_them() {
        let time = |base, seconds, days| ClockTime { base, seconds, days: Days(days) }.to_string();
        assert_eq!(time(ClockBase::Midnight, 23_400, 0x7f), "06:30:00");
        assert_eq!(time(ClockBase::Midnight, DAY + 60, 1), "00:01:00 +24h mon");
        assert_eq!(time(ClockBase::Midnight, -60, 0x1f), "23:59:00 -24h weekdays");
        assert_eq!(time(ClockBase::Sunset, -1800, 0x60), "sunset -30m weekend");
        assert_eq!(time(ClockBase::Sunrise, 0, 0x11), "sunrise mon fri");
        let period = |ms| Milliseconds(ms).to_string();
        assert_eq!([1500, 10_000, 90_000, 7_200_000].map(period), ["1500ms", "10s", "90s", "2h"]);
    }

    #[test]
    fn times_of_day_are_read() {
        let read = |text: &str| second_of_day(text.as_bytes());
        assert_eq!(read("8"), Some(28_800));
        assert_eq!(read("08:30"), Some(30_600));
        assert_eq!(read("23:59:59"), Some(86_399));
        assert_eq!(read("24:00"), Some(86_400));
        for text in ["", ":", "8:", "99:99:99", "24:01", "8:60", "1:2:3:4", "-1", "008", "noon"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
