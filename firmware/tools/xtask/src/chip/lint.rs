//! Lints and documentation of the core's workspace: what clippy or rustdoc warn of is
//! an error.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::cargo;
use super::paths::Paths;
use super::toolchain::Toolchain;

/// Checks all crates of the workspace.
pub(crate) fn run(paths: &Paths, toolchain: &Toolchain) -> Result<()> {
    let mut clippy = toolchain.clippy()?;
    clippy.args(["--workspace", "--locked"]);
    check(paths, &mut clippy, &["--", "-D", "warnings"])?;
    let mut doc = toolchain.cargo();
    doc.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    check(paths, &mut doc, &[])
}

fn check(paths: &Paths, command: &mut Command, last: &[&str]) -> Result<()> {
    command.args(cargo::target(paths)).args(last);
    command.current_dir(&paths.workspace).env("CARGO_TARGET_DIR", paths.target.join("cargo"));
    let status = command.status().context("cannot start cargo")?;
    ensure!(status.success(), "the lints of {} fail", paths.workspace.display());
    Ok(())
}
