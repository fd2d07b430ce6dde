//! A script that is tested: compiled once for all tests of a file.

use std::path::{Path, PathBuf};

use umqtt_lang::EmitOptions;
use umqtt_lang::diagnostic::{Diagnostic, Severity};
use umqtt_vm::{Image, Profile};

use crate::failure::Failure;
use crate::frontend;
use crate::input::Input;

/// A script and its image.
pub(crate) struct Script {
    /// As messages name it.
    pub(crate) name: String,
    /// Its text.
    pub(crate) source: Vec<u8>,
    /// Errors and warnings.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// None with errors.
    pub(crate) image: Option<Vec<u8>>,
    /// Its variables, with their `$`.
    pub(crate) variables: Vec<String>,
    /// Bit n: it uses pin n.
    pub(crate) pins: u64,
}

impl Script {
    /// Reads and compiles the script a test file names.
    ///
    /// # Errors
    /// It cannot be read, or is no script.
    pub(crate) fn load(test: &Path, path: &str, profile: &Profile) -> Result<Script, Failure> {
        let input = Input::regular_script(&beside(test, path))?;
        let options = EmitOptions::new().debug(true);
        let (diagnostics, program) = frontend::compile(&input.bytes, profile, options);
        let program = program.map_err(|error| Failure::Unsound(input.name.clone(), error))?;
        let mut script = Script {
            name: input.name,
            source: input.bytes,
            diagnostics,
            image: None,
            variables: Vec::new(),
            pins: 0,
        };
        if let Some(program) = program {
            script.pins = program.requirements().pins;
            let debug = program.image().debug();
            let names = (0..).map_while(|number| debug.variable(number));
            script.variables = names.map(|name| String::from_utf8_lossy(name).into()).collect();
            script.image = Some(program.bytes().clone());
        }
        Ok(script)
    }

    /// The line of a code offset, from 1.
    pub(super) fn line(&self, offset: u16) -> Option<u32> {
        Image::parse(self.image.as_ref()?).ok()?.debug().line(offset)
    }

    /// Whether it has errors.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|found| found.severity() == Severity::Error)
    }
}

/// The script beside the test file whose name is like that of one which cannot be read.
pub(super) fn meant(test: &Path, path: &str) -> Option<String> {
    let folder = test.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = folder.unwrap_or(Path::new(".")).read_dir().ok()?;
    let names = entries.flatten().take(MAX_LOOKED_AT).map(|entry| entry.file_name());
    let mut scripts: Vec<String> = names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.ends_with(".script"))
        .collect();
    scripts.sort();
    let known = scripts.iter().map(|name| name.as_bytes());
    let found = umqtt_lang::suggest::nearest(path.as_bytes(), known)?;
    Some(String::from_utf8_lossy(found).into_owned())
}

/// Most entries of a folder that are looked at for a name.
const MAX_LOOKED_AT: usize = 1000;

/// A path as it stands in a test file, which is relative to that.
pub(super) fn beside(test: &Path, path: &str) -> PathBuf {
    let folder = test.parent().unwrap_or(Path::new(""));
    folder.join(path)
}
