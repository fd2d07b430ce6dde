//! The actions of a script, to compare with what is expected of it.

use alloc::vec::Vec;
use core::fmt;

use umqtt_net::Instant;
use umqtt_vm::{PinMode, Side};

/// An action of a script, and when it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The virtual time.
    pub at: Instant,
    /// The offset of its instruction in the code, if the script is watched.
    pub offset: Option<u16>,
    /// What.
    pub action: Action,
}

/// One action of a script. Displayed close to how a script spells it, values in quotes where they
/// may hold blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `publish local a/b "data" retained`
    Publish {
        /// On which broker.
        side: Side,
        /// The topic.
        topic: Vec<u8>,
        /// The payload.
        data: Vec<u8>,
        /// With the retain flag.
        retained: bool,
    },
    /// `subscribe local a/#`
    Subscribe(Side, Vec<u8>),
    /// `unsubscribe local a/#`
    Unsubscribe(Side, Vec<u8>),
    /// `gpio 12 = 1`: an output changed, or was set for the first time
    Pin(u8, bool),
    /// `pwm 5 = 400`: the duty changed, or was set for the first time
    Pwm(u8, u16),
    /// `gpio_pinmode 4 input pullup`
    PinMode(u8, PinMode),
    /// `serial "bytes\r\n"`
    Serial(Vec<u8>),
    /// `println text`, or `print text`
    Print {
        /// The text.
        text: Vec<u8>,
        /// The line was ended.
        newline: bool,
    },
    /// `http_get URL`
    HttpGet(Vec<u8>),
    /// `http_post URL "body"`
    HttpPost(Vec<u8>, Vec<u8>),
    /// `system command`
    System(Vec<u8>),
    /// `config name value`
    Config(Vec<u8>, Vec<u8>),
    /// `flash @1 = "value"`
    Flash(u8, Vec<u8>),
    /// `log line`: what the device logs about the script
    Log(alloc::string::String),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Publish { side, topic, data, retained } => {
                let retained = if *retained { " retained" } else { "" };
                write!(f, "publish {} {} {}{retained}", name(*side), Unquoted(topic), Quoted(data))
            }
            Action::Subscribe(side, filter) => {
                write!(f, "subscribe {} {}", name(*side), Unquoted(filter))
            }
            Action::Unsubscribe(side, filter) => {
                write!(f, "unsubscribe {} {}", name(*side), Unquoted(filter))
            }
            Action::Pin(pin, level) => write!(f, "gpio {pin} = {}", u8::from(*level)),
            Action::Pwm(pin, duty) => write!(f, "pwm {pin} = {duty}"),
            Action::PinMode(pin, mode) => {
                let mode = match mode {
                    PinMode::Input => "input",
                    PinMode::InputPullup => "input pullup",
                    PinMode::Output => "output",
                };
                write!(f, "gpio_pinmode {pin} {mode}")
            }
            Action::Serial(bytes) => write!(f, "serial {}", Quoted(bytes)),
            Action::Print { text, newline: true } => write!(f, "println {}", Unquoted(text)),
            Action::Print { text, newline: false } => write!(f, "print {}", Unquoted(text)),
            Action::HttpGet(url) => write!(f, "http_get {}", Unquoted(url)),
            Action::HttpPost(url, body) => {
                write!(f, "http_post {} {}", Unquoted(url), Quoted(body))
            }
            Action::System(command) => write!(f, "system {}", Unquoted(command)),
            Action::Config(name, value) => {
                write!(f, "config {} {}", Unquoted(name), Unquoted(value))
            }
            Action::Flash(n, value) => write!(f, "flash @{n} = {}", Quoted(value)),
            Action::Log(line) => write!(f, "log {line}"),
        }
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Local => "local",
        Side::Remote => "remote",
    }
}

/// Text as it is; other bytes escaped.
struct Unquoted<'b>(&'b [u8]);

impl fmt::Display for Unquoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(self.0) {
            Ok(text) => f.write_str(text),
            Err(_) => write!(f, "{}", self.0.escape_ascii()),
        }
    }
}

/// Text in quotes, with quotes and control characters escaped.
struct Quoted<'b>(&'b [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(self.0) {
            Ok(text) => write!(f, "{text:?}"),
            Err(_) => write!(f, "\"{}\"", self.0.escape_ascii()),
        }
    }
}
