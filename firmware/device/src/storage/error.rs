//! Why something was not stored.

use core::fmt;

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// Why something was not stored. What was stored before is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// There is no room left.
    Full,
    /// It is larger than its place.
    TooLarge {
        /// Bytes there are for it.
        limit: usize,
    },
    /// What was written does not read back: the flash is worn out, or holds nonsense that cannot be
    /// repaired.
    Broken,
    /// There is not enough memory for it now.
    Memory,
    /// The flash reports an error.
    Flash(NorFlashErrorKind),
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageError::Full => f.write_str("the flash is full"),
            StorageError::TooLarge { limit } => write!(f, "larger than {limit} bytes"),
            StorageError::Broken => f.write_str("the flash does not keep what is written"),
            StorageError::Memory => f.write_str("not enough memory"),
            StorageError::Flash(kind) => write!(f, "the flash failed: {kind}"),
        }
    }
}

impl core::error::Error for StorageError {}

/// A flash's error as ours.
pub(super) fn flash_failed<E: NorFlashError>(error: E) -> StorageError {
    StorageError::Flash(error.kind())
}
