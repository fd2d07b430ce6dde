//! Files that are either old or new, never half: written beside their place and renamed into it.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces or creates a file. Links are followed, permissions kept; a place that is no ordinary
/// file (`/dev/null`, a pipe) is simply written to.
///
/// # Errors
/// The system's; what was there before is then still there.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if target.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        return Err(io::Error::other("it is a link to a file that does not exist"));
    }
    let existing = fs::metadata(&target).ok();
    if existing.as_ref().is_some_and(|found| !found.is_file()) {
        return fs::OpenOptions::new().write(true).open(&target)?.write_all(bytes);
    }
    persist(&target, bytes, existing, false)
}

/// Replaces or creates a file in a folder that is ours: nothing but a file is replaced, and no link
/// is followed. What is private only the user may read, whatever the permissions were.
///
/// # Errors
/// The system's, and that something else is there.
pub(crate) fn replace_whole(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    let existing = fs::symlink_metadata(path).ok();
    if existing.as_ref().is_some_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is no ordinary file"));
    }
    persist(path, bytes, existing, private)
}

fn persist(
    target: &Path,
    bytes: &[u8],
    existing: Option<fs::Metadata>,
    private: bool,
) -> io::Result<()> {
    let folder = folder_of(target);
    if !folder.is_dir() {
        return Err(io::Error::other(format!("there is no folder {}", folder.display())));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".umqttc-");
    let builder = if private { &mut builder } else { new_file_permissions(&mut builder) };
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(existing) = existing.filter(|_| !private) {
        if existing.permissions().readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        file.as_file().set_permissions(existing.permissions())?;
    }
    // Else a power cut after the rename could leave a name without content.
    file.as_file().sync_all()?;
    file.persist(target).map_err(|failed| failed.error)?;
    Ok(())
}

/// Whether two names lead to one file: by another path, a symbolic or a hard link. Not so what is
/// no ordinary file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(found), Ok(found_other)) = (fs::metadata(one), fs::metadata(other)) else {
        return false;
    };
    if !found.is_file() || !found_other.is_file() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (found.dev(), found.ino()) == (found_other.dev(), found_other.ino())
    }
    #[cfg(not(unix))]
    {
        matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(a), Ok(b)) if a == b)
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Temporary files are private by default; these become ordinary ones, so the user's umask shall
/// decide.
fn new_file_permissions<'b>(
    builder: &'b mut tempfile::Builder<'static, 'static>,
) -> &'b mut tempfile::Builder<'static, 'static> {
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creates_replaces_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_missing_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_whole(&dir.path().join("no/such"), b"x").unwrap_err();
        let expected = format!("there is no folder {}", dir.path().join("no").display());
        assert_eq!(error.to_string(), expected);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_private_is_so_whatever_was_there() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        replace_whole(&path, b"new", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_and_keeps_permissions() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, b"old").unwrap();
        fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
