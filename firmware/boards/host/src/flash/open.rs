//! Which file becomes the flash: a new one, the one there is, or what a power cut, a full disk or
//! an older version has left of one. A file that is none of ours is not touched.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use umqtt_device::storage::{Layout, is_ours, mark_guard_lost};

use super::{FILE_NAME, FileFlash, WriteFailure};

const LOCK_NAME: &str = "lock";
/// A new file is made under this name: if we are killed now, no short file is found next time.
const NEW_NAME: &str = "flash.new";

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
            OpenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl core::error::Error for OpenError {}

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
    fn of(found: u64, layout: Layout) -> Length {
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
    pub fn open(dir: &Path, layout: Layout) -> Result<FileFlash, OpenError> {
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
    fn take(path: &Path, layout: Layout, lock: File) -> Result<FileFlash, OpenError> {
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
    fn complete(path: &Path, layout: Layout, lock: File) -> Result<FileFlash, OpenError> {
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
    fn is_foreign(&mut self, layout: Layout) -> bool {
        let is_nothing = |byte: &u8| matches!(byte, 0 | 0xff);
        !self.content.iter().all(is_nothing) && !is_ours(self, layout).unwrap_or(false)
    }
}

/// A flash that is erased.
fn blank(layout: Layout) -> Vec<u8> {
    vec![0xff; layout.bytes() as usize]
}

/// Reads a file from its start as far as it and the buffer go.
fn read_whole(file: &mut File, mut buffer: &mut [u8]) -> io::Result<usize> {
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
fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |error| OpenError::Io(path, error)
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
fn create(path: &Path) -> io::Result<File> {
    let file = private().write(true).create(true).truncate(true).open(path)?;
    make_private(&file)?;
    Ok(file)
}

/// Makes the names in a directory outlive a power cut.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
    use umqtt_device::storage::{Doors, MountReport, Storage, StoredScript};

    use super::super::SECTOR;
    use super::super::tests::{Dir, LAYOUT};
    use super::*;

    #[test]
    fn a_file_is_no_directory() {
        let dir = Dir::new("file");
        std::fs::write(&dir.0, "no directory").unwrap();
        let error = FileFlash::open(&dir.0, LAYOUT).unwrap_err().to_string();
        assert!(error.ends_with("is a file: --data takes a directory"), "{error}");
        std::fs::remove_file(&dir.0).unwrap();
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = Dir::new("lock");
        let _flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        assert!(matches!(FileFlash::open(&dir.0, LAYOUT), Err(OpenError::InUse(_))));
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = Dir::new("mode");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = dir.0.join(FILE_NAME);
        drop(FileFlash::open(&dir.0, LAYOUT).unwrap());
        assert_eq!(
            (mode(&dir.0), mode(&path), mode(&dir.0.join(LOCK_NAME))),
            (0o700, 0o600, 0o600)
        );
        // One that an earlier version has made; the directory is its owner's business.
        for (wide, path) in [(0o755, &dir.0), (0o644, &path)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(wide)).unwrap();
        }
        drop(FileFlash::open(&dir.0, LAYOUT).unwrap());
        assert_eq!((mode(&dir.0), mode(&path)), (0o755, 0o600));
    }

    #[test]
    fn a_file_from_before_there_was_a_guard_grows() {
        let dir = Dir::new("grows");
        let mut flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        flash.write(0, &[1; 4]).unwrap();
        drop(flash);
        let earlier = LAYOUT.bytes_without_guard();
        let file = OpenOptions::new().write(true).open(dir.0.join(FILE_NAME)).unwrap();
        file.set_len(earlier.into()).unwrap();
        let mut flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        assert_eq!(flash.take_notice(), None);
        assert_eq!(file.metadata().unwrap().len(), u64::from(LAYOUT.bytes()));
        let mut read = [0; 4];
        flash.read(0, &mut read).unwrap();
        assert_eq!(read, [1; 4]);
        flash.read(earlier, &mut read).unwrap();
        assert_eq!(read, [0xff; 4]);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_a_file_that_is_empty_stays_a_link() {
        let (dir, other) = (Dir::new("link"), Dir::new("linked"));
        for dir in [&dir.0, &other.0] {
            std::fs::create_dir_all(dir).unwrap();
        }
        let target = other.0.join("disk");
        std::fs::write(&target, b"").unwrap();
        std::os::unix::fs::symlink(&target, dir.0.join(FILE_NAME)).unwrap();
        FileFlash::open(&dir.0, LAYOUT).unwrap();
        assert!(dir.0.join(FILE_NAME).is_symlink());
        assert_eq!(target.metadata().unwrap().len(), u64::from(LAYOUT.bytes()));
    }

    /// Settings, a lock and a script, in sectors that have all been used before.
    fn used(dir: &Dir) -> (Storage<FileFlash>, Vec<u8>) {
        let (mut storage, _) = mount(dir);
        for n in 0..160 {
            storage.set_flash_variable(1, &[n; 63]).unwrap();
        }
        for round in 0..3 {
            storage.save_settings(&[round; 200]).unwrap();
            storage.save_lock(&[round; 48]).unwrap();
        }
        storage.store_script(&StoredScript { image: &[7; 2000], source: &[8; 1000] }).unwrap();
        storage.set_guarding(Doors::ALL).unwrap();
        let bytes = std::fs::read(dir.0.join(FILE_NAME)).unwrap();
        (storage, bytes)
    }

    fn mount(dir: &Dir) -> (Storage<FileFlash>, MountReport) {
        Storage::mount(FileFlash::open(&dir.0, LAYOUT).unwrap(), LAYOUT).unwrap()
    }

    /// Wherever it is cut off: all that keeps others out is there, or it is known that it is not,
    /// at the next start as well.
    #[test]
    fn a_short_file_is_filled_up_and_what_was_lost_is_known() {
        let dir = Dir::new("short");
        let (storage, whole) = used(&dir);
        drop(storage);
        let (size, earlier) = (LAYOUT.bytes() as usize, LAYOUT.bytes_without_guard() as usize);
        let path = dir.0.join(FILE_NAME);
        let lens = (1..size).step_by(509).chain((SECTOR..size).step_by(SECTOR)).chain([size - 1]);
        for len in lens.filter(|len| *len != earlier) {
            std::fs::write(&path, &whole[..len]).unwrap();
            let mut flash = match FileFlash::open(&dir.0, LAYOUT) {
                Ok(flash) => flash,
                // Too little is left to tell what it is.
                Err(OpenError::Foreign(_)) if len < 64 => continue,
                Err(error) => panic!("{len} bytes: {error}"),
            };
            let notice = flash.take_notice().unwrap();
            assert!(notice.contains(&format!("had {len} bytes of {size}")), "{notice}");
            assert_eq!(path.metadata().unwrap().len(), size as u64);
            drop(flash);
            for start in 0..2 {
                let (mut storage, report) = mount(&dir);
                let found = (report.settings_damaged, report.lock_damaged);
                let all = storage.load_settings().unwrap() == [2; 200]
                    && storage.load_lock().unwrap() == [2; 48]
                    && storage.script().unwrap().is_some();
                let known = found == (true, true);
                assert!(all && len > earlier || known, "{len} bytes, start {start}: {report:?}");
            }
        }
        // And is a device again when they are set anew.
        std::fs::write(&path, &whole[..SECTOR]).unwrap();
        let (mut storage, _) = mount(&dir);
        storage.save_settings(b"anew").unwrap();
        storage.save_lock(b"anew").unwrap();
        drop(storage);
        let (_, report) = mount(&dir);
        assert!(!report.settings_damaged && !report.lock_damaged, "{report:?}");
    }

    #[test]
    fn of_a_short_file_nothing_is_taken_for_new() {
        let dir = Dir::new("nothing");
        std::fs::create_dir_all(&dir.0).unwrap();
        for byte in [0, 0xff] {
            std::fs::write(dir.0.join(FILE_NAME), [byte; SECTOR]).unwrap();
            let (_, report) = mount(&dir);
            assert!(report.settings_damaged && report.lock_damaged, "{byte}: {report:?}");
        }
    }

    #[test]
    fn an_empty_file_is_a_new_flash() {
        let dir = Dir::new("empty");
        std::fs::create_dir_all(&dir.0).unwrap();
        std::fs::write(dir.0.join(FILE_NAME), b"").unwrap();
        let mut flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        assert!(flash.take_notice().unwrap().contains("was empty"));
        let (_, report) = Storage::mount(flash, LAYOUT).unwrap();
        assert_eq!(report, MountReport::default());
    }

    #[test]
    fn of_a_long_file_the_end_is_left_as_it_is() {
        let dir = Dir::new("long");
        let (storage, mut bytes) = used(&dir);
        drop(storage);
        bytes.extend_from_slice(&[0x55; 100]);
        let path = dir.0.join(FILE_NAME);
        std::fs::write(&path, &bytes).unwrap();
        let mut flash = FileFlash::open(&dir.0, LAYOUT).unwrap();
        assert!(flash.take_notice().unwrap().contains("has 28772 bytes, of which 28672"));
        let (mut storage, report) = Storage::mount(flash, LAYOUT).unwrap();
        assert_eq!(report, MountReport::default());
        storage.save_settings(b"new").unwrap();
        let now = std::fs::read(&path).unwrap();
        assert_eq!(now[LAYOUT.bytes() as usize..], [0x55; 100]);
    }

    /// Nothing of them is written, whatever their length is.
    #[test]
    fn what_no_device_has_written_is_left_as_it_is() {
        let size = LAYOUT.bytes() as usize;
        let dir = Dir::new("foreign");
        std::fs::create_dir_all(&dir.0).unwrap();
        let path = dir.0.join(FILE_NAME);
        let jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01".as_slice();
        // As a picture of a disk begins.
        let disk = [[0; SECTOR].as_slice(), b"\x01CD001\x01"].concat();
        for start in [jpeg, disk.as_slice(), b"hello\n"] {
            for len in [start.len(), SECTOR + 9, size - 1, size + 1, 3 * size] {
                let foreign: Vec<u8> = start.iter().copied().cycle().take(len).collect();
                std::fs::write(&path, &foreign).unwrap();
                let error = FileFlash::open(&dir.0, LAYOUT).unwrap_err();
                assert!(error.to_string().contains("is no flash file of this device"), "{error}");
                assert!(std::fs::read(&path).unwrap() == foreign, "{len} bytes: touched");
            }
        }
    }

    /// What waits for ever when it is opened, too.
    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_refused() {
        // Not by a process of its own, which would hold the locks of other tests until it runs.
        let fifo = |path: &Path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let socket = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        let device = |path: &Path| std::os::unix::fs::symlink("/dev/null", path).unwrap();
        let folder = |path: &Path| std::fs::create_dir(path).unwrap();
        let kinds: [&dyn Fn(&Path); 4] = [&fifo, &socket, &device, &folder];
        for name in [FILE_NAME, LOCK_NAME, NEW_NAME] {
            for make in kinds {
                let dir = Dir::new("odd");
                std::fs::create_dir_all(&dir.0).unwrap();
                make(&dir.0.join(name));
                let error = FileFlash::open(&dir.0, LAYOUT).unwrap_err();
                assert!(matches!(error, OpenError::NotAFile(_)), "{name}: {error}");
                assert!(error.to_string().contains(&format!("{name} is not a file: ")), "{error}");
            }
        }
    }
}
