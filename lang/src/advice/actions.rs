//! What stands where an action or an event is due, or ends a block, in other languages.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::words::Words;
use super::{Advice, functions};
use crate::ast::{Operator, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::tokens::{Token, is_function};

/// What was meant, if it is known.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    else_if(words, diagnostic).or_else(|| {
        let at = words.at(diagnostic.span)?;
        call(words, at, diagnostic)
            .or_else(|| event(words, at, diagnostic))
            .or_else(|| side_by_side(words, at, diagnostic))
            .or_else(|| swallowed(words, at))
            .or_else(|| assigned(words, at, diagnostic))
            .or_else(|| is_action(words, at, diagnostic).then(|| action(words, at)).flatten())
            .or_else(|| outside(words, at, diagnostic))
    })
}

fn replace(span: Span, text: impl Into<Vec<u8>>) -> Vec<Edit> {
    vec![Edit { span, text: text.into() }]
}

/// Whether an action was meant. Some words are unmistakable also where a value could go on.
fn is_action(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> bool {
    let is_closer = matches!(words.text(at), b"elif" | b"elsif")
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

/// `setvar $x 4`
fn assigned(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let is_due = diagnostic.message.ends_with("expected `=`");
    if !is_due || words.token(at.checked_sub(2)?) != Some(Token::SetVar) {
        return None;
    }
    let start = words.span(at)?.start;
    let edit = Edit { span: Span { start, end: start }, text: b"= ".to_vec() };
    let is_value = words.token(at)?.starts_value() && words.is_on_line_of(at, at - 1);
    is_value
        .then(|| Advice::new("`setvar $name = VALUE` sets a variable").fix("add `=`", vec![edit]))
}

/// In place of an action.
fn action(words: &Words<'_>, at: usize) -> Option<Advice> {
    let span = words.span(at)?;
    let word = core::str::from_utf8(words.text(at)).ok()?;
    if let Some(advice) = assignment(words, at, word) {
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
        "switch" | "case" | "select" => {
            Advice::new("write `if ... then ... elseif ... then ... endif`")
        }
        _ => return None,
    })
}

fn ends_block(word: &[u8]) -> bool {
    matches!(word, b"if" | b"while" | b"for" | b"loop")
}

/// `$y = 3`, `x = 5`, `let x = 5`, `set $q = 3`, `$c++`, `$c += 2`
fn assignment(words: &Words<'_>, at: usize, word: &str) -> Option<Advice> {
    let span = words.span(at)?;
    let help = "`setvar` sets a variable, whose name begins with `$`";
    let name = |at: usize| -> Option<String> {
        let word = core::str::from_utf8(words.text(at)).ok()?;
        let bare = word.strip_prefix('$').unwrap_or(word);
        let is_name = !bare.is_empty()
            && bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !bare.starts_with(|c: char| c.is_ascii_digit());
        match words.token(at)? {
            Token::Variable(None) | Token::Word if is_name => Some(format!("${bare}")),
            Token::Flash => Some(word.into()),
            _ => None,
        }
    };
    let is_equal = |at: usize| words.token(at) == Some(Token::Equal);
    if matches!(word, "let" | "var" | "set" | "local" | "const" | "int" | "string" | "dim") {
        let target = name(at + 1)?;
        if !is_equal(at + 2) {
            return (word == "set").then(|| {
                Advice::new(
                    "`setvar` sets a variable; a setting of the device is set by a `config` line",
                )
            });
        }
        let both = span.to(words.span(at + 1)?);
        return Some(
            Advice::new(help).fix("use `setvar`", replace(both, format!("setvar {target}"))),
        );
    }
    let target = name(at)?;
    if is_equal(at + 1) && !is_equal(at + 2) {
        return Some(
            Advice::new(help).fix("use `setvar`", replace(span, format!("setvar {target}"))),
        );
    }
    let (first, second) = (words.span(at + 1)?, words.span(at + 2)?);
    if first.end != second.start {
        return None;
    }
    let sign = match words.token(at + 1)? {
        Token::Sign(Operator::Add) => "+",
        Token::Sign(Operator::Mul) => "*",
        Token::Minus => "-",
        _ => return None,
    };
    let step = words.text(at + 1) == words.text(at + 2) && sign != "*";
    if !step && !is_equal(at + 2) {
        return None;
    }
    let help =
        format!("`setvar {target} = {target} {sign} ...` computes with a variable and sets it");
    let whole = span.to(second);
    let text = if step {
        format!("setvar {target} = {target} {sign} 1")
    } else {
        format!("setvar {target} = {target} {sign}")
    };
    Some(Advice::new(help).fix("use `setvar`", replace(whole, text)))
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
    match word.as_str() {
        "clock" | "time" | "at" | "daily" | "sunrise" | "sunset" => Some(Advice::new(
            "a time of day is an alarm: `setalarm 1 07:00` in `on init`, and `on alarm 1 do`",
        )),
        "every" | "interval" | "period" | "tick" => Some(Advice::new(
            "a timer is armed by `settimer 1 1000`, in `on init` and again in `on timer 1 do`",
        )),
        "start" | "startup" | "boot" | "begin" | "setup" => to("init"),
        "wifi" | "wifi_connect" | "connect" => to("wificonnect"),
        "mqtt_connect" | "connected" => to("mqttconnect"),
        "message" | "mqtt" | "msg" | "publish" => Some(Advice::new(
            "a message is `on topic local TOPIC do`, or `on topic remote TOPIC do`",
        )),
        "button" | "pin" | "gpio" | "interrupt" => {
            Some(Advice::new("a pin that changes is `on gpio_interrupt N pullup do`"))
        }
        "http" | "response" => to("http_response"),
        _ => None,
    }
}

/// `not $x`, and functions there are none of.
fn call(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let before = at.checked_sub(1)?;
    let name = core::str::from_utf8(words.text(before)).ok()?;
    let is_function = is_function(name.as_bytes());
    if words.token(at) == Some(Token::Open) && words.token(before) == Some(Token::Word) {
        if is_function || diagnostic.help.as_ref().is_some_and(|help| help.contains("did you mean"))
        {
            return None;
        }
        return Some(Advice::new(format!("`{name}` is not a function; {}", functions())));
    }
    if !is_function || words.token(before) != Some(Token::Word) || !words.is_on_line_of(at, before)
    {
        return None;
    }
    let value = words.span(at)?;
    let help = format!("a function takes its values in brackets: `{name}(...)`");
    let goes_on =
        words.token(at + 1).is_some_and(|token| token.is_operator() || token == Token::Open);
    let is_value = matches!(words.token(at)?, Token::Variable(_) | Token::Flash | Token::String);
    let is_unary =
        !matches!(name, "find" | "json_parse" | "substr" | "byte_val" | "csvstr" | "gpio_in");
    if goes_on || !is_value || !is_unary {
        return Some(Advice::new(help));
    }
    let gap = Span { start: words.span(before)?.end, end: value.start };
    let end = Span { start: value.end, end: value.end };
    let edits =
        vec![Edit { span: gap, text: b"(".to_vec() }, Edit { span: end, text: b")".to_vec() }];
    Some(Advice::new(help).fix("add brackets", edits))
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
    if words.token(at)? == Token::Word && words.token(at + 1) == Some(Token::Open) {
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
    if !diagnostic.message.ends_with("expected `config` or `on`") {
        return None;
    }
    let word = core::str::from_utf8(words.text(at)).ok()?;
    Some(match word {
        "function" | "def" | "sub" | "void" | "func" => Advice::new(
            "there are no functions of your own: what several handlers do can be moved to one that a timer of 1 ms wakes",
        ),
        "setup" | "loop" | "begin" => Advice::new(
            "a script is a list of handlers: `on init do ...` runs at the start, `on timer 1 do ...` again and again",
        ),
        "set" => Advice::new("a setting of the device is set by `config NAME VALUE`"),
        "when" | "if" | "event" => Advice::new("a handler begins with `on`: `on timer 1 do ...`"),
        _ => return None,
    })
}
