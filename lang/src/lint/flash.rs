//! Flash variables written where it happens often (W0009): each write wears the flash.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::facts::{Facts, each_node};
use crate::ast::{ActionKind, Event, Expr, ExprKind, Target};
use crate::diagnostic::{Code, Diagnostic};

/// W0009. A write under an `if` that looks at the same flash variable is taken for one that happens only when the
/// value changes, and is let pass.
pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    // The flash variables each condition looks at.
    let looks_at: Vec<Vec<i32>> = facts.guards.iter().map(|guard| read(guard.condition)).collect();
    for step in &facts.steps {
        let ActionKind::SetVar { target: Target::Flash(flash), .. } = step.action.kind else {
            continue;
        };
        let place = if step.outer_loop.is_some() {
            "in a `while` loop"
        } else {
            let compared =
                facts.guards_of(step).any(|guard| looks_at[guard].contains(&flash.value));
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

fn read(condition: &Expr) -> Vec<i32> {
    let mut found = Vec::new();
    each_node(condition, &mut |node| {
        if let ExprKind::Flash(number) = node.kind {
            found.push(number.value);
        }
    });
    found
}
