//! A variable, as far as the compiler knows it.

use crate::ast::Span;

/// A variable of the script.
pub(super) struct Variable {
    /// Where in the names of all its name starts; it ends where the next one starts.
    pub(super) start: u32,
    /// Where in the script it was first seen.
    pub(super) first: Span,
    pub(super) set: bool,
}
