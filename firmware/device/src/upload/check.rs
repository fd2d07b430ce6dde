//! Is it a script this device can run?

use alloc::string::String;
use alloc::vec::Vec;

use umqtt_lang::diagnostic::{Diagnostic, Severity, position};
use umqtt_lang::{Extras, compile};
use umqtt_vm::image::MAGIC;
use umqtt_vm::{Image, Profile};

use crate::engine::{Engine, LoadError};

/// Diagnostics printed of one script.
const MAX_DIAGNOSTICS: usize = 10;

/// A script that can run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The verified image.
    pub image: Vec<u8>,
    /// The text; empty if it came as bytecode without.
    pub source: Vec<u8>,
}

/// Why a script cannot run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// There is nothing in it.
    Empty,
    /// It is larger than this device takes, bytes.
    TooLarge(usize),
    /// There is not enough memory to check it now.
    Memory {
        /// Bytes that are free.
        free: usize,
        /// Bytes it may take.
        needed: usize,
    },
    /// The source has errors: one line each, with line and column.
    Source(Vec<String>),
    /// The bytecode is not sound, or not for a device of this size.
    Image(LoadError),
}

impl core::fmt::Display for CheckError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            CheckError::Empty => f.write_str("the script is empty"),
            CheckError::TooLarge(limit) => {
                write!(f, "the script is too long: at most {limit} bytes")
            }
            CheckError::Memory { free, needed } => write!(
                f,
                "not enough memory for this script now: {free} bytes are free, it may take {needed}; \
                 disconnect clients, or send it as bytecode, which takes less"
            ),
            CheckError::Source(lines) => {
                for (place, line) in lines.iter().enumerate() {
                    write!(f, "{}{line}", if place == 0 { "" } else { "\r\n" })?;
                }
                Ok(())
            }
            CheckError::Image(error) => write!(f, "the bytecode cannot run here: {error}"),
        }
    }
}

impl core::error::Error for CheckError {}

/// Bytes that compiling and starting a small script takes, measured on the core; a long one takes 3 bytes more a byte.
const COMPILING: usize = 8_500;

/// Refuses a script whose check might not fit into the `free` bytes of memory; `None` if that is not known.
///
/// # Errors
/// [`CheckError::Memory`].
#[inline(never)]
pub fn fits(bytes: &[u8], free: Option<u32>) -> Result<(), CheckError> {
    let needed = match is_image(bytes) {
        true => bytes.len(),
        false => COMPILING + 3 * bytes.len(),
    };
    match free {
        Some(free) if (free as usize) < needed => {
            Err(CheckError::Memory { free: free as usize, needed })
        }
        _ => Ok(()),
    }
}

/// Most bytes a script that begins like this may have, as source or as bytecode.
pub fn limit(beginning: &[u8], profile: &Profile) -> usize {
    if is_image(beginning) { profile.image } else { profile.source }
}

/// Whether a script that begins like this is bytecode.
pub fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Checks a script whole: compiles it if it is source, and proves that the image may run.
///
/// # Errors
/// [`CheckError`]; nothing has changed.
// By itself, so that what it needs is on the stack no longer than it runs.
#[inline(never)]
pub fn check(bytes: Vec<u8>, profile: &Profile) -> Result<Checked, CheckError> {
    // White space is any byte up to the blank, NULs included.
    if bytes.iter().all(|byte| *byte <= b' ') {
        return Err(CheckError::Empty);
    }
    let limit = limit(&bytes, profile);
    if bytes.len() > limit {
        return Err(CheckError::TooLarge(limit));
    }
    let checked = if is_image(&bytes) {
        let image = Image::parse(&bytes).ok();
        let source = image.and_then(|image| image.source()).unwrap_or_default().to_vec();
        Checked { image: bytes, source }
    } else {
        let extras = Extras { debug: true, source: false };
        let image = compile(&bytes, profile, extras).map_err(|found| describe(&bytes, &found))?;
        Checked { image, source: bytes }
    };
    Engine::load(&checked.image, profile).map_err(CheckError::Image)?;
    Ok(checked)
}

fn describe(source: &[u8], diagnostics: &[Diagnostic]) -> CheckError {
    let errors = diagnostics.iter().filter(|found| found.severity() == Severity::Error);
    let lines = errors.take(MAX_DIAGNOSTICS).map(|found| {
        let (line, column) = position(source, found.span.start as usize);
        alloc::format!("Error in line {line}, column {column}: {}", found.message)
    });
    CheckError::Source(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_script_there_is_no_memory_for_is_refused_before_it_is_tried() {
        let source = [b'x'; 4000];
        assert_eq!(fits(&source, None), Ok(()));
        assert_eq!(fits(&source, Some(30_000)), Ok(()));
        let refused = fits(&source, Some(9_001)).unwrap_err();
        assert!(
            refused.to_string().contains("9001 bytes are free, it may take 20500"),
            "{refused}"
        );
        // Bytecode takes no more than itself.
        let image = [&MAGIC[..], &source].concat();
        assert_eq!(fits(&image, Some(9_001)), Ok(()));
    }
}
