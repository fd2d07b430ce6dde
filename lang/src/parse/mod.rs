//! Source to syntax trees, a statement at a time, so that the tree of one statement is all a chip must hold.
//!
//! [`Statements`] is the pull interface; [`parse`] collects everything for those who have the memory. Parsing
//! goes on after an error, at the next action or statement, so that several errors are told per run.

mod build;
lalrpop_util::lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::unwrap_used,
        missing_docs,
        unreachable_pub,
        unused_qualifications,
        rustdoc::all
    )]
    grammar,
    "/parse/grammar.rs"
);

mod explain;
mod hint;
mod recover;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::ast::{Span, Statement};
pub(crate) use crate::cut::Fault;
use crate::cut::Tokens;
use crate::diagnostic::{Code, Diagnostic};
use build::Builder;

/// Most diagnostics of one script; parsing stops there.
pub const MAX_DIAGNOSTICS: usize = 50;

/// The statements of a script, in order. See [`statements`].
pub struct Statements<'s> {
    tokens: Tokens<'s>,
    profile: Profile,
    /// How many diagnostics may still be told; none ends it.
    left: usize,
}

/// Reads a script statement by statement. A statement that is wrong gives its diagnostics instead; the ones
/// behind it are read all the same, until there are [`MAX_DIAGNOSTICS`] in all. A script longer than the
/// profile's `source` is not read at all.
pub fn statements<'s>(source: &'s [u8], profile: &Profile) -> Statements<'s> {
    Statements {
        tokens: Tokens::new(source, profile.nesting),
        profile: *profile,
        left: MAX_DIAGNOSTICS,
    }
}

/// Reads a whole script: its statements that are right, and what is wrong with the others, both in order.
pub fn parse(source: &[u8], profile: &Profile) -> (Vec<Statement>, Vec<Diagnostic>) {
    let mut right = Vec::new();
    let mut wrong = Vec::new();
    for statement in statements(source, profile) {
        match statement {
            Ok(statement) => right.push(statement),
            Err(diagnostics) => wrong.extend(diagnostics),
        }
    }
    (right, wrong)
}

impl Iterator for Statements<'_> {
    /// A statement, or what is wrong with it: at least one diagnostic.
    type Item = Result<Statement, Vec<Diagnostic>>;

    fn next(&mut self) -> Option<Self::Item> {
        let source = self.tokens.source();
        if self.left == 0 {
            return None;
        }
        if source.len() > self.profile.source {
            self.left = 0;
            return Some(Err(vec![too_long(source, &self.profile)]));
        }
        if !self.tokens.begin() {
            return None;
        }
        let mut found = Vec::new();
        let statement = self.attempt(&mut found);
        if found.is_empty() {
            return statement.map(Ok);
        }
        found.truncate(self.left);
        self.left -= found.len();
        Some(Err(found))
    }
}

impl Statements<'_> {
    /// Parses a statement, and after an error what can be read of the rest of it.
    fn attempt(&mut self, found: &mut Vec<Diagnostic>) -> Option<Statement> {
        loop {
            let left = self.left - found.len();
            let mut build = Builder::new(self.tokens.source(), self.profile.temporaries, left);
            let parsed = grammar::StatementParser::new().parse(&mut build, &mut self.tokens);
            found.append(&mut build.found);
            let error = match parsed {
                Ok(statement) => return Some(statement),
                Err(error) => error,
            };
            let (told, skip) = explain::explain(error, &self.tokens, &self.profile);
            found.push(told);
            if found.len() >= self.left {
                return None;
            }
            match recover::recover(&mut self.tokens, skip) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(fault) => {
                    found.push(explain::fault(fault, &self.tokens, &self.profile).0);
                    return None;
                }
            }
        }
    }
}

/// The diagnostic of a script longer than the profile allows, at the first byte too many.
fn too_long(source: &[u8], profile: &Profile) -> Diagnostic {
    let (found, allowed) = (source.len(), profile.source);
    Diagnostic::new(
        Code::ScriptTooLong,
        Span::new(allowed, allowed + 1),
        format!("the script has {found} bytes, {} takes {allowed}", profile.name),
    )
}

#[cfg(test)]
mod tests {
    /// On a chip the size of the tables decides whether the compiler fits.
    #[test]
    fn the_tables_have_one_byte_an_entry() {
        let generated = include_str!(concat!(env!("OUT_DIR"), "/parse/grammar.rs"));
        assert!(generated.contains("const __ACTION: &[i8]"));
    }
}
