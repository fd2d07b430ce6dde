//! Source to syntax trees, a statement at a time, so that the tree of one statement is all a chip
//! must hold.
//!
//! `StatementReader` gives them to a `Sink`; [`statements`](crate::statements()) are trees, for
//! those who have the memory. Parsing goes on after an error, at the next action or statement, so
//! that several errors are reported per run.

mod build;
// Generated: see `firmware/tools/lang-grammar`.
#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    rustdoc::all
)]
mod grammar;

pub(crate) mod driver;
mod expected;
mod explain;
mod hint;
mod named;
pub(crate) mod probe;
mod quote;
mod recover;
mod sink;
mod when;

use alloc::format;
use alloc::vec::Vec;

use lalrpop_util::ParseError;
use umqtt_vm::Profile;

use crate::ast::Span;
use crate::budget::MemoryBudget;
use crate::diagnostic::{Code, Diagnostic};
use crate::named::NamedConstants;
pub(crate) use crate::token_stream::LexError;
use crate::token_stream::TokenStream;
use crate::tokens::Token;
use build::Builder;
pub(crate) use build::DIAGNOSTIC;
pub(crate) use quote::{quote, shown};
pub(crate) use sink::{Sink, Tree};

/// Most diagnostics of one script; parsing stops there.
pub const MAX_DIAGNOSTICS: usize = 50;

/// Reads statements into a [`Sink`].
pub(crate) struct StatementReader<'s> {
    tokens: TokenStream<'s>,
    /// Statements that begin behind this are not read.
    until: usize,
    profile: Profile,
    /// How many diagnostics may still be reported; reading ends at 0.
    left: usize,
}

impl<'s> StatementReader<'s> {
    /// Reads the statements that begin in the first `until` bytes of this source; reports at most
    /// so many diagnostics. Asks `budget` for the memory of open blocks.
    pub(crate) fn new(
        source: &'s [u8],
        until: usize,
        profile: &Profile,
        left: usize,
        budget: Option<&'s MemoryBudget<'s>>,
    ) -> StatementReader<'s> {
        StatementReader {
            tokens: TokenStream::new(source, profile.nesting, budget),
            until,
            profile: *profile,
            left,
        }
    }

    /// Reads the next statement, or reports what is wrong with it: at least one diagnostic, unless
    /// there was no room. What the sink was given of a wrong one counts for nothing. Constants
    /// that stand where a number or a time is due are those in `named`.
    pub(crate) fn next(
        &mut self,
        sink: &mut dyn Sink,
        budget: &MemoryBudget<'_>,
        named: Option<&NamedConstants>,
    ) -> Option<Result<(), Vec<Diagnostic>>> {
        if self.left == 0 || !self.tokens.begin() || self.tokens.at() >= self.until {
            return None;
        }
        let mut found = Vec::new();
        let whole = self.attempt(sink, budget, named, &mut found);
        if budget.refused().is_some() {
            self.left = 0;
        }
        if whole && found.is_empty() {
            return Some(Ok(()));
        }
        found.truncate(self.left);
        self.left -= found.len();
        Some(Err(found))
    }

    /// Parses a statement, and after an error what can be read of the rest of it; true if it was
    /// read to its end.
    fn attempt<'k>(
        &mut self,
        sink: &'k mut dyn Sink,
        budget: &'k MemoryBudget<'k>,
        named: Option<&'k NamedConstants>,
        found: &mut Vec<Diagnostic>,
    ) -> bool {
        let mut sink = Some(sink);
        loop {
            let error = match self.parse(sink.take(), budget, named, found) {
                Ok(()) => return true,
                Err(error) => error,
            };
            if budget.refused().is_some() || !self.go_on(error, budget, found) {
                return false;
            }
        }
    }

    // The parser needs its stack for itself: what else there is to do is out of line.
    #[inline(never)]
    fn parse<'k>(
        &mut self,
        sink: Option<&'k mut dyn Sink>,
        budget: &'k MemoryBudget<'k>,
        named: Option<&'k NamedConstants>,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(), ParseError<u32, Token, LexError>> {
        let source = self.tokens.source();
        let mut build =
            Builder::new(source, self.profile.temporaries, self.left, sink, budget, named);
        core::mem::swap(&mut build.found, found);
        let parsed = grammar::StatementParser::new().parse(&mut build, &mut self.tokens);
        core::mem::swap(&mut build.found, found);
        parsed
    }

    /// Tells an error, and skips what is lost to it; false at the end of the statement.
    #[cold]
    #[inline(never)]
    fn go_on(
        &mut self,
        error: ParseError<u32, Token, LexError>,
        budget: &MemoryBudget<'_>,
        found: &mut Vec<Diagnostic>,
    ) -> bool {
        if !budget.grow(found, 2) || !budget.has(RECOVERY) {
            return false;
        }
        let (diagnostic, skip) = explain::explain(error, &self.tokens, &self.profile);
        found.push(diagnostic);
        if found.len() >= self.left {
            return false;
        }
        match recover::recover(&mut self.tokens, skip) {
            Ok(more) => more,
            Err(fault) => {
                found.push(explain::fault(fault, &self.tokens, &self.profile).0);
                false
            }
        }
    }
}

/// Bytes that telling an error and going on take: two diagnostics, and the tokens that open the
/// blocks anew.
const RECOVERY: usize = 4096;

/// The diagnostic of a script longer than the profile allows, at the first byte too many.
pub(crate) fn too_long(found: usize, profile: &Profile) -> Diagnostic {
    let allowed = profile.source;
    Diagnostic::new(
        Code::ScriptTooLong,
        Span::new(allowed, allowed + 1),
        format!("the script has {found} bytes, {} takes {allowed}", profile.name),
    )
}

const _: () = assert!(
    digest(include_bytes!("grammar.lalrpop")) == grammar::GRAMMAR_DIGEST,
    "the grammar has changed, its parser has not: cargo run -p lang-grammar"
);

/// FNV-1a without line ends' CR.
const fn digest(bytes: &[u8]) -> u32 {
    let (mut digest, mut at) = (0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        if bytes[at] != b'\r' {
            digest = (digest ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        }
        at += 1;
    }
    digest
}

#[cfg(test)]
mod tests {
    /// On a chip the size of the tables decides whether the compiler fits.
    #[test]
    fn the_tables_have_one_byte_an_entry() {
        let generated = include_str!("grammar.rs");
        assert!(generated.contains("const __ACTION: &[i8]"));
    }
}
