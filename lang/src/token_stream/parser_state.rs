//! How far the parser is in a statement, as far as a token's meaning depends on it.

use crate::ast::Span;

/// How far into a statement the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParserState {
    /// Nothing of it was given out, or it does not start with `on` or `config`.
    Start,
    /// Behind `config`.
    ConfigName,
    /// Behind the name of a `config` line.
    ConfigValue,
    /// Behind the value of a `config` line.
    ConfigEnd,
    /// Between `on` and `do`.
    Event,
    /// Among the actions.
    Actions,
}

/// An open `if` or `while`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenBlock {
    /// Where it was opened.
    pub(crate) opened: Span,
    /// `while`, not `if`.
    pub(crate) is_while: bool,
    /// Where in it we are.
    pub(crate) part: BlockPart,
}

/// Where in a block the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockPart {
    /// Before `then` or `do`.
    Condition,
    /// Behind it.
    Body,
    /// Behind `else`.
    Else,
}
