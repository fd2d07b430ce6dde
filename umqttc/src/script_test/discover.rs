//! Finds the test files below a folder.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::failure::Failure;

/// The ending of a test file.
const ENDING: &str = "test";
/// Folders in which nobody keeps tests of scripts, beside hidden ones.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// The files of these paths: a file as it is, of a folder all `*.test` below it, in order. Symbolic
/// links to folders are not followed.
///
/// # Errors
/// A path cannot be read.
pub(crate) fn discover(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let walk = WalkDir::new(path).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || is_looked_into(entry)) {
            let entry = entry.map_err(|error| {
                let at = error.path().unwrap_or(path).display().to_string();
                // Without what the walk says of it: the path is in the message already.
                let error = error.into_io_error().unwrap_or_else(|| ErrorKind::Other.into());
                Failure::Read(at, error)
            })?;
            let is_test = entry.path().extension() == Some(OsStr::new(ENDING));
            // Not a pipe, which nothing may ever come out of.
            if is_test && entry.path().is_file() || entry.depth() == 0 && !entry.path().is_dir() {
                found.push(in_short(entry.path()));
            }
        }
    }
    Ok(found)
}

/// Whether a folder may have scripts in it.
pub(crate) fn is_looked_into(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_skipped = entry.file_type().is_dir() && SKIPPED.contains(&&*name);
    !is_skipped && !name.starts_with('.')
}

/// Without a leading `./`.
fn in_short(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
