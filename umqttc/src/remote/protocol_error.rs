//! What a peer sends that is no console.

use std::fmt;

/// What comes is no console's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    /// A reply is longer than any of a device.
    ReplyTooLong,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProtocolError::ReplyTooLong => "a reply without an end",
        })
    }
}

impl std::error::Error for ProtocolError {}
