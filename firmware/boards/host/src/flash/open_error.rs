//! Why a flash file cannot be used.

use std::io;
use std::path::PathBuf;

/// Why the flash file cannot be used.
#[derive(Debug)]
pub enum OpenError {
    /// Another process uses the directory.
    InUse(PathBuf),
    /// The file is not one that a device has written.
    Foreign(PathBuf),
    /// A link that leads nowhere stands in the place of the file.
    Dangling(PathBuf),
    /// A directory, a pipe or a device stands in the place of a file.
    NotAFile(PathBuf),
    /// A file stands in the place of the directory.
    NoDirectory(PathBuf),
    /// A file or the directory cannot be read, written or made.
    Io(PathBuf, io::Error),
}

impl core::fmt::Display for OpenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            OpenError::InUse(dir) => {
                let dir = dir.display();
                write!(
                    f,
                    "the data directory {dir} is in use by another process, maybe a device that runs already: a second one needs its own --data, --mqtt-port and --console-port"
                )
            }
            OpenError::Foreign(path) => write!(
                f,
                "{} is no flash file of this device, and is left as it is: move it away, or choose another directory with --data",
                path.display()
            ),
            OpenError::Dangling(path) => {
                write!(f, "{} is a link to a file that does not exist", path.display())
            }
            OpenError::NotAFile(path) => write!(
                f,
                "{} is not a file: move it away, or choose another directory with --data",
                path.display()
            ),
            OpenError::NoDirectory(path) => {
                write!(f, "{} is a file: --data takes a directory", path.display())
            }
            OpenError::Io(path, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(
                    f,
                    "no permission for {}: does it belong to another user? Choose another directory with --data",
                    path.display()
                )
            }
            OpenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl core::error::Error for OpenError {}
