//! Values in a test, and what is compared with them.

use umqtt_device::sim::Action;
use umqtt_vm::{PinMode, Side};

use super::operand::Operand;

/// A value: fixed, or that of the test's `each`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// These bytes.
    Fixed(Vec<u8>),
    /// The value of `$VAR`.
    Each,
}

impl Text {
    /// Its bytes in one run of a test.
    pub(crate) fn bytes<'t>(&'t self, each: &'t [u8]) -> &'t [u8] {
        match self {
            Text::Fixed(bytes) => bytes,
            Text::Each => each,
        }
    }
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Whatever it is.
    Any,
    /// Exactly this.
    Is(Text),
    /// This, where each `*` stands for any bytes.
    Like(Text),
}

impl Pattern {
    /// Whether a value is as it must be.
    pub(crate) fn matches(&self, value: &[u8], each: &[u8]) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Is(text) => text.bytes(each) == value,
            Pattern::Like(text) => like(text.bytes(each), value),
        }
    }

    /// As a message shows it.
    pub(crate) fn shown(&self, each: &[u8]) -> String {
        match self {
            Pattern::Any => "`$any`".to_owned(),
            Pattern::Is(text) => format!("`{}`", String::from_utf8_lossy(text.bytes(each))),
            Pattern::Like(text) => format!("like {:?}", String::from_utf8_lossy(text.bytes(each))),
        }
    }
}

/// Whether a value is like a pattern in which `*` stands for any bytes.
fn like(pattern: &[u8], value: &[u8]) -> bool {
    // Where to go on when the last `*` has to stand for one byte more.
    let (mut p, mut v, mut retry) = (0, 0, None);
    while v < value.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, v));
                p += 1;
            }
            Some(byte) if *byte == value[v] => (p, v) = (p + 1, v + 1),
            _ => {
                let Some((star, at)) = retry else { return false };
                retry = Some((star, at + 1));
                (p, v) = (star + 1, at + 1);
            }
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// The kinds of actions, by the words a test names them with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Publish,
    Subscribe,
    Unsubscribe,
    Gpio,
    Pwm,
    PinMode,
    Serial,
    Print,
    Println,
    HttpGet,
    HttpPost,
    System,
    Config,
    Flash,
    Log,
}

impl ActionKind {
    /// What follows its word, up to the flag.
    pub(crate) fn operands(self) -> &'static [Operand] {
        use Operand as O;
        match self {
            ActionKind::Publish => &[O::Side, O::Topic, O::Text("DATA")],
            ActionKind::Subscribe | ActionKind::Unsubscribe => &[O::Side, O::Filter],
            ActionKind::Gpio => &[O::Pin, O::Level],
            ActionKind::Pwm => &[O::Pin, O::Duty],
            ActionKind::PinMode => &[O::Pin, O::Mode],
            ActionKind::Serial | ActionKind::Print | ActionKind::Println | ActionKind::Log => {
                &[O::Text("TEXT")]
            }
            ActionKind::HttpGet => &[O::Url],
            ActionKind::HttpPost => &[O::Url, O::Text("BODY")],
            ActionKind::System => &[O::Text("COMMAND")],
            ActionKind::Config => &[O::Setting, O::Text("VALUE")],
            ActionKind::Flash => &[O::FlashVariable, O::FlashValue],
        }
    }

    /// The word that may end it, alone or behind `not`.
    pub(crate) fn flag(self) -> Option<&'static str> {
        match self {
            ActionKind::Publish => Some("retained"),
            ActionKind::PinMode => Some("pullup"),
            _ => None,
        }
    }
}

/// The words of the language, and those that traces show.
pub(crate) const ACTIONS: [(&str, ActionKind); 18] = [
    ("publish", ActionKind::Publish),
    ("subscribe", ActionKind::Subscribe),
    ("unsubscribe", ActionKind::Unsubscribe),
    ("gpio", ActionKind::Gpio),
    ("gpio_out", ActionKind::Gpio),
    ("pwm", ActionKind::Pwm),
    ("gpio_pwm", ActionKind::Pwm),
    ("gpio_pinmode", ActionKind::PinMode),
    ("serial", ActionKind::Serial),
    ("serial_out", ActionKind::Serial),
    ("print", ActionKind::Print),
    ("println", ActionKind::Println),
    ("http_get", ActionKind::HttpGet),
    ("http_post", ActionKind::HttpPost),
    ("system", ActionKind::System),
    ("config", ActionKind::Config),
    ("flash", ActionKind::Flash),
    ("log", ActionKind::Log),
];

/// What an action must be.
#[derive(Clone, Debug)]
pub(crate) struct ActionPattern {
    pub(crate) kind: ActionKind,
    /// The operands; what is left out may be anything.
    pub(crate) operands: Vec<Pattern>,
    /// Whether its flag (`retained`, `pullup`) must be set; either if it is left out.
    pub(crate) flag: Option<bool>,
}

impl ActionPattern {
    /// Whether an action is as it must be. The topic of a published message may be given as a
    /// filter: no message has a topic with wildcards.
    pub(crate) fn matches(&self, action: &Action, each: &[u8]) -> bool {
        let (kind, operands, flag) = parts(action);
        if kind != self.kind || self.operands.len() > operands.len() {
            return false;
        }
        if self.flag.is_some_and(|wanted| wanted != flag) {
            return false;
        }
        self.operands.iter().zip(&operands).enumerate().all(|(at, (pattern, value))| {
            let is_topic = kind == ActionKind::Publish && at == 1;
            match pattern {
                Pattern::Is(text) if is_topic => topic_matches(text.bytes(each), value),
                _ => pattern.matches(value, each),
            }
        })
    }
}

/// As for subscribers, but wildcards stand for topics that begin with `$` too: `expect no publish
/// local "#"` means any.
fn topic_matches(filter: &[u8], topic: &[u8]) -> bool {
    match topic.strip_prefix(b"$") {
        // The first level does not count where a wildcard stands for it.
        Some(rest) if matches!(filter.first(), Some(b'#' | b'+')) => {
            umqtt_topic::matches(filter, &[b"_", rest].concat())
        }
        _ => umqtt_topic::matches(filter, topic),
    }
}

/// An action's kind, operands, and whether its flag is set.
fn parts(action: &Action) -> (ActionKind, Vec<Vec<u8>>, bool) {
    let side = |side: &Side| match side {
        Side::Local => b"local".to_vec(),
        Side::Remote => b"remote".to_vec(),
    };
    let number = |number: u16| number.to_string().into_bytes();
    match action {
        Action::Publish { side: at, topic, data, retained } => {
            (ActionKind::Publish, vec![side(at), topic.clone(), data.clone()], *retained)
        }
        Action::Subscribe(at, filter) => {
            (ActionKind::Subscribe, vec![side(at), filter.clone()], false)
        }
        Action::Unsubscribe(at, filter) => {
            (ActionKind::Unsubscribe, vec![side(at), filter.clone()], false)
        }
        Action::Pin(pin, level) => {
            (ActionKind::Gpio, vec![number((*pin).into()), number((*level).into())], false)
        }
        Action::Pwm(pin, duty) => {
            (ActionKind::Pwm, vec![number((*pin).into()), number(*duty)], false)
        }
        Action::PinMode(pin, mode) => {
            let word = if *mode == PinMode::Output { "output" } else { "input" };
            let pullup = *mode == PinMode::InputPullup;
            (ActionKind::PinMode, vec![number((*pin).into()), word.into()], pullup)
        }
        Action::Serial(bytes) => (ActionKind::Serial, vec![bytes.clone()], false),
        Action::Print { text, newline: true } => (ActionKind::Println, vec![text.clone()], false),
        Action::Print { text, newline: false } => (ActionKind::Print, vec![text.clone()], false),
        Action::HttpGet(url) => (ActionKind::HttpGet, vec![url.clone()], false),
        Action::HttpPost(url, body) => {
            (ActionKind::HttpPost, vec![url.clone(), body.clone()], false)
        }
        Action::System(command) => (ActionKind::System, vec![command.clone()], false),
        Action::Config(name, value) => {
            (ActionKind::Config, vec![name.clone(), value.clone()], false)
        }
        Action::Flash(n, value) => {
            (ActionKind::Flash, vec![format!("@{n}").into_bytes(), value.clone()], false)
        }
        Action::Log(line) => (ActionKind::Log, vec![line.clone().into_bytes()], false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_bytes() {
        for (pattern, value, expected) in [
            ("a*b", "ab", true),
            ("a*b", "axxb", true),
            ("a*b", "axxbc", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*a*a*", "banana", true),
            ("*na", "banana", true),
            ("b*n", "banana", false),
            ("a", "*", false),
        ] {
            assert_eq!(like(pattern.as_bytes(), value.as_bytes()), expected, "{pattern} {value}");
        }
    }
}
