//! What stands where an action or an event is due, or ends a block, in other languages.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::words::Words;
use super::{Advice, assignments, calls, foreign, functions, times};
use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::tokens::Token;

const NO_FUNCTIONS: &str = "what several handlers do is written once, `sub NAME do ...`, and done by `call NAME`; it has no arguments, but shares all variables";

/// What was meant, if it is known.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    else_if(words, diagnostic).or_else(|| {
        let at = words.at(diagnostic.span)?;
        unopened(words, at, diagnostic)
            .or_else(|| calls::as_action(words, at, diagnostic))
            .or_else(|| calls::advice(words, at, diagnostic))
            .or_else(|| event(words, at, diagnostic))
            .or_else(|| side_by_side(words, at, diagnostic))
            .or_else(|| swallowed(words, at))
            .or_else(|| assignments::behind_setvar(words, at, diagnostic))
            .or_else(|| is_action(words, at, diagnostic).then(|| action(words, at)).flatten())
            .or_else(|| outside(words, at, diagnostic))
    })
}

fn replace(span: Span, text: impl Into<Vec<u8>>) -> Vec<Edit> {
    vec![Edit { span, text: text.into() }]
}

/// A `done` or an `else` that ends nothing.
fn unopened(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let opener = match diagnostic.message.split_once("without an open ")?.1 {
        "`while`" => "`while CONDITION do` begins what it ends",
        "`if`" => "`if CONDITION then` begins what it belongs to",
        _ => return None,
    };
    let is_last = words.token(at + 1).is_none_or(|next| next.starts_statement());
    if words.token(at) != Some(Token::Done) || !is_last {
        return Some(Advice::new(opener));
    }
    Some(
        Advice::new(format!("a handler ends where the next one begins; {opener}"))
            .fix("remove it", replace(words.span(at)?, "")),
    )
}

/// Whether an action was meant. Some words are unmistakable also where a value could go on.
fn is_action(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> bool {
    let is_closer = matches!(words.text(at), b"elif" | b"elsif" | b"endon" | b"ENDON")
        || words.text(at) == b"end" && ends_block(words.text(at + 1));
    words.is_action_due(at, diagnostic) || is_closer && diagnostic.message.contains("an action")
}

/// An action that was read as a value because the line before it ends in an operator.
fn swallowed(words: &Words<'_>, at: usize) -> Option<Advice> {
    let action = at.checked_sub(1)?;
    let operator = action.checked_sub(1)?;
    let is_swallowed = words.token(action)?.starts_action()
        && words.is_first_on_line(action)
        && words.token(operator)?.is_operator();
    let word = |at| core::str::from_utf8(words.text(at)).ok();
    let (action, operator) = (word(action)?, word(operator)?);
    is_swallowed.then(|| {
        Advice::new(format!(
            "`{action}` was read as a value here, because a value is missing behind `{operator}`"
        ))
    })
}

/// In place of an action.
fn action(words: &Words<'_>, at: usize) -> Option<Advice> {
    let span = words.span(at)?;
    let word = core::str::from_utf8(words.text(at)).ok()?;
    if let Some(advice) = assignments::in_place_of_action(words, at, word) {
        return Some(advice);
    }
    if let Some(advice) = foreign::advice(words, at) {
        return Some(advice);
    }
    let to = |meant: &str| {
        Advice::new(format!("this is `{meant}` here"))
            .fix(format!("replace by `{meant}`"), replace(span, meant))
    };
    let lower = word.to_ascii_lowercase();
    Some(match lower.as_str() {
        "elif" | "elsif" | "elseif" | "elsif:" | "elif:" => to("elseif"),
        "end" if words.is_on_line_of(at + 1, at) && ends_block(words.text(at + 1)) => {
            let meant = match words.text(at + 1) {
                b"while" | b"for" | b"loop" => "done",
                _ => "endif",
            };
            let both = span.to(words.span(at + 1)?);
            Advice::new(format!("this is `{meant}`, in one word"))
                .fix(format!("replace by `{meant}`"), replace(both, meant))
        }
        "end" | "fi" | "od" | "endwhile" | "wend" | "next" | "loop" => match words.closer(at) {
            Some(meant) => to(meant),
            None => Advice::new("a handler ends where the next one begins")
                .fix("remove it", replace(span, "")),
        },
        "delay" | "sleep" | "wait" | "pause" | "delay_ms" => Advice::new(
            "a handler does not wait: arm a timer, `settimer 1 1000`, and go on in `on timer 1 do`",
        ),
        "for" | "foreach" | "repeat" => Advice::new(
            "`while` repeats: `setvar $i = 0 while $i lt 10 do ... setvar $i = $i + 1 done`",
        ),
        "printf" | "echo" | "puts" | "log" | "write" | "writeln" | "console.log" | "say" => {
            to("println")
        }
        "digitalwrite" => Advice::new("a pin is set by `gpio_out N level`"),
        "analogwrite" => Advice::new("a pin puts out pulses by `gpio_pwm N duty`"),
        "pinmode" => Advice::new("this is `gpio_pinmode N input`, `input pullup` or `output`"),
        "send" | "pub" | "mqtt_publish" => Advice::new("this is `publish local TOPIC DATA`"),
        "return" | "break" | "continue" | "exit" | "goto" => {
            Advice::new("a handler runs to its end: put what is to be left out into an `if`")
        }
        "function" | "def" | "void" | "func" => Advice::new(NO_FUNCTIONS),
        "endon" => Advice::new("a handler ends where the next one begins")
            .fix("remove it", replace(span, "")),
        _ if lower.starts_with("ruletimer") => {
            Advice::new("a timer is armed by `settimer N MILLISECONDS`: `settimer 1 10000`")
        }
        _ if lower.starts_with("power") => Advice::new("a pin is set by `gpio_out PIN LEVEL`"),
        "switch" | "case" | "select" => {
            Advice::new("write `if ... then ... elseif ... then ... endif`")
        }
        _ => return None,
    })
}

fn ends_block(word: &[u8]) -> bool {
    matches!(word, b"if" | b"while" | b"for" | b"loop")
}

/// In place of an event.
fn event(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !diagnostic.message.contains("an event") {
        return None;
    }
    let span = words.span(at)?;
    let to = |meant: &str| {
        Some(
            Advice::new(format!("this event is `{meant}`"))
                .fix(format!("replace by `{meant}`"), replace(span, meant)),
        )
    };
    let word = core::str::from_utf8(words.text(at)).ok()?.to_ascii_lowercase();
    if let Some(advice) = times::event(words, at, &word) {
        return Some(advice);
    }
    match word.as_str() {
        "start" | "startup" | "boot" | "begin" | "setup" => to("init"),
        "wifi" | "wifi_connect" => to("wificonnect"),
        "wifi_lost" | "wifi_disconnected" => to("wifidisconnect"),
        "mqtt_connect" => to("mqttconnect"),
        "connect" | "connected" | "onconnect" | "on_connect" => Some(Advice::new(
            "`on mqttconnect do` is the remote broker, `on wificonnect do` the network; clients of the own broker have no \
             event",
        )),
        "disconnect" | "disconnected" | "ondisconnect" | "on_disconnect" | "offline"
        | "mqttdisconnect" | "mqtt_disconnect" | "mqttdisconnected" | "mqtt#disconnected" => {
            Some(Advice::new(
                "`on wifidisconnect do` is the network that is lost; of a broker that goes away there is no event, \
                 `on mqttconnect do` tells when it is there again",
            ))
        }
        "message" | "mqtt" | "msg" | "publish" => Some(Advice::new(
            "a message is `on topic local TOPIC do`, or `on topic remote TOPIC do`",
        )),
        "button" | "pin" | "gpio" | "interrupt" => {
            Some(Advice::new("a pin that changes is `on gpio_interrupt N pullup do`"))
        }
        "http" | "response" => to("http_response"),
        "loop" | "forever" | "main" | "update" => Some(Advice::new(
            "`on init do` runs once; what is repeated stands in `on every 10s do`",
        )),
        "system#boot" | "system#init" | "power1#boot" => to("init"),
        "mqtt#connected" => to("mqttconnect"),
        "wifi#connected" => to("wificonnect"),
        "wifi#disconnected" => to("wifidisconnect"),
        _ if word.starts_with("rules#timer") => Some(Advice::new("this event is `timer N`")),
        _ if word.starts_with("event#") => Some(Advice::new(
            "an event of your own is a message: `publish local TOPIC DATA`, and `on topic local TOPIC do`",
        )),
        _ if word.starts_with("switch") || word.starts_with("button") => {
            Some(Advice::new("a pin that changes is `on gpio_interrupt N pullup do`"))
        }
        _ => None,
    }
}

/// Two values that nothing joins: `println "a" $x`.
fn side_by_side(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let before = at.checked_sub(1).filter(|&before| words.is_on_line_of(at, before))?;
    let is_value = |token: Token| {
        matches!(
            token,
            Token::String | Token::Variable(_) | Token::Flash | Token::Close | Token::Hex
        )
    };
    if !diagnostic.message.contains("an operator") || !is_value(words.token(before)?) {
        return None;
    }
    let name = core::str::from_utf8(words.text(at)).ok()?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_name && words.token(at)? == Token::Word && words.token(at + 1) == Some(Token::Open) {
        return Some(Advice::new(format!("`{name}` is not a function; {}", functions())));
    }
    let first = (0..=before).rev().find(|&at| words.is_first_on_line(at))?;
    let prints = (first..at).any(|at| matches!(words.token(at), Some(Token::UnaryAction(_))));
    let joins = is_value(words.token(at)?)
        || words.token(at)? != Token::Word && words.token(at)?.starts_value();
    if !prints || !joins || words.token(at)? == Token::Open {
        return None;
    }
    let start = words.span(at)?.start;
    let edit = Edit { span: Span { start, end: start }, text: b"| ".to_vec() };
    Some(Advice::new("`|` joins values").fix("add `|`", vec![edit]))
}

/// `else if`: an `if` of its own, whose `endif` is missing where the handler ends.
fn else_if(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    if diagnostic.code == Code::ReservedWord || !diagnostic.message.contains("`endif`") {
        return None;
    }
    let &(open, _) = diagnostic.related.first()?;
    let end = words.from(diagnostic.span.start);
    let from = words.from(open.start);
    // The outermost `else` of that `if`, or of those within.
    let at = (from..end).find(|&at| {
        words.token(at) == Some(Token::Else)
            && words.token(at + 1) == Some(Token::If)
            && words.is_on_line_of(at + 1, at)
    })?;
    let both = words.span(at)?.to(words.span(at + 1)?);
    Some(
        Advice::new(
            "`else if` opens another `if`, which needs an `endif` of its own; `elseif` does not",
        )
        .fix("write `elseif`", replace(both, "elseif")),
    )
}

/// Where a script or a statement begins.
fn outside(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !diagnostic.message.contains("expected one of `config`, ") {
        return None;
    }
    let word = core::str::from_utf8(words.text(at)).ok()?;
    Some(match word {
        "function" | "def" | "sub" | "void" | "func" => Advice::new(NO_FUNCTIONS),
        "setup" | "loop" | "begin" => Advice::new(
            "a script is a list of handlers: `on init do ...` runs at the start, `on every 10s do ...` again and again",
        ),
        "set" => Advice::new("a setting of the device is set by `config NAME VALUE`"),
        "Rule1" | "Rule2" | "Rule3" | "rule" => {
            Advice::new("a rule is a handler, which begins with `on`: `on timer 1 do ...`")
        }
        "when" | "if" | "event" => Advice::new("a handler begins with `on`: `on timer 1 do ...`"),
        _ if diagnostic.help.is_some() => return None,
        _ if assignments::in_place_of_action(words, at, word).is_some() => {
            Advice::new("a variable is set in a handler: `on init do setvar $name = VALUE`")
        }
        _ => Advice::new(
            "a script is a list of handlers, `on init do ...`, and of `config NAME VALUE` lines",
        ),
    })
}
