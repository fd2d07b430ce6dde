//! Reading scripts and images. `-` is standard input.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use umqtt_device::signature::split;
use umqtt_lang::lexer::lexemes;
use umqtt_vm::Image;

use crate::failure::Failure;

/// Nothing larger is read: no script or image of any profile comes near it, and a user who names a
/// disk image by mistake learns it at once. Bytes.
pub(crate) const INPUT_LIMIT: usize = 16 * 1024 * 1024;

/// A file's content.
pub(crate) struct Input {
    /// The name people read: the path as given, or `<stdin>`.
    pub(crate) name: String,
    /// Where it came from; `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    /// The content, any bytes whatever.
    pub(crate) bytes: Vec<u8>,
}

impl Input {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// [`Failure::Read`] and [`Failure::TooLarge`].
    pub(crate) fn read(path: &Path) -> Result<Input, Failure> {
        let (name, path) = match is_stdin(path) {
            true => ("<stdin>".to_owned(), None),
            false => (path.display().to_string(), Some(path.to_owned())),
        };
        let bytes = match &path {
            Some(path) => File::open(path).and_then(read_bounded),
            None => read_bounded(io::stdin().lock()),
        };
        Input::new(name, path, bytes)
    }

    /// Reads a file that the user did not name for this command, but another file, a folder or an
    /// editor did: see [`read_regular`].
    ///
    /// # Errors
    /// As [`Input::read`].
    pub(crate) fn regular(path: &Path) -> Result<Input, Failure> {
        Input::new(path.display().to_string(), Some(path.to_owned()), read_regular(path))
    }

    fn new(
        name: String,
        path: Option<PathBuf>,
        bytes: io::Result<Vec<u8>>,
    ) -> Result<Input, Failure> {
        match bytes {
            Ok(bytes) if bytes.len() > INPUT_LIMIT => Err(Failure::TooLarge(name, INPUT_LIMIT)),
            Ok(bytes) => Ok(Input { name, path, bytes }),
            Err(error) => Err(Failure::Read(name, error)),
        }
    }

    /// Reads a script.
    ///
    /// # Errors
    /// As [`Input::read`], and [`Failure::IsImage`], [`Failure::IsTest`].
    pub(crate) fn script(path: &Path) -> Result<Input, Failure> {
        Input::read(path)?.expect_script()
    }

    /// Reads a script as [`Input::regular`] does.
    ///
    /// # Errors
    /// As [`Input::script`].
    pub(crate) fn regular_script(path: &Path) -> Result<Input, Failure> {
        Input::regular(path)?.expect_script()
    }

    fn expect_script(self) -> Result<Input, Failure> {
        match () {
            () if self.is_image() => Err(Failure::IsImage(self.name)),
            () if self.is_test() => Err(Failure::IsTest(self.name)),
            () => Ok(self),
        }
    }

    /// Whether it is a file of tests: no script begins with such a word.
    pub(crate) fn is_test(&self) -> bool {
        let first = lexemes(&self.bytes).next().and_then(|(_, range)| self.bytes.get(range));
        matches!(first, Some(b"use" | b"link" | b"each" | b"test"))
    }

    /// The image, without the signature behind it.
    pub(crate) fn image(&self) -> &[u8] {
        match split(&self.bytes) {
            // The source at the end of an image may be signed as well.
            (image, Some(_)) if Image::parse(&self.bytes).is_err() => image,
            _ => &self.bytes,
        }
    }

    /// The script, without the signature behind it.
    pub(crate) fn unsigned(&self) -> &[u8] {
        split(&self.bytes).0
    }

    /// Whether it claims to be an image.
    pub(crate) fn is_image(&self) -> bool {
        Image::is_image(&self.bytes)
    }
}

/// Whether a path means standard input, or standard output where one writes.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == OsStr::new("-")
}

/// What is in a file, at most one byte more than [`INPUT_LIMIT`]. Nothing else is opened: a pipe
/// may never give anything, a device no end.
///
/// # Errors
/// The system's, and that it is no ordinary file.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Err(io::Error::other("it is no ordinary file"));
    }
    read_bounded(File::open(path)?)
}

fn read_bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(INPUT_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
