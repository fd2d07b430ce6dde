//! Brokers left out, topics without quotes, values that are missing or none.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::words::Words;
use super::{Advice, numbers};
use crate::ast::{ActionWord, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::tokens::Token;

/// What was meant, if it is one of them.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let Some(at) = words.at(diagnostic.span) else {
        return open_loop(diagnostic).or_else(|| ended(words, diagnostic));
    };
    numbers::stuck_number(words, at, diagnostic)
        .or_else(|| broker(words, at, diagnostic))
        .or_else(|| kept(words, at, diagnostic))
        .or_else(|| numbers::unit(words, at, diagnostic))
        .or_else(|| colon(words, at, diagnostic))
        .or_else(|| numbers::number_in_brackets(words, at))
        .or_else(|| mode(words, at, diagnostic))
        .or_else(|| edge(words, at, diagnostic))
        .or_else(|| resistor(words, at, diagnostic))
        .or_else(|| numbers::computed(words, at, diagnostic))
        .or_else(|| setting(words, at, diagnostic))
        .or_else(|| command(words, at, diagnostic))
        .or_else(|| open_loop(diagnostic))
}

/// `publish "a/b" 1`, `on topic a/b do`, `publish(local, ...)`
fn broker(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !diagnostic.message.ends_with("expected `local` or `remote`") || diagnostic.help.is_some() {
        return None;
    }
    let before = at.checked_sub(1)?;
    let word = core::str::from_utf8(words.text(before)).ok()?;
    let what = if word == "publish" { "TOPIC DATA" } else { "TOPIC" };
    if words.token(at) == Some(Token::Open) {
        return Some(Advice::new(format!(
            "no brackets or commas, and which broker: `{word} local {what}`"
        )));
    }
    let on = if word == "topic" { "on " } else { "" };
    // `publish "local" ...`
    if let text @ (b"\"local\"" | b"\"remote\"") = words.text(at) {
        let edit = Edit { span: words.span(at)?, text: text[1..text.len() - 1].to_vec() };
        return Some(
            Advice::new("`local` and `remote` are words without quotes")
                .fix("remove the quotes", vec![edit]),
        );
    }
    let advice = Advice::new(format!(
        "say which broker: `{on}{word} local {what}` for this device's, `remote` for the other one"
    ));
    let is_topic = words.token(at)?.starts_value() || words.text(at) == b"+";
    if !words.is_on_line_of(at, before) || !is_topic {
        return Some(advice);
    }
    let start = words.span(at)?.start;
    let edit = Edit { span: Span { start, end: start }, text: b"local ".to_vec() };
    Some(advice.fix("add `local`", vec![edit]))
}

/// `publish local a/b "x" true`, `publish local a/b "x" 1 true`, `publish local a/b "x" "retained"`
fn kept(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_behind = diagnostic.message.contains("an action");
    let mut first = at;
    while let Some(before) = first.checked_sub(1).filter(|&b| words.is_on_line_of(first, b)) {
        first = before;
        if words.token(first)?.starts_action() {
            break;
        }
    }
    if !is_behind || first == at {
        return None;
    }
    let is_retained = words.token(at - 1) == Some(Token::Retained);
    match words.token(first)? {
        Token::Publish => {}
        Token::Subscribe(_) => {
            let first = words.text(at).first();
            let is_text =
                first.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"\"$".contains(byte));
            return is_text
                .then(|| Advice::new("one topic: a line for each, or `#` for all below"));
        }
        _ => return None,
    }
    let help = "`retained` behind the data keeps the message for later subscribers; it is published with QoS 0";
    let span = words.span(at)?;
    let replace = |text: &str| vec![Edit { span, text: text.as_bytes().to_vec() }];
    let lower = words.text(at).to_ascii_lowercase();
    let is_last = !words.is_on_line_of(at + 1, at);
    Some(match &*lower {
        _ if is_retained && is_last => Advice::new(help).fix("remove it", replace("")),
        b"true" | b"retain" | b"\"retained\"" | b"\"retain\"" | b"-r" | b"retain=true"
            if is_last =>
        {
            Advice::new(help).fix("replace by `retained`", replace("retained"))
        }
        b"false" | b"0" if is_last => Advice::new(help).fix("remove it", replace("")),
        b"true" | b"false" | b"0" | b"1" | b"2" | b"qos" => Advice::new(help),
        _ => return None,
    })
}

/// `if $x = 5:`, `on init:`
fn colon(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let word = if diagnostic.message.starts_with("`then` is missing") {
        "then"
    } else if diagnostic.message.starts_with("`do` is missing") {
        "do"
    } else {
        return None;
    };
    if !words.text(at).ends_with(b":") {
        return None;
    }
    let end = words.span(at)?.end;
    let edit = Edit { span: Span { start: end - 1, end }, text: format!(" {word}").into() };
    Some(
        Advice::new(format!("in place of the `:` stands `{word}`"))
            .fix(format!("replace by `{word}`"), vec![edit]),
    )
}

/// `gpio_pinmode 12 out`
fn mode(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !diagnostic.message.ends_with("expected `input` or `output`") {
        return None;
    }
    let meant = match words.text(at).to_ascii_lowercase().as_slice() {
        b"out" | b"1" | b"o" => "output",
        b"in" | b"0" | b"i" => "input",
        b"pullup" | b"input_pullup" | b"input-pullup" | b"inputpullup" => "input pullup",
        _ if diagnostic.help.is_some() => return None,
        _ => return Some(Advice::new("a pin is `input`, `input pullup` or `output`")),
    };
    let edit = Edit { span: words.span(at)?, text: meant.as_bytes().to_vec() };
    Some(Advice::new(format!("this is `{meant}`")).fix(format!("replace by `{meant}`"), vec![edit]))
}

/// `on gpio_interrupt 0 do`
fn resistor(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !diagnostic.message.contains("`pullup` or `nopullup`") || diagnostic.help.is_some() {
        return None;
    }
    let pin = match words.token(at)? {
        Token::NumberedEvent(_) => core::str::from_utf8(words.text(at + 1)).ok(),
        _ => None,
    };
    let is_number = |pin: &&str| !pin.is_empty() && pin.bytes().all(|b| b.is_ascii_digit());
    let pin = pin.filter(is_number).unwrap_or("N");
    Some(Advice::new(format!(
        "write `on gpio_interrupt {pin} pullup do`, so that an open pin reads 1, or `nopullup` if the circuit has a \
         resistor of its own"
    )))
}

/// `on gpio_interrupt 4 falling do`
fn edge(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_due = diagnostic.message.ends_with("`nopullup` or `pullup`");
    let level = match words.text(at).to_ascii_lowercase().as_slice() {
        b"falling" | b"low" | b"down" | b"negedge" | b"onlow" => "0",
        b"rising" | b"high" | b"up" | b"posedge" | b"onhigh" => "1",
        b"change" | b"both" | b"anyedge" | b"edge" => "LEVEL",
        _ => return None,
    };
    is_due.then(|| {
        Advice::new(format!(
            "it comes at both edges: `pullup` or `nopullup` stands here, and within `if $this_gpio = {level} then`"
        ))
    })
}

/// `set broker_user x` behind a `config` line
fn setting(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let behind_config = diagnostic.message.ends_with("behind the value of a `config` line");
    let outside = diagnostic.message.contains("expected one of `config`, ");
    if behind_config && !words.is_first_on_line(at) {
        return config_value(words, at);
    }
    if !behind_config && !outside || !words.is_first_on_line(at) {
        return None;
    }
    if words.text(at) == b"set" {
        let edit = Edit { span: words.span(at)?, text: b"config".to_vec() };
        return Some(
            Advice::new("in a script, a setting of the device is set by `config NAME VALUE`")
                .fix("replace by `config`", vec![edit]),
        );
    }
    if !behind_config {
        return None;
    }
    Some(Advice::new(match words.token(at)?.starts_action() {
        true => "actions stand in a handler: `on init do ...`",
        false => {
            "a line behind it begins with `config` or `on`; a value of several words stands in quotes"
        }
    }))
}

/// `system set broker_user me`
fn command(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let action = at.checked_sub(2).filter(|&action| words.text(action) == b"system")?;
    let is_bare = diagnostic.message.contains("an operator")
        && words.is_on_line_of(at, action)
        && words.token(at - 1) == Some(Token::Word);
    let mut last = at;
    while words.is_on_line_of(last + 1, last) && words.token(last + 1).is_some() {
        last += 1;
    }
    let whole = words.span(at - 1).filter(|_| is_bare)?.to(words.span(last)?);
    let advice = Advice::new("the command is one text: `system \"COMMAND\"`");
    if whole.of(words.source).iter().any(|byte| b"\"\\%$@".contains(byte)) {
        return Some(advice);
    }
    Some(advice.fix("quote it", crate::parse::quote(words.source, whole)))
}

/// `config ssid = home`, `config set ssid home`, `config ssid my home`
fn config_value(words: &Words<'_>, at: usize) -> Option<Advice> {
    let value = words.span(at.checked_sub(1)?)?;
    if matches!(value.of(words.source), b"=" | b":") {
        let end = words.span(at)?.start;
        let edit = Edit { span: Span { start: value.start, end }, text: Vec::new() };
        return Some(Advice::new("`config NAME VALUE` has no sign").fix("remove it", vec![edit]));
    }
    if let Some(set) = at.checked_sub(2).filter(|&set| words.text(set) == b"set") {
        let span = Span { start: words.span(set)?.start, end: value.start };
        let edit = Edit { span, text: Vec::new() };
        return Some(
            Advice::new("`config NAME VALUE` sets it, without `set`")
                .fix("remove `set`", vec![edit]),
        );
    }
    let mut last = at;
    while words.is_on_line_of(last + 1, last) && words.token(last + 1).is_some() {
        last += 1;
    }
    let whole = value.to(words.span(last)?);
    let advice = Advice::new("a value of several words stands in quotes");
    if whole.of(words.source).iter().any(|byte| b"\"\\%".contains(byte)) {
        return Some(advice);
    }
    Some(advice.fix("quote it", crate::parse::quote(words.source, whole)))
}

/// A `while` without its `done`
fn open_loop(diagnostic: &Diagnostic) -> Option<Advice> {
    let is_while =
        diagnostic.related.iter().any(|(_, words)| words.contains("`while` is still open"));
    (is_while && diagnostic.message.contains("`done`") && diagnostic.help.is_none())
        .then(|| Advice::new("write `done` where the loop ends"))
}

/// An `if` with an `else`, without its `endif`
pub(super) fn open_if(diagnostic: &Diagnostic) -> Option<Advice> {
    let is_if = diagnostic.related.iter().any(|(_, words)| words.contains("`if` is still open"));
    (is_if && diagnostic.code == Code::UnexpectedEnd && diagnostic.message.contains("`endif`"))
        .then(|| Advice::new("write `endif` where the `if` ends"))
}

/// Tells of a topic without quotes whose `+` or `#` was read as something else, in place of what
/// came of that.
pub(super) fn bare_topic(words: &Words<'_>, diagnostic: &mut Diagnostic) -> bool {
    let from = words.from(diagnostic.span.start);
    // Its consequences are reported at most this many words behind its end.
    const BEHIND: usize = 3;
    let Some(start) = (from.saturating_sub(BEHIND + 8)..=from).rev().find(|&at| {
        let before = |back: usize| at.checked_sub(back).and_then(|at| words.token(at));
        matches!(before(1), Some(Token::Side(_)))
            && before(2).is_some_and(|token| token.takes_topic())
            && words.is_on_line_of(at, at - 1)
    }) else {
        return false;
    };
    let Some(mut topic) = words.span(start) else { return false };
    let mut end = start + 1;
    while let Some(next) = words.span(end).filter(|next| next.start == topic.end) {
        topic.end = next.end;
        end += 1;
    }
    let text = topic.of(words.source);
    let is_level = |level: &[u8]| level == b"+" || level == b"#";
    let is_filter = text.split(|&byte| byte == b'/').any(is_level);
    let plain = |&byte: &u8| byte.is_ascii_alphanumeric() || b"/+#_-.$@".contains(&byte);
    if !is_filter || !text.iter().all(plain) || from > end + BEHIND {
        return false;
    }
    let Ok(text) = core::str::from_utf8(text) else { return false };
    diagnostic.span = topic;
    diagnostic.code = Code::UnexpectedWord;
    diagnostic.message =
        format!("`{text}` is not in quotes, so its signs are not read as a topic's");
    diagnostic.related.clear();
    Advice::new(format!("put quotes around the topic: `\"{text}\"`"))
        .fix("quote it", vec![Edit { span: topic, text: format!("\"{text}\"").into_bytes() }])
        .add_to(diagnostic);
    true
}

/// `config ssid = home`: the sign is what is wrong.
fn config_sign(words: &Words<'_>, diagnostic: &mut Diagnostic) {
    let behind_value = diagnostic.message.ends_with("behind the value of a `config` line");
    let sign = words.at(diagnostic.span).and_then(|at| at.checked_sub(1));
    if let Some(sign) = sign.filter(|_| behind_value)
        && let (Some(span), text @ (b"=" | b":")) = (words.span(sign), words.text(sign))
    {
        diagnostic.span = span;
        let sign = char::from(text[0]);
        diagnostic.message = format!("unexpected `{sign}` in a `config` line");
    }
}

/// `config broker_user`, which is reported on the next line, or at the end.
fn config_without_value(words: &Words<'_>, diagnostic: &mut Diagnostic) -> Option<()> {
    let at = words.from(diagnostic.span.start);
    let config = (at.saturating_sub(2)..at).find(|&at| words.token(at) == Some(Token::Config))?;
    let lacks = if at == config + 1 { "the name of a parameter" } else { "a value" };
    let is_next = at == config + 1 || words.is_on_line_of(config + 1, config);
    if !is_next || words.is_on_line_of(at, config) || !diagnostic.message.ends_with(lacks) {
        return None;
    }
    diagnostic.span = words.span(config)?.to(words.span(at - 1)?);
    diagnostic.message = "a value is missing at the end of this line: `config NAME VALUE`".into();
    diagnostic.help = None;
    diagnostic.fix = None;
    Some(())
}

/// A last action without its values.
fn ended(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_due = diagnostic.message.ends_with("a value") || diagnostic.message.contains("`local`");
    if diagnostic.code != Code::UnexpectedEnd || diagnostic.help.is_some() || !is_due {
        return None;
    }
    let mut action = words.from(diagnostic.span.start);
    loop {
        let before = action.checked_sub(1)?;
        if action < words.from(diagnostic.span.start) && !words.is_on_line_of(action, before) {
            return None;
        }
        action = before;
        if words.token(action)?.starts_action() {
            break;
        }
    }
    let word = core::str::from_utf8(words.text(action)).ok()?;
    let usage = super::commas::usage(ActionWord::from_keyword(word)?);
    Some(Advice::new(format!("a value is missing: `{word} {usage}`")))
}

/// `publish local a/b` without data, which is reported on the next line: shows the line it belongs
/// to.
pub(super) fn missing_value(words: &Words<'_>, diagnostic: &mut Diagnostic) {
    config_sign(words, diagnostic);
    if config_without_value(words, diagnostic).is_some()
        || !diagnostic.message.contains("an action")
    {
        return;
    }
    let Some(action) = words.at(diagnostic.span).and_then(|at| at.checked_sub(1)) else { return };
    let Some(last) = action.checked_sub(1) else { return };
    let is_swallowed = words.token(action).is_some_and(Token::starts_action)
        && words.is_first_on_line(action)
        && words.token(last).is_some_and(|token| token.starts_value());
    let Some(first) = (0..=last).rev().find(|&at| words.is_first_on_line(at)) else { return };
    // The word of an action or function may take several values; a chain goes on with an operator.
    if !is_swallowed || !words.token(first).is_some_and(Token::starts_action) {
        return;
    }
    let (Some(start), Some(end)) = (words.span(first), words.span(last)) else { return };
    let (Ok(word), Ok(next)) =
        (core::str::from_utf8(words.text(first)), core::str::from_utf8(words.text(action)))
    else {
        return;
    };
    let usage = ActionWord::from_keyword(word).map(super::commas::usage).unwrap_or_default();
    diagnostic.span = start.to(end);
    diagnostic.message = format!("a value is missing at the end of this line: `{word} {usage}`");
    diagnostic.related.clear();
    diagnostic.fix = None;
    diagnostic.help = Some(format!("`{next}` on the next line was read as that value"));
}
