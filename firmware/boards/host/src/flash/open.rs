//! Which file becomes the flash: a new one, the one there is, or what a power cut, a full disk or
//! an older version has left of one. A file that is none of ours is not touched.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use umqtt_device::storage::{FlashLayout, is_ours, mark_guard_lost};

use super::private_file::{
    at, create, make_private, private, private_dir, read_whole, refuse_odd, sync_directory,
};
use super::{FILE_NAME, FileFlash, OpenError, WriteFailure};

const LOCK_NAME: &str = "lock";
/// A new file is made under this name: if we are killed now, no short file is found next time.
const NEW_NAME: &str = "flash.new";

/// What a file is taken for by its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// All of the flash, or all that it was before there was a guard.
    Whole,
    /// Nothing was ever written, or nothing is left.
    Empty,
    /// The end is missing.
    Short,
    /// There is more behind it.
    Long,
}

impl Length {
    fn of(found: u64, layout: FlashLayout) -> Length {
        let (size, earlier) = (layout.bytes().into(), layout.bytes_without_guard().into());
        match found {
            0 => Length::Empty,
            _ if found == size || found == earlier => Length::Whole,
            _ if found < size => Length::Short,
            _ => Length::Long,
        }
    }
}

impl FileFlash {
    /// Opens the flash in the directory `dir`, making both if need be. An empty file is a new
    /// flash; of one that is too short the rest is taken for erased, and if the guard of settings
    /// and lock is in the rest, they count as damaged; of one that is too long the end is not
    /// touched.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(dir: &Path, layout: FlashLayout) -> Result<FileFlash, OpenError> {
        if dir.is_file() {
            return Err(OpenError::NoDirectory(dir.to_owned()));
        }
        private_dir(dir).map_err(at(dir))?;
        let lock = lock(dir)?;
        let path = dir.join(FILE_NAME);
        refuse_odd(&path)?;
        if !path.try_exists().map_err(at(&path))? {
            return FileFlash::make(&path, blank(layout), lock, |_| Ok(()));
        }
        // A link stays one.
        let path = if path.is_symlink() { path.canonicalize().map_err(at(&path))? } else { path };
        let (found, size) = (path.metadata().map_err(at(&path))?.len(), layout.bytes());
        let length = Length::of(found, layout);
        let mut flash = match length {
            Length::Empty => FileFlash::make(&path, blank(layout), lock, |_| Ok(())),
            Length::Short => FileFlash::complete(&path, layout, lock),
            Length::Whole | Length::Long => FileFlash::take(&path, layout, lock),
        }?;
        let path = path.display();
        flash.notice = match length {
            Length::Whole => None,
            Length::Empty => Some(format!("{path} was empty: this is a new device")),
            Length::Short => Some(format!(
                "{path} had {found} bytes of {size}: what is missing counts as damaged"
            )),
            Length::Long => Some(format!(
                "{path} has {found} bytes, of which {size} are the flash: the others are left as they are"
            )),
        };
        Ok(flash)
    }

    /// One that is at least as long as one of an earlier version.
    fn take(path: &Path, layout: FlashLayout, lock: File) -> Result<FileFlash, OpenError> {
        let mut file = private().read(true).write(true).open(path).map_err(at(path))?;
        let mut content = blank(layout);
        let found = read_whole(&mut file, &mut content).map_err(at(path))?;
        let long = file.metadata().map_err(at(path))?.len() > content.len() as u64;
        let mut flash = FileFlash::of(file, content, lock);
        if long && flash.is_foreign(layout) {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        make_private(&flash.file).map_err(at(path))?;
        flash.file.seek(SeekFrom::Start(found as u64)).map_err(at(path))?;
        flash.file.write_all(&flash.content[found..]).map_err(at(path))?;
        Ok(flash)
    }

    /// One whose end is missing.
    fn complete(path: &Path, layout: FlashLayout, lock: File) -> Result<FileFlash, OpenError> {
        let mut file = File::open(path).map_err(at(path))?;
        let mut content = blank(layout);
        let found = read_whole(&mut file, &mut content).map_err(at(path))?;
        let mut short = FileFlash::of(file, content, lock);
        if short.is_foreign(layout) {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        let FileFlash { content, _lock, .. } = short;
        FileFlash::make(path, content, _lock, |flash| {
            if found < layout.bytes_without_guard() as usize {
                let marked = mark_guard_lost(flash, layout);
                return marked
                    .map_err(|_| io::Error::other(flash.failure.take().unwrap_or_default()));
            }
            Ok(())
        })
    }

    /// Makes a file with this content, and then what `finish` does to it, and puts it in its place.
    fn make(
        path: &Path,
        content: Vec<u8>,
        lock: File,
        finish: impl FnOnce(&mut FileFlash) -> io::Result<()>,
    ) -> Result<FileFlash, OpenError> {
        let new = path.with_file_name(NEW_NAME);
        refuse_odd(&new)?;
        let mut file = create(&new).map_err(at(&new))?;
        file.write_all(&content).map_err(at(&new))?;
        let mut flash = FileFlash::of(file, content, lock);
        finish(&mut flash).map_err(at(&new))?;
        flash.file.sync_all().map_err(at(&new))?;
        std::fs::rename(&new, path).map_err(at(path))?;
        let dir = path.parent().unwrap_or(Path::new("."));
        sync_directory(dir).map_err(at(dir))?;
        Ok(flash)
    }

    fn of(file: File, content: Vec<u8>, lock: File) -> FileFlash {
        FileFlash { file, content, failure: WriteFailure::default(), notice: None, _lock: lock }
    }

    /// Whether there is something in it, and nothing of ours. What a disk puts where a file was not
    /// written are zeros.
    fn is_foreign(&mut self, layout: FlashLayout) -> bool {
        let is_nothing = |byte: &u8| matches!(byte, 0 | 0xff);
        !self.content.iter().all(is_nothing) && !is_ours(self, layout).unwrap_or(false)
    }
}

/// A flash that is erased.
fn blank(layout: FlashLayout) -> Vec<u8> {
    vec![0xff; layout.bytes() as usize]
}

/// Takes the directory for this process alone.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK_NAME);
    refuse_odd(&path)?;
    let lock = private().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::Io(path, error)),
    }
}

#[cfg(test)]
mod tests;
