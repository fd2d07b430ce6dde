//! Nothing is remembered of records.

/// See `journal::mark`.
#[derive(Debug, Default)]
pub(crate) struct EntryMark {}

/// See `journal::mark`.
#[derive(Debug, Default)]
pub(crate) struct MessageMark {}
