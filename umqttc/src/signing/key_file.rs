//! The file of a secret key: a line that says what it is, and one of 64 hexadecimal digits, which
//! are the secret. Nobody else may read it.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use ed25519_dalek::SigningKey;
use umqtt_device::signature::hex;

/// The first line.
const HEAD: &str = "umqtt secret key: Ed25519, v1";
/// Nothing longer is read.
const MOST: u64 = 1024;

/// Why a file gives no key.
#[derive(Debug)]
pub(crate) enum KeyFileError {
    /// It cannot be read.
    Read(io::Error),
    /// It is not what [`write_new`] writes.
    Format,
    /// Others may read it.
    Open,
}

impl std::fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyFileError::Read(error) => error.fmt(f),
            KeyFileError::Format => f.write_str("it is no secret key, `umqttc keygen` writes one"),
            KeyFileError::Open => {
                f.write_str("others may read it, so it is no secret: chmod 600, or a new key")
            }
        }
    }
}

/// Writes a key to a file that is not there yet.
///
/// # Errors
/// The system's; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub(crate) fn write_new(path: &Path, key: &SigningKey) -> io::Result<()> {
    let mut digits = [0; 64];
    hex::write(key.as_bytes(), &mut digits);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{HEAD}\n{}", String::from_utf8_lossy(&digits));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a key is in nobody's way.
        let _ = fs::remove_file(path);
    }
    written
}

/// Reads a key.
///
/// # Errors
/// [`KeyFileError`].
pub(crate) fn read(path: &Path) -> Result<SigningKey, KeyFileError> {
    let file = fs::File::open(path).map_err(KeyFileError::Read)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = file.metadata().map_err(KeyFileError::Read)?;
        if found.is_file() && found.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileError::Open);
        }
    }
    let mut text = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, MOST), &mut text)
        .map_err(KeyFileError::Read)?;
    parse(&text).ok_or(KeyFileError::Format)
}

fn parse(text: &[u8]) -> Option<SigningKey> {
    let rest = text.trim_ascii_end().strip_prefix(HEAD.as_bytes())?;
    let digits = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
    hex::read(digits).map(|secret| SigningKey::from_bytes(&secret))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = SigningKey::from_bytes(&[5; 32]);
        write_new(&path, &key).unwrap();
        assert_eq!(read(&path).unwrap().to_bytes(), key.to_bytes());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("umqtt secret key: Ed25519, v1\n{}\n", "05".repeat(32)));
        let again = write_new(&path, &SigningKey::from_bytes(&[6; 32]));
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[cfg(unix)]
    #[test]
    fn one_that_others_may_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_new(&path, &SigningKey::from_bytes(&[5; 32])).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(KeyFileError::Open)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_none(text in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&text).is_none());
            prop_assert!(parse(&[HEAD.as_bytes(), b"\n", &text].concat()).is_none());
        }
    }
}
