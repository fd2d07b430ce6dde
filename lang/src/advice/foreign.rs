//! Actions of other languages, with their values in brackets: `digitalWrite(12, HIGH)`,
//! `Serial.println("a")`, `client.publish("a/b", "c")`.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::Advice;
use super::words::Words;
use crate::ast::Span;
use crate::diagnostic::Edit;
use crate::tokens::Token;

/// What was meant by a word in the place of an action, if a bracket follows it.
pub(super) fn advice(words: &Words<'_>, at: usize) -> Option<Advice> {
    let name = core::str::from_utf8(words.text(at)).ok()?.to_ascii_lowercase();
    let (object, method) = name.rsplit_once(['.', ':']).unwrap_or(("", &name));
    let object = object.trim_end_matches(['.', ':']);
    let (values, whole) = values(words, at).unwrap_or_default();
    let one = |n: usize| values.get(n).copied();
    let is_console = matches!(object, "serial" | "console" | "log" | "logger" | "sys");
    let is_client = !object.is_empty() && !is_console;
    let (help, meant): (&str, Option<String>) = match (method, values.len()) {
        ("digitalwrite" | "gpio_set" | "gpio_write" | "setpin", _) => (
            "a pin is set by `gpio_out PIN LEVEL`",
            one(0).zip(one(1)).map(|(pin, level)| {
                let level = match level {
                    "HIGH" | "high" | "true" | "ON" => "1",
                    "LOW" | "low" | "false" | "OFF" => "0",
                    other => other,
                };
                format!("gpio_out {pin} {level}")
            }),
        ),
        ("pinmode", _) => (
            "this is `gpio_pinmode PIN output`, `input` or `input pullup`",
            one(0).zip(one(1)).and_then(|(pin, mode)| {
                let mode = match mode {
                    "OUTPUT" => "output",
                    "INPUT" => "input",
                    "INPUT_PULLUP" => "input pullup",
                    _ => return None,
                };
                Some(format!("gpio_pinmode {pin} {mode}"))
            }),
        ),
        ("print" | "println" | "printf" | "log" | "info" | "debug" | "warn" | "error", 1)
            if is_console =>
        {
            let word = if method == "print" { "print" } else { "println" };
            ("`print` and `println` print on the console", one(0).map(|v| format!("{word} {v}")))
        }
        ("print" | "println" | "printf" | "log" | "info", _) if is_console => {
            ("`println VALUE` prints a line on the console", None)
        }
        ("begin", _) if is_console => ("leave it out: the serial port is there", None),
        ("publish", 2) if is_client => (
            "this is `publish local TOPIC DATA`, or `remote` for the other broker",
            one(0).zip(one(1)).map(|(topic, data)| format!("publish local {topic} {data}")),
        ),
        ("publish", _) if is_client => ("this is `publish local TOPIC DATA`", None),
        ("subscribe", 1) if is_client => (
            "this is `subscribe local TOPIC`; messages come to `on topic local TOPIC do`",
            one(0).map(|topic| format!("subscribe local {topic}")),
        ),
        ("connect" | "begin" | "setserver" | "loop" | "setcallback", _) if is_client => {
            ("the device connects by itself: `config mqtt_host NAME` is the other broker", None)
        }
        ("settimeout" | "setinterval", _) => (
            "a timer is armed by `settimer 1 1000`, and what it does stands in `on timer 1 do`",
            None,
        ),
        ("fetch" | "get" | "http.get", 1) => {
            ("this is `http_get URL`", one(0).map(|url| format!("http_get {url}")))
        }
        _ => return None,
    };
    let advice = Advice::new(help);
    // The number of a pin is not sure by its name: `D1`.
    let is_sure = |text: &String| {
        !text.starts_with("gpio_")
            || one(0).is_some_and(|pin| pin.bytes().all(|b| b.is_ascii_digit()))
    };
    Some(match meant.filter(is_sure) {
        Some(text) => advice.fix(
            format!("write `{}`", shown(&text)),
            vec![Edit { span: whole, text: text.into() }],
        ),
        None => advice,
    })
}

/// A short form of what is written.
fn shown(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

/// The values in the brackets behind a word, and all of it with a `;`; nothing if they do not end
/// on the line or a value is missing.
fn values<'s>(words: &Words<'s>, at: usize) -> Option<(Vec<&'s str>, Span)> {
    if words.token(at + 1) != Some(Token::Open) {
        return None;
    }
    let mut values = Vec::new();
    let (mut depth, mut start, mut end) = (0, at + 2, at + 1);
    loop {
        let token = words.token(end).filter(|_| words.is_on_line_of(end, end - 1))?;
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && token == Token::Comma {
            let span = Span { start: words.span(start)?.start, end: words.span(end - 1)?.end };
            if start >= end {
                return None;
            }
            values.push(core::str::from_utf8(span.of(words.source)).ok()?);
            start = end + 1;
        }
        if depth == 0 {
            break;
        }
        end += 1;
    }
    if words.text(end + 1) == b";" {
        end += 1;
    }
    Some((values, words.span(at)?.to(words.span(end)?)))
}
