//! Why an image cannot be loaded.

use umqtt_vm::{TooFewSlots, VerifyError};

/// Why an image cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The image is not one, or not sound.
    Image(VerifyError),
    /// The script's variables need more memory than a script may have.
    Memory(TooFewSlots),
}

impl core::fmt::Display for LoadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            LoadError::Image(error) => error.fmt(f),
            LoadError::Memory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            LoadError::Image(error) => Some(error),
            LoadError::Memory(error) => Some(error),
        }
    }
}
