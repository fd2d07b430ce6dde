//! The constants that a script names, `const $name = value`: their values, known before any code is
//! made.

use alloc::vec::Vec;

use crate::ast::Span;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct NamedConstants {
    pub(crate) entries: Vec<NamedConstant>,
    /// The names, with their `$`, and the values.
    pub(crate) bytes: Vec<u8>,
}

/// A constant that a script names.
#[derive(Debug)]
pub(crate) struct NamedConstant {
    /// Where its name is in the bytes.
    pub(crate) name: Span,
    /// Where its name stands in the script, and where all of it does.
    pub(crate) at: Span,
    pub(crate) statement: Span,
    pub(crate) value: NamedValue,
}

/// What is known of a constant's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedValue {
    /// Nothing: that of another constant comes first, by its number.
    Waits(usize),
    /// There is none, which was reported.
    Wrong,
    /// Where it is in the bytes.
    Known(Span),
}

impl NamedConstants {
    /// The number of the constant of that name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name.of(&self.bytes) == name)
    }

    /// The value of the constant of that name: empty for a wrong one, so that nothing follows from
    /// it; none if there is no such constant, or its value is not known yet.
    pub(crate) fn value(&self, name: &[u8]) -> Option<&[u8]> {
        match self.entries.get(self.find(name)?)?.value {
            NamedValue::Waits(_) => None,
            NamedValue::Wrong => Some(b""),
            NamedValue::Known(place) => Some(place.of(&self.bytes)),
        }
    }

    /// The name of a constant, with its `$`.
    pub(crate) fn name(&self, number: usize) -> &[u8] {
        self.entries.get(number).map_or(b"", |entry| entry.name.of(&self.bytes))
    }

    /// Bytes of the longest value.
    pub(crate) fn longest(&self) -> usize {
        let len = |entry: &NamedConstant| match entry.value {
            NamedValue::Known(place) => place.len(),
            _ => 0,
        };
        self.entries.iter().map(len).max().unwrap_or(0)
    }
}
