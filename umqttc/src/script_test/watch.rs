//! Waiting until one of the files changes that tests are made of.
//!
//! The system tells that something happened in their folders; what is in the files decides whether
//! they have changed. So a file that is replaced by another of its name, as editors do, is noticed,
//! and one that is only read or written as it was is not.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::failure::Failure;
use crate::input::read_regular;

/// Files, and what was in them when they were looked at last.
pub(crate) struct WatchedFiles {
    watcher: RecommendedWatcher,
    happened: Receiver<()>,
    folders: BTreeSet<PathBuf>,
    content: Content,
}

/// A file that was read.
pub(crate) struct ReadFile {
    pub(crate) path: PathBuf,
    /// Of what was in it, if it could be used.
    pub(crate) digest: Option<u64>,
}

impl ReadFile {
    /// The file, with what was read from it.
    pub(crate) fn new(path: PathBuf, bytes: Option<&[u8]>) -> ReadFile {
        ReadFile { path, digest: bytes.map(digest_of) }
    }
}

/// A digest of each file; none of one that cannot be read.
type Content = BTreeMap<PathBuf, Option<u64>>;

impl WatchedFiles {
    /// None yet; what happens in these folders, or beside these files, from now on is noticed.
    ///
    /// # Errors
    /// [`Failure::Watch`].
    pub(crate) fn new(paths: &[PathBuf]) -> Result<WatchedFiles, Failure> {
        let (happens, happened) = mpsc::channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // That a file was read says nothing, and looking at the files reads them.
            if event.is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            // Who waits has gone if this fails.
            let _ = happens.send(());
        });
        let watcher = watcher.map_err(Failure::Watch)?;
        let (folders, content) = (BTreeSet::new(), Content::new());
        let mut watched = WatchedFiles { watcher, happened, folders, content };
        paths.iter().try_for_each(|path| match path.is_dir() {
            true => watched.watch(path),
            false => watched.watch(folder_of(path)),
        })?;
        Ok(watched)
    }

    /// These are the files, as they were read. Returns how many there are.
    ///
    /// # Errors
    /// [`Failure::Watch`].
    pub(crate) fn set(&mut self, files: Vec<ReadFile>) -> Result<usize, Failure> {
        self.content.clear();
        for file in files {
            self.watch(folder_of(&file.path))?;
            let digest = file.digest.or_else(|| digest(&file.path));
            self.content.insert(file.path, digest);
        }
        Ok(self.content.len())
    }

    /// Waits until a file has changed, or `discover` finds others than before; which.
    ///
    /// # Errors
    /// [`Failure::Watch`]: nothing is told any more.
    pub(crate) fn wait(
        &mut self,
        discover: impl Fn() -> Vec<PathBuf>,
    ) -> Result<Vec<PathBuf>, Failure> {
        loop {
            let changed = self.changed(discover());
            if !changed.is_empty() {
                return Ok(changed);
            }
            let gone = |_| Failure::Watch(notify::Error::generic("the system tells nothing"));
            self.happened.recv().map_err(gone)?;
        }
    }

    /// The files that are not what they were, and those of `found` that were not there.
    fn changed(&mut self, found: Vec<PathBuf>) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for (file, before) in &mut self.content {
            let now = digest(file);
            if *before != now {
                *before = now;
                changed.push(file.clone());
            }
        }
        for file in found {
            if !self.content.contains_key(&file) {
                self.content.insert(file.clone(), digest(&file));
                changed.push(file);
            }
        }
        changed
    }

    fn watch(&mut self, folder: &Path) -> Result<(), Failure> {
        // One that is not there cannot be watched; neither can a file in it be read.
        if self.folders.contains(folder) || !folder.is_dir() {
            return Ok(());
        }
        self.watcher.watch(folder, RecursiveMode::NonRecursive).map_err(Failure::Watch)?;
        self.folders.insert(folder.to_owned());
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn digest(path: &Path) -> Option<u64> {
    read_regular(path).ok().map(|bytes| digest_of(&bytes))
}

fn digest_of(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_in_files_decides_and_one_that_changes_meanwhile_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other, new] = ["one", "other", "new"].map(|name| dir.path().join(name));
        fs::write(&one, "1").unwrap();
        let mut watched = WatchedFiles::new(&[dir.path().to_owned()]).unwrap();
        let read = |path: &PathBuf, bytes| ReadFile::new(path.clone(), bytes);
        assert_eq!(watched.set(vec![read(&one, Some(b"1")), read(&other, None)]).unwrap(), 2);
        assert_eq!(watched.changed(Vec::new()), [] as [PathBuf; 0]);
        fs::write(&one, "1").unwrap();
        assert_eq!(watched.changed(Vec::new()), [] as [PathBuf; 0]);

        fs::write(&other, "").unwrap();
        assert_eq!(watched.wait(Vec::new).unwrap(), std::slice::from_ref(&other));
        // While the tests ran.
        fs::write(&one, "2").unwrap();
        watched.set(vec![read(&one, Some(b"1")), read(&other, Some(b""))]).unwrap();
        assert_eq!(watched.wait(Vec::new).unwrap(), std::slice::from_ref(&one));

        fs::remove_file(&other).unwrap();
        assert_eq!(watched.wait(Vec::new).unwrap(), [other]);
        fs::write(&new, "").unwrap();
        assert_eq!(watched.wait(|| vec![new.clone()]).unwrap(), [new]);
    }

    #[test]
    fn who_waits_is_woken() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "1").unwrap();
        let mut watched = WatchedFiles::new(std::slice::from_ref(&file)).unwrap();
        watched.set(vec![ReadFile::new(file.clone(), None)]).unwrap();
        let waits = std::thread::spawn(move || watched.wait(Vec::new).unwrap());
        // As editors do.
        let beside = dir.path().join("beside");
        fs::write(&beside, "2").unwrap();
        fs::rename(&beside, &file).unwrap();
        assert_eq!(waits.join().unwrap(), [file]);
    }
}
