//! A script's statements as trees, for those who have the memory: one by one, or all at once.

use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::ast::Statement;
use crate::budget::MemoryBudget;
use crate::codegen::ImageBuilder;
use crate::constants::collect;
use crate::diagnostic::Diagnostic;
use crate::named::NamedConstants;
use crate::parse::{MAX_DIAGNOSTICS, StatementReader, Tree, too_long};

/// The statements of a script, in order. See [`statements`].
pub struct Statements<'s> {
    reader: StatementReader<'s>,
    /// Its constants.
    named: NamedConstants,
    too_long: Option<Diagnostic>,
}

/// Reads a script statement by statement. A statement that is wrong gives its diagnostics instead;
/// the ones behind it are read all the same, until there are [`MAX_DIAGNOSTICS`] in all. A script
/// longer than the profile's `source` is not read at all.
///
/// ```
/// use umqtt_lang::{statements, umqtt_vm::Profile};
///
/// let script = b"config speed 160 on init do printn 1 on timer 1 do println 1";
/// let read: Vec<bool> =
///     statements(script, &Profile::ESP8266).map(|statement| statement.is_ok()).collect();
/// assert_eq!(read, [true, false, true]);
/// ```
pub fn statements<'s>(source: &'s [u8], profile: &Profile) -> Statements<'s> {
    let budget = MemoryBudget::new(None);
    // What is wrong with its constants, the compiler tells.
    let mut made = ImageBuilder::new(profile, &budget);
    let too_long = (source.len() > profile.source).then(|| too_long(source.len(), profile));
    let (named, until) = match too_long {
        Some(_) => (None, 0),
        None => (collect(&mut &*source, profile, &budget, &mut made), source.len()),
    };
    Statements {
        reader: StatementReader::new(source, until, profile, MAX_DIAGNOSTICS, None),
        named: named.unwrap_or_default(),
        too_long,
    }
}

/// A whole script, as [`parse`] has read it; both lists are in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The statements that are right.
    pub statements: Vec<Statement>,
    /// What is wrong with the others.
    pub errors: Vec<Diagnostic>,
}

/// Reads a whole script.
pub fn parse(source: &[u8], profile: &Profile) -> Parsed {
    let mut parsed = Parsed::default();
    for statement in statements(source, profile) {
        match statement {
            Ok(statement) => parsed.statements.push(statement),
            Err(diagnostics) => parsed.errors.extend(diagnostics),
        }
    }
    parsed
}

impl Iterator for Statements<'_> {
    /// A statement, or what is wrong with it: at least one diagnostic.
    type Item = Result<Statement, Vec<Diagnostic>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(too_long) = self.too_long.take() {
            return Some(Err(vec![too_long]));
        }
        let mut tree = Tree::default();
        match self.reader.next(&mut tree, &MemoryBudget::new(None), Some(&self.named))? {
            Ok(()) => tree.into_statement().map(Ok),
            Err(found) => Some(Err(found)),
        }
    }
}
