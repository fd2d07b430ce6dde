//! Diagnostics, for people ([`human`]) and for programs ([`json`]); those of test files
//! ([`mod@problem`]) and those of a device's compiler ([`remark`]). Lines of a trace.

pub(crate) mod bounds;
mod excerpt;
pub(crate) mod human;
pub(crate) mod json;
mod printable;
pub(crate) mod problem;
pub(crate) mod remark;
pub(crate) mod table;
pub(crate) mod trace_line;

pub(crate) use printable::printable;

use umqtt_lang::diagnostic::{Diagnostic, Severity};

/// How many errors and warnings there were, over all files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Errors.
    pub(crate) errors: usize,
    /// Warnings.
    pub(crate) warnings: usize,
    /// Errors and warnings that have a fix.
    pub(crate) fixable: usize,
}

impl Tally {
    /// Counts the diagnostics of one file.
    pub(crate) fn add(&mut self, diagnostics: &[Diagnostic]) {
        for found in diagnostics {
            match found.severity() {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
            }
            self.fixable += usize::from(found.fix.is_some());
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |count: usize, word: &str| {
            (count > 0).then(|| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        };
        let parts = [part(self.errors, "error"), part(self.warnings, "warning")];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
