//! The device's flash memory in a file: the same code that keeps settings and scripts on a chip
//! keeps them here.
//!
//! It behaves like NOR flash (erased to ones sector by sector, writing only clears bits) and every
//! write has reached the disk when it returns, in the order in which they were made, so that
//! neither a killed process nor a power cut of the desktop loses what it was told is written.

use std::cell::RefCell;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
    check_erase, check_read, check_write,
};
use umqtt_device::storage::Layout;

/// Bytes erased together.
pub const SECTOR: usize = 4096;
/// Bytes written together.
pub const WORD: usize = 4;
/// The file in the data directory.
pub const FILE_NAME: &str = "flash.bin";
const LOCK_NAME: &str = "lock";
/// How much shorter the files of earlier versions are, bytes.
const GUARD: usize = (Layout::DESKTOP.bytes() - Layout::DESKTOP.bytes_without_guard()) as usize;

/// Flash memory in a file.
#[derive(Debug)]
pub struct FileFlash {
    file: File,
    /// What is in the file: reading costs no system call.
    content: Vec<u8>,
    /// Why writing failed last, for the log.
    failure: Failure,
    /// Held as long as we live; the system lets go of it when the process dies, however it dies.
    _lock: File,
}

/// Why writing a file failed, in the system's own words, until somebody takes it.
#[derive(Clone, Debug, Default)]
pub struct Failure(Rc<RefCell<Option<String>>>);

impl Failure {
    /// Takes it.
    pub fn take(&self) -> Option<String> {
        self.0.take()
    }
}

/// Why the flash file cannot be used.
#[derive(Debug)]
pub enum OpenError {
    /// Another process uses the directory.
    InUse(PathBuf),
    /// The file has not the size of the flash.
    WrongSize(PathBuf, u64),
    /// A link that leads nowhere stands in the place of the file.
    Dangling(PathBuf),
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
                    "the data directory {dir} is in use by another process: choose another with --data"
                )
            }
            OpenError::WrongSize(path, size) => {
                write!(f, "{} is no flash file of this device: it has {size} bytes", path.display())
            }
            OpenError::Dangling(path) => {
                write!(f, "{} is a link to a file that does not exist", path.display())
            }
            OpenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl core::error::Error for OpenError {}

/// Opens files that nobody else may read: the flash holds passwords.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a directory that nobody else may look into, if it is not there.
fn private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Takes the right to read a file from everybody else, as one made by an earlier version may have
/// it.
fn make_private(file: &File) -> io::Result<()> {
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

impl FileFlash {
    /// Opens the flash in the directory `dir`, making both if need be.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(dir: &Path, size: usize) -> Result<FileFlash, OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io(path, error)
        };
        private_dir(dir).map_err(at(dir))?;
        let lock_path = dir.join(LOCK_NAME);
        refuse_dangling(&lock_path)?;
        let lock = private()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(dir.to_owned()),
            TryLockError::Error(error) => OpenError::Io(lock_path, error),
        })?;

        let path = dir.join(FILE_NAME);
        refuse_dangling(&path)?;
        if !path.try_exists().map_err(at(&path))? {
            // Made under another name: if we are killed now, no short file is found next time.
            let fresh = dir.join("flash.new");
            let mut file = create(&fresh).map_err(at(&fresh))?;
            file.write_all(&vec![0xff; size]).map_err(at(&fresh))?;
            file.sync_all().map_err(at(&fresh))?;
            std::fs::rename(&fresh, &path).map_err(at(&path))?;
            sync_directory(dir).map_err(at(dir))?;
        }
        let mut file = private().read(true).write(true).open(&path).map_err(at(&path))?;
        make_private(&file).map_err(at(&path))?;
        let mut found = file.metadata().map_err(at(&path))?.len();
        if found + GUARD as u64 == size as u64 {
            file.seek(SeekFrom::End(0)).map_err(at(&path))?;
            file.write_all(&[0xff; GUARD]).map_err(at(&path))?;
            file.seek(SeekFrom::Start(0)).map_err(at(&path))?;
            found = size as u64;
        }
        if found != size as u64 {
            return Err(OpenError::WrongSize(path, found));
        }
        let mut content = Vec::with_capacity(size);
        file.read_to_end(&mut content).map_err(at(&path))?;
        Ok(FileFlash { file, content, failure: Failure::default(), _lock: lock })
    }

    /// Where the words for the log are found when writing fails.
    pub fn failure(&self) -> Failure {
        self.failure.clone()
    }

    fn write_through(&mut self, from: usize, to: usize) -> Result<(), FlashError> {
        let Err(error) = self.try_write(from, to) else { return Ok(()) };
        self.failure.0.replace(Some(error.to_string()));
        // What counts is what the file holds now, as far as that can be told.
        let region = &mut self.content[from..to];
        let _ = self.file.seek(SeekFrom::Start(from as u64));
        let _ = self.file.read_exact(region);
        Err(FlashError::Failed)
    }

    fn try_write(&mut self, from: usize, to: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(from as u64))?;
        self.file.write_all(&self.content[from..to])?;
        // One after the other: what is written later says that what was written before is whole.
        self.file.sync_data()
    }
}

/// Whether a file may be made or opened by this name: not if it is a link to one that does not
/// exist, which is a disk that is not there rather than a device that is new.
pub(crate) fn refuse_dangling(path: &Path) -> Result<(), OpenError> {
    let is_link = path.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink());
    match path.try_exists() {
        Ok(false) if is_link => Err(OpenError::Dangling(path.to_owned())),
        Ok(_) => Ok(()),
        Err(error) => Err(OpenError::Io(path.to_owned(), error)),
    }
}

/// Makes a file that holds passwords: nobody else may read it.
fn create(path: &Path) -> io::Result<File> {
    let file = private().write(true).create(true).truncate(true).open(path)?;
    make_private(&file)?;
    Ok(file)
}

/// Makes the names in a directory outlive a power cut.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Why a flash operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashError {
    /// The place is outside the flash or not aligned.
    Place(NorFlashErrorKind),
    /// The file could not be written.
    Failed,
}

impl core::fmt::Display for FlashError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            FlashError::Place(NorFlashErrorKind::OutOfBounds) => "outside the flash",
            FlashError::Place(_) => "not aligned to a flash word or sector",
            FlashError::Failed => "the flash file cannot be written",
        })
    }
}

impl core::error::Error for FlashError {}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            FlashError::Place(kind) => *kind,
            FlashError::Failed => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorType for FileFlash {
    type Error = FlashError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len()).map_err(FlashError::Place)?;
        let offset = offset as usize;
        bytes.copy_from_slice(&self.content[offset..offset + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.content.len()
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to).map_err(FlashError::Place)?;
        self.content[from as usize..to as usize].fill(0xff);
        self.write_through(from as usize, to as usize)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len()).map_err(FlashError::Place)?;
        let (from, to) = (offset as usize, offset as usize + bytes.len());
        for (cell, byte) in self.content[from..to].iter_mut().zip(bytes) {
            *cell &= byte;
        }
        self.write_through(from, to)
    }
}

impl MultiwriteNorFlash for FileFlash {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own per test, gone at the end.
    struct Dir(PathBuf);
    impl Dir {
        fn new(name: &str) -> Dir {
            let name = format!("umqtt-flash-{name}-{}", std::process::id());
            Dir(std::env::temp_dir().join(name))
        }
    }
    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn it_behaves_like_nor_flash_and_survives_reopening() {
        let dir = Dir::new("nor");
        let mut flash = FileFlash::open(&dir.0, 4 * SECTOR).unwrap();
        flash.write(8, &[0xf0, 0x0f, 0xff, 0x00]).unwrap();
        flash.write(8, &[0x3c, 0xff, 0xff, 0xff]).unwrap();
        drop(flash);
        let mut flash = FileFlash::open(&dir.0, 4 * SECTOR).unwrap();
        let mut read = [0; 4];
        flash.read(8, &mut read).unwrap();
        assert_eq!(read, [0x30, 0x0f, 0xff, 0x00]);
        flash.erase(0, SECTOR as u32).unwrap();
        flash.read(8, &mut read).unwrap();
        assert_eq!(read, [0xff; 4]);
    }

    #[test]
    fn places_are_checked() {
        let dir = Dir::new("places");
        let mut flash = FileFlash::open(&dir.0, SECTOR).unwrap();
        assert!(flash.write(2, &[0; 4]).is_err());
        assert!(flash.write(SECTOR as u32, &[0; 4]).is_err());
        assert!(flash.erase(0, 100).is_err());
        assert!(flash.read(SECTOR as u32 - 1, &mut [0; 2]).is_err());
    }

    #[test]
    fn one_process_at_a_time_and_one_size() {
        let dir = Dir::new("lock");
        let flash = FileFlash::open(&dir.0, SECTOR).unwrap();
        assert!(matches!(FileFlash::open(&dir.0, SECTOR), Err(OpenError::InUse(_))));
        drop(flash);
        let other = FileFlash::open(&dir.0, 2 * SECTOR);
        assert!(matches!(other, Err(OpenError::WrongSize(_, 4096))));
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = Dir::new("mode");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = dir.0.join(FILE_NAME);
        drop(FileFlash::open(&dir.0, SECTOR).unwrap());
        assert_eq!(
            (mode(&dir.0), mode(&path), mode(&dir.0.join(LOCK_NAME))),
            (0o700, 0o600, 0o600)
        );
        // One that an earlier version has made; the directory is its owner's business.
        for (wide, path) in [(0o755, &dir.0), (0o644, &path)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(wide)).unwrap();
        }
        drop(FileFlash::open(&dir.0, SECTOR).unwrap());
        assert_eq!((mode(&dir.0), mode(&path)), (0o755, 0o600));
    }

    #[test]
    fn a_file_from_before_there_was_a_guard_grows() {
        let dir = Dir::new("grows");
        let mut flash = FileFlash::open(&dir.0, 4 * SECTOR).unwrap();
        flash.write(0, &[1; 4]).unwrap();
        drop(flash);
        let mut flash = FileFlash::open(&dir.0, 4 * SECTOR + GUARD).unwrap();
        let mut read = [0; 4];
        flash.read(0, &mut read).unwrap();
        assert_eq!(read, [1; 4]);
        flash.read(4 * SECTOR as u32, &mut read).unwrap();
        assert_eq!(read, [0xff; 4]);
    }
}
