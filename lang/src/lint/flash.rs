//! Flash variables written where it happens often (W0009): each write wears the flash.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::facts::{Facts, each_node};
use crate::ast::{ActionKind, Event, ExprKind, Target};
use crate::diagnostic::{Code, Diagnostic};

/// W0009. A write under an `if` that looks at the same flash variable is taken for one that happens only when the
/// value changes, and is let pass.
pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for step in &facts.steps {
        let ActionKind::SetVar { target: Target::Flash(flash), .. } = step.action.kind else {
            continue;
        };
        let place = if step.outer_loop.is_some() {
            "in a `while` loop"
        } else {
            let compared = facts.guards_of(step).any(|guard| {
                let mut looks = false;
                each_node(guard.condition, &mut |node| {
                    looks |= matches!(node.kind, ExprKind::Flash(n) if n.value == flash.value);
                });
                looks
            });
            match facts.event(step) {
                _ if compared => continue,
                Event::Timer(_) => "each time a timer runs out",
                Event::Topic { .. } => "with each message",
                _ => continue,
            }
        };
        let n = flash.value;
        let mend: String = if step.outer_loop.is_some() {
            "keep the value in a `$variable` and write it once, behind the loop".into()
        } else {
            format!(
                "keep the value in a `$variable`, or write it only when it changes: `if @{n} neq ... then`"
            )
        };
        found.push(
            Diagnostic::new(
                Code::FlashWear,
                step.action.span,
                format!("`@{n}` is written to flash {place}"),
            )
            .help(format!("flash wears out after some 10,000 writes; {mend}")),
        );
    }
}
