//! Subs that no handler comes to (W0035).

use alloc::format;
use alloc::vec::Vec;

use super::facts::ScriptFacts;
use super::quote;
use crate::ast::ActionKind;
use crate::diagnostic::{Code, Diagnostic};

/// W0035.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for (name, sub) in &facts.subs {
        if sub.is_reached {
            continue;
        }
        let span = sub.clause.event_span;
        let call = facts.steps.iter().find_map(|step| match step.action.kind {
            ActionKind::Call(called) if called.of(facts.source) == *name => Some(step.action.span),
            _ => None,
        });
        let name = quote(facts.source, span);
        let warning = match call {
            None => Diagnostic::new(
                Code::NeverCalled,
                span,
                format!("nothing calls {name}, so it never runs"),
            ),
            Some(call) => Diagnostic::new(
                Code::NeverCalled,
                span,
                format!("only subs that never run call {name}"),
            )
            .related(call, "called here"),
        };
        found.push(warning.help("call it in a handler, or leave it out"));
    }
}
