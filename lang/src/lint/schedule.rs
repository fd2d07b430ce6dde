//! Handlers that time wakes: the sun without a place (W0040), periods that are too short (W0041).

use alloc::format;
use alloc::vec::Vec;

use umqtt_vm::schedule::{ClockBase, Milliseconds};

use super::ConfigTable;
use super::facts::{ScriptFacts, each_node};
use crate::ast::{EventPattern, ExprKind, Span, Special, Statement};
use crate::diagnostic::{Code, Diagnostic};
use crate::literal::unescape;

/// Periods below are told of, milliseconds.
const SHORT: u32 = 10;

/// W0040, once, and W0041.
pub(super) fn check(
    facts: &ScriptFacts<'_>,
    config: &dyn ConfigTable,
    found: &mut Vec<Diagnostic>,
) {
    let mut sun: Option<Span> = None;
    let mut note = |span: Span| sun = Some(sun.map_or(span, |first| first.min(span)));
    for clause in &facts.handlers {
        match clause.event {
            EventPattern::Every(period, span) if period < SHORT => {
                let shown = Milliseconds(period);
                found.push(
                    Diagnostic::new(Code::ShortPeriod, span, format!("a handler every {shown}"))
                        .help("a chip does little else then, and skips what it does not manage"),
                );
            }
            EventPattern::Clock(time, span) if time.base != ClockBase::Midnight => note(span),
            _ => {}
        }
    }
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if let ExprKind::Special(Special::Sunrise | Special::Sunset) = node.kind {
                note(node.span);
            }
        });
    });
    let Some(span) = sun else { return };
    let names = config.names();
    let is_set = |name: &str| {
        facts.script.iter().any(|statement| match statement {
            Statement::Config(line) => *unescape(line.name.of(facts.source)) == *name.as_bytes(),
            _ => false,
        })
    };
    let missing: Vec<&str> = ["latitude", "longitude"]
        .into_iter()
        .filter(|name| names.contains(name) && !is_set(name))
        .collect();
    if missing.is_empty() {
        return;
    }
    let message = format!("the sun rises nowhere without {}", missing.join(" and "));
    found.push(Diagnostic::new(Code::NoPlace, span, message).help(format!(
        "`config {} ...` in the script, or `set` on the device's console",
        missing[0]
    )));
}
