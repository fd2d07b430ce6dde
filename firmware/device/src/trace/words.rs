//! Events, values and actions as a script spells them.

use core::fmt::{self, Display, Formatter};

use umqtt_vm::isa::Op;
use umqtt_vm::words::{ActionWord, FunctionWord, Special, SpecialSource};
use umqtt_vm::{Event, Side};

use crate::printable::Printable;

/// Bytes of a value that are shown.
pub const VALUE_SHOWN: usize = 64;

/// A value: a number as it is, another in quotes. Of a long one the beginning, and how long it is.
pub(super) struct Value<'v>(pub(super) &'v [u8]);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Value(bytes) = *self;
        if is_number(bytes) {
            return Printable(bytes).fmt(f);
        }
        let shown = bytes.get(..VALUE_SHOWN).unwrap_or(bytes);
        f.write_str("\"")?;
        // Quotes and backslashes of its own have a backslash, so that `\xhh` is one byte only.
        for part in shown.split_inclusive(|byte| matches!(byte, b'"' | b'\\')) {
            match part.split_last() {
                Some((b'"', before)) => write!(f, "{}\\\"", Printable(before))?,
                Some((b'\\', before)) => write!(f, "{}\\\\", Printable(before))?,
                _ => Printable(part).fmt(f)?,
            }
        }
        f.write_str("\"")?;
        match bytes.len() - shown.len() {
            0 => Ok(()),
            _ => write!(f, "... ({} bytes)", bytes.len()),
        }
    }
}

fn is_number(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    digits.first().is_some_and(u8::is_ascii_digit)
        && digits.len() < 16
        && digits.iter().all(is_digit)
}

/// A topic or filter, in quotes only where it needs them.
pub(super) struct Topic<'t>(pub(super) &'t [u8]);

impl Display for Topic<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\%=,()".contains(byte);
        let is_plain = !self.0.is_empty() && self.0.iter().all(plain);
        match is_plain && self.0.len() <= VALUE_SHOWN {
            true => Printable(self.0).fmt(f),
            false => Value(self.0).fmt(f),
        }
    }
}

fn side(side: Side) -> &'static str {
    if side == Side::Local { "local" } else { "remote" }
}

/// What happened.
pub(super) struct EventWords<'e>(pub(super) &'e Event<'e>);

impl Display for EventWords<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.0.trigger().0.event_word();
        match self.0 {
            Event::Topic { side: at, topic, data } => {
                write!(f, "{name} {} {} {}", side(*at), Topic(topic), Value(data))
            }
            Event::Timer(n) | Event::Alarm(n) => write!(f, "{name} {n}"),
            Event::Every(n) | Event::Clock(n) => write!(f, "{name}, number {}", u32::from(*n) + 1),
            Event::GpioInterrupt { pin, level } => write!(f, "{name} {pin} = {}", u8::from(*level)),
            Event::Serial { line } => write!(f, "{name} {}", Value(line)),
            Event::HttpResponse { host, path, code, body, .. } => {
                let (host, path, code) = (Printable(host), Printable(path), Printable(code));
                write!(f, "{name} {code} {} of {host}{path}", Value(body))
            }
            _ => f.write_str(name),
        }
    }
}

/// An action with its values.
pub(super) struct Action<'a> {
    pub(super) op: Op,
    pub(super) number: u16,
    pub(super) values: [&'a [u8]; 2],
}

impl Display for Action<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (n, [one, two]) = (self.number, self.values);
        let broker = match self.op {
            Op::PublishRemote
            | Op::PublishRemoteRetained
            | Op::SubscribeRemote
            | Op::UnsubscribeRemote => "remote",
            _ => "local",
        };
        match self.op {
            Op::PublishLocal | Op::PublishRemote => {
                write!(f, "publish {broker} {} {}", Topic(one), Value(two))
            }
            Op::PublishLocalRetained | Op::PublishRemoteRetained => {
                write!(f, "publish {broker} {} {} retained", Topic(one), Value(two))
            }
            Op::SubscribeLocal | Op::SubscribeRemote => {
                write!(f, "subscribe {broker} {}", Topic(one))
            }
            Op::UnsubscribeLocal | Op::UnsubscribeRemote => {
                write!(f, "unsubscribe {broker} {}", Topic(one))
            }
            Op::SetFlash => write!(f, "setvar @{n} = {}", Value(one)),
            // Passwords are among them.
            Op::Config => write!(f, "config {}", Printable(one)),
            Op::PinMode => write!(f, "{} {n} {}", word(self.op), Printable(one)),
            Op::Call => f.write_str(word(self.op)),
            Op::HttpPost => write!(f, "{} {}, {}", word(self.op), Value(one), Value(two)),
            Op::PinWrite | Op::Pwm | Op::SetTimer | Op::SetAlarm => {
                write!(f, "{} {n} {}", word(self.op), Value(one))
            }
            _ => write!(f, "{} {}", word(self.op), Value(one)),
        }
    }
}

fn word(op: Op) -> &'static str {
    let word = ActionWord::ALL.iter().find(|word| word.op() == op);
    word.map_or(op.mnemonic(), |word| word.keyword())
}

/// What brought something from outside.
pub(super) struct Answer(pub(super) Op, pub(super) u16);

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Answer(op, number) = *self;
        let is_it = |special: &&Special| special.source() == SpecialSource::Instruction(op);
        match op {
            Op::Flash => write!(f, "@{number}"),
            Op::PinRead => write!(f, "gpio_in({number})"),
            _ => match Special::ALL.iter().find(is_it) {
                Some(special) => f.write_str(special.keywords()[0]),
                None => {
                    let word = FunctionWord::ALL.iter().find(|word| word.op() == op);
                    write!(f, "{}(...)", word.map_or(op.mnemonic(), |word| word.keyword()))
                }
            },
        }
    }
}

/// A variable, by its name.
pub(super) struct Variable<'n>(pub(super) u16, pub(super) &'n [u8]);

impl Display for Variable<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            [] => write!(f, "${}", self.0),
            name => Printable(name).fmt(f),
        }
    }
}

/// How a script writes a comparison.
pub(super) fn sign(relation: Op) -> &'static str {
    match relation {
        Op::Equal => "=",
        Op::NotEqual => "neq",
        Op::Greater => ">",
        Op::GreaterEqual => "gte",
        Op::Less => "lt",
        Op::LessEqual => "lte",
        other => other.mnemonic(),
    }
}
