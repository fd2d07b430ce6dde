//! The types parameters have: how their text is read and printed, and what is refused.

use alloc::boxed::Box;
use core::fmt;
use core::net::Ipv4Addr;

use umqtt_calendar::Zone;
use umqtt_topic::check_name;

use super::{Value, ValueRef};
use crate::signature::read_public_key;

/// Type and range of a parameter. The word `none` stands for an empty text and for no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// `0` or `1`.
    Flag,
    /// A whole number from `min` to `max`.
    Int {
        /// Least.
        min: i32,
        /// Most.
        max: i32,
    },
    /// One of these numbers.
    OneOf(&'static [i32]),
    /// Any bytes: `min` to `max` of them, or `none`, which a `min` of exactly 1 forbids.
    Text {
        /// Least length in bytes, if it is not `none`.
        min: u8,
        /// Greatest length in bytes.
        max: u8,
    },
    /// Visible ASCII without blanks, at most `max` bytes, or `none`.
    Name {
        /// Greatest length in bytes.
        max: u8,
    },
    /// The topic of a message, without wildcards, at most `max` bytes, or `none`.
    Topic {
        /// Greatest length in bytes.
        max: u8,
    },
    /// An IPv4 address, or `none`.
    Address,
    /// An IPv4 address, or `dhcp`.
    AddressOrDhcp,
    /// An IPv4 network of 256 addresses; the last byte is made 0.
    Network,
    /// Whole hours from -12 to 14, or `none`, which is [`NO_ZONE`].
    Zone,
    /// Hours or the rules of a time zone as a text ([`umqtt_calendar::Zone::parse`]), or `none`.
    TimeZone,
    /// Degrees with decimals to either side of 0, as ten thousandths, or `none`, which is
    /// [`NO_DEGREES`].
    Degrees {
        /// Most.
        most: u8,
    },
    /// `hh:mm:ss` or `hh:mm`, as seconds since midnight.
    Time,
    /// `Mon` to `Sun`, as 0 to 6.
    Weekday,
    /// A public key as 64 hexadecimal digits, or `none`.
    PublicKey,
}

/// No time zone.
pub const NO_ZONE: i32 = i32::MIN;
/// No degrees.
pub const NO_DEGREES: i32 = i32::MIN;
/// What degrees are multiplied by.
const DEGREE: i32 = 10_000;

/// The days as they are written.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl ParamType {
    /// Reads a value from what a user wrote; `Err` if it is not of this type or out of range.
    pub(super) fn read(&self, text: &[u8]) -> Result<Value, ()> {
        let number = match *self {
            ParamType::Text { .. }
            | ParamType::Name { .. }
            | ParamType::Topic { .. }
            | ParamType::TimeZone
            | ParamType::PublicKey => {
                return self.read_text(text);
            }
            ParamType::Flag | ParamType::Int { .. } | ParamType::OneOf(_) => integer(text)?,
            ParamType::Address if text == b"none" => 0,
            ParamType::AddressOrDhcp if text == b"dhcp" => 0,
            ParamType::Address | ParamType::AddressOrDhcp => address(text)?.to_bits().cast_signed(),
            ParamType::Network => (address(text)?.to_bits() & 0xFFFF_FF00).cast_signed(),
            ParamType::Zone if text == b"none" => NO_ZONE,
            ParamType::Zone => integer(text)?,
            ParamType::Degrees { .. } if text == b"none" => NO_DEGREES,
            ParamType::Degrees { .. } => degrees(text)?,
            ParamType::Time => time(text)?,
            ParamType::Weekday => weekday(text)?,
        };
        self.check(ValueRef::Number(number)).then_some(Value::Number(number)).ok_or(())
    }

    fn read_text(&self, text: &[u8]) -> Result<Value, ()> {
        let text = if text == b"none" { b"" } else { text };
        self.check(ValueRef::Text(text)).then(|| Value::Text(Box::from(text))).ok_or(())
    }

    /// Whether a value is of this type and in range.
    pub fn check(&self, value: ValueRef<'_>) -> bool {
        match (*self, value) {
            (ParamType::Text { min, max }, ValueRef::Text(text)) => match text.len() {
                0 => min != 1,
                len => (usize::from(min)..=usize::from(max)).contains(&len),
            },
            (ParamType::Name { max }, ValueRef::Text(text)) => {
                text.len() <= usize::from(max) && text.iter().all(u8::is_ascii_graphic)
            }
            (ParamType::Topic { max }, ValueRef::Text(text)) => {
                text.is_empty() || text.len() <= usize::from(max) && check_name(text).is_ok()
            }
            (ParamType::Flag, ValueRef::Number(number)) => number == 0 || number == 1,
            (ParamType::Int { min, max }, ValueRef::Number(number)) => {
                (min..=max).contains(&number)
            }
            (ParamType::OneOf(all), ValueRef::Number(number)) => all.contains(&number),
            (ParamType::Address | ParamType::AddressOrDhcp, ValueRef::Number(_)) => true,
            (ParamType::Network, ValueRef::Number(number)) => {
                let net = Ipv4Addr::from_bits(number.cast_unsigned());
                let first = net.octets()[0];
                (1..224).contains(&first) && !net.is_loopback() && net.octets()[3] == 0
            }
            (ParamType::Zone, ValueRef::Number(number)) => {
                number == NO_ZONE || (-12..=14).contains(&number)
            }
            (ParamType::TimeZone, ValueRef::Text(text)) => {
                text.is_empty() || Zone::parse(text).is_ok()
            }
            (ParamType::Degrees { most }, ValueRef::Number(number)) => {
                number == NO_DEGREES || number.unsigned_abs() <= u32::from(most) * DEGREE as u32
            }
            (ParamType::PublicKey, ValueRef::Text(text)) => {
                text.is_empty() || read_public_key(text).is_some()
            }
            (ParamType::Time, ValueRef::Number(number)) => (0..86_400).contains(&number),
            (ParamType::Weekday, ValueRef::Number(number)) => (0..7).contains(&number),
            _ => false,
        }
    }

    /// The word `help` shows for a value.
    pub fn placeholder(&self) -> &'static str {
        match self {
            ParamType::Flag => "0|1",
            ParamType::Int { .. } | ParamType::OneOf(_) => "NUMBER",
            ParamType::Text { .. } => "TEXT",
            ParamType::Name { .. } => "NAME",
            ParamType::Topic { .. } => "TOPIC",
            ParamType::Address | ParamType::Network => "ADDRESS",
            ParamType::AddressOrDhcp => "ADDRESS|dhcp",
            ParamType::Zone => "HOURS|none",
            ParamType::TimeZone => "RULES|HOURS|none",
            ParamType::Degrees { .. } => "DEGREES|none",
            ParamType::Time => "hh:mm:ss",
            ParamType::Weekday => "ddd",
            ParamType::PublicKey => "KEY|none",
        }
    }

    /// Prints a number of this type the way a user would type it. Texts need
    /// [`crate::console::words::Quoted`].
    pub fn write_number(&self, f: &mut dyn fmt::Write, number: i32) -> fmt::Result {
        match self {
            ParamType::Address if number == 0 => f.write_str("none"),
            ParamType::Zone if number == NO_ZONE => f.write_str("none"),
            ParamType::AddressOrDhcp if number == 0 => f.write_str("dhcp"),
            ParamType::Address | ParamType::AddressOrDhcp | ParamType::Network => {
                write!(f, "{}", Ipv4Addr::from_bits(number.cast_unsigned()))
            }
            ParamType::Degrees { .. } if number == NO_DEGREES => f.write_str("none"),
            ParamType::Degrees { .. } => write_degrees(f, number),
            ParamType::Time if number < 0 => f.write_str("99:99:99"),
            ParamType::Time => {
                let (hours, rest) = (number / 3600, number % 3600);
                write!(f, "{hours:02}:{:02}:{:02}", rest / 60, rest % 60)
            }
            ParamType::Weekday => {
                let day = usize::try_from(number).ok().and_then(|day| WEEKDAYS.get(day));
                f.write_str(day.copied().unwrap_or("xxx"))
            }
            _ => write!(f, "{number}"),
        }
    }
}

/// What would be right.
impl fmt::Display for ParamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ParamType::Flag => f.write_str("0 or 1"),
            ParamType::Int { min, max } => write!(f, "a number from {min} to {max}"),
            ParamType::OneOf(all) => {
                for (place, number) in all.iter().enumerate() {
                    write!(f, "{}{number}", if place == 0 { "" } else { " or " })?;
                }
                Ok(())
            }
            ParamType::Text { min: 0, max } => write!(f, "at most {max} bytes, or none"),
            ParamType::Text { min: 1, max } => write!(f, "1 to {max} bytes"),
            ParamType::Text { min, max } => write!(f, "{min} to {max} bytes, or none"),
            ParamType::Name { max } => {
                write!(f, "at most {max} visible characters without blanks, or none")
            }
            ParamType::Topic { max } => {
                write!(f, "a topic without + and #, at most {max} bytes, or none")
            }
            ParamType::Address => f.write_str("an address such as 192.168.1.20, or none"),
            ParamType::AddressOrDhcp => f.write_str("an address such as 192.168.1.20, or dhcp"),
            ParamType::Network => f.write_str("a network such as 192.168.4.0"),
            ParamType::Zone => f.write_str("a number from -12 to 14, or none"),
            ParamType::TimeZone => {
                f.write_str("hours such as 5.5, rules such as CET-1CEST,M3.5.0,M10.5.0/3, or none")
            }
            ParamType::Degrees { most } => {
                write!(f, "degrees from -{most} to {most} such as 13.405, or none")
            }
            ParamType::Time => f.write_str("a time from 00:00:00 to 23:59:59"),
            ParamType::Weekday => f.write_str("one of Mon Tue Wed Thu Fri Sat Sun"),
            ParamType::PublicKey => f.write_str(
                "a public key, 64 hexadecimal digits as umqttc keygen prints it, or none",
            ),
        }
    }
}

fn integer(text: &[u8]) -> Result<i32, ()> {
    core::str::from_utf8(text).map_err(|_| ())?.parse().map_err(|_| ())
}

/// Degrees with decimals; what is less than a ten thousandth (11 m) is left out.
pub(crate) fn degrees(text: &[u8]) -> Result<i32, ()> {
    let (minus, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let (whole, decimals) = (parts.next().unwrap_or_default(), parts.next());
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !is_number(whole) || whole.len() > 3 || !decimals.is_none_or(is_number) {
        return Err(());
    }
    let digit = |byte: &u8| i32::from(byte - b'0');
    let mut number = whole.iter().fold(0, |number, byte| number * 10 + digit(byte)) * DEGREE;
    let mut unit = DEGREE;
    for byte in decimals.unwrap_or_default() {
        unit /= 10;
        number += digit(byte) * unit;
    }
    Ok(if minus { -number } else { number })
}

fn write_degrees(f: &mut dyn fmt::Write, number: i32) -> fmt::Result {
    let sign = if number < 0 { "-" } else { "" };
    let (whole, mut decimals) = (number.unsigned_abs() / 10_000, number.unsigned_abs() % 10_000);
    write!(f, "{sign}{whole}")?;
    if decimals == 0 {
        return Ok(());
    }
    let mut width = 4;
    while decimals % 10 == 0 {
        (decimals, width) = (decimals / 10, width - 1);
    }
    write!(f, ".{decimals:0width$}")
}

fn address(text: &[u8]) -> Result<Ipv4Addr, ()> {
    core::str::from_utf8(text).map_err(|_| ())?.parse().map_err(|_| ())
}

fn time(text: &[u8]) -> Result<i32, ()> {
    let (h1, h0, m1, m0, s1, s0) = match *text {
        [h1, h0, b':', m1, m0] => (h1, h0, m1, m0, b'0', b'0'),
        [h1, h0, b':', m1, m0, b':', s1, s0] => (h1, h0, m1, m0, s1, s0),
        _ => return Err(()),
    };
    let two = |tens: u8, ones: u8, below: i32| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        let number = i32::from(tens.wrapping_sub(b'0')) * 10 + i32::from(ones.wrapping_sub(b'0'));
        (digits && number < below).then_some(number).ok_or(())
    };
    Ok(two(h1, h0, 24)? * 3600 + two(m1, m0, 60)? * 60 + two(s1, s0, 60)?)
}

fn weekday(text: &[u8]) -> Result<i32, ()> {
    let day = WEEKDAYS.iter().position(|day| text.eq_ignore_ascii_case(day.as_bytes()));
    day.and_then(|day| i32::try_from(day).ok()).ok_or(())
}
