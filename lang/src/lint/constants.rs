//! Constants that nothing uses (W0033).

use alloc::format;
use alloc::vec::Vec;

use super::facts::{ScriptFacts, variable_name};
use super::quote;
use crate::diagnostic::{Code, Diagnostic};

/// W0033.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    for constant in &facts.constants {
        let name = variable_name(facts.source, constant.name);
        if facts.variables.get(&name).is_none_or(|variable| variable.reads.is_empty()) {
            let message = format!("{} is never used", quote(facts.source, constant.name));
            found.push(
                Diagnostic::new(Code::UnusedConstant, constant.name, message)
                    .help("use it, or leave it out"),
            );
        }
    }
}
