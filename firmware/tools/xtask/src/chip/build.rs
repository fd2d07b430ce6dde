//! From a crate to an ELF file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::cargo::{self, Program, SMALL_HASH};
use super::description::CompilerTarget;
use super::paths::Paths;
use super::toolchain::Toolchain;
use crate::esp8266::assembly;

/// Builds the program; returns the ELF file.
pub(crate) fn build(paths: &Paths, toolchain: &Toolchain, program: &Program) -> Result<PathBuf> {
    match paths.chip.target {
        CompilerTarget::File(_) => assembly::build(paths, toolchain, program),
        CompilerTarget::Known(target, script) => link(paths, toolchain, program, target, script),
    }
}

/// Has the compiler link it, with this script.
fn link(
    paths: &Paths,
    toolchain: &Toolchain,
    program: &Program,
    target: &str,
    script: &str,
) -> Result<PathBuf> {
    let mut options = cargo::short_paths(paths, toolchain)?;
    options.push(format!("-Clink-arg=-T{}", paths.workspace.join(script).display()).into());
    let linker = toolchain.linker.as_ref().context("there is no linker")?;
    let status = cargo::cargo(paths, toolchain, "build")
        .args(["--release", "-p", &cargo::package(paths, toolchain, &program.name)?])
        .args(["--bin", &program.name, "--features", &program.features.join(",")])
        .args(cargo::target(paths))
        .args(["-Z", "profile-rustflags", "--config", SMALL_HASH])
        .arg("--config")
        .arg(format!("target.{target}.linker='{}'", linker.display()))
        .env("CARGO_ENCODED_RUSTFLAGS", cargo::encoded(&options))
        .status();
    ensure!(status.context("cannot start cargo")?.success(), "{} does not compile", program.name);
    let built = paths.target.join("cargo").join(target).join("release").join(&program.name);
    let elf = paths.target.join(program.file_name()).with_extension("elf");
    fs::copy(&built, &elf).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(elf)
}
