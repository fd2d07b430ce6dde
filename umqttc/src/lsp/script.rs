//! What is known of a script: its words, names and topics, and what is wrong with it.

use umqtt_lang::ast::{Span, Statement};
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::lint::{Known, NamedTopic};
use umqtt_lang::roles::{RoleSpan, roles};
use umqtt_lang::symbols::Symbols;
use umqtt_vm::Profile;

use super::options::Options;
use crate::frontend;
use crate::script_test::Problem;

/// A script that may be just being typed.
#[derive(Debug)]
pub(super) struct Script {
    /// Its words.
    pub(super) words: Vec<RoleSpan>,
    /// What is known of its values and topics.
    pub(super) known: Known,
    /// Its names.
    pub(super) symbols: Symbols,
}

impl Script {
    /// Reads a script.
    pub(super) fn new(source: &[u8], profile: &Profile) -> Script {
        let words = roles(source, profile);
        let statements: Vec<Statement> = umqtt_lang::parse(source, profile).statements;
        let known = Known::of(source, &statements);
        let symbols = Symbols::of(source, &words, &known);
        Script { words, known, symbols }
    }

    /// The word at an offset, its end included; where two touch, the one that begins there, unless
    /// that is a sign.
    pub(super) fn word(&self, offset: usize) -> Option<RoleSpan> {
        let behind = self.words.partition_point(|word| (word.span.start as usize) <= offset);
        let covers = |at: usize| {
            let word = self.words.get(at).filter(|word| offset <= word.span.end as usize)?;
            Some(*word)
        };
        let here = behind.checked_sub(1).and_then(covers);
        let before = behind.checked_sub(2).and_then(covers);
        let is_sign = |word: &RoleSpan| {
            use umqtt_lang::roles::Role;
            matches!(word.role, Role::Punctuation | Role::Operator | Role::Comment)
        };
        match (here, before) {
            (Some(here), Some(before)) if is_sign(&here) => Some(before),
            (here, before) => here.or(before),
        }
    }

    /// The innermost topic at a span of a word.
    pub(super) fn topic(&self, word: Span) -> Option<&NamedTopic> {
        let covers =
            |topic: &&NamedTopic| topic.span.start <= word.start && word.end <= topic.span.end;
        self.known.topics.iter().filter(covers).min_by_key(|topic| topic.span.len())
    }
}

/// What is wrong with a document.
#[derive(Debug)]
pub(super) enum Checked {
    /// A script's errors and warnings.
    Script(Vec<Diagnostic>),
    /// What keeps a test file from being read.
    Test(Vec<Problem>),
}

impl Checked {
    /// Checks a script.
    pub(super) fn script(source: &[u8], options: &Options) -> Checked {
        Checked::Script(frontend::check(source, &options.profile, options.pedantic))
    }
}
