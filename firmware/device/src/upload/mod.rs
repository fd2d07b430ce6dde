//! New scripts: pushed to a port, or pulled from a web server, and checked whole before anything
//! changes.
//!
//! | module | job |
//! |---|---|
//! | [`push`] | a peer connects and sends a script |
//! | [`check`](mod@check) | source or bytecode: is it a script this device can run? |
//! | [`signature`] | whose signature it has |
//! | [`whole`] | compiles source in memory, with advice and warnings |
//!
//! Pulling is [`crate::http::fetch`]; putting a script in the place of another is the device's
//! part.

pub mod check;
pub mod push;
pub mod signature;
pub mod whole;

use embedded_storage::nor_flash::NorFlash;

pub use check::{CheckError, Checked, check};
pub use push::{Push, PushError};
pub use signature::{SignatureError, incoming_suffix, verify_incoming};
pub use whole::{Compiled, WholeCompiler, compile_whole};

use crate::storage::{Storage, StorageError};

/// Where a script goes while it comes; see [`Storage::append_incoming`].
pub trait ScriptSink {
    /// Keeps more of it.
    ///
    /// # Errors
    /// [`StorageError`].
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError>;
    /// Bytes that have come.
    fn len(&self) -> usize;
    /// Whether nothing has come.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The first of them, up to four.
    fn head(&self) -> &[u8];
    /// The last of them.
    fn last(&self) -> Option<u8>;
}

impl<F: NorFlash> ScriptSink for Storage<F> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.append_incoming(bytes)
    }

    fn len(&self) -> usize {
        self.incoming_len()
    }

    fn head(&self) -> &[u8] {
        self.incoming_head()
    }

    fn last(&self) -> Option<u8> {
        self.incoming_last()
    }
}
