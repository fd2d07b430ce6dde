//! Literals that a function does not read: times that are none, paths in another form.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::schedule::second_of_day;

use super::super::facts::{ScriptFacts, unbracketed};
use super::super::quote;
use crate::ast::{Call, Expr, ExprKind, FunctionWord, Special};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal::unescape;

/// W0022.
pub(super) fn check(facts: &ScriptFacts<'_>, call: &Call, found: &mut Vec<Diagnostic>) {
    match call {
        Call::Pair(FunctionWord::Between, from, to) => {
            found.extend([from, to].into_iter().filter_map(|time| no_time(facts, time)));
        }
        Call::Pair(FunctionWord::JsonParse | FunctionWord::JsonLen, path, json) => {
            found.extend(swapped(facts, path, json).or_else(|| foreign_path(facts, path)));
        }
        _ => {}
    }
}

/// `between(sunset, "23:00")`, `between($sunset, 25:00)`
fn no_time(facts: &ScriptFacts<'_>, time: &Expr) -> Option<Diagnostic> {
    let time = unbracketed(time);
    let written = unbracketed(facts.constant(time));
    let text = unescape(written.span.of(facts.source));
    if written.kind != ExprKind::Text || second_of_day(&text).is_some() {
        return None;
    }
    let shown = quote(facts.source, written.span);
    let message = format!("{shown} is not a time of day: `between` is 0 then");
    let warning = Diagnostic::new(Code::MisreadValue, time.span, message);
    Some(match &*text {
        b"sunrise" | b"sunset" if core::ptr::eq(time, written) => warning
            .help(format!(
                "a variable has the time: `${}`",
                alloc::string::String::from_utf8_lossy(&text)
            ))
            .fix("add `$`", vec![Edit { span: time.span, text: [b"$", &*text].concat() }]),
        _ => warning.help("times are `hh:mm` or `hh:mm:ss`, up to `24:00`"),
    })
}

/// `json_parse($this_data, "temp")`
fn swapped(facts: &ScriptFacts<'_>, path: &Expr, json: &Expr) -> Option<Diagnostic> {
    let text = unescape(json.span.of(facts.source));
    let holds_json = matches!(
        path.kind,
        ExprKind::Special(Special::ThisData | Special::ThisHttpBody | Special::ThisSerial)
    );
    let is_path = json.kind == ExprKind::Text
        && !text.is_empty()
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.[]-".contains(byte))
        && !text.iter().all(u8::is_ascii_digit);
    if !holds_json || !is_path {
        return None;
    }
    let span = path.span.to(json.span);
    let message = format!("{} is no JSON: the path comes first", quote(facts.source, json.span));
    let edit =
        |of: &Expr, by: &Expr| Edit { span: of.span, text: by.span.of(facts.source).to_vec() };
    Some(
        Diagnostic::new(Code::MisreadValue, span, message)
            .help("`json_parse(path, json)`, and `json_len` likewise")
            .fix("swap them", vec![edit(path, json), edit(json, path)]),
    )
}

/// `json_parse("$.temp", ...)`, `json_parse("/temp", ...)`
fn foreign_path(facts: &ScriptFacts<'_>, path: &Expr) -> Option<Diagnostic> {
    let path = unbracketed(path);
    let text = unescape(path.span.of(facts.source));
    let text = core::str::from_utf8(&text).ok().filter(|_| path.kind == ExprKind::Text)?;
    let meant = match text.strip_prefix('$').filter(|rest| rest.starts_with(['.', '['])) {
        Some(rest) => rest.trim_start_matches('.').into(),
        None => text.strip_prefix('/')?.replace('/', "."),
    };
    let message = format!("{} finds nothing", quote(facts.source, path.span));
    let warning = Diagnostic::new(Code::MisreadValue, path.span, message)
        .help(format!("names and numbers are separated by `.`: `\"{meant}\"`"));
    let is_plain = meant.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.[]-".contains(&b));
    let edit = Edit { span: path.span, text: format!("\"{meant}\"").into_bytes() };
    Some(if is_plain { warning.fix(format!("write `\"{meant}\"`"), vec![edit]) } else { warning })
}
