//! What the sources must keep to and no compiler looks at.
//!
//! | file | job |
//! |---|---|
//! | `comment_width` | comments are not wider than the code |
//! | `modules` | a crate's modules and their files |
//! | `imports` | which file uses which of the same crate |
//! | `cycles` | import cycles: files that use each other in a circle |

mod comment_width;
mod cycles;
mod imports;
mod modules;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

/// Folders in which there is no source of ours.
const SKIPPED: [&str; 4] = ["target", ".git", "corpus", "artifacts"];
/// What is generated.
const GENERATED: [&str; 1] = ["lang/src/parse/grammar.rs"];

/// Checks all sources of the project; prints what it finds.
///
/// # Errors
/// A file cannot be read, or is no Rust.
pub fn check() -> Result<ExitCode> {
    let found = findings()?;
    found.iter().for_each(|line| println!("{line}"));
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong with the sources, a line each.
fn findings() -> Result<Vec<String>> {
    let root = root()?;
    let mut found = Vec::new();
    for file in files(&root)? {
        let text = fs::read_to_string(root.join(&file))?;
        found.extend(comment_width::check(&file, &text));
        if is_crate_root(&file) {
            let cycles = cycles::check(&root, &file);
            found.extend(cycles.unwrap_or_else(|error| vec![format!("{error:#}")]));
        }
    }
    Ok(found)
}

/// The project's folder.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.ancestors().nth(3).context("xtask lies three folders below the top")?.to_owned())
}

/// All our Rust files, named from the root, in order.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder);
        let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() {
                // One of these names that is a crate's is no such folder.
                let crates = path.join("Cargo.toml").exists();
                if crates || !SKIPPED.iter().any(|&skipped| name == skipped) {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    found.retain(|file| !GENERATED.iter().any(|&generated| file == Path::new(generated)));
    found.sort_unstable();
    Ok(found)
}

fn is_crate_root(file: &Path) -> bool {
    ["src/lib.rs", "src/main.rs"].iter().any(|end| file.ends_with(end))
}

#[cfg(test)]
mod tests {
    /// As `cargo xtask source` says it, so that nobody learns of it from the build machine alone.
    #[test]
    fn the_sources_of_the_project_keep_to_it() {
        let found = super::findings().expect("all files can be read");
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
