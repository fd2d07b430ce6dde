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

use alloc::format;
use alloc::vec::Vec;

use lalrpop_util::ParseError;
use umqtt_vm::Profile;

use crate::ast::{Span, Statement};
pub(crate) use crate::cut::Fault;
use crate::cut::Tokens;
use crate::diagnostic::{Code, Diagnostic};
use crate::tokens::Token;
use build::{Builder, shown};

/// Most diagnostics of one script; parsing stops there.
pub const MAX_DIAGNOSTICS: usize = 50;

/// The statements of a script, in order. See [`statements`].
pub struct Statements<'s> {
    tokens: Tokens<'s>,
    profile: Profile,
}

/// Reads a script statement by statement. A statement that is wrong gives its diagnostics instead, at least
/// one and at most [`MAX_DIAGNOSTICS`]; the ones behind it are read all the same.
pub fn statements<'s>(source: &'s [u8], profile: &Profile) -> Statements<'s> {
    Statements { tokens: Tokens::new(source, profile.nesting), profile: *profile }
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
    type Item = Result<Statement, Vec<Diagnostic>>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.tokens.begin() {
            return None;
        }
        let mut build = Builder::new(self.tokens.source(), self.profile.stack);
        let parsed = grammar::StatementParser::new().parse(&mut build, &mut self.tokens);
        match parsed {
            Ok(statement) if build.found.is_empty() => Some(Ok(statement)),
            Ok(_) => Some(Err(build.found)),
            Err(error) => {
                build.found.push(self.explain(error));
                self.tokens.skip_statement();
                Some(Err(build.found))
            }
        }
    }
}

impl Statements<'_> {
    /// What the parser stumbled over.
    fn explain(&self, error: ParseError<u32, Token, Fault>) -> Diagnostic {
        let (span, message) = match error {
            ParseError::UnrecognizedToken { token: (start, _, end), .. }
            | ParseError::ExtraToken { token: (start, _, end) } => {
                let span = Span { start, end };
                (span, format!("unexpected `{}`", shown(span.of(self.tokens.source()))))
            }
            ParseError::UnrecognizedEof { location, .. }
            | ParseError::InvalidToken { location } => match self.tokens.following() {
                Some(next) => {
                    let word = shown(next.span.of(self.tokens.source()));
                    (next.span, format!("unexpected `{word}`"))
                }
                None => {
                    let span = Span { start: location, end: location };
                    return Diagnostic::new(Code::UnexpectedEnd, span, Code::UnexpectedEnd.title());
                }
            },
            ParseError::User { error } => {
                return Diagnostic::new(error.code, error.span, error.code.title());
            }
        };
        Diagnostic::new(Code::UnexpectedWord, span, message)
    }
}
