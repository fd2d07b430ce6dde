//! Lints and documentation of the chips' workspace, for the core: what clippy or rustdoc warn of is
//! an error.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::build::{BUILD_STD, TARGET};
use super::paths::Paths;
use super::toolchain::Toolchain;

/// Checks all crates of the workspace.
pub(crate) fn run(places: &Paths, tools: &Toolchain) -> Result<()> {
    let mut clippy = tools.clippy()?;
    clippy.args(["--workspace", "--locked"]);
    check(places, &mut clippy, &["--", "-D", "warnings"])?;
    let mut doc = tools.cargo();
    doc.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    check(places, &mut doc, &[])
}

fn check(places: &Paths, command: &mut Command, last: &[&str]) -> Result<()> {
    command.args(BUILD_STD).arg("--target").arg(places.workspace.join(TARGET)).args(last);
    command.current_dir(&places.workspace).env("CARGO_TARGET_DIR", places.target.join("cargo"));
    let status = command.status().context("cannot start cargo")?;
    ensure!(status.success(), "the lints of the chips' workspace fail");
    Ok(())
}
