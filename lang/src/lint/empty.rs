//! A script in which nothing stands but comments (W0027).

use alloc::vec::Vec;

use super::facts::ScriptFacts;
use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic};

/// W0027, at the script's beginning.
pub(super) fn check(facts: &ScriptFacts<'_>, found: &mut Vec<Diagnostic>) {
    if !facts.script.is_empty() {
        return;
    }
    let message = match facts.source.iter().all(|byte| *byte <= b' ') {
        true => "the script is empty",
        false => "the script has comments only",
    };
    found.push(
        Diagnostic::new(Code::EmptyScript, Span::new(0, 0), message)
            .help("a script does something in handlers: `on EVENT do ACTIONS`"),
    );
}
