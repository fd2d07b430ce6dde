use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use umqtt_device::storage::{MountReport, ProtectedServices, Storage, StoredScript};

use std::fs::OpenOptions;

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
    assert_eq!((mode(&dir.0), mode(&path), mode(&dir.0.join(LOCK_NAME))), (0o700, 0o600, 0o600));
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
    storage.set_guarding(ProtectedServices::ALL).unwrap();
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

#[test]
fn what_belongs_to_another_user_is_said_so() {
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let said = OpenError::Io("/home/you/data/lock".into(), denied).to_string();
    assert_eq!(
        said,
        "no permission for /home/you/data/lock: does it belong to another user? Choose another directory with --data"
    );
}
