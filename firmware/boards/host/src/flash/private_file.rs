//! Files that nobody else may read, at places where nothing but a file stands.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::OpenError;

/// Reads a file from its start as far as it and the buffer go.
pub(super) fn read_whole(file: &mut File, mut buffer: &mut [u8]) -> io::Result<usize> {
    let all = buffer.len();
    while !buffer.is_empty() {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(n) => buffer = &mut buffer[n..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all - buffer.len())
}

/// Says where it happened.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |error| OpenError::Io(path, error)
}

/// Opens files that nobody else may read: the flash holds passwords.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a directory that nobody else may look into, if it is not there.
pub(super) fn private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Takes the right to read a file from everybody else, as one made by an earlier version may have
/// it.
pub(super) fn make_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode();
        if mode & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(mode & 0o700))?;
        }
    }
    let _ = file;
    Ok(())
}

/// Whether a file may be made or opened by this name: not if it is a link to one that does not
/// exist, which is a disk that is not there rather than a device that is new. Nor if it is no file:
/// to open a pipe waits for its other end.
pub(crate) fn refuse_odd(path: &Path) -> Result<(), OpenError> {
    let path = path.to_owned();
    let is_link = path.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink());
    match path.metadata() {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(OpenError::NotAFile(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_link => {
            Err(OpenError::Dangling(path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OpenError::Io(path, error)),
    }
}

/// Makes a file that holds passwords: nobody else may read it.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let file = private().write(true).create(true).truncate(true).open(path)?;
    make_private(&file)?;
    Ok(file)
}

/// Makes the names in a directory outlive a power cut.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}
