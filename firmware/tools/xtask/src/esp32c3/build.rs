//! From the board's crate to an ELF file: cargo does it all, with the options of
//! `.cargo/config.toml` in the crate's folder.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::chip::paths::Paths;
use crate::chip::toolchain::{self, Toolchain};
use crate::qemu_riscv::QEMU_RISCV;

/// The crate's folder, and the program it makes.
const FOLDER: &str = "firmware/boards/esp32c3";
const PROGRAM: &str = "esp32c3";
/// The target.
const TARGET: &str = "riscv32imc-unknown-none-elf";
/// The linker, and the package of Debian's that has one where rustup's is not there.
const LINKER: &str = "rust-lld";

/// The board's crate and the tools for it.
pub(crate) struct Board {
    /// The crate's folder.
    pub(crate) folder: PathBuf,
    /// Where everything built for it goes.
    pub(crate) target: PathBuf,
    tools: Toolchain,
    /// The folder of the linker.
    linker: PathBuf,
}

impl Board {
    /// Finds all of it, or says what is missing.
    pub(crate) fn find() -> Result<Board> {
        let paths = Paths::find(&QEMU_RISCV)?;
        let target = paths.target.with_file_name("esp32c3");
        let linker = linker_folder()?;
        Ok(Board { folder: paths.root.join(FOLDER), target, tools: toolchain::compiler()?, linker })
    }

    /// Builds the device; returns the ELF file.
    pub(crate) fn build(&self) -> Result<PathBuf> {
        let mut cargo = self.command(self.tools.cargo())?;
        cargo.args(["build", "--release", "--locked", "--target-dir"]).arg(&self.target);
        run(&mut cargo)?;
        Ok(self.target.join(TARGET).join("release").join(PROGRAM))
    }

    /// Lints it.
    pub(crate) fn lint(&self) -> Result<()> {
        let mut clippy = self.command(self.tools.clippy()?)?;
        clippy.args(["--release", "--locked", "--target-dir"]).arg(&self.target);
        run(clippy.args(["--", "-D", "warnings"]))
    }

    fn command(&self, mut command: Command) -> Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = [self.linker.clone()].into_iter().chain(env::split_paths(&path));
        let path: OsString = env::join_paths(folders)?;
        command.current_dir(&self.folder).env("PATH", path);
        Ok(command)
    }
}

/// Where the linker is that rustup's compiler brings along.
fn linker_folder() -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir"])
        .output()
        .context("building for the ESP32-C3 needs rustup's compiler, for its linker")?;
    let libraries = String::from_utf8_lossy(&output.stdout);
    let folder = Path::new(libraries.trim()).with_file_name("bin");
    ensure!(
        folder.join(LINKER).exists(),
        "building for the ESP32-C3 needs {LINKER}, which rustup's toolchains have: there is none in {}",
        folder.display()
    );
    Ok(folder)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot start cargo")?;
    ensure!(status.success(), "cargo did not build it: {status}");
    Ok(())
}
