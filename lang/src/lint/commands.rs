//! Commands that `system` gives to a console that does not take them (W0031).

use alloc::format;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, unbracketed};
use super::{ConfigTable, quote};
use crate::ast::{ActionKind, ActionWord, ExprKind, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal::unescape;
use crate::suggest::nearest;

/// W0031. A command that is computed is known on the device only.
pub(super) fn check(
    facts: &ScriptFacts<'_>,
    config: &dyn ConfigTable,
    found: &mut Vec<Diagnostic>,
) {
    for step in &facts.steps {
        let ActionKind::Unary { word: ActionWord::System, value } = &step.action.kind else {
            continue;
        };
        let value = unbracketed(value);
        if value.kind != ExprKind::Text {
            continue;
        }
        let line = unescape(value.span.of(facts.source));
        if let Some(warning) = parameter(facts, value.span, &line, config) {
            found.push(warning);
        } else if let Err(reason) = config.command(&line) {
            let command = quote(facts.source, value.span);
            let message = format!("the console does not take {command}: {reason}");
            found.push(
                Diagnostic::new(Code::BadCommand, value.span, message)
                    .help("`system` does nothing then; `help` on the console lists the commands"),
            );
        }
    }
}

/// `set broker_usr me`
fn parameter(
    facts: &ScriptFacts<'_>,
    span: Span,
    line: &[u8],
    config: &dyn ConfigTable,
) -> Option<Diagnostic> {
    let names = config.names();
    let mut words = core::str::from_utf8(line).ok()?.split_ascii_whitespace();
    if let Some(name) = words.clone().next().filter(|name| names.contains(name)) {
        let message = format!("`{name}` is a parameter and no command");
        let raw = span.of(facts.source);
        let start = span.start + u32::from(raw.starts_with(b"\""));
        let edit = Edit { span: Span { start, end: start }, text: b"set ".to_vec() };
        let warning = Diagnostic::new(Code::BadCommand, span, message)
            .help(format!("the console sets it by `set {name} VALUE`"));
        return Some(if raw.starts_with(b"\"") {
            warning.fix("add `set`", Vec::from([edit]))
        } else {
            warning
        });
    }
    let name = words.next().filter(|word| *word == "set").and_then(|_| words.next())?;
    words.next()?;
    if names.is_empty() || name.starts_with('@') || names.contains(&name) {
        return None;
    }
    let diagnostic =
        Diagnostic::new(Code::BadCommand, span, format!("there is no parameter `{name}`"));
    let near = nearest(name.as_bytes(), names.iter().map(|name| name.as_bytes()));
    let near = near.and_then(|near| core::str::from_utf8(near).ok());
    let Some(meant) = config.alias(name).or(near) else {
        return Some(diagnostic.help("`help set` on the console lists the parameters"));
    };
    let diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
    let raw = core::str::from_utf8(span.of(facts.source)).ok()?;
    let mut places = raw.match_indices(name);
    let (Some((at, _)), None) = (places.next(), places.next()) else { return Some(diagnostic) };
    let start = span.start + at as u32;
    let place = Span { start, end: start + name.len() as u32 };
    let edit = Edit { span: place, text: meant.into() };
    Some(diagnostic.fix(format!("write `{meant}`"), Vec::from([edit])))
}
