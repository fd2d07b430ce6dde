//! Functions: without brackets, without values, with too many, and those of other languages.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::words::FunctionOperands;

use super::words::Words;
use super::{Advice, functions};
use crate::ast::{FunctionWord, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::tokens::{Token, is_function};

/// Functions of other languages that take what this one takes.
const RENAMED: [(&str, &[&str]); 10] = [
    ("len", &["length", "strlen", "size", "count", "sizeof"]),
    ("upper", &["toupper", "to_upper", "touppercase", "ucase", "strtoupper"]),
    ("lower", &["tolower", "to_lower", "tolowercase", "lcase", "strtolower"]),
    ("gpio_in", &["digitalread", "gpio_read", "gpio_get", "readpin", "pin_read"]),
    ("eatwhite", &["trim", "strip"]),
    ("binary", &["chr", "char"]),
    ("find", &["indexof", "strpos", "index_of"]),
    ("not", &["inv", "negate"]),
    ("fixed", &["tofixed", "to_fixed", "number_format"]),
    ("int", &["trunc", "toint", "to_int", "parseint", "atoi", "fix"]),
];

/// Others, and what is written in their place.
const OTHERS: [(&str, &[&str]); 12] = [
    ("`random(bound)` is a random number from 0 to the bound less 1", &["rand", "randint", "rnd"]),
    ("`$adc` is the analogue input", &["analogread", "adc", "adc_read", "analog_read"]),
    (
        "a value is a text and a number at once: leave it out",
        &["str", "string", "float", "tostring", "tofloat", "number", "parsefloat", "atof"],
    ),
    (
        "`$timestamp` is the time of day, `$weekday` the day; a timer counts milliseconds",
        &["time", "now", "clock", "hour", "minute", "millis", "micros", "date"],
    ),
    ("`|` joins texts", &["format", "sprintf", "concat", "join", "printf"]),
    ("`csvstr(value, index, separator)` is one field of a text", &["split", "explode", "field"]),
    (
        "`find(text, sought)` is where it stands, from 0, and -1 if it does not",
        &["contains", "includes", "strstr", "startswith", "instr", "strcmp", "match", "endswith"],
    ),
    (
        "`json_parse(path, json)` is one value of a JSON text",
        &["json", "parse", "jsonparse", "json_decode", "deserializejson", "from_json"],
    ),
    ("`int(number)` drops the decimals, `round(number, 0)` rounds", &["floor", "ceil", "roundto"]),
    (
        "`a div b` divides and drops the remainder, `divide(a, b, n)` has `n` decimals",
        &["div", "quotient"],
    ),
    (
        "`max(a, min(b, number))` keeps a number between `a` and `b`",
        &["constrain", "clamp", "limit"],
    ),
    ("`+`, `-` and `*` compute", &["pow", "add", "sub", "mul", "sum"]),
];

/// What was meant, if it is one of them.
pub(super) fn advice(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    negated(words, at)
        .or_else(|| empty(words, at, diagnostic))
        .or_else(|| surplus(words, at, diagnostic))
        .or_else(|| method(words, at))
        .or_else(|| unknown(words, at, diagnostic))
        .or_else(|| without_brackets(words, at))
}

/// `between("22:00" "06:00")`: a comma is missing.
pub(super) fn side_by_side(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    let before = at.checked_sub(1)?;
    let is_value =
        |token| matches!(token, Token::String | Token::Variable(_) | Token::Flash | Token::Word);
    let is_due = diagnostic.message.contains("an operator");
    if !is_due || !is_value(words.token(at)?) || !is_value(words.token(before)?) {
        return None;
    }
    let open = words.open_bracket(at)?;
    let (mut depth, mut commas) = (0, 0);
    for token in (open + 1..at).filter_map(|at| words.token(at)) {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Comma if depth == 0 => commas += 1,
            _ => {}
        }
    }
    let name = core::str::from_utf8(words.text(open.checked_sub(1)?)).ok()?;
    let word = FunctionWord::from_keyword(name)?;
    let usage = word.usage();
    let glued = words.span(before)?.end == words.span(at)?.start;
    if glued || usage.contains("...") || commas >= usage.split(',').count() - 1 {
        return None;
    }
    let end = words.span(before)?.end;
    let edit = Edit { span: Span { start: end, end }, text: b",".to_vec() };
    Some(
        Advice::new(format!("commas stand between its values: `{name}({usage})`"))
            .fix("add the comma", vec![edit]),
    )
}

/// `$this_data[temp]`, which is one word
pub(super) fn index_in_name(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let span = diagnostic.span;
    let text = core::str::from_utf8(span.of(words.source)).ok()?;
    let is_variable = diagnostic.code == Code::UndeclaredVariable && text.starts_with('$');
    let (variable, path) = text.strip_suffix(']').filter(|_| is_variable)?.split_once('[')?;
    let is_path = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if path.is_empty() || !is_path {
        return None;
    }
    let meant = format!("json_parse(\"{path}\", {variable})");
    Some(
        Advice::new(format!("a part of a JSON text is `{meant}`"))
            .fix("use `json_parse`", vec![Edit { span, text: meant.into_bytes() }]),
    )
}

/// `$this_data["temp"]`
pub(super) fn index(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    let before = at.checked_sub(1)?;
    let variable = core::str::from_utf8(words.text(before)).ok()?.strip_suffix('[')?;
    let is_so = matches!(words.token(before)?, Token::Variable(_))
        && words.token(at) == Some(Token::String)
        && words.text(at + 1) == b"]";
    let name = core::str::from_utf8(words.text(at)).ok().filter(|_| is_so)?;
    let meant = format!("json_parse({name}, {variable})");
    let whole = words.span(before)?.to(words.span(at + 1)?);
    Some(
        Advice::new(format!("a part of a JSON text is `{meant}`"))
            .fix("use `json_parse`", vec![Edit { span: whole, text: meant.into_bytes() }]),
    )
}

/// `gpio_in(4)` where an action is due.
pub(super) fn as_action(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let word = FunctionWord::from_keyword(core::str::from_utf8(words.text(at)).ok()?)?;
    let (name, usage) = (word.keyword(), word.usage());
    // `int $x = 5`
    let is_type = super::assignments::declares(name) && words.token(at) == Some(Token::Word);
    (!is_type && words.is_action_due(at, diagnostic)).then(|| {
        Advice::new(format!(
            "a function is a value: `println {name}({usage})` prints it, `setvar $x = {name}({usage})` keeps it"
        ))
    })
}

/// `! $x`
fn negated(words: &Words<'_>, at: usize) -> Option<Advice> {
    let mark = at.checked_sub(1).filter(|&mark| words.text(mark) == b"!")?;
    let (span, value) = (words.span(mark)?, words.span(at)?);
    let advice = Advice::new("the contrary is `not(VALUE)`");
    if !matches!(words.token(at)?, Token::Variable(_) | Token::Flash) {
        return Some(advice);
    }
    let edits = vec![
        Edit { span: Span { start: span.start, end: value.start }, text: b"not(".to_vec() },
        Edit { span: Span { start: value.end, end: value.end }, text: b")".to_vec() },
    ];
    Some(advice.fix("use `not`", edits))
}

/// `random()`
fn empty(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let name = at.checked_sub(2)?;
    let is_empty = words.token(at) == Some(Token::Close)
        && words.token(at - 1) == Some(Token::Open)
        && diagnostic.message.contains("expected a ");
    let word = FunctionWord::from_keyword(core::str::from_utf8(words.text(name)).ok()?)?;
    let (name, usage) = (word.keyword(), word.usage());
    let what = word.documentation().split(';').next().unwrap_or_default().trim_end_matches('.');
    let (first, rest) = what.split_at_checked(1)?;
    let first = first.to_ascii_lowercase();
    is_empty.then(|| Advice::new(format!("`{name}({usage})` is {first}{rest}")))
}

/// `random(1, 10)`
fn surplus(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    if !diagnostic.message.starts_with("`random` takes other values") {
        return None;
    }
    let number = |at: Option<usize>| -> Option<i32> {
        core::str::from_utf8(words.text(at?)).ok()?.parse().ok()
    };
    let (low, high) = (number(at.checked_sub(2)), number(Some(at)));
    let example =
        low.zip(high).filter(|(low, high)| (0..*high).contains(low)).map(|(low, high)| {
            let (last, count) = (high - 1, high - low + 1);
            match low {
                0 => format!("`random({high})` is one of 0 to {last}"),
                _ => format!(
                    "`random({high})` is one of 0 to {last}; for one of {low} to {high}: \
                 `{low} + random({count})`"
                ),
            }
        });
    Some(Advice::new(example.unwrap_or_else(|| {
        String::from("`random(bound)` is a number from 0 to the bound less 1; add the lowest to it")
    })))
}

/// `$this_data.toUpperCase()`
fn method(words: &Words<'_>, at: usize) -> Option<Advice> {
    // `"abc".length`
    let part = core::str::from_utf8(words.text(at)).ok()?.strip_prefix('.');
    if let Some(name) = part.filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())) {
        return Some(Advice::new(part_of("...", name)));
    }
    let before = at.checked_sub(1)?;
    let text = core::str::from_utf8(words.text(before)).ok()?;
    if words.token(at) != Some(Token::Open) || !matches!(words.token(before)?, Token::Variable(_)) {
        return None;
    }
    let (variable, name) = text.split_once('.')?;
    let advice = Advice::new(part_of(variable, name));
    let Some(function) = renamed(name) else { return Some(advice) };
    let is_empty = words.token(at + 1) == Some(Token::Close) && function != "find";
    let Some(close) = words.span(at + 1).filter(|_| is_empty) else { return Some(advice) };
    let span = words.span(before)?.to(close);
    let text = format!("{function}({variable})").into_bytes();
    Some(advice.fix(format!("use `{function}`"), vec![Edit { span, text }]))
}

/// The function of this name here.
fn renamed(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let is_it = |(function, names): &&(&str, &[&str])| *function == name || names.contains(&&*name);
    RENAMED.iter().find(is_it).map(|(function, _)| *function)
}

/// What to write for `$x.length`.
pub(super) fn part_of(value: &str, name: &str) -> String {
    match (renamed(name), other(&name.to_ascii_lowercase())) {
        (Some(function), _) => {
            format!("a function takes the value in its brackets: `{function}({value})`")
        }
        (None, Some(help)) => format!("values have no functions of their own: {help}"),
        (None, None) => format!(
            "values have no parts: `json_parse(\"{name}\", {value})` is a part of a JSON text"
        ),
    }
}

/// `sqrt(4)`
fn unknown(words: &Words<'_>, at: usize, diagnostic: &Diagnostic) -> Option<Advice> {
    let before = at.checked_sub(1)?;
    let name = core::str::from_utf8(words.text(before)).ok()?;
    let is_name = name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if words.token(at) != Some(Token::Open)
        || words.token(before) != Some(Token::Word)
        || is_function(name.as_bytes())
        || !is_name
    {
        return None;
    }
    if let Some(negated) = name.strip_prefix('!').filter(|name| is_function(name.as_bytes())) {
        return Some(Advice::new(format!("the contrary is `not({negated}(...))`")));
    }
    let lower = name.to_ascii_lowercase();
    let is_same = FunctionWord::from_keyword(&lower).map(FunctionWord::keyword);
    if let Some(function) = is_same.or_else(|| renamed(name)) {
        let edit = Edit { span: words.span(before)?, text: function.into() };
        return Some(
            Advice::new(format!("this function is `{function}` here"))
                .fix(format!("replace by `{function}`"), vec![edit]),
        );
    }
    if let Some(help) = other(&lower) {
        let advice = Advice::new(format!("`{name}` is not a function; {help}"));
        let value = words.text(at + 1);
        let is_one = words.token(at + 1).is_some_and(Token::starts_value)
            && words.token(at + 2) == Some(Token::Close);
        let close = words.span(at + 2).filter(|_| is_one && help.ends_with("leave it out"));
        let Some(close) = close else { return Some(advice) };
        let edit = Edit { span: words.span(before)?.to(close), text: value.to_vec() };
        return Some(advice.fix("leave it out", vec![edit]));
    }
    if diagnostic.help.as_ref().is_some_and(|help| help.contains("did you mean")) {
        return None;
    }
    Some(Advice::new(format!("`{name}` is not a function; {}", functions())))
}

/// What is written in place of a function of other languages.
fn other(name: &str) -> Option<&'static str> {
    OTHERS.iter().find(|(_, names)| names.contains(&name)).map(|(help, _)| *help)
}

/// `not $x`
fn without_brackets(words: &Words<'_>, at: usize) -> Option<Advice> {
    let before = at.checked_sub(1)?;
    let name = core::str::from_utf8(words.text(before)).ok()?;
    if !is_function(name.as_bytes())
        || words.token(before) != Some(Token::Word)
        || !words.is_on_line_of(at, before)
    {
        return None;
    }
    let value = words.span(at)?;
    let help = format!("a function takes its values in brackets: `{name}(...)`");
    let goes_on =
        words.token(at + 1).is_some_and(|token| token.is_operator() || token == Token::Open);
    let is_value = matches!(words.token(at)?, Token::Variable(_) | Token::Flash | Token::String);
    let function = FunctionWord::from_keyword(name);
    let is_unary = function.is_some_and(|word| word.operands() == FunctionOperands::Value);
    if goes_on || !is_value || !is_unary {
        return Some(Advice::new(help));
    }
    let gap = Span { start: words.span(before)?.end, end: value.start };
    let end = Span { start: value.end, end: value.end };
    let edits: Vec<Edit> =
        vec![Edit { span: gap, text: b"(".to_vec() }, Edit { span: end, text: b")".to_vec() }];
    Some(Advice::new(help).fix("add brackets", edits))
}
