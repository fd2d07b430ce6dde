//! The scripts in the folders of a client: those that are open as the client sees them, others from
//! their files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gen_lsp_types::Uri;
use walkdir::WalkDir;

use super::documents::{Document, Kind, MAX_TEXT};
use super::positions::Encoding;
use super::uri;
use crate::input::read_regular;
use crate::script_test::discover::is_looked_into;

/// Most entries of the folders that are looked at.
const MAX_ENTRIES: usize = 20_000;
/// Most scripts that are read.
const MAX_SCRIPTS: usize = 500;
/// Most folders.
const MAX_FOLDERS: usize = 32;
/// How deep they are looked into.
const MAX_DEPTH: usize = 12;

/// The folders, and what was read of them.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    folders: Vec<PathBuf>,
    files: BTreeMap<PathBuf, File>,
    is_current: bool,
}

/// A script that was read.
#[derive(Debug)]
struct File {
    changed: Option<SystemTime>,
    len: u64,
    document: Document,
}

impl Workspace {
    /// Adds a folder.
    pub(super) fn add(&mut self, folder: &Uri) {
        if let Some(path) = uri::path(folder)
            && self.folders.len() < MAX_FOLDERS
            && !self.folders.contains(&path)
        {
            self.folders.push(path);
            self.is_current = false;
        }
    }

    /// Takes a folder away.
    pub(super) fn remove(&mut self, folder: &Uri) {
        let path = uri::path(folder);
        self.folders.retain(|folder| Some(folder) != path.as_ref());
        self.is_current = false;
    }

    /// Something has changed: looks at the files again when they are asked for.
    pub(super) fn changed(&mut self) {
        self.is_current = false;
    }

    /// Another profile: what is known of the scripts is another.
    pub(super) fn forget(&mut self) {
        self.files.values_mut().for_each(|file| file.document.forget());
    }

    /// The scripts, by their paths.
    pub(super) fn scripts(&self) -> impl Iterator<Item = &Document> {
        self.files.values().map(|file| &file.document)
    }

    /// Reads what has changed, unless nothing is said to have.
    pub(super) fn update(&mut self, encoding: Encoding) {
        if std::mem::replace(&mut self.is_current, true) {
            return;
        }
        let mut before = std::mem::take(&mut self.files);
        for path in self.paths() {
            let Ok(known) = path.metadata() else { continue };
            let (changed, len) = (known.modified().ok(), known.len());
            if len > MAX_TEXT as u64 {
                continue;
            }
            let same = before
                .remove(&path)
                .filter(|file| file.changed == changed && file.len == len && changed.is_some());
            let file = same.or_else(|| {
                let text = String::from_utf8(read_regular(&path).ok()?).ok()?;
                let uri = uri::uri(&path);
                let document = Document::new(uri, Kind::Script, 0, text, encoding);
                Some(File { changed, len, document })
            });
            if let Some(file) = file {
                self.files.insert(path, file);
            }
        }
    }

    /// The scripts below the folders, as many as are looked at.
    fn paths(&self) -> Vec<PathBuf> {
        let walk = |folder: &PathBuf| {
            WalkDir::new(folder)
                .max_depth(MAX_DEPTH)
                .sort_by_file_name()
                .into_iter()
                .filter_entry(|entry| entry.depth() == 0 || is_looked_into(entry))
        };
        let entries = self.folders.iter().flat_map(walk).take(MAX_ENTRIES).flatten();
        let scripts = entries
            .filter(|entry| entry.file_type().is_file() && is_script(entry.path()))
            .map(|entry| entry.into_path());
        scripts.take(MAX_SCRIPTS).collect()
    }
}

fn is_script(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("script"))
}
