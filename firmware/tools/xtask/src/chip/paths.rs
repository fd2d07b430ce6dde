//! Where things lie.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::description::Chip;

/// Folders, of a core's programs.
pub(crate) struct Paths {
    /// The core.
    pub(crate) chip: &'static Chip,
    /// The whole project.
    pub(crate) root: PathBuf,
    /// The workspace of the core's and its boards' crates.
    pub(crate) workspace: PathBuf,
    /// Where everything built for the core goes.
    pub(crate) target: PathBuf,
}

impl Paths {
    /// By where this program's source is, as cargo says.
    pub(crate) fn find(chip: &'static Chip) -> Result<Paths> {
        let xtask = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).to_owned(), PathBuf::from);
        let root = xtask.ancestors().nth(3).context("xtask lies three folders below the top")?;
        let target = env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |target| root.join(target));
        Ok(Paths {
            chip,
            root: root.to_owned(),
            workspace: root.join(chip.workspace),
            target: target.join(chip.name),
        })
    }
}
