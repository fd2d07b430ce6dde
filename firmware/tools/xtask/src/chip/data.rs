//! The folder with the emulated device's flash, which one device has at a time: the emulator itself
//! lets two of them write one file.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// As the desktop device calls it, which so does not share the folder either.
const LOCK: &str = "lock";
const FLASH: &str = "flash";

/// A folder that is this device's alone.
pub(super) struct Data {
    folder: PathBuf,
    _lock: File,
}

impl Data {
    /// Takes the folder, which is made if need be. The emulator that is started afterwards holds
    /// it as well, as long as it lives, whatever becomes of this program.
    pub(super) fn take(folder: &Path) -> Result<Data> {
        let shown = folder.display();
        fs::create_dir_all(folder).with_context(|| format!("cannot make {shown}"))?;
        let path = folder.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.with_context(|| format!("cannot open {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the data directory {shown} is in use by another process: \
                 choose another with --data"
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        fcntl(&lock, FcntlArg::F_SETFD(FdFlag::empty())).context("cannot pass on the lock")?;
        Ok(Data { folder: folder.to_owned(), _lock: lock })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file with the flash.
    pub(super) fn flash(&self) -> PathBuf {
        self.folder.join(FLASH)
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use umqtt_testkit::wait::eventually;

    use super::Data;

    fn refusal(folder: &std::path::Path) -> Option<String> {
        Data::take(folder).err().map(|error| format!("{error:#}"))
    }

    #[test]
    fn a_folder_is_one_devices_until_that_and_its_emulator_have_ended() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/data");
        let data = Data::take(&folder).unwrap();
        let expected = format!(
            "the data directory {} is in use by another process: choose another with --data",
            folder.display()
        );
        assert_eq!(refusal(&folder), Some(expected.clone()));
        // In the emulator's place: it reads until its input ends.
        let mut emulator = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        drop(data);
        assert_eq!(refusal(&folder), Some(expected));
        drop(emulator.stdin.take());
        emulator.wait().unwrap();
        eventually("the folder", || refusal(&folder).is_none().then_some(()));
    }
}
