//! `on serial` without the `config` line that gives the serial port to the script (W0026).

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::config::ConfigTable;
use super::facts::ScriptFacts;
use super::quote;
use crate::ast::{ConfigLine, ConfigValue, EventPattern, OnClause, Span, Statement, Trigger};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal::unescape;

/// W0026, at the first `on serial`.
pub(super) fn check(
    facts: &ScriptFacts<'_>,
    config: &dyn ConfigTable,
    found: &mut Vec<Diagnostic>,
) {
    let Some((name, value)) = config.serial_events() else { return };
    let Some(clause) =
        facts.handlers.iter().find(|clause| clause.event == EventPattern::Simple(Trigger::Serial))
    else {
        return;
    };
    let is_parameter =
        |line: &&ConfigLine| *unescape(line.name.of(facts.source)) == *name.as_bytes();
    // The last one counts.
    let line = facts.script.iter().rev().find_map(|statement| match statement {
        Statement::Config(line) => Some(line).filter(is_parameter),
        _ => None,
    });
    let message = format!("lines reach `on serial` only while {name} is {value}");
    let warning = Diagnostic::new(Code::SerialIsConsole, clause.event_span, message);
    found.push(match line.map(|line| (line, line.value)) {
        // What a flash variable holds is known on the device only.
        Some((_, ConfigValue::Flash(_))) => return,
        Some((_, ConfigValue::Text(span)))
            if *unescape(span.of(facts.source)) == *value.as_bytes() =>
        {
            return;
        }
        Some((line, ConfigValue::Text(span))) => warning
            .related(line.span, "here it is set to another value")
            .help(format!("with {} the serial port is a console", quote(facts.source, span)))
            .fix(format!("write `{value}`"), vec![Edit { span, text: value.into() }]),
        None => warning.help("unless it is set so, the serial port is a console").fix(
            format!("add `config {name} {value}`"),
            vec![insertion(facts.source, clause, name, value)],
        ),
    });
}

/// The line, before the handler: as a line of its own if the handler begins one.
fn insertion(source: &[u8], clause: &OnClause, name: &str, value: &str) -> Edit {
    let start = clause.span.start as usize;
    let begins_line =
        source.get(..start).is_none_or(|before| before.last().is_none_or(|b| *b == b'\n'));
    let end = if begins_line { "\n\n" } else { " " };
    Edit { span: Span::new(start, start), text: format!("config {name} {value}{end}").into() }
}
