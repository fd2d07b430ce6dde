//! Retained messages that there was no room to save.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use crate::console::CommandError;

/// Topics without room that are named.
const NAMED: usize = 4;
/// Bytes shown of such a topic.
const MAX_NAME: usize = 64;

/// The messages there was no room for.
#[derive(Debug, Default)]
pub(super) struct UnsavedRetained {
    count: usize,
    names: String,
}

impl UnsavedRetained {
    /// Adds a topic.
    pub(super) fn add(&mut self, topic: &[u8]) {
        self.count += 1;
        if self.count <= NAMED {
            let comma = if self.count > 1 { ", " } else { "" };
            let shown = topic.get(..MAX_NAME).unwrap_or(topic);
            let _ = write!(self.names, "{comma}{}", shown.escape_ascii());
        }
    }

    /// The error that names them, if there are any.
    pub(super) fn into_result(self) -> Result<(), CommandError> {
        let UnsavedRetained { count, names } = self;
        match count {
            0 => Ok(()),
            _ if count <= NAMED => Err(CommandError(format!("no room for {names}"))),
            _ => Err(CommandError(format!("no room for {names} and {} more", count - NAMED))),
        }
    }
}
